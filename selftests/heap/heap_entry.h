/* SPDX-License-Identifier: GPL-2.0 */
/* For BPF programs: a map's value that holds an object, and what heap.h asks to be done with it. */
#ifndef HEAP_ENTRY_H
#define HEAP_ENTRY_H

#include "heap.h"

struct entry {
	struct bpf_dynptr_heap __kptr * heap;
	u32 length;
};

struct heap_request request;
struct heap_result result;

/* Bytes of the dynptr that are not @byte, up to HEAP_BYTES at @offset. */
static __always_inline u32 others(struct bpf_dynptr *ptr, u32 offset, u8 byte)
{
	u32 size = bpf_dynptr_size(ptr), count = 0;
	u8 *data;
	int i;

	bpf_for(i, 0, HEAP_BYTES) {
		if (offset + i >= size)
			break;
		data = bpf_dynptr_data(ptr, offset + i, 1);
		count += !data || *data != byte;
	}
	return count;
}

/* A block of the request's size, filled, into @e; what was there before is freed. */
static __always_inline void store_in(struct entry *e)
{
	struct bpf_dynptr_heap *heap, *old;
	struct bpf_dynptr ptr;

	result.alloc = bpf_dynptr_alloc(request.size, 0, &ptr);
	bpf_dynptr_memset(&ptr, 0, request.size, request.fill);
	/* The object has all of the memory again. */
	bpf_dynptr_adjust(&ptr, 1, 2);
	heap = bpf_dynptr_detach(&ptr);
	if (!heap)
		return;
	result.object_size = heap->size;
	if (!e) {
		bpf_dynptr_heap_release(heap);
		return;
	}
	e->length = request.size;
	old = bpf_kptr_xchg(&e->heap, heap);
	result.old = !!old;
	if (old)
		bpf_dynptr_heap_release(old);
}

/* Takes it out of @e, looks at it, and puts it back or, without flags, frees it. */
static __always_inline void take_from(struct entry *e)
{
	struct bpf_dynptr_heap *heap;
	struct bpf_dynptr ptr;

	result.found = 0;
	if (!e)
		return;
	heap = bpf_kptr_xchg(&e->heap, NULL);
	if (!heap)
		return;
	result.found = 1;
	bpf_dynptr_attach(heap, &ptr);
	result.size = bpf_dynptr_size(&ptr);
	result.wrong = others(&ptr, 0, request.fill);
	if (!request.flags) {
		bpf_dynptr_put(&ptr);
		return;
	}
	heap = bpf_dynptr_detach(&ptr);
	if (heap)
		heap = bpf_kptr_xchg(&e->heap, heap);
	if (heap)
		bpf_dynptr_heap_release(heap);
}

#endif
