// SPDX-License-Identifier: GPL-2.0
/*
 * A producer of numbered records of random sizes, by all ways that there are. Several, some bound
 * to C and some to Rust, share a ring.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "mixed.h"

char LICENSE[] SEC("license") = "GPL";

unsigned int producer;
unsigned int batch;
struct mixed_state state;
unsigned long long random = 1;

/* The record is made here, and copied. */
struct mixed_record draft;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} ring SEC(".maps");

static __always_inline u32 next_random(void)
{
	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	return random >> 32;
}

static __always_inline void write_draft(u32 words)
{
	int i;

	draft.producer = producer;
	draft.words = words;
	draft.seq = state.seq;
	bpf_for(i, 0, words)
		if (i >= 0 && i < MIXED_WORDS)
			draft.payload[i] = MIXED_WORD(producer, state.seq, i);
}

/* A constant size, as reserve wants it. */
static __always_inline bool reserve(const u32 words, u64 flags, bool discard)
{
	void *record;

	write_draft(words);
	record = bpf_ringbuf_reserve(&ring, MIXED_SIZE(words), 0);
	if (!record)
		return false;
	__builtin_memcpy(record, &draft, MIXED_SIZE(words));
	if (discard)
		bpf_ringbuf_discard(record, flags);
	else
		bpf_ringbuf_submit(record, flags);
	return true;
}

static __noinline bool reserve_any(u32 choice, u64 flags, bool discard)
{
	switch (choice % 8) {
	case 0:
		return reserve(0, flags, discard);
	case 1:
		return reserve(1, flags, discard);
	case 2:
		return reserve(2, flags, discard);
	case 3:
		return reserve(5, flags, discard);
	case 4:
		return reserve(8, flags, discard);
	case 5:
		return reserve(13, flags, discard);
	case 6:
		return reserve(21, flags, discard);
	default:
		return reserve(MIXED_WORDS, flags, discard);
	}
}

static __always_inline u32 some_words(u32 choice)
{
	return choice & 7 ? choice / 8 % 16 : choice / 8 % (MIXED_WORDS + 1);
}

static __noinline bool output(u32 choice, u64 flags)
{
	u32 words = some_words(choice);

	write_draft(words);
	if (words > MIXED_WORDS)
		return false;
	return !bpf_ringbuf_output(&ring, &draft, MIXED_SIZE(words), flags);
}

static __noinline bool reserve_dynptr(u32 choice, u64 flags, bool discard)
{
	u32 words = some_words(choice);
	struct bpf_dynptr ptr;
	bool made;

	write_draft(words);
	if (words > MIXED_WORDS)
		return false;
	made = !bpf_ringbuf_reserve_dynptr(&ring, MIXED_SIZE(words), 0, &ptr);
	if (made)
		bpf_dynptr_write(&ptr, 0, &draft, MIXED_SIZE(words), 0);
	if (discard)
		bpf_ringbuf_discard_dynptr(&ptr, flags);
	else
		bpf_ringbuf_submit_dynptr(&ptr, flags);
	return made;
}

static __always_inline u64 some_flags(u32 choice)
{
	switch (choice % 16) {
	case 0:
		return BPF_RB_FORCE_WAKEUP;
	case 1:
	case 2:
		return BPF_RB_NO_WAKEUP;
	default:
		return 0;
	}
}

/* Whether it was made. */
static __noinline bool one_record(void)
{
	u32 choice = next_random(), method = choice % 8;
	u64 flags = some_flags(choice >> 8);
	bool made, discard = method == 3 || method == 7;

	choice >>= 12;
	if (method < 4)
		made = reserve_any(choice, flags, discard);
	else if (method < 6)
		made = output(choice, flags);
	else
		made = reserve_dynptr(choice, flags, discard);
	state.by_method[method & 7] += made;
	if (!made)
		state.failed++;
	else if (discard)
		state.discarded++;
	else
		state.made++;
	/* The number of a record that the consumer never sees is used again. */
	if (!made || !discard)
		state.seq++;
	return made;
}

/* A batch; mostly it ends when the ring is full. */
SEC("syscall")
int produce(void *ctx)
{
	int i;

	bpf_for(i, 0, batch)
		if (!one_record() && i % 4)
			break;
	return 0;
}
