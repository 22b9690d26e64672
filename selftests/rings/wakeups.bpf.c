// SPDX-License-Identifier: GPL-2.0
/* Counts the wake-ups of one ring: they come in the interrupt that a commit or drain asks for. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

unsigned long long watched;	/* the ring's queue of waiters, its first member */
unsigned int wakeups;

/* At the entry of __wake_up(), whose first argument is the queue. */
SEC("perf_event")
int count_wakeups(struct bpf_perf_event_data *ctx)
{
	if (ctx->regs.di == watched)
		__sync_fetch_and_add(&wakeups, 1);
	return 0;
}
