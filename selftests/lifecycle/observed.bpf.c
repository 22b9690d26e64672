// SPDX-License-Identifier: GPL-2.0
/* A producer that loses records, and a program that is refused. Loaded with C and with Rust. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "observed.h"
#include "rust_dynptr.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, OBSERVED_RING);
} ring SEC(".maps");

struct observed_request request;
struct observed_result result;
char bytes[OBSERVED_BYTES];

static __always_inline int ask(void)
{
	u32 size = request.size;
	struct bpf_dynptr ptr;
	void *record;
	int err;

	switch (request.how) {
	case OBSERVED_RESERVE:
		record = bpf_ringbuf_reserve(&ring, 2048, 0);
		if (!record)
			return 1;
		bpf_ringbuf_submit(record, 0);
		return 0;
	case OBSERVED_OUTPUT:
		return bpf_ringbuf_output(&ring, bytes, size % OBSERVED_BYTES, 0);
	default:
		err = bpf_ringbuf_reserve_dynptr(&ring, size, 0, &ptr);
		bpf_ringbuf_submit_dynptr(&ptr, 0);
		return err;
	}
}

SEC("syscall")
int produce(void *ctx)
{
	result.failed = 0;
	for (u32 i = 0; i < request.records && i < 1000; i++)
		result.failed += !!ask();
	result.lost = bpf_ringbuf_query(&ring, BPF_RB_LOST_RECORDS);
	result.counts = bpf_ringbuf_query(&ring, BPF_RB_COUNTS_LOST);
	result.unknown = bpf_ringbuf_query(&ring, BPF_RB_COUNTS_LOST + 1);
	return 0;
}

SEC("?syscall")
int bad(void *ctx)
{
	struct bpf_dynptr ptr;

	/* Nothing made it a dynptr. */
	return bpf_dynptr_read(bytes, 4, &ptr, 0, 0);
}
