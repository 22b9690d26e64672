// SPDX-License-Identifier: GPL-2.0
/* Records in a ring, and blocks of memory in a map, of processes that are killed. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "rust_dynptr.bpf.h"
#include "kills.h"

char LICENSE[] SEC("license") = "GPL";

struct entry {
	struct bpf_dynptr_heap __kptr * heap;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KILLS_ENTRIES);
	__type(key, u32);
	__type(value, struct entry);
} entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} ring SEC(".maps");

struct kills_state states[KILLS_PRODUCERS];

/* A block, in exchange for the one that was there. */
static void exchange(struct kills_state *state)
{
	u32 key = bpf_get_prandom_u32() % KILLS_ENTRIES;
	struct bpf_dynptr_heap *heap;
	struct bpf_dynptr ptr;
	struct entry *e;

	bpf_dynptr_alloc(64 << (key & 7), 0, &ptr);
	heap = bpf_dynptr_detach(&ptr);
	if (!heap)
		return;
	e = bpf_map_lookup_elem(&entries, &key);
	if (e)
		heap = bpf_kptr_xchg(&e->heap, heap);
	if (heap)
		bpf_dynptr_heap_release(heap);
	state->blocks++;
}

/* A record, or one that is discarded, for the producer @ctx points to. */
SEC("syscall")
int produce(u32 *ctx)
{
	struct kills_record record = {};
	u32 producer = *ctx, words;
	struct kills_state *state;
	struct bpf_dynptr ptr;

	if (producer >= KILLS_PRODUCERS)
		return 1;
	state = &states[producer];
	words = bpf_get_prandom_u32() % (KILLS_WORDS + 1);
	record.producer = producer;
	record.words = words;
	record.seq = state->made;
	for (u32 i = 0; i < KILLS_WORDS; i++)
		record.payload[i] = i < words ? KILLS_WORD(producer, record.seq, i) : 0;
	if (bpf_ringbuf_reserve_dynptr(&ring, KILLS_SIZE(words), 0, &ptr)) {
		state->refused++;
		bpf_ringbuf_discard_dynptr(&ptr, 0);
		return 0;
	}
	bpf_dynptr_write(&ptr, 0, &record, KILLS_SIZE(words), 0);
	if (bpf_get_prandom_u32() % 8) {
		state->made++;
		bpf_ringbuf_submit_dynptr(&ptr, 0);
	} else {
		state->discarded++;
		bpf_ringbuf_discard_dynptr(&ptr, 0);
	}
	exchange(state);
	return 0;
}
