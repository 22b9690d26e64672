/* SPDX-License-Identifier: GPL-2.0 */
/* What iter.bpf.c and its runner share: a walk over a dynptr, and what it found. */
#ifndef ITER_H
#define ITER_H

#define ITER_BATCH 16	/* walks of one run */
#define ITER_BYTES (256 * 1024)	/* of a map value, a record, a block */
#define ITER_META 16	/* of the metadata before a packet */

/* Which iterator, with which delimiters. */
enum iter_kind {
	ITER_STEPS,
	/* As far as a byte of each range says. */
	ITER_ADVANCE,
	ITER_LINE_FEED,
	ITER_SEVERAL,	/* ITER_SET */
	ITER_BYTE,	/* that of the flags */
	ITER_KINDS,
};

#define ITER_SET " ,;\377"
#define ITER_ADVANCE_MASK 0x3f

struct iter_request {
	unsigned long long start, end;	/* the view, by bpf_dynptr_adjust() */
	unsigned long long step;
	unsigned long long flags;
	unsigned int kind;	/* enum iter_kind */
};

struct iter_result {
	int view;	/* of bpf_dynptr_adjust() */
	int made;	/* of bpf_iter_…_new() */
	int advanced;	/* the last one of bpf_iter_dynptr_advance() */
	unsigned int count;	/* ranges */
	unsigned long long hash;	/* of them */
};

#define LIFE_BYTES 4096	/* of iter_life.bpf.c's memory */
#define LIFE_SHORT 1000	/* what is left of a packet */

/* What a program of iter_life.bpf.c has found. */
struct iter_life {
	unsigned long long count;	/* ranges */
	unsigned long long last;	/* the last one's offset */
	unsigned long long size;
	int end;	/* of the last one */
	int made;
	int advanced[3];
};

static inline unsigned long long iter_hash(unsigned long long sum, unsigned long long word)
{
	sum ^= word;
	sum *= 0x9e3779b97f4a7c15ULL;
	return sum ^ (sum >> 29);
}

#endif
