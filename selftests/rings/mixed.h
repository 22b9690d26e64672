/* SPDX-License-Identifier: GPL-2.0 */
/* What mixed.bpf.c and its runner share: a record, and what a producer did. */
#ifndef MIXED_H
#define MIXED_H

#define MIXED_WORDS 64
#define MIXED_FACTOR 0x9e3779b97f4a7c15ULL

/* Of the payload there are @words words, each of which says whose it is. */
struct mixed_record {
	unsigned int producer;
	unsigned int words;
	unsigned long long seq;
	unsigned long long payload[MIXED_WORDS];
};

/* Bytes of a record with that many words. */
#define MIXED_SIZE(words) (16 + (words) * 8ULL)

/* Word @i of a record's payload. */
#define MIXED_WORD(producer, seq, i) ((((seq) << 8) + (i)) * MIXED_FACTOR ^ (producer))

struct mixed_state {
	unsigned long long seq;	/* of the next record; those that fail have one too */
	unsigned long long made;
	unsigned long long failed;
	unsigned long long discarded;
	unsigned long long by_method[8];
};

#endif
