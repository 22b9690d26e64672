// SPDX-License-Identifier: GPL-2.0
/* A program of every type that may use dynptr helpers: each must be accepted. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf_misc.h"
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
__success
int syscall_(void *ctx)
{
	return use();
}

SEC("socket")
__success
int socket_(void *ctx)
{
	return use();
}

SEC("tc")
__success
int tc_(void *ctx)
{
	return use();
}

SEC("action")
__success
int action_(void *ctx)
{
	return use();
}

SEC("xdp")
__success
int xdp_(void *ctx)
{
	return use();
}

SEC("kprobe/do_nanosleep")
__success
int kprobe_(void *ctx)
{
	return use();
}

SEC("uprobe.s")
__success
int uprobe_(void *ctx)
{
	return use();
}

SEC("tp/syscalls/sys_enter_getpid")
__success
int tracepoint_(void *ctx)
{
	return use();
}

SEC("raw_tp/sys_enter")
__success
int raw_tracepoint_(void *ctx)
{
	return use();
}

SEC("tp_btf/sys_enter")
__success
int tp_btf_(void *ctx)
{
	return use();
}

SEC("fentry/do_nanosleep")
__success
int fentry_(void *ctx)
{
	return use();
}

SEC("fentry.s/__x64_sys_getpgid")
__success
int fentry_sleepable_(void *ctx)
{
	return use();
}

SEC("fexit/do_nanosleep")
__success
int fexit_(void *ctx)
{
	return use();
}

SEC("lsm/file_open")
__success
int lsm_(void *ctx)
{
	return use();
}

SEC("lsm.s/file_open")
__success
int lsm_sleepable_(void *ctx)
{
	return use();
}

SEC("perf_event")
__success
int perf_event_(void *ctx)
{
	return use();
}

SEC("cgroup_skb/ingress")
__success
int cgroup_skb_(void *ctx)
{
	return use();
}

SEC("cgroup/sock_release")
__success
int cgroup_sock_(void *ctx)
{
	return use();
}

SEC("cgroup/dev")
__success
int cgroup_dev_(void *ctx)
{
	return use();
}

SEC("cgroup/sysctl")
__success
int cgroup_sysctl_(void *ctx)
{
	return use();
}

SEC("cgroup/getsockopt")
__success
int cgroup_sockopt_(void *ctx)
{
	return use();
}

SEC("cgroup/bind4")
__success
int cgroup_bind_(void *ctx)
{
	return use();
}

SEC("sockops")
__success
int sockops_(void *ctx)
{
	return use();
}

SEC("sk_skb/stream_verdict")
__success
int sk_skb_(void *ctx)
{
	return use();
}

SEC("sk_msg")
__success
int sk_msg_(void *ctx)
{
	return use();
}

SEC("sk_lookup")
__success
int sk_lookup_(void *ctx)
{
	return use();
}

SEC("sk_reuseport")
__success
int sk_reuseport_(void *ctx)
{
	return use();
}

SEC("flow_dissector")
__success
int flow_dissector_(void *ctx)
{
	return use();
}

SEC("lwt_in")
__success
int lwt_in_(void *ctx)
{
	return use();
}

SEC("lwt_xmit")
__success
int lwt_xmit_(void *ctx)
{
	return use();
}

SEC("netfilter")
__success
int netfilter_(void *ctx)
{
	return use();
}

SEC("iter/task")
__success
int iter_(void *ctx)
{
	return use();
}
