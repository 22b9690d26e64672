/* SPDX-License-Identifier: GPL-2.0 */
/* What heap_contexts.bpf.c and heap.c share. */
#ifndef HEAP_CONTEXTS_H
#define HEAP_CONTEXTS_H

#define CONTEXT_ENTRIES 16

enum heap_context {
	CONTEXT_CLOCK,
	CONTEXT_NMI,
	CONTEXT_KMALLOC,
	CONTEXT_KFREE,
	CONTEXT_PAGE_ALLOC,
	CONTEXT_PAGE_LOCKED,
	CONTEXT_CONTENTION,
	CONTEXTS,
};

/* @wrong: errors other than -ENOMEM. */
struct context_counts {
	unsigned long long calls;
	unsigned long long done;
	unsigned long long failed;
	unsigned long long wrong;
};

#endif
