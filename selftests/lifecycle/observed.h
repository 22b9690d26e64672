/* SPDX-License-Identifier: GPL-2.0 */
/* What observed.bpf.c, observers.bpf.c and observe.c share. */
#ifndef OBSERVED_H
#define OBSERVED_H

/* How a record is asked for. */
enum observed_how {
	OBSERVED_RESERVE,	/* 2048 bytes, whatever the size */
	OBSERVED_OUTPUT,	/* up to OBSERVED_BYTES */
	OBSERVED_DYNPTR,
	OBSERVED_HOWS,
};

#define OBSERVED_BYTES 4096
#define OBSERVED_RING 4096

struct observed_request {
	unsigned int how;
	unsigned int size;
	unsigned int records;
};

struct observed_result {
	unsigned int failed;
	unsigned long long lost;	/* bpf_ringbuf_query() */
	unsigned long long counts;
	unsigned long long unknown;
};

/* What a program on tracepoints has seen. */
struct observed_seen {
	unsigned int lost;
	unsigned int map_id;
	unsigned int why;
	unsigned long long size;
	unsigned long long total;
	unsigned int allocated;
	unsigned int freed;
	unsigned int acquired;	/* of those */
	unsigned int failed;
	unsigned int bytes;
	unsigned int refused;
	int err;
};

#endif
