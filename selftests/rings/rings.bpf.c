// SPDX-License-Identifier: GPL-2.0
/*
 * Every helper of rings that the kernel produces into, with arguments from user space. Run with C
 * and with Rust, and with both on one ring, the results must be the same.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "rings.h"

char LICENSE[] SEC("license") = "GPL";

struct rings_case request;
struct rings_result result;
unsigned long long address;	/* of the ring's memory */

/* Size and flags are set by the runner. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct payload {
	u64 words[RINGS_PAYLOAD / 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct payload);
} payloads SEC(".maps");

static __always_inline void look(struct rings_result *r)
{
	for (int i = 0; i < RINGS_QUERIES; i++)
		r->seen[i] = bpf_ringbuf_query(&ring, i);
}

static __always_inline void reserve_if(u32 constant, const u64 size, bool discard)
{
	const struct rings_case *c = &request;
	u64 *record;

	if (c->constant != constant)
		return;
	record = bpf_ringbuf_reserve(&ring, size, c->reserve_flags);
	result.made = !!record;
	look(&result);
	if (!record)
		return;
	if (size >= 8)
		record[0] = c->stamp;
	if (discard)
		bpf_ringbuf_discard(record, c->flags);
	else
		bpf_ringbuf_submit(record, c->flags);
}

/*
 * Small sizes, ends of a page, of rings of 4096 and 65536 bytes, of what a dynptr and a record can
 * have, and the most that the verifier lets through.
 */
static __always_inline void reserve_all(bool discard)
{
	reserve_if(0, 0, discard);
	reserve_if(1, 1, discard);
	reserve_if(2, 7, discard);
	reserve_if(3, 8, discard);
	reserve_if(4, 9, discard);
	reserve_if(5, 16, discard);
	reserve_if(6, 100, discard);
	reserve_if(7, 504, discard);
	reserve_if(8, 1000, discard);
	reserve_if(9, 2032, discard);
	reserve_if(10, 2040, discard);
	reserve_if(11, 4072, discard);
	reserve_if(12, 4079, discard);
	reserve_if(13, 4080, discard);
	reserve_if(14, 4081, discard);
	reserve_if(15, 4087, discard);
	reserve_if(16, 4088, discard);
	reserve_if(17, 4089, discard);
	reserve_if(18, 4096, discard);
	reserve_if(19, 16384, discard);
	reserve_if(20, 65512, discard);
	reserve_if(21, 65519, discard);
	reserve_if(22, 65520, discard);
	reserve_if(23, 65521, discard);
	reserve_if(24, 65528, discard);
	reserve_if(25, 65536, discard);
	reserve_if(26, 0xffffff, discard);
	reserve_if(27, 0x1000000, discard);
	reserve_if(28, 0x3fffffff, discard);
	reserve_if(29, 0x40000000, discard);
	reserve_if(30, 0x7ffffff8, discard);
	reserve_if(31, 0xffffffff, discard);
}

/* Subprograms of their own, so that those are bound too. */
static __noinline int reserve_submit(void)
{
	reserve_all(false);
	return 0;
}

static __noinline int reserve_discard(void)
{
	reserve_all(true);
	return 0;
}

static __always_inline long output(u64 size, u64 flags)
{
	struct payload *payload;
	u32 key = 0;

	payload = bpf_map_lookup_elem(&payloads, &key);
	if (!payload || size > RINGS_PAYLOAD)
		return 1;
	payload->words[0] = request.stamp;
	return bpf_ringbuf_output(&ring, payload, size, flags);
}

static __always_inline void reserve_dynptr(const struct rings_case *c, bool discard)
{
	struct bpf_dynptr ptr;
	u64 stamp = c->stamp;

	result.made = bpf_ringbuf_reserve_dynptr(&ring, c->size, c->reserve_flags, &ptr);
	result.size = bpf_dynptr_size(&ptr);
	result.more = bpf_dynptr_write(&ptr, 0, &stamp, sizeof(stamp), 0);
	look(&result);
	if (discard)
		bpf_ringbuf_discard_dynptr(&ptr, c->flags);
	else
		bpf_ringbuf_submit_dynptr(&ptr, c->flags);
}

/* The held record is committed last, and ends before the others. */
static __always_inline void hold(const struct rings_case *c)
{
	struct bpf_dynptr ptr;
	u64 *second;

	result.made = bpf_ringbuf_reserve_dynptr(&ring, c->size, 0, &ptr);
	second = bpf_ringbuf_reserve(&ring, 40, 0);
	result.more = !!second;
	result.ret = output(c->stamp % 512, c->flags);
	if (second) {
		second[0] = c->stamp;
		bpf_ringbuf_submit(second, c->flags);
	}
	for (int i = 0; i < 4; i++)
		result.more = result.more * 2 + !output(200, BPF_RB_NO_WAKEUP);
	look(&result);
	if (c->stamp & 1)
		bpf_ringbuf_discard_dynptr(&ptr, c->flags);
	else
		bpf_ringbuf_submit_dynptr(&ptr, c->flags);
}

SEC("syscall")
int rings(void *ctx)
{
	const struct rings_case *c = &request;

	switch (c->op) {
	case RINGS_SUBMIT:
		reserve_submit();
		break;
	case RINGS_DISCARD:
		reserve_discard();
		break;
	case RINGS_OUTPUT:
		result.ret = output(c->size, c->flags);
		break;
	case RINGS_SUBMIT_DYNPTR:
		reserve_dynptr(c, false);
		break;
	case RINGS_DISCARD_DYNPTR:
		reserve_dynptr(c, true);
		break;
	case RINGS_HOLD:
		hold(c);
		break;
	case RINGS_QUERY:
		result.ret = bpf_ringbuf_query(&ring, c->size);
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
