// SPDX-License-Identifier: GPL-2.0
/* Strings and memory in dynptrs of every class: each run does a number of cases (strings.h). */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "rust_dynptr.bpf.h"
#include "rust_dynptr_strings.bpf.h"
#include "strings_one.h"

char LICENSE[] SEC("license") = "GPL";

#define BUFFER 512

struct memory {
	char bytes[STRINGS_BYTES];
};

/* 0: what the dynptr that is tried shows, if it is no packet; 1: the second view's. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct memory);
} memories SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} ring SEC(".maps");

unsigned int count;
unsigned int size;
int monitored;
unsigned int armed, ran;	/* for where it is not the runner who calls */
struct strings_case cases[STRINGS_BATCH];
struct strings_result results[STRINGS_BATCH];

static __always_inline struct memory *memory(u32 key)
{
	return bpf_map_lookup_elem(&memories, &key);
}

/* All cases of the run with views of @whole. */
static __always_inline void on_dynptr(struct bpf_dynptr *whole)
{
	struct memory *other = memory(1);
	int i;

	if (!other)
		return;
	bpf_for(i, 0, count) {
		struct bpf_dynptr a, b;
		struct strings_case *c;
		struct strings_result *r;

		if (i >= STRINGS_BATCH)
			break;
		c = &cases[i];
		r = &results[i];
		r->made = bpf_dynptr_clone(whole, &a);
		r->made |= bpf_dynptr_adjust(&a, c->start, c->end);
		if (c->same) {
			r->made |= bpf_dynptr_clone(whole, &b);
			r->made |= bpf_dynptr_adjust(&b, c->start2, c->end2);
			one(&a, &b, c, r);
		} else {
			r->made |= bpf_dynptr_from_mem(other, sizeof(*other), 0, &b);
			r->made |= bpf_dynptr_adjust(&b, c->start2, c->end2);
			one(&a, &b, c, r);
		}
	}
}

static __always_inline int on_local(void)
{
	struct memory *mine = memory(0);
	struct bpf_dynptr whole;

	if (!mine)
		return 0;
	bpf_dynptr_from_mem(mine, sizeof(*mine), 0, &whole);
	bpf_dynptr_adjust(&whole, 0, size);
	on_dynptr(&whole);
	return 0;
}

SEC("syscall")
int local(void *ctx)
{
	return on_local();
}

/* In the middle of the kernel: once, by whoever comes first. */
static __always_inline int once(void)
{
	if (!__sync_lock_test_and_set(&armed, 0))
		return 0;
	on_local();
	__sync_fetch_and_add(&ran, 1);
	return 0;
}

SEC("raw_tp/sys_enter")
int on_syscall(void *ctx)
{
	return once();
}

/* A clock's interrupt. */
SEC("perf_event")
int on_clock(void *ctx)
{
	return once();
}

/* As an NMI. */
SEC("perf_event")
int on_breakpoint(void *ctx)
{
	return once();
}

SEC("syscall")
int heap(void *ctx)
{
	struct bpf_dynptr whole, from;
	struct memory *mine = memory(0);

	if (!mine)
		return 0;
	bpf_dynptr_from_mem(mine, sizeof(*mine), 0, &from);
	bpf_dynptr_alloc(size, 0, &whole);
	bpf_dynptr_copy(&whole, 0, &from, 0, size);
	on_dynptr(&whole);
	bpf_dynptr_put(&whole);
	return 0;
}

SEC("syscall")
int ringbuf(void *ctx)
{
	struct bpf_dynptr whole, from;
	struct memory *mine = memory(0);

	if (!mine)
		return 0;
	bpf_dynptr_from_mem(mine, sizeof(*mine), 0, &from);
	bpf_ringbuf_reserve_dynptr(&ring, size, 0, &whole);
	bpf_dynptr_copy(&whole, 0, &from, 0, size);
	on_dynptr(&whole);
	bpf_ringbuf_discard_dynptr(&whole, 0);
	return 0;
}

/* Clones of a file dynptr share its view: a case has all of the file. */
static __always_inline int on_file(struct file *file)
{
	struct memory *other = memory(1);
	int i;

	if ((bpf_get_current_pid_tgid() >> 32) != monitored || !other)
		return 0;
	bpf_for(i, 0, count) {
		struct bpf_dynptr a, b;

		if (i >= STRINGS_BATCH)
			break;
		results[i].made = bpf_dynptr_from_file(file, 0, &a);
		bpf_dynptr_from_mem(other, sizeof(*other), 0, &b);
		bpf_dynptr_adjust(&b, cases[i].start2, cases[i].end2);
		one(&a, &b, &cases[i], &results[i]);
		bpf_dynptr_file_discard(&a);
	}
	return 0;
}

#include "on_packets.h"

int user_results[4];
unsigned long long user_address;

/* Of run-time size: from user memory into the heap, and from there to user memory behind it. */
SEC("syscall")
int user(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(size, 0, &ptr);
	user_results[0] = bpf_copy_from_user_dynptr(&ptr, 0, size, (void *)user_address);
	user_results[1] = bpf_dynptr_copy_to_user(&ptr, 1, size - 1,
						  (void *)(user_address + size));
	user_results[2] = bpf_dynptr_copy_to_user(&ptr, 1, size, (void *)user_address);
	user_results[3] = bpf_dynptr_copy_to_user(&ptr, 0, size, NULL);
	bpf_dynptr_put(&ptr);
	return 0;
}

/* In a kernel thread there is no user memory. */
struct work {
	struct bpf_wq wq;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct work);
} works SEC(".maps");

int thread_result;

static int in_thread(void *map, int *key, void *value)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	thread_result = bpf_dynptr_copy_to_user(&ptr, 0, 64, (void *)user_address);
	bpf_dynptr_put(&ptr);
	return 0;
}

SEC("syscall")
int thread(void *ctx)
{
	struct work *work = bpf_map_lookup_elem(&works, &(u32){ 0 });

	if (!work || bpf_wq_init(&work->wq, &works, 0) ||
	    bpf_wq_set_callback(&work->wq, in_thread, 0))
		return 1;
	return bpf_wq_start(&work->wq, 0) ? 2 : 0;
}

int rcu_results[2];

/* What is not in memory is read only where the program may sleep. */
SEC("lsm.s/file_lock")
int BPF_PROG(file_in_rcu, struct file *file)
{
	struct bpf_dynptr ptr;
	char bytes[64];

	if ((bpf_get_current_pid_tgid() >> 32) != monitored)
		return 0;
	bpf_dynptr_from_file(file, 0, &ptr);
	bpf_rcu_read_lock();
	rcu_results[0] = bpf_dynptr_read_upto(bytes, sizeof(bytes), &ptr, 4096);
	bpf_rcu_read_unlock();
	rcu_results[1] = bpf_dynptr_read_upto(bytes, sizeof(bytes), &ptr, 4096);
	bpf_dynptr_file_discard(&ptr);
	return 0;
}

int null_results[4];

SEC("syscall")
int null(void *ctx)
{
	struct bpf_dynptr ptr;
	char byte = 'x';

	bpf_dynptr_from_mem(cases, 1, 1, &ptr);
	null_results[0] = bpf_dynptr_strnlen(&ptr, 0, 0);
	null_results[1] = bpf_dynptr_memcmp(&ptr, 0, &ptr, 0, 0);
	null_results[2] = bpf_dynptr_read_upto(&byte, 1, &ptr, 0);
	null_results[3] = bpf_dynptr_strnstr(&ptr, 0, 0, CONSTANT(0));
	return 0;
}
