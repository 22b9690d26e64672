// SPDX-License-Identifier: GPL-2.0
/*
 * Iterators over dynptrs while something happens to the dynptr, to the packet or to the program:
 * what each has found is in @life, which the runner checks.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "rust_dynptr.bpf.h"
#include "rust_dynptr_iter.bpf.h"
#include "iter.h"

#define LOCAL_BYTES LIFE_BYTES
#include "local.h"

char LICENSE[] SEC("license") = "GPL";

struct iter_life life;
int monitored;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16384);
} ring SEC(".maps");

static __always_inline void found(const union bpf_dynptr_range *range)
{
	life.count++;
	life.last = range->offset;
	life.end = range->end;
}

/* The dynptr's view becomes another; the iterator's does not, nor the other way round. */
SEC("syscall")
int adjusted(void *ctx)
{
	union bpf_dynptr_range *range;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_dynptr_adjust(&ptr, 1, LIFE_BYTES);
	bpf_for_each(dynptr_token, range, &ptr, ",", BPF_DYNPTR_TOKEN_EMPTY) {
		found(range);
		bpf_dynptr_adjust(&ptr, 1, bpf_dynptr_size(&ptr));
	}
	life.size = bpf_dynptr_size(&ptr);
	return 0;
}

/* 65536 semicolons, and a comma, which is one too many. */
const volatile char delimiters[65536 + 2];

SEC("syscall")
int many_delimiters(void *ctx)
{
	union bpf_dynptr_range *range;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_for_each(dynptr_token, range, &ptr, (const char *)delimiters, BPF_DYNPTR_TOKEN_EMPTY)
		found(range);
	return 0;
}

/* A file's view is that of all its dynptrs. */
SEC("lsm.s/file_lock")
int BPF_PROG(adjusted_file, struct file *file)
{
	union bpf_dynptr_range *range;
	struct bpf_dynptr ptr;

	if ((bpf_get_current_pid_tgid() >> 32) != monitored)
		return 0;
	bpf_dynptr_from_file(file, 0, &ptr);
	bpf_dynptr_adjust(&ptr, 1, LIFE_BYTES);
	bpf_for_each(dynptr_token, range, &ptr, ",", BPF_DYNPTR_TOKEN_EMPTY) {
		found(range);
		bpf_dynptr_adjust(&ptr, 1, bpf_dynptr_size(&ptr));
	}
	life.size = bpf_dynptr_size(&ptr);
	bpf_dynptr_file_discard(&ptr);
	return 0;
}

/* Nothing is left of the dynptr, but its memory lives. */
SEC("syscall")
int written_over(void *ctx)
{
	union bpf_dynptr_range *range;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_for_each(dynptr_token, range, &ptr, ",", BPF_DYNPTR_TOKEN_EMPTY) {
		found(range);
		((volatile u64 *)&ptr)[0] = life.count;
		((volatile u64 *)&ptr)[1] = ~0ULL;
	}
	return 0;
}

/* The memory is another's when it is read: only the bytes are. */
SEC("syscall")
int changed(void *ctx)
{
	union bpf_dynptr_range *range;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_for_each(dynptr_token, range, &ptr, ",", BPF_DYNPTR_TOKEN_EMPTY) {
		found(range);
		bpf_dynptr_memset(&ptr, 0, LIFE_BYTES, ';');
	}
	return 0;
}

/* Put and submitted when the iterators are destroyed. */
SEC("syscall")
int released(void *ctx)
{
	struct bpf_dynptr ptr, record, clone;
	union bpf_dynptr_range *range;

	if (local(&ptr))
		return 0;
	bpf_ringbuf_reserve_dynptr(&ring, LIFE_BYTES, 0, &record);
	bpf_dynptr_copy(&record, 0, &ptr, 0, LIFE_BYTES);
	bpf_dynptr_alloc(LIFE_BYTES, 0, &ptr);
	bpf_dynptr_copy(&ptr, 0, &record, 0, LIFE_BYTES);
	bpf_dynptr_clone(&ptr, &clone);
	bpf_for_each(dynptr_token, range, &record, ",", BPF_DYNPTR_TOKEN_EMPTY)
		found(range);
	bpf_ringbuf_discard_dynptr(&record, 0);
	bpf_for_each(dynptr_token, range, &clone, ",", BPF_DYNPTR_TOKEN_EMPTY) {
		/* The other dynptr may go: a clone is left. */
		*(volatile u64 *)&ptr = 0;
		found(range);
	}
	bpf_dynptr_put(&clone);
	return 0;
}

/* Lines, and the fields of each. */
SEC("syscall")
int nested(void *ctx)
{
	union bpf_dynptr_range *line, *field;
	struct bpf_dynptr ptr, view;

	if (local(&ptr))
		return 0;
	bpf_for_each(dynptr_token, line, &ptr, ";", BPF_DYNPTR_TOKEN_LINES) {
		life.size++;
		bpf_dynptr_clone(&ptr, &view);
		bpf_dynptr_adjust(&view, line->offset, line->offset + line->len);
		bpf_for_each(dynptr_token, field, &view, ",", BPF_DYNPTR_TOKEN_EMPTY)
			found(field);
	}
	return 0;
}

/* In a function that is given the iterator, and one that is called back. */
static __noinline int take_one(struct bpf_iter_dynptr *it)
{
	union bpf_dynptr_range *range = bpf_iter_dynptr_next(it);

	if (range)
		found(range);
	return 0;
}

static long call_back(u64 index, struct bpf_dynptr *ptr)
{
	union bpf_dynptr_range *range;

	bpf_for_each(dynptr_token, range, ptr, ",", BPF_DYNPTR_TOKEN_EMPTY)
		found(range);
	return 0;
}

SEC("syscall")
int called(void *ctx)
{
	struct bpf_iter_dynptr it;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_iter_dynptr_new(&it, &ptr, 4, 0);
	take_one(&it);
	take_one(&it);
	bpf_iter_dynptr_destroy(&it);
	bpf_loop(3, call_back, &ptr, 0);
	return 0;
}

/* After the end there is nothing, and nothing to advance. */
SEC("syscall")
int ended(void *ctx)
{
	struct bpf_iter_dynptr it;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	life.made = bpf_iter_dynptr_new(&it, &ptr, LIFE_BYTES, 0);
	life.advanced[0] = bpf_iter_dynptr_advance(&it, 1);
	bpf_iter_dynptr_next(&it);
	life.advanced[1] = bpf_iter_dynptr_advance(&it, LIFE_BYTES + 1);
	life.count += !!bpf_iter_dynptr_next(&it);
	life.advanced[2] = bpf_iter_dynptr_advance(&it, 1);
	life.count += !!bpf_iter_dynptr_next(&it);
	bpf_iter_dynptr_destroy(&it);
	return 0;
}

/* 16 MiB, byte by byte: more ranges than there are. A byte wider there are just as many. */
SEC("syscall")
int too_many(void *ctx)
{
	union bpf_dynptr_range *range;
	struct bpf_iter_dynptr it;
	struct bpf_dynptr ptr;

	life.advanced[0] = bpf_dynptr_alloc((1 << 24) - 1, 0, &ptr);
	life.made = bpf_iter_dynptr_new(&it, &ptr, 1, 0);
	life.advanced[1] = !!bpf_iter_dynptr_next(&it);
	bpf_iter_dynptr_destroy(&it);
	bpf_for_each(dynptr, range, &ptr, 2, 0)
		found(range);
	bpf_dynptr_put(&ptr);
	return 0;
}

/* A packet that becomes shorter: what is gone is not read. */
SEC("tc")
int shortened(struct __sk_buff *skb)
{
	union bpf_dynptr_range *range;
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	bpf_for_each(dynptr_token, range, &ptr, ",", BPF_DYNPTR_TOKEN_EMPTY) {
		found(range);
		life.made = bpf_skb_change_tail(skb, LIFE_SHORT, 0);
	}
	return 0;
}

SEC("xdp.frags")
int shortened_frame(struct xdp_md *xdp)
{
	int by = LIFE_SHORT - (int)bpf_xdp_get_buff_len(xdp);
	union bpf_dynptr_range *range;
	struct bpf_dynptr ptr;

	bpf_dynptr_from_xdp(xdp, 0, &ptr);
	bpf_for_each(dynptr_token, range, &ptr, ",", BPF_DYNPTR_TOKEN_EMPTY) {
		found(range);
		if (life.count == 1)
			life.made = bpf_xdp_adjust_tail(xdp, by);
	}
	return XDP_PASS;
}

/* The packet gets a longer header, and its metadata another place. */
SEC("tcx/ingress")
int moved_metadata(struct __sk_buff *skb)
{
	union bpf_dynptr_range *range;
	struct bpf_dynptr ptr, now;

	bpf_dynptr_from_skb_meta(skb, 0, &ptr);
	bpf_for_each(dynptr_token, range, &ptr, ",", BPF_DYNPTR_TOKEN_EMPTY) {
		found(range);
		bpf_skb_vlan_push(skb, 0, 1);
		bpf_skb_change_head(skb, 64, 0);
	}
	bpf_dynptr_from_skb_meta(skb, 0, &now);
	life.size = bpf_dynptr_size(&now);
	return TCX_DROP;
}

SEC("xdp")
int pass(struct xdp_md *xdp)
{
	return XDP_PASS;
}

/* Any context: a tracing program that cannot sleep, in the middle of the kernel. */
SEC("raw_tp/sys_enter")
int traced(void *ctx)
{
	union bpf_dynptr_range *range;
	struct bpf_dynptr ptr;

	if ((bpf_get_current_pid_tgid() >> 32) != monitored || local(&ptr))
		return 0;
	bpf_for_each(dynptr_token, range, &ptr, ",", BPF_DYNPTR_TOKEN_EMPTY)
		found(range);
	return 0;
}

/* A clock's interrupt. */
SEC("perf_event")
int on_clock(void *ctx)
{
	union bpf_dynptr_range *range;
	struct bpf_dynptr ptr;

	if (local(&ptr))
		return 0;
	bpf_for_each(dynptr_token, range, &ptr, ",", BPF_DYNPTR_TOKEN_EMPTY)
		found(range);
	return 0;
}
