// SPDX-License-Identifier: GPL-2.0
/*
 * What bpftool.sh loads, runs and dumps: dynptrs over a packet and over a ring buffer record,
 * results in maps that can be dumped; and a program that is attached.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

#define BYTES 16

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, u64 flags, struct bpf_dynptr *ptr) __ksym;
extern __u64 bpf_dynptr_size(const struct bpf_dynptr *ptr) __ksym;

struct seen {
	u32 runs;
	u32 packet_size;
	u32 record_size;
	int error;
	unsigned char bytes[BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, struct seen);
} results SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct seen);
} attached SEC(".maps");

/* Copies the packet's first bytes into a ring buffer record, reads them there, and keeps them. */
SEC("tc")
int packet(struct __sk_buff *skb)
{
	struct seen fresh = {}, *seen;
	struct bpf_dynptr from, to;
	u32 key = 1;

	bpf_map_update_elem(&results, &key, &fresh, BPF_NOEXIST);
	seen = bpf_map_lookup_elem(&results, &key);
	if (!seen)
		return 100;
	seen->runs++;
	if (bpf_dynptr_from_skb(skb, 0, &from))
		return 101;
	seen->packet_size = bpf_dynptr_size(&from);
	seen->error = bpf_dynptr_read(fresh.bytes, BYTES, &from, 0, 0);
	if (bpf_ringbuf_reserve_dynptr(&ring, BYTES, 0, &to)) {
		bpf_ringbuf_discard_dynptr(&to, 0);
		return 102;
	}
	bpf_dynptr_write(&to, 0, fresh.bytes, BYTES, 0);
	seen->record_size = bpf_dynptr_size(&to);
	bpf_dynptr_read(seen->bytes, BYTES, &to, 0, 0);
	/* Nobody reads it: a record that is kept would fill the ring. */
	bpf_ringbuf_discard_dynptr(&to, 0);
	/* The first byte of the packet, for prog run to show. */
	bpf_dynptr_write(&from, 0, "!", 1, 0);
	return seen->bytes[0];
}

/* getpgid(), which the test calls. */
SEC("tp/syscalls/sys_enter_getpgid")
int attach(void *context)
{
	u32 key = 0;
	struct seen *seen = bpf_map_lookup_elem(&attached, &key);
	struct bpf_dynptr ptr;

	if (!seen)
		return 0;
	if (!bpf_ringbuf_reserve_dynptr(&ring, BYTES, 0, &ptr)) {
		seen->record_size = bpf_dynptr_size(&ptr);
		__sync_fetch_and_add(&seen->runs, 1);
	}
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	return 0;
}
