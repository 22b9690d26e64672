/* SPDX-License-Identifier: GPL-2.0 */
/* What rings.bpf.c and its runner share: one case, and what came of it. */
#ifndef RINGS_H
#define RINGS_H

#define RINGS_PAYLOAD (128 * 1024)	/* bytes that output can copy; a power of two */
#define RINGS_QUERIES 5

/* Sizes that bpf_ringbuf_reserve() is tried with, which wants a constant. */
#define RINGS_CONSTANTS 32

enum rings_op {
	RINGS_SUBMIT,	/* reserve, submit */
	RINGS_DISCARD,	/* reserve, discard */
	RINGS_OUTPUT,
	RINGS_SUBMIT_DYNPTR,	/* reserve_dynptr, submit_dynptr */
	RINGS_DISCARD_DYNPTR,
	RINGS_HOLD,	/* a record is held while others come and go */
	RINGS_QUERY,	/* of any value */
	RINGS_OPS,
};

struct rings_case {
	unsigned long long size;	/* of a dynptr's record or of output; what is queried */
	unsigned long long flags;	/* of submit, discard, output */
	unsigned long long reserve_flags;
	unsigned long long stamp;	/* first 8 bytes of payload */
	unsigned int constant;	/* which of the sizes of reserve */
	unsigned int op;
};

struct rings_result {
	long long made;	/* by reserve: 1 or 0; by reserve_dynptr: its status */
	long long ret;	/* by output; by the query */
	long long more;	/* by what else a held record sees */
	unsigned long long size;	/* of the dynptr */
	unsigned long long seen[RINGS_QUERIES];	/* before the record is committed */
	/* By the runner, afterwards. */
	unsigned long long producer_pos, pending_pos, overwrite_pos, consumer_pos;
	unsigned long long header, word;	/* at the place of the next record, before */
	unsigned int wakeups;
	unsigned int poll;
};

#endif
