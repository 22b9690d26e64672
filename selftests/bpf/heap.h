/* SPDX-License-Identifier: GPL-2.0 */
/* What heap.bpf.c and heap.c share. */
#ifndef HEAP_H
#define HEAP_H

#define HEAP_ENTRIES 4

/* One call of a program. */
struct heap_request {
	unsigned int size;
	unsigned int key;
	unsigned long long flags;
};

struct heap_result {
	int alloc;
	int null_after;
	unsigned int size;
	int write;
	int read;
	int same;
	int zeroed;
};

#endif
