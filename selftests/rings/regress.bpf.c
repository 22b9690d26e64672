// SPDX-License-Identifier: GPL-2.0
/* Programs for the regressions in selftests/rings/regressions.md that no suite of upstream has. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "regress.h"

char LICENSE[] SEC("license") = "GPL";

unsigned int side;	/* which load of this file it is */
struct regress_stream streams[REGRESS_CONTEXTS][REGRESS_CPUS];
unsigned int records;	/* of one run of the task */
unsigned int pause;	/* between them, in rounds of an empty loop */

unsigned long long address;	/* of the ring's memory */
unsigned long long watched;	/* the ring that is being freed */
unsigned int synced;
unsigned int own_contention;	/* for the ring's own lock */

unsigned int taken[2];	/* results of reservations */
long long output_ret;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} ring SEC(".maps");

/* Rings that come and go. */
struct inner {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct inner);
} outer SEC(".maps") = {
	.values = { &inner },
};

/* A numbered record of this context, by one way or another. */
static __always_inline void produce(u32 context)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct regress_record record = {};
	struct regress_stream *stream;
	u64 start, took;
	long ret;

	if (cpu >= REGRESS_CPUS)
		return;
	stream = &streams[context][cpu];
	record.side = side;
	record.context = context;
	record.cpu = cpu;
	record.seq = __sync_fetch_and_add(&stream->seq, 1);
	record.check = regress_check(&record);
	start = bpf_ktime_get_ns();
	if (record.seq & 1) {
		struct bpf_dynptr ptr;

		ret = bpf_ringbuf_reserve_dynptr(&ring, sizeof(record), 0, &ptr);
		bpf_dynptr_write(&ptr, 0, &record, sizeof(record), 0);
		bpf_ringbuf_submit_dynptr(&ptr, 0);
	} else {
		ret = bpf_ringbuf_output(&ring, &record, sizeof(record), 0);
	}
	took = bpf_ktime_get_ns() - start;
	if (ret)
		__sync_fetch_and_add(&stream->failed, 1);
	if (took > stream->longest)
		stream->longest = took;
	stream->slow += took > 100000000;
}

SEC("syscall")
int task(void *ctx)
{
	int i, n;

	bpf_for(i, 0, records) {
		produce(REGRESS_TASK);
		bpf_for(n, 0, pause)
			asm volatile ("");
	}
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	produce(REGRESS_SWITCH);
	return 0;
}

SEC("?tp_btf/contention_begin")
int BPF_PROG(on_contention, void *lock, unsigned int flags)
{
	if ((u64)lock - address < 4096)
		__sync_fetch_and_add(&own_contention, 1);
	produce(REGRESS_CONTENTION);
	return 0;
}

SEC("?perf_event")
int on_clock(struct bpf_perf_event_data *ctx)
{
	produce(REGRESS_CLOCK);
	return 0;
}

/* B8: commits into a ring that is about to be freed; its wake-up is queued when it goes. */
SEC("?tp_btf/sched_switch")
int BPF_PROG(commit_to_inner, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u32 key = 0;
	void *ring = bpf_map_lookup_elem(&outer, &key);

	if (ring)
		bpf_ringbuf_output(ring, &key, sizeof(key), BPF_RB_FORCE_WAKEUP);
	return 0;
}

/* B8: at the entry of irq_work_sync(), of any task. */
SEC("?perf_event")
int on_sync(struct bpf_perf_event_data *ctx)
{
	/* The work is in the ring's first bytes. */
	if (watched && ctx->regs.di - watched < 4096)
		__sync_fetch_and_add(&synced, 1);
	return 0;
}

SEC("syscall")
int locate(void *ctx)
{
	struct bpf_ringbuf_map *map = (struct bpf_ringbuf_map *)&ring;

	address = (u64)map->rb;
	return 0;
}

/* B9: two records that would overlap in a ring of 0x4000 bytes. */
SEC("?syscall")
int take_twice(void *ctx)
{
	void *first, *second;

	first = bpf_ringbuf_reserve(&ring, 0x3000, 0);
	taken[0] = !!first;
	if (!first)
		return 0;
	second = bpf_ringbuf_reserve(&ring, 0x3000, 0);
	taken[1] = !!second;
	if (second)
		bpf_ringbuf_discard(second, 0);
	bpf_ringbuf_discard(first, 0);
	return 0;
}

/* B1: more than a ring of 0x4000 bytes has. */
SEC("?syscall")
int take_too_much(void *ctx)
{
	struct bpf_dynptr ptr;
	void *record;

	record = bpf_ringbuf_reserve(&ring, 0x4000, 0);
	taken[0] = !!record;
	if (record)
		bpf_ringbuf_discard(record, 0);
	output_ret = bpf_ringbuf_reserve_dynptr(&ring, 0x4000, 0, &ptr);
	taken[1] = !output_ret;
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	return 0;
}
