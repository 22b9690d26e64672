// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations where nothing may wait: an interrupt, an NMI, and inside of the allocators. What is
 * freed was put there by another context at times.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "rust_dynptr.bpf.h"
#include "heap_contexts.h"

char LICENSE[] SEC("license") = "GPL";

struct entry {
	struct bpf_dynptr_heap __kptr * heap;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CONTEXT_ENTRIES);
	__type(key, u32);
	__type(value, struct entry);
} entries SEC(".maps");

struct context_counts counts[CONTEXTS];

static __always_inline int use(enum heap_context context, u32 size)
{
	struct context_counts *count = &counts[context];
	struct bpf_dynptr_heap *heap;
	struct bpf_dynptr ptr;
	struct entry *e;
	u32 key;
	int err;

	__sync_fetch_and_add(&count->calls, 1);
	err = bpf_dynptr_alloc(size, 0, &ptr);
	if (!err) {
		__sync_fetch_and_add(&count->done, 1);
		bpf_dynptr_memset(&ptr, 0, size, context);
	} else if (err == -12 /* ENOMEM */) {
		__sync_fetch_and_add(&count->failed, 1);
	} else {
		__sync_fetch_and_add(&count->wrong, 1);
	}
	heap = bpf_dynptr_detach(&ptr);
	if (!heap)
		return 0;
	key = bpf_get_prandom_u32() % CONTEXT_ENTRIES;
	e = bpf_map_lookup_elem(&entries, &key);
	if (e)
		heap = bpf_kptr_xchg(&e->heap, heap);
	if (heap)
		bpf_dynptr_heap_release(heap);
	return 0;
}

static u32 some_size(void)
{
	switch (bpf_get_prandom_u32() & 3) {
	case 0:
		return 64;
	case 1:
		return 8192 - 32;
	case 2:
		return 20000;
	}
	return 300;
}

/* The clock of a processor: an interrupt. */
SEC("perf_event")
int on_clock(void *ctx)
{
	return use(CONTEXT_CLOCK, some_size());
}

SEC("fentry/nmi_cpu_backtrace_handler")
int BPF_PROG(on_nmi)
{
	return use(CONTEXT_NMI, some_size());
}

SEC("raw_tp/kmalloc")
int on_kmalloc(void *ctx)
{
	return use(CONTEXT_KMALLOC, some_size());
}

SEC("raw_tp/kfree")
int on_kfree(void *ctx)
{
	return use(CONTEXT_KFREE, some_size());
}

SEC("raw_tp/mm_page_alloc")
int on_page_alloc(void *ctx)
{
	return use(CONTEXT_PAGE_ALLOC, some_size());
}

/* With the lists of pages locked. */
SEC("raw_tp/mm_page_alloc_zone_locked")
int on_page_alloc_locked(void *ctx)
{
	return use(CONTEXT_PAGE_LOCKED, some_size());
}

SEC("raw_tp/contention_begin")
int on_contention(void *ctx)
{
	return use(CONTEXT_CONTENTION, some_size());
}
