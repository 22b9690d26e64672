/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slices that outlive the frame of their dynptr (docs/dynptr-lifetime.md, event 17): the programs,
 * for one class of memory. Who includes this has defined
 *   acquire(ptr), release(ptr), release_otherwise(ptr)
 * A slice of a clone that is gone with its frame belongs to the clone's reference: it can be used
 * until that is released (ok_*), and not after (fail_*). Upstream's tags say what becomes of each.
 */
#ifndef OUTLIVE_H
#define OUTLIVE_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"

#define AFTER_RELEASE "invalid mem access 'scalar'"

extern int bpf_dynptr_clone(const struct bpf_dynptr *from, struct bpf_dynptr *to) __ksym;
extern __u64 bpf_dynptr_size(const struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u64 offset, void *buffer,
			      __u64 size) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *ptr, __u64 offset, void *buffer,
				   __u64 size) __ksym;

char LICENSE[] SEC("license") = "GPL";
char buffer[SIZE];

/* What a callback gets: a dynptr, and where to put a slice of it, on the caller's stack. */
struct shared {
	struct bpf_dynptr ptr;
	char *slice;
};

static __noinline char *data_of_clone(struct bpf_dynptr *ptr)
{
	struct bpf_dynptr clone;

	bpf_dynptr_clone(ptr, &clone);
	return bpf_dynptr_data(&clone, 0, SIZE);
}

static __noinline char *slice_of_clone(struct bpf_dynptr *ptr)
{
	struct bpf_dynptr clone;

	bpf_dynptr_clone(ptr, &clone);
	return bpf_dynptr_slice_rdwr(&clone, 0, buffer, SIZE);
}

static __noinline char *read_only_slice_of_clone(struct bpf_dynptr *ptr)
{
	struct bpf_dynptr clone;

	bpf_dynptr_clone(ptr, &clone);
	return bpf_dynptr_slice(&clone, 0, buffer, SIZE);
}

/* Two frames end, one of which has a clone of its own. */
static __noinline char *through_a_frame(struct bpf_dynptr *ptr)
{
	struct bpf_dynptr clone;
	char *slice;

	bpf_dynptr_clone(ptr, &clone);
	slice = data_of_clone(&clone);
	return bpf_dynptr_size(&clone) ? slice : NULL;
}

/* Spilled on the way. */
static __noinline char *through_a_slot(struct bpf_dynptr *ptr)
{
	char *volatile slot = data_of_clone(ptr);

	return slot;
}

static __noinline int to_the_caller(struct bpf_dynptr *ptr, char **slice)
{
	struct bpf_dynptr clone;

	bpf_dynptr_clone(ptr, &clone);
	*slice = bpf_dynptr_data(&clone, 0, SIZE);
	return 0;
}

static long in_a_callback(__u32 index, struct shared *shared)
{
	struct bpf_dynptr clone;

	bpf_dynptr_clone(&shared->ptr, &clone);
	shared->slice = bpf_dynptr_data(&clone, 0, SIZE);
	return 0;
}

static __noinline int release_there(struct bpf_dynptr *ptr)
{
	release(ptr);
	return 0;
}

static __always_inline void released_by(struct bpf_dynptr *ptr)
{
	release_there(ptr);
}

/* The slice that @from gives is used before the release. */
static __always_inline int used_before(char *(*from)(struct bpf_dynptr *))
{
	struct bpf_dynptr ptr;
	char *slice;

	acquire(&ptr);
	slice = from(&ptr);
	if (slice)
		buffer[0] = *slice;
	release(&ptr);
	return 0;
}

/* It is used after it, by whichever function. */
static __always_inline int used_after(char *(*from)(struct bpf_dynptr *),
				      void (*gone)(struct bpf_dynptr *))
{
	struct bpf_dynptr ptr;
	char *slice;

	acquire(&ptr);
	slice = from(&ptr);
	gone(&ptr);
	return slice ? *slice : 0;
}

SEC("?tc")
__success __retval(0)
int ok_returned(struct __sk_buff *skb)
{
	return used_before(data_of_clone);
}

SEC("?tc")
__failure __msg(AFTER_RELEASE)
int fail_returned(struct __sk_buff *skb)
{
	return used_after(data_of_clone, release);
}

SEC("?tc")
__success __retval(0)
int ok_writable(struct __sk_buff *skb)
{
	return used_before(slice_of_clone);
}

SEC("?tc")
__failure __msg(AFTER_RELEASE)
int fail_writable(struct __sk_buff *skb)
{
	return used_after(slice_of_clone, release);
}

SEC("?tc")
__success __retval(0)
int ok_read_only(struct __sk_buff *skb)
{
	return used_before(read_only_slice_of_clone);
}

SEC("?tc")
__failure __msg(AFTER_RELEASE)
int fail_read_only(struct __sk_buff *skb)
{
	return used_after(read_only_slice_of_clone, release);
}

SEC("?tc")
__success __retval(0)
int ok_nested(struct __sk_buff *skb)
{
	return used_before(through_a_frame);
}

SEC("?tc")
__failure __msg(AFTER_RELEASE)
int fail_nested(struct __sk_buff *skb)
{
	return used_after(through_a_frame, release);
}

SEC("?tc")
__success __retval(0)
int ok_through_a_slot(struct __sk_buff *skb)
{
	return used_before(through_a_slot);
}

SEC("?tc")
__failure __msg(AFTER_RELEASE)
int fail_through_a_slot(struct __sk_buff *skb)
{
	return used_after(through_a_slot, release);
}

SEC("?tc")
__failure __msg(AFTER_RELEASE)
int fail_released_otherwise(struct __sk_buff *skb)
{
	return used_after(data_of_clone, release_otherwise);
}

SEC("?tc")
__failure __msg(AFTER_RELEASE)
int fail_released_by_another(struct __sk_buff *skb)
{
	return used_after(data_of_clone, released_by);
}

/* Kept in a slot of the stack while the reference is released. */
SEC("?tc")
__failure __msg(AFTER_RELEASE)
int fail_spilled(struct __sk_buff *skb)
{
	char *volatile slot;
	struct bpf_dynptr ptr;
	char *slice;

	acquire(&ptr);
	slot = data_of_clone(&ptr);
	release(&ptr);
	slice = slot;
	return slice ? *slice : 0;
}

/* A copy with an offset. */
SEC("?tc")
__failure __msg(AFTER_RELEASE)
int fail_moved(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	char *slice;
	int ret = 0;

	acquire(&ptr);
	slice = data_of_clone(&ptr);
	if (slice) {
		slice += 8;
		barrier_var(slice);
		release(&ptr);
		ret = *slice;
	} else {
		release(&ptr);
	}
	return ret;
}

SEC("?tc")
__success __retval(0)
int ok_stored_outward(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	char *slice = NULL;

	acquire(&ptr);
	to_the_caller(&ptr, &slice);
	if (slice)
		buffer[0] = *slice;
	release(&ptr);
	return 0;
}

SEC("?tc")
__failure __msg(AFTER_RELEASE)
int fail_stored_outward(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	char *slice = NULL;

	acquire(&ptr);
	to_the_caller(&ptr, &slice);
	release(&ptr);
	return slice ? *slice : 0;
}

SEC("?tc")
__success __retval(0)
int ok_callback(struct __sk_buff *skb)
{
	struct shared shared = {};

	acquire(&shared.ptr);
	bpf_loop(2, in_a_callback, &shared, 0);
	if (shared.slice)
		buffer[0] = *shared.slice;
	release(&shared.ptr);
	return 0;
}

SEC("?tc")
__failure __msg(AFTER_RELEASE)
int fail_callback(struct __sk_buff *skb)
{
	struct shared shared = {};

	acquire(&shared.ptr);
	bpf_loop(2, in_a_callback, &shared, 0);
	release(&shared.ptr);
	return shared.slice ? *shared.slice : 0;
}

/* Of two references the other is released. */
SEC("?tc")
__success __retval(0)
int ok_another_released(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr, other;
	char *slice;

	acquire(&ptr);
	acquire(&other);
	slice = data_of_clone(&ptr);
	release(&other);
	if (slice)
		buffer[0] = *slice;
	release(&ptr);
	return 0;
}

/* What was cloned is overwritten; the clone that is left holds the reference. */
SEC("?tc")
__success __retval(0)
int ok_original_overwritten(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr, kept;
	char *slice;

	acquire(&ptr);
	bpf_dynptr_clone(&ptr, &kept);
	slice = data_of_clone(&ptr);
	bpf_dynptr_from_mem(buffer, SIZE, 0, &ptr);
	if (slice)
		buffer[0] = *slice;
	release(&kept);
	return 0;
}

SEC("?tc")
__failure __msg(AFTER_RELEASE)
int fail_original_overwritten(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr, kept;
	char *slice;

	acquire(&ptr);
	bpf_dynptr_clone(&ptr, &kept);
	slice = data_of_clone(&ptr);
	bpf_dynptr_from_mem(buffer, SIZE, 0, &ptr);
	release(&kept);
	return slice ? *slice : 0;
}

/*
 * Two paths that differ in nothing but the owner: neither may be taken for the other. One of the
 * two programs has the bad path second.
 */
static __always_inline int owners_of_two_paths(struct __sk_buff *skb, bool first)
{
	struct bpf_dynptr kept, lost;
	bool is_long = skb->len > 100;
	char *slice;
	int ret = 0;

	acquire(&kept);
	acquire(&lost);
	if (is_long == first)
		slice = data_of_clone(&kept);
	else
		slice = data_of_clone(&lost);
	release(&lost);
	if (slice)
		ret = *slice;
	release(&kept);
	return ret;
}

SEC("?tc")
__failure __msg(AFTER_RELEASE)
int fail_owner_of_the_first_path(struct __sk_buff *skb)
{
	return owners_of_two_paths(skb, false);
}

SEC("?tc")
__failure __msg(AFTER_RELEASE)
int fail_owner_of_the_second_path(struct __sk_buff *skb)
{
	return owners_of_two_paths(skb, true);
}

#endif
