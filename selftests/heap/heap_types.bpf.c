// SPDX-License-Identifier: GPL-2.0
/* A program of every type that may use dynptr helpers: each must be accepted. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "rust_dynptr.bpf.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline int use(void)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	bpf_dynptr_memset(&ptr, 0, 64, 1);
	bpf_dynptr_put(&ptr);
	return 0;
}

SEC("syscall")
int syscall_(void *ctx)
{
	return use();
}

SEC("socket")
int socket_(void *ctx)
{
	return use();
}

SEC("tc")
int tc_(void *ctx)
{
	return use();
}

SEC("action")
int action_(void *ctx)
{
	return use();
}

SEC("xdp")
int xdp_(void *ctx)
{
	return use();
}

SEC("kprobe/do_nanosleep")
int kprobe_(void *ctx)
{
	return use();
}

SEC("uprobe.s")
int uprobe_(void *ctx)
{
	return use();
}

SEC("tp/syscalls/sys_enter_getpid")
int tracepoint_(void *ctx)
{
	return use();
}

SEC("raw_tp/sys_enter")
int raw_tracepoint_(void *ctx)
{
	return use();
}

SEC("tp_btf/sys_enter")
int tp_btf_(void *ctx)
{
	return use();
}

SEC("fentry/do_nanosleep")
int fentry_(void *ctx)
{
	return use();
}

SEC("fentry.s/__x64_sys_getpgid")
int fentry_sleepable_(void *ctx)
{
	return use();
}

SEC("fexit/do_nanosleep")
int fexit_(void *ctx)
{
	return use();
}

SEC("lsm/file_open")
int lsm_(void *ctx)
{
	return use();
}

SEC("lsm.s/file_open")
int lsm_sleepable_(void *ctx)
{
	return use();
}

SEC("perf_event")
int perf_event_(void *ctx)
{
	return use();
}

SEC("cgroup_skb/ingress")
int cgroup_skb_(void *ctx)
{
	return use();
}

SEC("cgroup/sock_release")
int cgroup_sock_(void *ctx)
{
	return use();
}

SEC("cgroup/dev")
int cgroup_dev_(void *ctx)
{
	return use();
}

SEC("cgroup/sysctl")
int cgroup_sysctl_(void *ctx)
{
	return use();
}

SEC("cgroup/getsockopt")
int cgroup_sockopt_(void *ctx)
{
	return use();
}

SEC("cgroup/bind4")
int cgroup_bind_(void *ctx)
{
	return use();
}

SEC("sockops")
int sockops_(void *ctx)
{
	return use();
}

SEC("sk_skb/stream_verdict")
int sk_skb_(void *ctx)
{
	return use();
}

SEC("sk_msg")
int sk_msg_(void *ctx)
{
	return use();
}

SEC("sk_lookup")
int sk_lookup_(void *ctx)
{
	return use();
}

SEC("sk_reuseport")
int sk_reuseport_(void *ctx)
{
	return use();
}

SEC("flow_dissector")
int flow_dissector_(void *ctx)
{
	return use();
}

SEC("lwt_in")
int lwt_in_(void *ctx)
{
	return use();
}

SEC("lwt_xmit")
int lwt_xmit_(void *ctx)
{
	return use();
}

SEC("netfilter")
int netfilter_(void *ctx)
{
	return use();
}

SEC("iter/task")
int iter_(void *ctx)
{
	return use();
}
