// SPDX-License-Identifier: GPL-2.0
/*
 * Walks over dynptrs of every class by iterators (include/rust_dynptr_iter.bpf.h): the ranges that
 * they give, as a hash. The runner knows what they must be.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "rust_dynptr.bpf.h"
#include "rust_dynptr_iter.bpf.h"
#include "iter.h"

char LICENSE[] SEC("license") = "GPL";

struct iter_request requests[ITER_BATCH];
struct iter_result results[ITER_BATCH];
unsigned int count;	/* of them */
unsigned int size;	/* of the record or block */
int monitored;	/* the process whose locked file is used */

struct value {
	unsigned char bytes[ITER_BYTES];
};

/* The memory of local dynptrs, and what records and blocks are filled with. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct value);
} memory SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 65536);
} samples SEC(".maps");

static __always_inline void note(struct iter_result *r, const union bpf_dynptr_range *range)
{
	r->count++;
	r->hash = iter_hash(r->hash, range->offset);
	r->hash = iter_hash(r->hash, (u64)(u32)range->end << 32 | range->len);
}

static __always_inline void walk_steps(struct bpf_dynptr *ptr, const struct iter_request *c,
				       struct iter_result *r)
{
	union bpf_dynptr_range *range;
	struct bpf_iter_dynptr it;
	u8 byte = 0;

	if (c->kind == ITER_STEPS) {
		bpf_for_each(dynptr, range, ptr, c->step, c->flags)
			note(r, range);
		/* bpf_for_each() does not tell. */
		r->made = bpf_iter_dynptr_new(&it, ptr, c->step, c->flags);
		bpf_iter_dynptr_destroy(&it);
		return;
	}
	r->made = bpf_iter_dynptr_new(&it, ptr, c->step, c->flags);
	while ((range = bpf_iter_dynptr_next(&it))) {
		note(r, range);
		bpf_dynptr_read(&byte, 1, ptr, range->offset, 0);
		r->advanced = bpf_iter_dynptr_advance(&it, byte & ITER_ADVANCE_MASK);
	}
	bpf_iter_dynptr_destroy(&it);
}

#define WALK_TOKENS(delims) do {						\
	r->made = bpf_iter_dynptr_token_new(&it, ptr, delims, c->flags);	\
	while ((range = bpf_iter_dynptr_token_next(&it)))			\
		note(r, range);							\
	bpf_iter_dynptr_token_destroy(&it);					\
} while (0)

static __always_inline void walk_tokens(struct bpf_dynptr *ptr, const struct iter_request *c,
					struct iter_result *r)
{
	union bpf_dynptr_range *range;
	struct bpf_iter_dynptr_token it;

	switch (c->kind) {
	case ITER_LINE_FEED:
		WALK_TOKENS("\n");
		break;
	case ITER_SEVERAL:
		WALK_TOKENS(ITER_SET);
		break;
	case ITER_BYTE:
		WALK_TOKENS("");
		break;
	}
}

static __always_inline void walk(struct bpf_dynptr *ptr, const struct iter_request *c,
				 struct iter_result *r)
{
	if (c->kind <= ITER_ADVANCE)
		walk_steps(ptr, c, r);
	else
		walk_tokens(ptr, c, r);
}

/* All requests, each with the view of a clone. */
static __always_inline void on_dynptr(struct bpf_dynptr *ptr)
{
	struct bpf_dynptr view;
	int i;

	bpf_for(i, 0, count) {
		if (i < 0 || i >= ITER_BATCH)
			break;
		bpf_dynptr_clone(ptr, &view);
		results[i].view = bpf_dynptr_adjust(&view, requests[i].start, requests[i].end);
		walk(&view, &requests[i], &results[i]);
	}
}

static __always_inline struct value *value(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&memory, &zero);
}

SEC("tc")
int local(struct __sk_buff *skb)
{
	struct value *v = value();
	struct bpf_dynptr ptr;

	if (!v)
		return 0;
	bpf_dynptr_from_mem(v->bytes, sizeof(v->bytes), 0, &ptr);
	on_dynptr(&ptr);
	return 0;
}

SEC("tc")
int null(struct __sk_buff *skb)
{
	struct value *v = value();
	struct bpf_dynptr ptr;

	if (!v)
		return 0;
	bpf_dynptr_from_mem(v->bytes, sizeof(v->bytes), 1, &ptr);
	on_dynptr(&ptr);
	return 0;
}

SEC("tc")
int ringbuf(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr, from;
	struct value *v = value();

	if (!v)
		return 0;
	bpf_dynptr_from_mem(v->bytes, sizeof(v->bytes), 0, &from);
	bpf_ringbuf_reserve_dynptr(&ring, size, 0, &ptr);
	bpf_dynptr_copy(&ptr, 0, &from, 0, size);
	on_dynptr(&ptr);
	bpf_ringbuf_discard_dynptr(&ptr, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline int on_heap(void)
{
	struct bpf_dynptr ptr, from;
	struct value *v = value();

	if (!v)
		return 0;
	bpf_dynptr_from_mem(v->bytes, sizeof(v->bytes), 0, &from);
	if (!bpf_dynptr_alloc(size, 0, &ptr)) {
		bpf_dynptr_copy(&ptr, 0, &from, 0, size);
		on_dynptr(&ptr);
	}
	bpf_dynptr_put(&ptr);
	return 0;
}

SEC("syscall")
int heap(void *ctx)
{
	return on_heap();
}

SEC("tc")
int heap_atomic(struct __sk_buff *skb)
{
	return on_heap();
}

/* All requests over what a file dynptr shows: a clone would share its view. */
static __always_inline int on_file(struct file *file)
{
	struct bpf_dynptr ptr;
	int i;

	if ((bpf_get_current_pid_tgid() >> 32) != monitored)
		return 0;
	bpf_for(i, 0, count) {
		if (i < 0 || i >= ITER_BATCH)
			break;
		bpf_dynptr_from_file(file, 0, &ptr);
		results[i].view = bpf_dynptr_adjust(&ptr, requests[i].start, requests[i].end);
		walk(&ptr, &requests[i], &results[i]);
		bpf_dynptr_file_discard(&ptr);
	}
	return 0;
}

#include "on_packets.h"

/* Where a sleepable program must not sleep. */
SEC("lsm.s/file_lock")
int BPF_PROG(file_in_rcu, struct file *file)
{
	struct bpf_dynptr ptr;

	if ((bpf_get_current_pid_tgid() >> 32) != monitored)
		return 0;
	bpf_dynptr_from_file(file, 0, &ptr);
	bpf_rcu_read_lock();
	walk(&ptr, &requests[0], &results[0]);
	bpf_rcu_read_unlock();
	bpf_dynptr_file_discard(&ptr);
	return 0;
}

/* Dynptrs that the program has on loan. */
static long of_sample(const struct bpf_dynptr *ptr, void *context)
{
	walk((struct bpf_dynptr *)ptr, &requests[0], &results[0]);
	return 0;
}

SEC("syscall")
int sample(void *ctx)
{
	bpf_user_ringbuf_drain(&samples, of_sample, NULL, 0);
	return 0;
}

__noinline int look_at(const struct bpf_dynptr *ptr)
{
	walk((struct bpf_dynptr *)ptr, &requests[0], &results[0]);
	return 0;
}

SEC("tc")
int lent(struct __sk_buff *skb)
{
	struct value *v = value();
	struct bpf_dynptr ptr;

	if (!v)
		return 0;
	bpf_dynptr_from_mem(v->bytes, sizeof(v->bytes), 0, &ptr);
	look_at(&ptr);
	return 0;
}
