// SPDX-License-Identifier: GPL-2.0
/*
 * bpf_dynptr_slice_rdwr() may return the caller's own buffer. If that is on the stack, the slice is
 * a second way to write to it, of which the verifier knows nothing: what it believes to be in the
 * buffer can be changed through the slice. Here a pointer to a map's first cell becomes one to its
 * second, which no check allows. (Both cells are ours: nothing is damaged.)
 *
 * The tags say what becomes of the programs with soundness=strict; without it each is
 * accepted.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "alias.h"
#include "bpf_misc.h"

extern int bpf_dynptr_from_xdp(struct xdp_md *xdp, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u64 offset, void *buffer,
			      __u64 size) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *ptr, __u64 offset, void *buffer,
				   __u64 size) __ksym;

#define REFUSAL "R3 must not point to the stack: the slice may be that buffer"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} cells SEC(".maps");

__u64 offset;
__u64 seen;
int aliased;

SEC("xdp.frags")
__failure __msg(REFUSAL)
int alias(struct xdp_md *xdp)
{
	__u64 buffer[2];
	struct bpf_dynptr ptr;
	__u64 *cell, *slice;
	__u32 key = 0;

	seen = 0;
	aliased = 0;
	cell = bpf_map_lookup_elem(&cells, &key);
	if (!cell)
		return XDP_DROP;
	bpf_dynptr_from_xdp(xdp, 0, &ptr);
	slice = bpf_dynptr_slice_rdwr(&ptr, offset, buffer, sizeof(buffer));
	if (!slice)
		return XDP_DROP;
	/* The verifier: the buffer holds a pointer to a cell of 8 bytes. */
	*(__u64 *volatile *)buffer = cell;
	/* The verifier: some packet data changes. */
	slice[0] += sizeof(*cell);
	cell = *(__u64 *volatile *)buffer;
	/* The verifier: it still is that pointer. */
	seen = *cell;
	aliased = slice == buffer;
	return XDP_PASS;
}

/*
 * Reading through a slice that is the buffer gives the number of a pointer that the program
 * spilled: for a program without CAP_PERFMON, which must not know it.
 */
SEC("xdp.frags")
__success
__failure_unpriv __msg_unpriv(REFUSAL) __caps_unpriv(CAP_BPF | CAP_NET_ADMIN)
int leak(struct xdp_md *xdp)
{
	__u64 buffer[2] = {};
	struct bpf_dynptr ptr;
	__u64 *cell;
	const __u64 *slice;
	__u32 key = 0;

	cell = bpf_map_lookup_elem(&cells, &key);
	if (!cell)
		return XDP_DROP;
	bpf_dynptr_from_xdp(xdp, 0, &ptr);
	slice = bpf_dynptr_slice(&ptr, offset, buffer, sizeof(buffer));
	if (!slice)
		return XDP_DROP;
	*(__u64 *volatile *)buffer = cell;
	seen = slice[0];
	return XDP_PASS;
}

/* A buffer that is no part of the stack: the verifier does not track what is in it. */
__u64 elsewhere[2];

SEC("xdp.frags")
__success
int no_alias(struct xdp_md *xdp)
{
	struct bpf_dynptr ptr;
	__u64 *slice;

	bpf_dynptr_from_xdp(xdp, 0, &ptr);
	slice = bpf_dynptr_slice_rdwr(&ptr, offset, elsewhere, sizeof(elsewhere));
	if (!slice)
		return XDP_DROP;
	slice[0] += 1;
	aliased = slice == elsewhere;
	return XDP_PASS;
}
