// SPDX-License-Identifier: GPL-2.0
/*
 * What a call of each function costs: the time of many calls, without the time of the loop. In a
 * guest that counts instructions a nanosecond is one (scripts/vm -i). One program for each class of
 * memory; @op and @size say what it measures.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "cost.h"

char LICENSE[] SEC("license") = "GPL";

unsigned int op;
unsigned int size;		/* of what is moved: up to COST_MAX_SIZE */
unsigned long long spent;	/* nanoseconds of all calls and the loop */
unsigned long long user;	/* an address in user memory with a string */
int monitored;
char string[COST_MAX_SIZE];
volatile unsigned long long sink;

struct value {
	unsigned char bytes[COST_MEMORY];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct value);
} memory SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} ring SEC(".maps");

/* What a call needs. */
struct site {
	struct value *value;
	struct value *other;
	void *context;	/* packet or frame */
	struct file *file;
};

/* One call, of an operation that is known when this is compiled. */
static __always_inline void common(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	unsigned char small[16];
	struct bpf_dynptr made;
	u32 len = size;

	if (len > COST_MAX_SIZE)
		return;
	switch (what) {
	case COST_FROM_MEM:
		bpf_dynptr_from_mem(s->value, COST_MEMORY, 0, &made);
		break;
	case COST_READ:
		bpf_dynptr_read(s->other, len, ptr, 8, 0);
		break;
	case COST_WRITE:
		bpf_dynptr_write(ptr, 8, string, len, 0);
		break;
	case COST_DATA:
		sink += !!bpf_dynptr_data(ptr, 8, 64);
		break;
	case COST_SLICE:
		sink += !!bpf_dynptr_slice(ptr, 8, NULL, 64);
		break;
	case COST_SLICE_BUFFER:
		sink += !!bpf_dynptr_slice(ptr, 8, small, sizeof(small));
		break;
	case COST_ADJUST:
		bpf_dynptr_adjust(ptr, 0, 1024);
		break;
	case COST_IS_NULL:
		sink += bpf_dynptr_is_null(ptr);
		break;
	case COST_IS_RDONLY:
		sink += bpf_dynptr_is_rdonly(ptr);
		break;
	case COST_SIZE:
		sink += bpf_dynptr_size(ptr);
		break;
	case COST_CLONE:
		bpf_dynptr_clone(ptr, &made);
		break;
	case COST_COPY:
		bpf_dynptr_copy(ptr, 8, ptr, 512, len);
		break;
	case COST_MEMSET:
		bpf_dynptr_memset(ptr, 8, len, 1);
		break;
	case COST_PROBE_KERNEL:
		bpf_probe_read_kernel_dynptr(ptr, 8, len, string);
		break;
	case COST_PROBE_KERNEL_STR:
		bpf_probe_read_kernel_str_dynptr(ptr, 8, len, string);
		break;
	case COST_PROBE_USER:
		bpf_probe_read_user_dynptr(ptr, 8, len, (void *)user);
		break;
	case COST_PROBE_USER_STR:
		bpf_probe_read_user_str_dynptr(ptr, 8, len, (void *)user);
		break;
	}
}

static __always_inline void in_syscall(const int what, struct bpf_dynptr *ptr,
				       const struct site *s)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 len = size;

	switch (what) {
	case COST_COPY_USER:
		bpf_copy_from_user_dynptr(ptr, 8, len, (void *)user);
		break;
	case COST_COPY_USER_STR:
		bpf_copy_from_user_str_dynptr(ptr, 8, len, (void *)user);
		break;
	case COST_COPY_TASK:
		bpf_copy_from_user_task_dynptr(ptr, 8, len, (void *)user, task);
		break;
	case COST_COPY_TASK_STR:
		bpf_copy_from_user_task_str_dynptr(ptr, 8, len, (void *)user, task);
		break;
	}
}

static __always_inline void in_tc(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	struct bpf_dynptr made;
	u32 len = size;

	switch (what) {
	case COST_SLICE_RDWR:
		sink += !!bpf_dynptr_slice_rdwr(ptr, 8, NULL, 64);
		break;
	case COST_CONSTRUCT:
		bpf_dynptr_from_skb(s->context, 0, &made);
		break;
	case COST_RINGBUF_OUTPUT:
		if (len <= COST_MAX_SIZE)
			bpf_ringbuf_output(&ring, string, len, BPF_RB_NO_WAKEUP);
		break;
	case COST_RINGBUF_QUERY:
		sink += bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
		break;
	}
}

static __always_inline void in_xdp(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	struct bpf_dynptr made;

	if (what == COST_SLICE_RDWR)
		sink += !!bpf_dynptr_slice_rdwr(ptr, 8, NULL, 64);
	else if (what == COST_CONSTRUCT)
		bpf_dynptr_from_xdp(s->context, 0, &made);
}

static __always_inline void in_meta(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	struct bpf_dynptr made;

	if (what == COST_CONSTRUCT)
		bpf_dynptr_from_skb_meta(s->context, 0, &made);
}

static __always_inline void in_cgroup(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	struct bpf_dynptr made;

	if (what == COST_CONSTRUCT)
		bpf_dynptr_from_skb(s->context, 0, &made);
}

static __always_inline void in_file(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	struct bpf_dynptr made;
	u32 len = size;

	if (what == COST_FILE_READ && len <= COST_MAX_SIZE) {
		bpf_dynptr_read(s->other, len, ptr, 8, 0);
	} else if (what == COST_FILE_DISCARD) {
		bpf_dynptr_from_file(s->file, 0, &made);
		bpf_dynptr_file_discard(&made);
	}
}

typedef void (*call_t)(const int what, struct bpf_dynptr *ptr, const struct site *s);

/* The time of COST_CALLS calls of @call for operation @what. */
static __always_inline void measure(const int what, call_t call, struct bpf_dynptr *ptr,
				    const struct site *s)
{
	u64 start = bpf_ktime_get_ns();
	int i;

	bpf_for(i, 0, COST_CALLS / COST_UNROLLED) {
#pragma unroll
		for (int n = 0; n < COST_UNROLLED; n++)
			call(what, ptr, s);
	}
	spent = bpf_ktime_get_ns() - start;
}

/* The one of the operations from @first to before @last that @op names. */
static __always_inline void dispatch(const int first, const int last, call_t call,
				     struct bpf_dynptr *ptr, const struct site *s)
{
#pragma unroll
	for (int what = first; what < last; what++)
		if (op == what)
			measure(what, call, ptr, s);
}

static __always_inline bool prepare(struct site *s, void *context)
{
	u32 zero = 0, one = 1;

	spent = 0;
	s->value = bpf_map_lookup_elem(&memory, &zero);
	s->other = bpf_map_lookup_elem(&memory, &one);
	s->context = context;
	s->file = NULL;
	return s->value && s->other;
}

SEC("tc")
int local(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare(&s, skb))
		return 0;
	bpf_dynptr_from_mem(s.value, COST_MEMORY, 0, &ptr);
	dispatch(0, COST_SLICE_RDWR, common, &ptr, &s);
	dispatch(COST_SLICE_RDWR, COST_ADJUST, in_tc, &ptr, &s);
	dispatch(COST_ADJUST, COST_COMMON, common, &ptr, &s);
	dispatch(COST_RINGBUF_OUTPUT, COST_COPY_USER, in_tc, &ptr, &s);
	return 0;
}

SEC("tc")
int skb(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare(&s, skb))
		return 0;
	bpf_dynptr_from_skb(skb, 0, &ptr);
	dispatch(0, COST_SLICE_RDWR, common, &ptr, &s);
	dispatch(COST_SLICE_RDWR, COST_ADJUST, in_tc, &ptr, &s);
	dispatch(COST_COPY, COST_COMMON, common, &ptr, &s);
	dispatch(COST_CONSTRUCT, COST_RINGBUF_OUTPUT, in_tc, &ptr, &s);
	return 0;
}

SEC("xdp")
int frame(struct xdp_md *xdp)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare(&s, xdp))
		return 0;
	bpf_dynptr_from_xdp(xdp, 0, &ptr);
	dispatch(0, COST_SLICE_RDWR, common, &ptr, &s);
	dispatch(COST_SLICE_RDWR, COST_ADJUST, in_xdp, &ptr, &s);
	dispatch(COST_COPY, COST_COMMON, common, &ptr, &s);
	dispatch(COST_CONSTRUCT, COST_RINGBUF_OUTPUT, in_xdp, &ptr, &s);
	return XDP_PASS;
}

SEC("tc")
int skb_meta(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare(&s, skb))
		return 0;
	bpf_dynptr_from_skb_meta(skb, 0, &ptr);
	dispatch(COST_NOTHING, COST_FROM_MEM, common, &ptr, &s);
	dispatch(COST_CONSTRUCT, COST_RINGBUF_OUTPUT, in_meta, &ptr, &s);
	return 0;
}

SEC("cgroup_skb/egress")
int skb_rdonly(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare(&s, skb))
		return 1;
	bpf_dynptr_from_skb(skb, 0, &ptr);
	dispatch(COST_NOTHING, COST_FROM_MEM, common, &ptr, &s);
	dispatch(COST_CONSTRUCT, COST_RINGBUF_OUTPUT, in_cgroup, &ptr, &s);
	return 1;
}

SEC("syscall")
int sleepable(void *context)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare(&s, NULL))
		return 0;
	bpf_dynptr_from_mem(s.value, COST_MEMORY, 0, &ptr);
	dispatch(COST_NOTHING, COST_FROM_MEM, common, &ptr, &s);
	dispatch(COST_COPY_USER, COST_FILE_READ, in_syscall, &ptr, &s);
	return 0;
}

static __always_inline int on_file(struct file *file)
{
	struct bpf_dynptr ptr;
	struct site s;

	if ((bpf_get_current_pid_tgid() >> 32) != monitored || !prepare(&s, NULL))
		return 0;
	s.file = file;
	bpf_dynptr_from_file(file, 0, &ptr);
	dispatch(COST_NOTHING, COST_FROM_MEM, common, &ptr, &s);
	dispatch(COST_FILE_READ, COST_OPS, in_file, &ptr, &s);
	bpf_dynptr_file_discard(&ptr);
	return 0;
}

SEC("lsm/file_open")
int BPF_PROG(file, struct file *file)
{
	return on_file(file);
}

SEC("lsm.s/file_open")
int BPF_PROG(file_sleepable, struct file *file)
{
	return on_file(file);
}
