// SPDX-License-Identifier: GPL-2.0
/*
 * Writes into a packet of several parts from its first part, which such a write moves: the bytes
 * must be those that were there, not what is where they were.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "moves.h"

char LICENSE[] SEC("license") = "GPL";

__u64 from;
__u64 to;
__u64 size;
int copied;
unsigned char found[MOVES_MAX];

SEC("tc")
int copy(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	copied = bpf_dynptr_copy(&ptr, to, &ptr, from, size);
	bpf_dynptr_read(found, sizeof(found), &ptr, 0, 0);
	return 0;
}

SEC("tc")
int write(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	const void *slice;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	copied = -1;
	slice = bpf_dynptr_slice(&ptr, from, NULL, MOVES_WRITE);
	if (slice)
		copied = bpf_dynptr_write(&ptr, to, (void *)slice, MOVES_WRITE, 0);
	bpf_dynptr_read(found, sizeof(found), &ptr, 0, 0);
	return 0;
}
