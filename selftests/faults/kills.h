/* SPDX-License-Identifier: GPL-2.0 */
/* What kills.bpf.c and kills.c share. */
#ifndef KILLS_H
#define KILLS_H

/* Processes that produce, each by its own place. */
#define KILLS_PRODUCERS 3
/* Words of a record after its head, at most. */
#define KILLS_WORDS 24
/* Places of the map that holds blocks of memory. */
#define KILLS_ENTRIES 8

/* A record; the words follow from the rest. */
struct kills_record {
	unsigned int producer;
	unsigned int words;
	unsigned long long seq;
	unsigned long long payload[KILLS_WORDS];
};

#define KILLS_SIZE(words) (16 + 8 * (words))
#define KILLS_WORD(producer, seq, i) ((seq) * 1000003ULL + (producer) * 101 + (i))

/* What a producer's runs came to. */
struct kills_state {
	unsigned long long made;	/* records, numbered from 0 */
	unsigned long long refused;	/* the ring was full */
	unsigned long long discarded;
	unsigned long long blocks;	/* of heap dynptrs, that went into the map */
};

#endif
