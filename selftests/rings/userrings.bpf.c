// SPDX-License-Identifier: GPL-2.0
/*
 * bpf_user_ringbuf_drain() of what user space wrote, be it a ring or garbage. Run with C and with
 * Rust, the results must be the same.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "userrings.h"

char LICENSE[] SEC("license") = "GPL";

struct userrings_case request;
struct userrings_result result;
unsigned long long address;	/* of the ring's memory */

/* The size is set by the runner. */
struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

static __always_inline long seen(const struct bpf_dynptr *ptr)
{
	result.samples++;
	result.bytes += bpf_dynptr_size(ptr);
	return result.samples == request.stop_after;
}

static long read_sample(struct bpf_dynptr *ptr, void *context)
{
	unsigned int last = bpf_dynptr_size(ptr) - 1;
	unsigned char bytes[16] = {};
	u64 words[2];

	bpf_dynptr_read(bytes, 8, ptr, 0, 0);
	if (!bpf_dynptr_read(bytes + 8, 1, ptr, last, 0))
		bytes[9] = 1;
	__builtin_memcpy(words, bytes, sizeof(words));
	result.hash = (result.hash ^ words[0]) * 0x9e3779b97f4a7c15ULL + words[1];
	return seen(ptr);
}

static long write_sample(struct bpf_dynptr *ptr, void *context)
{
	u64 stamp = result.samples + 77;

	result.written += bpf_dynptr_write(ptr, 0, &stamp, sizeof(stamp), 0);
	result.written += bpf_dynptr_write(ptr, bpf_dynptr_size(ptr), &stamp, 1, 0);
	return seen(ptr);
}

static long do_nothing(struct bpf_dynptr *ptr, void *context)
{
	return 0;
}

static long nest(struct bpf_dynptr *ptr, void *context)
{
	result.nested += bpf_user_ringbuf_drain(&ring, do_nothing, NULL, 0);
	return seen(ptr);
}

SEC("syscall")
int drain(void *ctx)
{
	u64 flags = request.flags;

	switch (request.callback) {
	case USERRINGS_READ:
		result.ret = bpf_user_ringbuf_drain(&ring, read_sample, NULL, flags);
		break;
	case USERRINGS_WRITE:
		result.ret = bpf_user_ringbuf_drain(&ring, write_sample, NULL, flags);
		break;
	case USERRINGS_NEST:
		result.ret = bpf_user_ringbuf_drain(&ring, nest, NULL, flags);
		break;
	default:
		result.ret = bpf_user_ringbuf_drain(&ring, do_nothing, NULL, flags);
		break;
	}
	return 0;
}

/* For who counts wake-ups. */
SEC("syscall")
int locate(void *ctx)
{
	struct bpf_ringbuf_map *map = (struct bpf_ringbuf_map *)&ring;

	address = (u64)map->rb;
	return 0;
}
