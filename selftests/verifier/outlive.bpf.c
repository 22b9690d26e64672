// SPDX-License-Identifier: GPL-2.0
/* The programs of outlive.h with records of a ring buffer, and with memory that nobody releases. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

#define SIZE 16

static __always_inline void acquire(struct bpf_dynptr *ptr)
{
	bpf_ringbuf_reserve_dynptr(&ring, SIZE, 0, ptr);
}

static __always_inline void release(struct bpf_dynptr *ptr)
{
	bpf_ringbuf_discard_dynptr(ptr, 0);
}

static __always_inline void release_otherwise(struct bpf_dynptr *ptr)
{
	bpf_ringbuf_submit_dynptr(ptr, 0);
}

#include "outlive.h"

/* A map value lives as long as the program: its slice has no owner, whatever else is released. */
static __noinline char *slice_of_memory(void)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_mem(buffer, SIZE, 0, &ptr);
	return bpf_dynptr_data(&ptr, 0, SIZE);
}

SEC("?tc")
__success __retval(0)
int ok_memory(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	char *slice;

	acquire(&ptr);
	slice = slice_of_memory();
	release(&ptr);
	return slice ? *slice : 0;
}

/* A dynptr that the caller lends to a global function: what it stands for outlives the function. */
__noinline int of_a_lent_one(const struct bpf_dynptr *ptr)
{
	char *slice = data_of_clone((struct bpf_dynptr *)ptr);

	return slice ? *slice : 0;
}

SEC("?tc")
__success __retval(0)
int ok_lent(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	int ret;

	bpf_dynptr_from_mem(buffer, SIZE, 0, &ptr);
	ret = of_a_lent_one(&ptr);
	return ret ? 1 : 0;
}

/* In a global function that has the reference itself. */
__noinline int acquires(void)
{
	struct bpf_dynptr ptr;
	char *slice;

	acquire(&ptr);
	slice = data_of_clone(&ptr);
	release(&ptr);
	return slice ? *slice : 0;
}

SEC("?tc")
__failure __msg(AFTER_RELEASE)
int fail_in_a_global_function(struct __sk_buff *skb)
{
	return acquires();
}
