// SPDX-License-Identifier: GPL-2.0
/*
 * A program that takes the verifier seconds: it follows every turn of the loop, and in each the
 * dynptr of the turn before is overwritten by a new one.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "switch.h"

char LICENSE[] SEC("license") = "GPL";

char memory[8];

/* Known to the verifier, so that it follows just so many. */
const volatile int count = SWITCH_TURNS;

SEC("tc")
int turns(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	int i;

#pragma clang loop unroll(disable)
	for (i = 0; i < count; i++)
		bpf_dynptr_from_mem(memory, sizeof(memory), 0, &ptr);
	return i;
}
