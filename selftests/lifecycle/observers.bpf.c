// SPDX-License-Identifier: GPL-2.0
/*
 * Programs on the module's tracepoints, two on each that can be reached from them, and all do
 * themselves what is traced: each must be called once for what others do, never for what these do.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "observed.h"
#include "rust_dynptr.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, OBSERVED_RING);
} own SEC(".maps");

struct observed_seen seen[2];
unsigned int size;	/* of what "use" allocates */

/* A record that is lost: it is larger than its ring. */
static __always_inline void lose(void)
{
	void *record = bpf_ringbuf_reserve(&own, 2 * OBSERVED_RING, 0);

	if (record)
		bpf_ringbuf_discard(record, 0);
}

static __always_inline void allocate(u32 bytes)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(bytes, 0, &ptr);
	bpf_dynptr_put(&ptr);
}

static __always_inline int lost_one(struct observed_seen *s, const struct bpf_map *map, u64 bytes,
				    u32 why, u64 total)
{
	s->lost++;
	s->map_id = map ? map->id : 0;
	s->size = bytes;
	s->why = why;
	s->total = total;
	lose();
	allocate(32);
	return 0;
}

SEC("tp_btf/rust_dynptr_lost")
int BPF_PROG(on_lost, const struct bpf_map *map, u64 bytes, u32 why, u64 total)
{
	return lost_one(&seen[0], map, bytes, why, total);
}

SEC("tp_btf/rust_dynptr_lost")
int BPF_PROG(on_lost_too, const struct bpf_map *map, u64 bytes, u32 why, u64 total)
{
	return lost_one(&seen[1], map, bytes, why, total);
}

SEC("tp_btf/rust_dynptr_heap_alloc")
int BPF_PROG(on_alloc, const struct bpf_dynptr_heap *block)
{
	seen[0].allocated++;
	/* The verifier takes what a tracepoint gives for a pointer that may be NULL. */
	if (block)
		seen[0].bytes += block->size;
	allocate(32);
	lose();
	return 0;
}

SEC("tp_btf/rust_dynptr_heap_alloc")
int BPF_PROG(on_alloc_too, const struct bpf_dynptr_heap *block)
{
	seen[1].allocated++;
	allocate(32);
	return 0;
}

SEC("tp_btf/rust_dynptr_heap_free")
int BPF_PROG(on_free, const struct bpf_dynptr_heap *block)
{
	struct bpf_dynptr_heap *again;

	seen[0].freed++;
	/* The verifier trusts it, but its last reference is gone. */
	again = block ? bpf_dynptr_heap_acquire((struct bpf_dynptr_heap *)block) : NULL;
	if (again) {
		seen[0].acquired++;
		bpf_dynptr_heap_release(again);
	}
	allocate(32);
	return 0;
}

SEC("tp_btf/rust_dynptr_heap_fail")
int BPF_PROG(on_fail, u32 bytes)
{
	seen[0].failed++;
	return 0;
}

SEC("tp_btf/rust_dynptr_refused")
int BPF_PROG(on_refused, const struct bpf_verifier_env *env, int err, const char *reason)
{
	seen[0].refused++;
	seen[0].err = err;
	return 0;
}

SEC("tc")
int use(struct __sk_buff *skb)
{
	allocate(size);
	return 0;
}
