/* SPDX-License-Identifier: GPL-2.0 */
/* What userrings.bpf.c and its runner share: one drain, and what came of it. */
#ifndef USERRINGS_H
#define USERRINGS_H

enum userrings_callback {
	USERRINGS_READ,	/* looks at the sample */
	USERRINGS_WRITE,	/* writes into it */
	USERRINGS_NEST,	/* drains the same ring meanwhile */
	USERRINGS_NOTHING,
	USERRINGS_CALLBACKS,
};

struct userrings_case {
	unsigned long long flags;
	unsigned int callback;
	unsigned int stop_after;	/* samples; 0: never */
};

struct userrings_result {
	long long ret;
	unsigned long long samples, bytes, hash;
	long long nested;	/* sum of what drains in the callback gave */
	long long written;	/* sum of what writes gave */
	/* By the runner, afterwards. */
	unsigned long long consumer_pos;
	unsigned int wakeups;
	unsigned int poll;
};

#endif
