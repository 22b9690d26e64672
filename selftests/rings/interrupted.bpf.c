// SPDX-License-Identifier: GPL-2.0
/*
 * Two programs on the same ring: the outer one is interrupted, at an instruction that the runner
 * chooses, by the inner one.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "interrupted.h"

#define EAGAIN 11
#define EBUSY 16
#define EINVAL 22

char LICENSE[] SEC("license") = "GPL";

unsigned int op;
struct interrupted_tally outer_tally, inner_tally;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} user_ring SEC(".maps");

static __always_inline void write_record(struct interrupted_record *record, u64 who, u64 seq)
{
	record->who = who;
	record->seq = seq;
	record->check = INTERRUPTED_CHECK(who, seq);
}

static long count_sample(struct bpf_dynptr *ptr, void *context)
{
	return 0;
}

static __always_inline long make_dynptr(u64 who, u64 seq)
{
	struct interrupted_record record;
	struct bpf_dynptr ptr;
	long err;

	write_record(&record, who, seq);
	err = bpf_ringbuf_reserve_dynptr(&ring, sizeof(record), 0, &ptr);
	bpf_dynptr_write(&ptr, 0, &record, sizeof(record), 0);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return err;
}

static __always_inline long make_record(u64 who, u64 seq, bool discard)
{
	struct interrupted_record *record;

	record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
	if (!record)
		return -EAGAIN;
	write_record(record, who, seq);
	if (discard)
		bpf_ringbuf_discard(record, 0);
	else
		bpf_ringbuf_submit(record, 0);
	return 0;
}

static __always_inline long output_record(u64 who, u64 seq)
{
	struct interrupted_record record;

	write_record(&record, who, seq);
	return bpf_ringbuf_output(&ring, &record, sizeof(record), 0);
}

static __always_inline void tally(struct interrupted_tally *tally, long ret, u64 start)
{
	u64 took = bpf_ktime_get_ns() - start;

	if (took > tally->longest)
		tally->longest = took;
	tally->slow += took > 100000000;
	tally->runs++;
	if (op == INTERRUPTED_DRAIN && ret >= 0)
		tally->made += ret;
	else if (!ret)
		tally->made += op != INTERRUPTED_DISCARD;
	else if (ret == (op == INTERRUPTED_DRAIN ? -EBUSY :
			 op == INTERRUPTED_DYNPTR ? -EINVAL : -EAGAIN))
		tally->refused++;
	else
		tally->strange++;
}

static __always_inline void act(struct interrupted_tally *mine, u64 who)
{
	u64 start = bpf_ktime_get_ns(), seq = mine->seq++;
	long ret;

	switch (op) {
	case INTERRUPTED_OUTPUT:
		ret = output_record(who, seq);
		break;
	case INTERRUPTED_RESERVE:
		ret = make_record(who, seq, false);
		break;
	case INTERRUPTED_DISCARD:
		ret = make_record(who, seq, true);
		break;
	case INTERRUPTED_DYNPTR:
		ret = make_dynptr(who, seq);
		break;
	default:
		ret = bpf_user_ringbuf_drain(&user_ring, count_sample, NULL, 0);
		break;
	}
	tally(mine, ret, start);
}

SEC("syscall")
int outer(void *ctx)
{
	act(&outer_tally, 1);
	return 0;
}

SEC("perf_event")
int inner(void *ctx)
{
	act(&inner_tally, 2);
	return 0;
}
