// SPDX-License-Identifier: GPL-2.0
/*
 * A record of a size that is known at run time, filled: assembled in a map's value and copied by
 * bpf_ringbuf_output(), or made in the ring by a dynptr, where nothing is copied.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "rust_dynptr.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define ROUNDS 500
#define SCRATCH 8192

struct scratch {
	unsigned char bytes[SCRATCH];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} ring SEC(".maps");

unsigned int size;
/* Of the last run: of a record; bytes that are in the ring; bytes that were copied there. */
unsigned long long spent, stored, copied;

static u64 start_of(void)
{
	stored = bpf_ringbuf_query(&ring, BPF_RB_PROD_POS);
	copied = 0;
	return bpf_ktime_get_ns();
}

static int end_of(u64 start)
{
	spent = (bpf_ktime_get_ns() - start) / ROUNDS;
	stored = (bpf_ringbuf_query(&ring, BPF_RB_PROD_POS) - stored) / ROUNDS;
	copied /= ROUNDS;
	return 0;
}

SEC("syscall")
int by_output(void *ctx)
{
	struct scratch *scratch;
	u64 start = start_of();
	u32 key = 0, len = size;
	struct bpf_dynptr ptr;
	int i;

	scratch = bpf_map_lookup_elem(&scratches, &key);
	if (!scratch || len > SCRATCH)
		return 1;
	bpf_for(i, 0, ROUNDS) {
		bpf_dynptr_from_mem(scratch, SCRATCH, 0, &ptr);
		bpf_dynptr_memset(&ptr, 0, len, 'r');
		if (!bpf_ringbuf_output(&ring, scratch, len, BPF_RB_NO_WAKEUP))
			copied += len;
	}
	return end_of(start);
}

SEC("syscall")
int by_reservation(void *ctx)
{
	u64 start = start_of();
	struct bpf_dynptr ptr;
	u32 len = size;
	int i;

	bpf_for(i, 0, ROUNDS) {
		bpf_ringbuf_reserve_dynptr(&ring, len, 0, &ptr);
		bpf_dynptr_memset(&ptr, 0, len, 'r');
		bpf_ringbuf_submit_dynptr(&ptr, BPF_RB_NO_WAKEUP);
	}
	return end_of(start);
}
