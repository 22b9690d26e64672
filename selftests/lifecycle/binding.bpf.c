// SPDX-License-Identifier: GPL-2.0
/* Programs of many kinds; each says in a ring that it ran. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "binding.h"

char LICENSE[] SEC("license") = "GPL";

int monitored;	/* the process whose doings count */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} ring SEC(".maps");

struct timer {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct timer);
} timers SEC(".maps");

static __always_inline void say(u32 kind)
{
	bpf_ringbuf_output(&ring, &kind, sizeof(kind), 0);
}

static __always_inline void say_of_mine(u32 kind)
{
	if (bpf_get_current_pid_tgid() >> 32 == monitored)
		say(kind);
}

static __noinline int in_static(u32 kind)
{
	say(kind);
	return kind;
}

__noinline int in_global(u32 kind)
{
	say(kind);
	return kind;
}

__noinline int replaced(struct __sk_buff *skb)
{
	say(BINDING_REPLACED);
	return skb->len;
}

static int callback(u32 index, void *context)
{
	say(BINDING_CALLBACK);
	return 0;
}

static int on_timer(void *map, u32 *key, struct timer *timer)
{
	say(BINDING_TIMER);
	return 0;
}

SEC("tc")
int calls(struct __sk_buff *skb)
{
	struct timer *timer;
	u32 key = 0;

	say(BINDING_MAIN);
	in_static(BINDING_STATIC);
	in_global(BINDING_GLOBAL);
	bpf_loop(1, callback, NULL, 0);
	timer = bpf_map_lookup_elem(&timers, &key);
	if (timer) {
		bpf_timer_init(&timer->timer, &timers, 1);
		bpf_timer_set_callback(&timer->timer, on_timer);
		bpf_timer_start(&timer->timer, 1000000, 0);
	}
	return replaced(skb) < 0;
}

SEC("?freplace/replaced")
int ext(struct __sk_buff *skb)
{
	say(BINDING_EXT);
	return skb->len;
}

SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(fentry, int a)
{
	say_of_mine(BINDING_FENTRY);
	return 0;
}

SEC("?fexit/bpf_fentry_test1")
int BPF_PROG(fexit, int a, int ret)
{
	say_of_mine(BINDING_FEXIT);
	return 0;
}

SEC("?fmod_ret/bpf_modify_return_test")
int BPF_PROG(fmod_ret, int a, int *b, int ret)
{
	say_of_mine(BINDING_FMOD_RET);
	return 0;
}

SEC("?fentry.s/bpf_fentry_test1")
int BPF_PROG(sleepable, int a)
{
	say_of_mine(BINDING_SLEEPABLE);
	return 0;
}

SEC("?lsm/file_open")
int BPF_PROG(lsm, struct file *file, int ret)
{
	say_of_mine(BINDING_LSM);
	return ret;
}

SEC("?tp_btf/sys_enter")
int BPF_PROG(tp_btf, struct pt_regs *regs, long id)
{
	if (id == 110)	/* getppid */
		say_of_mine(BINDING_TP_BTF);
	return 0;
}

SEC("?kprobe/bpf_fentry_test1")
int kprobe(struct pt_regs *ctx)
{
	say_of_mine(BINDING_KPROBE);
	return 0;
}

SEC("?tracepoint/syscalls/sys_enter_getppid")
int tracepoint(void *ctx)
{
	say_of_mine(BINDING_TRACEPOINT);
	return 0;
}

SEC("?iter/bpf_map")
int iter(struct bpf_iter__bpf_map *ctx)
{
	if (!ctx->map)
		say(BINDING_ITER);
	return 0;
}

/* The function is named by the runner. */
SEC("?fentry")
int BPF_PROG(module, struct file *file, unsigned int cmd)
{
	say_of_mine(BINDING_MODULE);
	return 0;
}

SEC("?struct_ops")
void BPF_PROG(init, struct sock *sk)
{
	say(BINDING_STRUCT_OPS);
}

SEC("?struct_ops")
u32 BPF_PROG(ssthresh, struct sock *sk)
{
	return 2;
}

SEC("?struct_ops")
void BPF_PROG(cong_avoid, struct sock *sk, u32 ack, u32 acked)
{
}

SEC("?struct_ops")
u32 BPF_PROG(undo_cwnd, struct sock *sk)
{
	return 2;
}

SEC("?.struct_ops.link")
struct tcp_congestion_ops congestion = {
	.init = (void *)init,
	.ssthresh = (void *)ssthresh,
	.cong_avoid = (void *)cong_avoid,
	.undo_cwnd = (void *)undo_cwnd,
	.name = "rust_dynptr",
};
