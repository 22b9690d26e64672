// SPDX-License-Identifier: GPL-2.0
/*
 * Heap dynptrs misused in ways of their own: clones, objects that maps hold, dynptrs within
 * dynptrs. Each program must be refused.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"
#include "rust_dynptr.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct entry {
	struct bpf_dynptr_heap __kptr * heap;
	unsigned char bytes[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct entry);
} entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ringbuf SEC(".maps");

int val;

static __always_inline struct entry *entry(void)
{
	u32 key = 0;

	return bpf_map_lookup_elem(&entries, &key);
}

/* Putting one releases its clones. */
SEC("?syscall")
__failure __msg("Expected an initialized dynptr as R1")
int put_and_use_clone(void *ctx)
{
	struct bpf_dynptr ptr, clone;

	bpf_dynptr_alloc(8, 0, &ptr);
	bpf_dynptr_clone(&ptr, &clone);
	bpf_dynptr_put(&ptr);
	val = bpf_dynptr_size(&clone);
	return 0;
}

SEC("?syscall")
__failure __msg("Expected an initialized dynptr as R1")
int put_both_clones(void *ctx)
{
	struct bpf_dynptr ptr, clone;

	bpf_dynptr_alloc(8, 0, &ptr);
	bpf_dynptr_clone(&ptr, &clone);
	bpf_dynptr_put(&clone);
	bpf_dynptr_put(&ptr);
	return 0;
}

SEC("?syscall")
__failure __msg("Unreleased reference id")
int put_no_clone(void *ctx)
{
	struct bpf_dynptr ptr, clone;

	bpf_dynptr_alloc(8, 0, &ptr);
	bpf_dynptr_clone(&ptr, &clone);
	return 0;
}

/* A slice of the clone is one of the same memory. */
SEC("?syscall")
__failure __msg("invalid mem access 'scalar'")
int slice_of_clone_after_put(void *ctx)
{
	struct bpf_dynptr ptr, clone;
	int *data;

	bpf_dynptr_alloc(8, 0, &ptr);
	bpf_dynptr_clone(&ptr, &clone);
	data = bpf_dynptr_data(&clone, 0, 8);
	bpf_dynptr_put(&ptr);
	if (data)
		val = *data;
	return 0;
}

SEC("?syscall")
__failure __msg("cannot overwrite referenced dynptr")
int overwrite_last_clone(void *ctx)
{
	struct bpf_dynptr ptr, clone;

	bpf_dynptr_alloc(8, 0, &ptr);
	bpf_dynptr_clone(&ptr, &clone);
	*(volatile u8 *)&ptr = 0;
	*(volatile u8 *)&clone = 0;
	return 0;
}

/* On one path only. */
SEC("?syscall")
__failure __msg("Unreleased reference id")
int put_on_one_path(void *ctx)
{
	struct bpf_dynptr ptr;

	if (!bpf_dynptr_alloc(8, 0, &ptr))
		bpf_dynptr_put(&ptr);
	return 0;
}

/* Local memory is not on the heap. */
SEC("?syscall")
__failure __msg("Expected a dynptr of type malloc as R1")
int put_local(void *ctx)
{
	struct entry *e = entry();
	struct bpf_dynptr ptr;

	if (!e)
		return 0;
	bpf_dynptr_from_mem(e->bytes, sizeof(e->bytes), 0, &ptr);
	bpf_dynptr_put(&ptr);
	return 0;
}

SEC("?syscall")
__failure __msg("Expected a dynptr of type malloc as R1")
int detach_local(void *ctx)
{
	struct bpf_dynptr_heap *heap;
	struct entry *e = entry();
	struct bpf_dynptr ptr;

	if (!e)
		return 0;
	bpf_dynptr_from_mem(e->bytes, sizeof(e->bytes), 0, &ptr);
	heap = bpf_dynptr_detach(&ptr);
	if (heap)
		bpf_dynptr_heap_release(heap);
	return 0;
}

/* A record is not on the heap either, and the other way round. */
SEC("?syscall")
__failure __msg("Expected a dynptr of type ringbuf as R1")
int submit_heap(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(8, 0, &ptr);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return 0;
}

__noinline int global_put(struct bpf_dynptr *ptr)
{
	bpf_dynptr_put(ptr);
	return 0;
}

/* A global function has what it is given on loan. */
SEC("?syscall")
__failure __msg("CONST_PTR_TO_DYNPTR cannot be released")
int put_lent(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(8, 0, &ptr);
	global_put(&ptr);
	bpf_dynptr_put(&ptr);
	return 0;
}

/* A dynptr over the memory of another: only map values can be local memory. */
SEC("?syscall")
__failure __msg("Unsupported reg type mem for bpf_dynptr_from_mem data")
int dynptr_from_heap_slice(void *ctx)
{
	struct bpf_dynptr ptr, inner;
	void *data;

	bpf_dynptr_alloc(64, 0, &ptr);
	data = bpf_dynptr_data(&ptr, 0, 64);
	if (data)
		bpf_dynptr_from_mem(data, 64, 0, &inner);
	bpf_dynptr_put(&ptr);
	return 0;
}

/* A dynptr in the memory of another. */
SEC("?syscall")
__failure __msg("R3 expected pointer to stack or const struct bpf_dynptr")
int alloc_into_slice(void *ctx)
{
	struct bpf_dynptr ptr;
	void *data;

	bpf_dynptr_alloc(64, 0, &ptr);
	data = bpf_dynptr_data(&ptr, 0, 16);
	if (data)
		bpf_dynptr_alloc(8, 0, data);
	bpf_dynptr_put(&ptr);
	return 0;
}

/* Reading into a dynptr's own slots. */
SEC("?syscall")
__failure __msg("cannot overwrite referenced dynptr")
int read_into_itself(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	bpf_dynptr_read(&ptr, sizeof(ptr), &ptr, 0, 0);
	bpf_dynptr_put(&ptr);
	return 0;
}

/* Half of a new one over half of an old one. */
SEC("?syscall")
__failure __msg("cannot overwrite referenced dynptr")
int alloc_over_half(void *ctx)
{
	struct bpf_dynptr ptr[2];

	bpf_dynptr_alloc(64, 0, &ptr[0]);
	bpf_dynptr_alloc(64, 0, (void *)&ptr[0] + 8);
	return 0;
}

SEC("?syscall")
__failure __msg("Expected an initialized dynptr as R1")
int use_after_detach(void *ctx)
{
	struct bpf_dynptr_heap *heap;
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	heap = bpf_dynptr_detach(&ptr);
	val = bpf_dynptr_size(&ptr);
	if (heap)
		bpf_dynptr_heap_release(heap);
	return 0;
}

SEC("?syscall")
__failure __msg("invalid mem access 'scalar'")
int slice_after_detach(void *ctx)
{
	struct bpf_dynptr_heap *heap;
	struct bpf_dynptr ptr;
	int *data;

	bpf_dynptr_alloc(64, 0, &ptr);
	data = bpf_dynptr_data(&ptr, 0, 8);
	heap = bpf_dynptr_detach(&ptr);
	if (data)
		val = *data;
	if (heap)
		bpf_dynptr_heap_release(heap);
	return 0;
}

SEC("?syscall")
__failure __msg("Unreleased reference id")
int detach_and_forget(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	bpf_dynptr_detach(&ptr);
	return 0;
}

SEC("?syscall")
__failure __msg("Possibly NULL pointer passed to trusted R1")
int attach_without_check(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	bpf_dynptr_attach(bpf_dynptr_detach(&ptr), &ptr);
	bpf_dynptr_put(&ptr);
	return 0;
}

SEC("?syscall")
__failure __msg("Unreleased reference id")
int attach_without_put(void *ctx)
{
	struct bpf_dynptr_heap *heap;
	struct bpf_dynptr ptr, again;

	bpf_dynptr_alloc(64, 0, &ptr);
	heap = bpf_dynptr_detach(&ptr);
	if (heap)
		bpf_dynptr_attach(heap, &again);
	return 0;
}

/* The object is the dynptr's then. */
SEC("?syscall")
__failure __msg("expects referenced PTR_TO_BTF_ID passed to R1")
int release_after_attach(void *ctx)
{
	struct bpf_dynptr_heap *heap;
	struct bpf_dynptr ptr, again;

	bpf_dynptr_alloc(64, 0, &ptr);
	heap = bpf_dynptr_detach(&ptr);
	if (!heap)
		return 0;
	bpf_dynptr_attach(heap, &again);
	bpf_dynptr_put(&again);
	bpf_dynptr_heap_release(heap);
	return 0;
}

/* Nor is it the program's when it is in a map. */
SEC("?syscall")
__failure __msg("expects referenced PTR_TO_BTF_ID passed to R1")
int release_after_xchg(void *ctx)
{
	struct bpf_dynptr_heap *heap, *old;
	struct entry *e = entry();
	struct bpf_dynptr ptr;

	if (!e)
		return 0;
	bpf_dynptr_alloc(64, 0, &ptr);
	heap = bpf_dynptr_detach(&ptr);
	if (!heap)
		return 0;
	old = bpf_kptr_xchg(&e->heap, heap);
	if (old)
		bpf_dynptr_heap_release(old);
	bpf_dynptr_heap_release(heap);
	return 0;
}

/* What is read from the map without taking it out may be gone at any time. */
SEC("?syscall")
__failure __msg("expects referenced PTR_TO_BTF_ID passed to R1")
int attach_from_map_value(void *ctx)
{
	struct bpf_dynptr_heap *heap;
	struct entry *e = entry();
	struct bpf_dynptr ptr;

	if (!e)
		return 0;
	heap = e->heap;
	if (!heap)
		return 0;
	bpf_dynptr_attach(heap, &ptr);
	bpf_dynptr_put(&ptr);
	return 0;
}

SEC("?syscall")
__failure __msg("R1 must be")
int acquire_from_map_value(void *ctx)
{
	struct bpf_dynptr_heap *heap;
	struct entry *e = entry();

	if (!e || !e->heap)
		return 0;
	heap = bpf_dynptr_heap_acquire(e->heap);
	if (heap)
		bpf_dynptr_heap_release(heap);
	return 0;
}

SEC("?syscall")
__failure __msg("Unreleased reference id")
int taken_out_and_lost(void *ctx)
{
	struct entry *e = entry();

	if (e)
		bpf_kptr_xchg(&e->heap, NULL);
	return 0;
}

SEC("?syscall")
__failure __msg("Unreleased reference id")
int acquire_and_release_once(void *ctx)
{
	struct bpf_dynptr_heap *heap, *more;
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	heap = bpf_dynptr_detach(&ptr);
	if (!heap)
		return 0;
	more = bpf_dynptr_heap_acquire(heap);
	bpf_dynptr_heap_release(heap);
	if (more)
		val = more->size;
	return 0;
}

/* Programs may read the size, and write nothing. */
SEC("?syscall")
__failure __msg("only read is supported")
int write_to_object(void *ctx)
{
	struct bpf_dynptr_heap *heap;
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	heap = bpf_dynptr_detach(&ptr);
	if (!heap)
		return 0;
	heap->size = 1 << 20;
	bpf_dynptr_heap_release(heap);
	return 0;
}
