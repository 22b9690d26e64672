// SPDX-License-Identifier: GPL-2.0
/* The cost of finding the lines of a packet: by an iterator, and by what programs do without. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "rust_dynptr_iter.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define PIECE 64

unsigned int lines;
/* Of the last run. */
unsigned long long spent;

SEC("tc")
int iterator(struct __sk_buff *skb)
{
	union bpf_dynptr_range *line;
	struct bpf_dynptr ptr;
	u64 start;

	lines = 0;
	bpf_dynptr_from_skb(skb, 0, &ptr);
	start = bpf_ktime_get_ns();
	bpf_for_each(dynptr_token, line, &ptr, "\n", BPF_DYNPTR_TOKEN_LINES)
		lines++;
	spent = bpf_ktime_get_ns() - start;
	return 0;
}

/* Pieces are read to the stack, and looked at byte by byte. */
SEC("tc")
int pieces(struct __sk_buff *skb)
{
	u32 at = 0, size, len, i;
	struct bpf_dynptr ptr;
	char bytes[PIECE];
	u64 start;

	lines = 0;
	bpf_dynptr_from_skb(skb, 0, &ptr);
	size = bpf_dynptr_size(&ptr);
	start = bpf_ktime_get_ns();
	bpf_for(at, 0, (size + PIECE - 1) / PIECE) {
		len = size - at * PIECE;
		if (len > PIECE)
			len = PIECE;
		if (!len || bpf_dynptr_read(bytes, len, &ptr, at * PIECE, 0))
			break;
		bpf_for(i, 0, len) {
			if (i >= PIECE)
				break;
			lines += bytes[i] == '\n';
		}
	}
	spent = bpf_ktime_get_ns() - start;
	return 0;
}

/* A slice for each byte. */
SEC("tc")
int slices(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	char room, *byte;
	u64 start;
	u32 at;

	lines = 0;
	bpf_dynptr_from_skb(skb, 0, &ptr);
	start = bpf_ktime_get_ns();
	bpf_for(at, 0, bpf_dynptr_size(&ptr)) {
		byte = bpf_dynptr_slice(&ptr, at, &room, 1);
		if (!byte)
			break;
		lines += *byte == '\n';
	}
	spent = bpf_ktime_get_ns() - start;
	return 0;
}
