// SPDX-License-Identifier: GPL-2.0
/*
 * Edges of the dynptr state machine (docs/dynptr-lifetime.md) that no program of upstream takes.
 * lifetime.c checks what they say of themselves, verdicts.sh that C and Rust say the same.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern int bpf_dynptr_clone(const struct bpf_dynptr *from, struct bpf_dynptr *to) __ksym;
extern __u64 bpf_dynptr_size(const struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u64 offset, void *buffer,
			      __u64 size) __ksym;

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

char memory[64];

/* Neighbours: four slots, the first of @upper follows the second of @lower. */
struct pair {
	struct bpf_dynptr lower;
	struct bpf_dynptr upper;
};

/* From the second slot of one to the first of the other. */
static __always_inline struct bpf_dynptr *across(struct pair *pair)
{
	return (void *)pair + sizeof(__u64);
}

static __always_inline void from_memory(struct bpf_dynptr *ptr)
{
	bpf_dynptr_from_mem(memory, sizeof(memory), 0, ptr);
}

/* Two slots that hold a dynptr each are no dynptr. */
SEC("?tc")
__failure __msg("Expected an initialized dynptr as R1")
int fail_use_across(struct __sk_buff *skb)
{
	struct pair pair;

	from_memory(&pair.lower);
	from_memory(&pair.upper);
	return bpf_dynptr_size(across(&pair));
}

/* Its second slot is not a dynptr's first. */
SEC("?tc")
__failure __msg("Expected an initialized dynptr as R1")
int fail_use_second_slot(struct __sk_buff *skb)
{
	struct pair pair;

	from_memory(&pair.lower);
	return bpf_dynptr_size(across(&pair));
}

/* Constructing over a half of each destroys both. */
SEC("?tc")
__success __retval(64)
int ok_construct_across(struct __sk_buff *skb)
{
	struct pair pair;

	from_memory(&pair.lower);
	from_memory(&pair.upper);
	from_memory(across(&pair));
	return bpf_dynptr_size(across(&pair));
}

SEC("?tc")
__failure __msg("Expected an initialized dynptr as R1")
int fail_lower_after_across(struct __sk_buff *skb)
{
	struct pair pair;

	from_memory(&pair.lower);
	from_memory(&pair.upper);
	from_memory(across(&pair));
	return bpf_dynptr_size(&pair.lower);
}

SEC("?tc")
__failure __msg("Expected an initialized dynptr as R1")
int fail_upper_after_across(struct __sk_buff *skb)
{
	struct pair pair;

	from_memory(&pair.lower);
	from_memory(&pair.upper);
	from_memory(across(&pair));
	return bpf_dynptr_size(&pair.upper);
}

/* The first is destroyed, then the second refuses. */
SEC("?tc")
__failure __msg("cannot overwrite referenced dynptr")
int fail_construct_across_referenced(struct __sk_buff *skb)
{
	struct pair pair;

	from_memory(&pair.lower);
	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &pair.upper);
	from_memory(across(&pair));
	bpf_ringbuf_discard_dynptr(&pair.upper, 0);
	return 0;
}

/* A store to a half. */
SEC("?tc")
__failure __msg("Expected an initialized dynptr as R1")
int fail_use_after_store(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	from_memory(&ptr);
	*((volatile char *)&ptr + 12) = 0;
	return bpf_dynptr_size(&ptr);
}

/* An original that was overwritten is released through its clone. */
SEC("?tc")
__success __retval(64)
int ok_release_through_clone(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr, clone;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &ptr);
	bpf_dynptr_clone(&ptr, &clone);
	from_memory(&ptr);
	bpf_ringbuf_submit_dynptr(&clone, 0);
	return bpf_dynptr_size(&ptr);
}

SEC("?tc")
__failure __msg("Expected an initialized dynptr as R1")
int fail_release_both(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr, clone;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &ptr);
	bpf_dynptr_clone(&ptr, &clone);
	bpf_ringbuf_submit_dynptr(&clone, 0);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return 0;
}

/* A clone that is its own original: there is nothing left to clone. */
SEC("?tc")
__failure __msg("cannot overwrite referenced dynptr")
int fail_clone_onto_itself(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &ptr);
	bpf_dynptr_clone(&ptr, &ptr);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return 0;
}

SEC("?tc")
__success __retval(64)
int ok_clone_onto_itself(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	from_memory(&ptr);
	bpf_dynptr_clone(&ptr, &ptr);
	return bpf_dynptr_size(&ptr);
}

/* The same reference is released in a loop. */
SEC("?tc")
__failure __msg("Unreleased reference id")
int fail_release_in_a_loop(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	int i;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &ptr);
	bpf_for(i, 0, 2)
		bpf_ringbuf_submit_dynptr(&ptr, 0);
	return 0;
}

SEC("?tc")
__success __retval(0)
int ok_reserve_and_release_in_a_loop(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	int i;

	bpf_for(i, 0, 10) {
		bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &ptr);
		bpf_ringbuf_submit_dynptr(&ptr, 0);
	}
	return 0;
}

static __noinline int overwrite(struct bpf_dynptr *ptr)
{
	from_memory(ptr);
	return 0;
}

/* A slice in a caller's stack slot goes when a callee destroys its dynptr. */
SEC("?tc")
__failure __msg("invalid mem access 'scalar'")
int fail_spilled_slice_after_callee(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	char *volatile slice;
	char *now;

	from_memory(&ptr);
	slice = bpf_dynptr_data(&ptr, 0, 8);
	now = slice;
	if (!now)
		return 0;
	slice = now;
	overwrite(&ptr);
	now = slice;
	return *now;
}

/* The slice of another dynptr does not. */
SEC("?tc")
__success __retval(0)
int ok_slice_of_another(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr, other;
	char *slice;

	from_memory(&ptr);
	from_memory(&other);
	slice = bpf_dynptr_data(&other, 0, 8);
	if (!slice)
		return 0;
	overwrite(&ptr);
	return *slice;
}

/* What is known of a packet's slice ends with the packet's layout, in the caller's frame too. */
static __noinline int move_packet(struct __sk_buff *skb)
{
	return bpf_skb_pull_data(skb, 64);
}

SEC("?tc")
__failure __msg("invalid mem access 'scalar'")
int fail_packet_slice_after_callee(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	const char *slice;
	char buffer[8];

	bpf_dynptr_from_skb(skb, 0, &ptr);
	slice = bpf_dynptr_slice(&ptr, 0, buffer, sizeof(buffer));
	if (!slice)
		return 0;
	move_packet(skb);
	return *slice;
}

/* A dynptr over a packet stays. */
SEC("?tc")
__success __retval(TEST_DATA_LEN)
int ok_packet_dynptr_after_callee(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	move_packet(skb);
	return bpf_dynptr_size(&ptr);
}

/* A dynptr is on the stack, or lent. */
SEC("?tc")
__failure __msg("R1 expected pointer to stack or const struct bpf_dynptr")
int fail_use_memory(struct __sk_buff *skb)
{
	return bpf_dynptr_size((struct bpf_dynptr *)memory);
}

/* Each type of memory has its own functions. */
SEC("?tc")
__failure __msg("Expected a dynptr of type ringbuf as R1")
int fail_submit_memory(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	from_memory(&ptr);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return 0;
}

__noinline int takes_local(struct bpf_dynptr *ptr)
{
	return bpf_dynptr_size(ptr);
}

SEC("?tc")
__success __retval(64)
int ok_lend_to_subprogram(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	from_memory(&ptr);
	return takes_local(&ptr);
}

/* A lent dynptr is not the program's to construct anew. */
__noinline int reconstructs(struct bpf_dynptr *ptr)
{
	from_memory(ptr);
	return 0;
}

SEC("?tc")
__failure __msg("Dynptr has to be an uninitialized dynptr")
int fail_construct_over_lent(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	from_memory(&ptr);
	return reconstructs(&ptr);
}

/* One branch initializes. */
SEC("?tc")
__failure __msg("Expected an initialized dynptr as R1")
int fail_initialized_on_one_path(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	if (skb->len > 100)
		from_memory(&ptr);
	return bpf_dynptr_size(&ptr);
}

/* A slice outlives its dynptr's frame: the memory is not the frame's. */
static __noinline char *slice_of_memory(void)
{
	struct bpf_dynptr ptr;

	from_memory(&ptr);
	return bpf_dynptr_data(&ptr, 0, 8);
}

SEC("?tc")
__success __retval(0)
int ok_slice_after_its_frame(struct __sk_buff *skb)
{
	char *slice = slice_of_memory();

	return slice ? *slice : 0;
}

/* A reference does, too, and nobody can release it any more. */
static __noinline int reserve_and_forget(void)
{
	struct bpf_dynptr ptr;

	return bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &ptr);
}

SEC("?tc")
__failure __msg("Unreleased reference id")
int fail_reference_after_its_frame(struct __sk_buff *skb)
{
	return reserve_and_forget();
}

/*
 * Paths that differ in nothing but whose slice it is: neither may be taken for the other. One of
 * the two programs has the bad path second.
 */
static __always_inline int slices_of_two_paths(struct __sk_buff *skb, bool first)
{
	struct bpf_dynptr kept, lost;
	bool is_long = skb->len > 100;
	char *slice;

	from_memory(&kept);
	from_memory(&lost);
	if (is_long == first)
		slice = bpf_dynptr_data(&kept, 0, 8);
	else
		slice = bpf_dynptr_data(&lost, 0, 8);
	if (!slice)
		return 0;
	overwrite(&lost);
	return *slice;
}

SEC("?tc")
__failure __msg("invalid mem access 'scalar'")
int fail_slice_of_the_first_path(struct __sk_buff *skb)
{
	return slices_of_two_paths(skb, false);
}

SEC("?tc")
__failure __msg("invalid mem access 'scalar'")
int fail_slice_of_the_second_path(struct __sk_buff *skb)
{
	return slices_of_two_paths(skb, true);
}

/* A type that programs without capabilities can load; but not with dynptrs. */
SEC("?socket")
__success __retval(0)
int ok_socket_filter(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	char byte = 0;

	from_memory(&ptr);
	bpf_dynptr_read(&byte, sizeof(byte), &ptr, 0, 0);
	return byte;
}
