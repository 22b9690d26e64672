/* SPDX-License-Identifier: GPL-2.0 */
/* What interrupted.bpf.c and its runner share. */
#ifndef INTERRUPTED_H
#define INTERRUPTED_H

/* What both programs do. */
enum interrupted_op {
	INTERRUPTED_OUTPUT,
	INTERRUPTED_RESERVE,
	INTERRUPTED_DISCARD,
	INTERRUPTED_DYNPTR,
	INTERRUPTED_DRAIN,
	INTERRUPTED_OPS,
};

struct interrupted_record {
	unsigned long long who;	/* 1 the outer one, 2 the inner one */
	unsigned long long seq;
	unsigned long long check;
};

#define INTERRUPTED_CHECK(who, seq) (((seq) * 4 + (who)) * 0x9e3779b97f4a7c15ULL)

/* Of one of the programs. */
struct interrupted_tally {
	unsigned long long seq;	/* of the next record */
	unsigned long long runs;
	unsigned long long made;	/* records that the consumer will see; samples drained */
	unsigned long long refused;	/* no record: NULL, -EAGAIN, -EINVAL; -EBUSY */
	unsigned long long strange;	/* any other result */
	unsigned long long slow;	/* took longer than 100 ms */
	unsigned long long longest;	/* ns */
};

#endif
