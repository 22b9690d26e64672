// SPDX-License-Identifier: GPL-2.0
/*
 * Traces execve() in one cgroup. Every event is a ring buffer record of just the size that its file
 * name and arguments need, written through dynptrs.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "execs.h"

char LICENSE[] SEC("license") = "GPL";

const volatile unsigned long long cgroup;
unsigned long long next_seq;
unsigned long long lost;
unsigned long long faults;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} notes SEC(".maps");

/*
 * Per CPU: a kprobe's program runs with preemption off. (Tracepoints of system calls and
 * sleepable programs do not, and the kernel skips them for a task that preempts another in the
 * same program: they would miss events.)
 */
struct scratch {
	char strings[EXECS_STRINGS + EXECS_STRING];
	char chunk[256];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* Appends the user's string at @from; returns the new length of all strings. */
static __always_inline u32 append(struct scratch *scratch, u32 used, const char *from)
{
	int copied;

	if (used >= EXECS_STRINGS)
		return used;
	copied = bpf_probe_read_user_str(scratch->strings + used, EXECS_STRING, from);
	if (copied <= 0) {
		__sync_fetch_and_add(&faults, 1);
		return used;
	}
	return used + copied;
}

static __always_inline u32 collect(struct scratch *scratch, struct execs_event *event,
				   const char *file, const char *const *argv)
{
	u32 used = append(scratch, 0, file);
	int i;

	bpf_for(i, 0, EXECS_ARGS + 1) {
		const char *argument = NULL;

		if (bpf_probe_read_user(&argument, sizeof(argument), argv + i)) {
			__sync_fetch_and_add(&faults, 1);
			return used;
		}
		if (!argument)
			return used;
		if (i == EXECS_ARGS || used >= EXECS_STRINGS)
			break;
		used = append(scratch, used, argument);
		event->argc++;
	}
	event->truncated = 1;
	return used;
}

/* Moves @bytes of strings into the record behind its header, a chunk at a time. */
static __always_inline int fill(struct scratch *scratch, struct bpf_dynptr *record,
				struct bpf_dynptr *strings, u32 bytes)
{
	u32 offset = 0, size;
	int i, err;

	bpf_for(i, 0, (EXECS_STRINGS + EXECS_STRING) / sizeof(scratch->chunk) + 1) {
		if (offset >= bytes)
			break;
		size = bytes - offset;
		if (size > sizeof(scratch->chunk))
			size = sizeof(scratch->chunk);
		err = bpf_dynptr_read(scratch->chunk, size, strings, offset, 0);
		if (err)
			return err;
		err = bpf_dynptr_write(record, sizeof(struct execs_event) + offset, scratch->chunk,
				       size, 0);
		if (err)
			return err;
		offset += size;
	}
	return 0;
}

static __always_inline void emit(struct scratch *scratch, struct execs_event *event)
{
	struct execs_note note = { .seq = event->seq };
	struct bpf_dynptr record, strings;
	struct execs_event *header;
	u64 flags = 0;

	bpf_dynptr_from_mem(scratch->strings, sizeof(scratch->strings), 0, &strings);
	if (bpf_ringbuf_reserve_dynptr(&events, sizeof(*event) + event->bytes, 0, &record) ||
	    bpf_dynptr_write(&record, 0, event, sizeof(*event), 0) ||
	    fill(scratch, &record, &strings, event->bytes)) {
		__sync_fetch_and_add(&lost, 1);
		bpf_ringbuf_discard_dynptr(&record, 0);
	} else {
		note.size = bpf_dynptr_size(&record);
		header = bpf_dynptr_data(&record, 0, sizeof(*header));
		if (header)
			header->complete = 1;
		/* With a backlog, the consumer is awake already. */
		note.backlog = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
		if (note.backlog > 65536)
			flags = BPF_RB_FORCE_WAKEUP;
		bpf_ringbuf_submit_dynptr(&record, flags);
	}
	if (bpf_ringbuf_output(&notes, &note, sizeof(note), 0))
		__sync_fetch_and_add(&lost, 1);
}

SEC("ksyscall/execve")
int BPF_KSYSCALL(on_execve, const char *file, const char *const *argv)
{
	struct execs_event event = {};
	struct scratch *scratch;
	u32 key = 0;

	if (bpf_get_current_cgroup_id() != cgroup)
		return 0;
	scratch = bpf_map_lookup_elem(&scratches, &key);
	if (!scratch)
		return 0;
	event.seq = __sync_fetch_and_add(&next_seq, 1);
	event.pid = bpf_get_current_pid_tgid() >> 32;
	event.bytes = collect(scratch, &event, file, argv);
	emit(scratch, &event);
	return 0;
}
