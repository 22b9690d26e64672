// SPDX-License-Identifier: GPL-2.0
/* For bpftool.sh: a heap dynptr, which stays in a map. Kfuncs and object type are the module's. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "rust_dynptr.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct kept {
	struct bpf_dynptr_heap __kptr * heap;
	u32 size;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct kept);
} blocks SEC(".maps");

SEC("tc")
int keep(struct __sk_buff *skb)
{
	u32 key = 0;
	struct kept *kept = bpf_map_lookup_elem(&blocks, &key);
	struct bpf_dynptr_heap *heap;
	struct bpf_dynptr ptr;

	if (!kept)
		return 100;
	if (bpf_dynptr_alloc(skb->len, 0, &ptr)) {
		bpf_dynptr_put(&ptr);
		return 101;
	}
	kept->size = skb->len;
	heap = bpf_dynptr_detach(&ptr);
	if (heap)
		heap = bpf_kptr_xchg(&kept->heap, heap);
	if (heap)
		bpf_dynptr_heap_release(heap);
	return 0;
}
