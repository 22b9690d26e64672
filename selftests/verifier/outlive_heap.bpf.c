// SPDX-License-Identifier: GPL-2.0
/* The programs of outlive.h with heap dynptrs. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "rust_dynptr.bpf.h"

#define SIZE 16

static __always_inline void acquire(struct bpf_dynptr *ptr)
{
	bpf_dynptr_alloc(SIZE, 0, ptr);
}

static __always_inline void release(struct bpf_dynptr *ptr)
{
	bpf_dynptr_put(ptr);
}

static __always_inline void release_otherwise(struct bpf_dynptr *ptr)
{
	struct bpf_dynptr_heap *heap = bpf_dynptr_detach(ptr);

	if (heap)
		bpf_dynptr_heap_release(heap);
}

#include "outlive.h"
