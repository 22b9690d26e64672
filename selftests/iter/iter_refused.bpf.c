// SPDX-License-Identifier: GPL-2.0
/* Iterators over dynptrs misused: each program must be refused. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_misc.h"
#include "rust_dynptr.bpf.h"
#include "rust_dynptr_iter.bpf.h"

#define LOCAL_BYTES 64
#include "local.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} samples SEC(".maps");

unsigned long long found;

/* Its life. */

SEC("?syscall")
__failure __msg("Unreleased reference id")
int leaked(void *ctx)
{
	struct bpf_iter_dynptr it;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_new(&it, &ptr, 8, 0);
	bpf_iter_dynptr_next(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("Unreleased reference id")
int leaked_on_one_path(void *ctx)
{
	struct bpf_iter_dynptr_token it;
	union bpf_dynptr_range *r;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_token_new(&it, &ptr, "\n", 0);
	while ((r = bpf_iter_dynptr_token_next(&it))) {
		if (r->len > 5)
			return 0;
	}
	bpf_iter_dynptr_token_destroy(&it);
	return 0;
}

static long leak_one(const struct bpf_dynptr *ptr, void *context)
{
	struct bpf_iter_dynptr it;

	bpf_iter_dynptr_new(&it, ptr, 8, 0);
	return 0;
}

SEC("?syscall")
__failure __msg("Unreleased reference id")
int leaked_by_callback(void *ctx)
{
	bpf_user_ringbuf_drain(&samples, leak_one, NULL, 0);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_dynptr as R1")
int destroyed_twice(void *ctx)
{
	struct bpf_iter_dynptr it;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_new(&it, &ptr, 8, 0);
	bpf_iter_dynptr_destroy(&it);
	bpf_iter_dynptr_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_dynptr as R1")
int used_when_destroyed(void *ctx)
{
	struct bpf_iter_dynptr it;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_new(&it, &ptr, 8, 0);
	bpf_iter_dynptr_destroy(&it);
	bpf_iter_dynptr_next(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_dynptr as R1")
int advanced_when_destroyed(void *ctx)
{
	struct bpf_iter_dynptr it;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_new(&it, &ptr, 8, 0);
	bpf_iter_dynptr_destroy(&it);
	bpf_iter_dynptr_advance(&it, 1);
	return 0;
}

SEC("?syscall")
__failure __msg("expected uninitialized iter_dynptr as R1")
int made_twice(void *ctx)
{
	struct bpf_iter_dynptr it;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_new(&it, &ptr, 8, 0);
	bpf_iter_dynptr_new(&it, &ptr, 8, 0);
	bpf_iter_dynptr_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_dynptr as R1")
int never_made(void *ctx)
{
	struct bpf_iter_dynptr it;

	bpf_iter_dynptr_next(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_dynptr_token as R1")
int of_the_other_kind(void *ctx)
{
	struct bpf_iter_dynptr_token it;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_new((void *)&it, &ptr, 8, 0);
	bpf_iter_dynptr_token_next(&it);
	bpf_iter_dynptr_destroy((void *)&it);
	return 0;
}

SEC("?syscall")
__failure __msg("R1 expected pointer to an iterator on stack")
int not_on_the_stack(void *ctx)
{
	struct bpf_dynptr ptr;
	u32 zero = 0;
	void *v;

	if (local(&ptr))
		return 0;
	v = bpf_map_lookup_elem(&memory, &zero);
	if (v)
		bpf_iter_dynptr_new(v, &ptr, 8, 0);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_dynptr as R1")
int at_the_wrong_slot(void *ctx)
{
	struct {
		struct bpf_iter_dynptr it;
		u64 more;
	} on_stack;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_new(&on_stack.it, &ptr, 8, 0);
	bpf_iter_dynptr_next((void *)&on_stack.it + 8);
	bpf_iter_dynptr_destroy(&on_stack.it);
	return 0;
}

SEC("?syscall")
__failure __msg("expected an initialized iter_dynptr_token as R1")
int written_over(void *ctx)
{
	struct bpf_iter_dynptr_token it;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_token_new(&it, &ptr, "\n", 0);
	/* Where it has the dynptr's pointer. */
	*(volatile u64 *)&it.__opaque[9] = 0x1234;
	bpf_iter_dynptr_token_next(&it);
	bpf_iter_dynptr_token_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("invalid read from stack")
int looked_into(void *ctx)
{
	struct bpf_iter_dynptr_token it;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_token_new(&it, &ptr, "\n", 0);
	found = *(volatile u64 *)&it.__opaque[9];
	bpf_iter_dynptr_token_destroy(&it);
	return 0;
}

/* Its arguments. */

SEC("?syscall")
__failure __msg("Expected an initialized dynptr as R2")
int over_no_dynptr(void *ctx)
{
	struct bpf_iter_dynptr it;
	struct bpf_dynptr ptr;

	bpf_iter_dynptr_new(&it, &ptr, 8, 0);
	bpf_iter_dynptr_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("R3 does not point to a readonly map")
int delimiters_that_change(void *ctx)
{
	struct bpf_iter_dynptr_token it;
	struct bpf_dynptr ptr;
	u32 zero = 0;
	void *v;

	if (local(&ptr))
		return 0;
	v = bpf_map_lookup_elem(&memory, &zero);
	if (!v)
		return 0;
	bpf_iter_dynptr_token_new(&it, &ptr, v, 0);
	bpf_iter_dynptr_token_destroy(&it);
	return 0;
}

static const char no_string[4] = { 'a', 'b', 'c', 'd' };

SEC("?syscall")
__failure __msg("string is not zero-terminated")
int delimiters_without_end(void *ctx)
{
	struct bpf_iter_dynptr_token it;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_token_new(&it, &ptr, no_string, 0);
	bpf_iter_dynptr_token_destroy(&it);
	return 0;
}

/* What it gives. */

SEC("?syscall")
__failure __msg("invalid mem access 'scalar'")
int range_after_the_end(void *ctx)
{
	struct bpf_iter_dynptr it;
	union bpf_dynptr_range *r;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_new(&it, &ptr, 8, 0);
	r = bpf_iter_dynptr_next(&it);
	bpf_iter_dynptr_destroy(&it);
	if (r)
		found = r->offset;
	return 0;
}

/* At the end it is NULL. */
SEC("?syscall")
__failure __msg("invalid mem access 'scalar'")
int range_that_may_be_null(void *ctx)
{
	struct bpf_iter_dynptr it;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_new(&it, &ptr, 8, 0);
	found = bpf_iter_dynptr_next(&it)->offset;
	bpf_iter_dynptr_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("cannot write into rdonly_mem")
int range_written_to(void *ctx)
{
	struct bpf_iter_dynptr it;
	union bpf_dynptr_range *r;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_new(&it, &ptr, 8, 0);
	r = bpf_iter_dynptr_next(&it);
	if (r)
		r->offset = 1;
	bpf_iter_dynptr_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("invalid access to memory, mem_size=16 off=16 size=8")
int range_out_of_bounds(void *ctx)
{
	struct bpf_iter_dynptr it;
	union bpf_dynptr_range *r;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_new(&it, &ptr, 8, 0);
	r = bpf_iter_dynptr_next(&it);
	if (r)
		found = ((volatile u64 *)r)[2];
	bpf_iter_dynptr_destroy(&it);
	return 0;
}

/* What it reads, released before it. */

#define RELEASED_FIRST "Release it first."

SEC("?syscall")
__failure __msg(RELEASED_FIRST)
int record_submitted(void *ctx)
{
	struct bpf_iter_dynptr_token it;
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ring, 64, 0, &ptr);
	bpf_iter_dynptr_token_new(&it, &ptr, "\n", 0);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	bpf_iter_dynptr_token_next(&it);
	bpf_iter_dynptr_token_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg(RELEASED_FIRST)
int record_discarded_by_clone(void *ctx)
{
	struct bpf_dynptr ptr, clone;
	struct bpf_iter_dynptr it;

	bpf_ringbuf_reserve_dynptr(&ring, 64, 0, &ptr);
	bpf_dynptr_clone(&ptr, &clone);
	bpf_iter_dynptr_new(&it, &ptr, 8, 0);
	bpf_ringbuf_discard_dynptr(&clone, 0);
	bpf_iter_dynptr_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg(RELEASED_FIRST)
int block_put(void *ctx)
{
	struct bpf_iter_dynptr_token it;
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	bpf_iter_dynptr_token_new(&it, &ptr, "\n", 0);
	bpf_dynptr_put(&ptr);
	bpf_iter_dynptr_token_next(&it);
	bpf_iter_dynptr_token_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg(RELEASED_FIRST)
int block_detached(void *ctx)
{
	struct bpf_iter_dynptr_token it;
	struct bpf_dynptr_heap *heap;
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	bpf_iter_dynptr_token_new(&it, &ptr, "\n", 0);
	heap = bpf_dynptr_detach(&ptr);
	if (heap)
		bpf_dynptr_heap_release(heap);
	bpf_iter_dynptr_token_destroy(&it);
	return 0;
}

/* A loop that puts what it walks over. */
SEC("?syscall")
__failure __msg(RELEASED_FIRST)
int block_put_in_the_loop(void *ctx)
{
	union bpf_dynptr_range *r;
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	bpf_for_each(dynptr_token, r, &ptr, "\n", 0) {
		if (r->len > 3) {
			bpf_dynptr_put(&ptr);
			return 0;
		}
	}
	bpf_dynptr_put(&ptr);
	return 0;
}

/* One of two is enough. */
SEC("?syscall")
__failure __msg(RELEASED_FIRST)
int block_put_in_the_inner_loop(void *ctx)
{
	struct bpf_iter_dynptr_token outer, inner;
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	bpf_iter_dynptr_token_new(&outer, &ptr, "\n", 0);
	bpf_iter_dynptr_token_new(&inner, &ptr, " ", 0);
	bpf_iter_dynptr_token_destroy(&inner);
	bpf_dynptr_put(&ptr);
	bpf_iter_dynptr_token_destroy(&outer);
	return 0;
}

SEC("?lsm.s/file_lock")
__failure __msg(RELEASED_FIRST)
int BPF_PROG(file_discarded, struct file *file)
{
	struct bpf_iter_dynptr_token it;
	struct bpf_dynptr ptr;

	bpf_dynptr_from_file(file, 0, &ptr);
	bpf_iter_dynptr_token_new(&it, &ptr, "\n", 0);
	bpf_dynptr_file_discard(&ptr);
	bpf_iter_dynptr_token_next(&it);
	bpf_iter_dynptr_token_destroy(&it);
	return 0;
}

SEC("?syscall")
__failure __msg("cannot overwrite referenced dynptr")
int block_written_over(void *ctx)
{
	struct bpf_iter_dynptr_token it;
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	bpf_iter_dynptr_token_new(&it, &ptr, "\n", 0);
	*(volatile u64 *)&ptr = 0;
	bpf_iter_dynptr_token_destroy(&it);
	return 0;
}
