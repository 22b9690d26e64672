// SPDX-License-Identifier: GPL-2.0
/* Somebody else's tracer on a function of the table. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

unsigned long long calls;

SEC("fentry/bpf_dynptr_size")
int BPF_PROG(on_size)
{
	__sync_fetch_and_add(&calls, 1);
	return 0;
}
