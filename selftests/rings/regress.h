/* SPDX-License-Identifier: GPL-2.0 */
/* What regress.bpf.c and its runner share. */
#ifndef REGRESS_H
#define REGRESS_H

#define REGRESS_CPUS 8

/* Where a record was made. */
enum regress_context {
	REGRESS_TASK,
	REGRESS_SWITCH,	/* in the scheduler, with the run queue's lock held */
	REGRESS_CONTENTION,	/* while some lock is waited for: this very ring's, maybe */
	REGRESS_CLOCK,	/* in a timer interrupt */
	REGRESS_CONTEXTS,
};

struct regress_record {
	unsigned int side;
	unsigned int context;
	unsigned int cpu;
	unsigned int words;
	unsigned long long seq;
	unsigned long long check;
};

static inline unsigned long long regress_check(const struct regress_record *r)
{
	return ((r->seq * 8 + r->context) * 8 + r->cpu) * 0x9e3779b97f4a7c15ULL + r->side;
}

/* What the records of one context on one CPU should be. */
struct regress_stream {
	unsigned long long seq;
	unsigned long long failed;
	unsigned long long longest;	/* ns for a record */
	unsigned long long slow;	/* records that took longer than 100 ms */
};

#endif
