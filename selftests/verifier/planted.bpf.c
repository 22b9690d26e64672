// SPDX-License-Identifier: GPL-2.0
/* Programs that say what is so of themselves, and what is not, for loader.c. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

/* Refused: what it reserves is released nowhere. */
static __always_inline int leak(void)
{
	return !!bpf_ringbuf_reserve(&ring, 16, 0);
}

#define LEAK "Unreleased reference"

SEC("?syscall")
__success __retval(7)
int right_accepted(void *ctx)
{
	return 7;
}

SEC("?tc")
__success __retval(TEST_DATA_LEN)
__log_level(2) __msg("func#0") __not_msg(LEAK) __msg("exit") __msg("processed")
int right_accepted_with_log(struct __sk_buff *skb)
{
	return skb->len;
}

SEC("?syscall")
__failure __msg("bpf_ringbuf_reserve") __msg(LEAK)
int right_refused(void *ctx)
{
	return leak();
}

SEC("?socket")
__success
__failure_unpriv __msg_unpriv("R0 leaks addr as return value") __caps_unpriv(CAP_BPF)
int right_by_capabilities(struct __sk_buff *skb)
{
	return (long)skb;
}

SEC("?syscall")
__failure __msg(LEAK)
int accepted(void *ctx)
{
	return 0;
}

SEC("?syscall")
__success
int refused(void *ctx)
{
	return leak();
}

SEC("?syscall")
__failure __msg("Unreleased dynptr")
int wrong_msg(void *ctx)
{
	return leak();
}

SEC("?syscall")
__failure __msg("processed") __msg(LEAK)
int wrong_order(void *ctx)
{
	return leak();
}

SEC("?syscall")
__failure __not_msg("bpf_ringbuf_reserve") __msg(LEAK)
int wrong_not_msg(void *ctx)
{
	return leak();
}

SEC("?syscall")
__success __msg("processed")
int no_log(void *ctx)
{
	return 0;
}

SEC("?syscall")
__success __retval(8)
int wrong_retval(void *ctx)
{
	return 7;
}

SEC("?raw_tp/sys_enter")
__success __retval(0)
int cannot_be_run(void *ctx)
{
	return 0;
}

SEC("?socket")
__success_unpriv __caps_unpriv(CAP_BPF)
int refused_by_capabilities(struct __sk_buff *skb)
{
	return (long)skb;
}

SEC("?syscall")
int no_tag(void *ctx)
{
	return 0;
}

SEC("?syscall")
__msg(LEAK)
int no_verdict(void *ctx)
{
	return leak();
}

SEC("?syscall")
__failure
int no_msg(void *ctx)
{
	return leak();
}

SEC("?syscall")
__failure __not_msg("Unreleased dynptr")
int only_not_msg(void *ctx)
{
	return leak();
}

SEC("?syscall")
__failure __success __msg(LEAK)
int both(void *ctx)
{
	return leak();
}

SEC("?syscall")
__failure __msg(LEAK) __retval(0)
int retval_of_refused(void *ctx)
{
	return leak();
}

SEC("?syscall")
__success TEST_TAG("expect_xlated=0: r0 = 0")
int unknown_tag(void *ctx)
{
	return 0;
}

SEC("?syscall")
__success __retval(seven)
int no_number(void *ctx)
{
	return 7;
}
