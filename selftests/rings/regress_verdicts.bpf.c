// SPDX-License-Identifier: GPL-2.0
/* What the verifier must refuse, or accept, of B3 to B6 in selftests/rings/regressions.md. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} ring SEC(".maps");

SEC("?syscall")
__description("B3") __log_level(2)
__failure __msg("must have zero offset")
int bad_submit_offset(void *ctx)
{
	char *record = bpf_ringbuf_reserve(&ring, 16, 0);

	if (record)
		bpf_ringbuf_submit(record + 8, 0);
	return 0;
}

SEC("?syscall")
__description("B3") __log_level(2)
__failure __msg("must have zero offset")
int bad_discard_offset(void *ctx)
{
	char *record = bpf_ringbuf_reserve(&ring, 16, 0);

	if (record)
		bpf_ringbuf_discard(record + 1, 0);
	return 0;
}

SEC("?syscall")
__description("B4") __log_level(2)
__failure __msg("type=mem expected=ringbuf_mem")
int bad_submit_data(void *ctx)
{
	struct bpf_dynptr ptr;
	void *data;

	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &ptr);
	data = bpf_dynptr_data(&ptr, 0, 16);
	if (data)
		bpf_ringbuf_submit(data, 0);
	else
		bpf_ringbuf_discard_dynptr(&ptr, 0);
	return 0;
}

SEC("?syscall")
__description("B5") __log_level(2)
__failure __msg("pointer arithmetic on ringbuf_mem_or_null prohibited")
int bad_arithmetic(void *ctx)
{
	char *record = bpf_ringbuf_reserve(&ring, 16, 0);

	asm volatile ("%0 += 1" : "+r"(record));
	if (record)
		bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("?syscall")
__description("B5") __log_level(2)
__failure __msg("Unreleased reference")
int bad_leak(void *ctx)
{
	void *record = bpf_ringbuf_reserve(&ring, 16, 0);

	return !!record;
}

SEC("?syscall")
__description("B5") __log_level(2)
__failure __msg("type=scalar expected=ringbuf_mem")
int bad_twice(void *ctx)
{
	void *record = bpf_ringbuf_reserve(&ring, 16, 0);

	if (!record)
		return 0;
	bpf_ringbuf_submit(record, 0);
	bpf_ringbuf_discard(record, 0);
	return 0;
}

SEC("?syscall")
__description("B6") __log_level(2)
__success
int good_spill(void *ctx)
{
	void *volatile place;
	u64 *record = bpf_ringbuf_reserve(&ring, 16, 0);

	place = record;
	asm volatile ("" ::: "memory");
	record = place;
	if (!record)
		return 0;
	record[1] = 7;
	bpf_ringbuf_submit(record, 0);
	return 0;
}
