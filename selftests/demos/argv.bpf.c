// SPDX-License-Identifier: GPL-2.0
/*
 * A filter on the arguments of execve(): a program with an argument that a rule excludes is
 * killed before its first instruction. The arguments are read when the kernel has copied them, so
 * nobody can change them afterwards, into a heap dynptr of just their size; rules are texts that
 * are known at run time only.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "rust_dynptr.bpf.h"
#include "rust_dynptr_strings.bpf.h"
#include "argv.h"

char LICENSE[] SEC("license") = "GPL";

#define SIGKILL 9

const volatile unsigned long long cgroup;
const volatile unsigned int rule_count;
unsigned long long lost;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ARGV_RULES);
	__type(key, u32);
	__type(value, struct argv_rule);
} rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} events SEC(".maps");

/* The rule that excludes the argument of @len bytes at @at, -1 if none does. */
static __noinline int excluded(struct bpf_dynptr *strings, u64 at, u64 len)
{
	u32 i;

	bpf_for(i, 0, ARGV_RULES) {
		struct bpf_dynptr text;
		struct argv_rule *rule;

		if (i >= rule_count)
			break;
		rule = bpf_map_lookup_elem(&rules, &i);
		if (!rule || bpf_dynptr_from_mem(rule->text, sizeof(rule->text), 0, &text))
			break;
		bpf_dynptr_adjust(&text, 0, rule->len);
		if (bpf_dynptr_memmem(strings, at, len, &text) >= 0)
			return i;
	}
	return -1;
}

/* Looks at each of the arguments, which follow each other. */
static __always_inline void look(struct bpf_dynptr *strings, struct argv_event *e)
{
	u32 shown = 0, i;
	u64 at = 0;
	int len;

	bpf_for(i, 0, ARGV_COUNT) {
		if (i >= e->count)
			break;
		len = bpf_dynptr_strnlen(strings, at, BPF_DYNPTR_ALL);
		if (len < 0) {
			e->error = len;
			break;
		}
		e->rule = excluded(strings, at, len);
		if (e->rule >= 0) {
			e->index = i;
			shown = at;
			break;
		}
		at += len + 1;
	}
	e->bytes = at;
	len = bpf_dynptr_strnlen(strings, shown, ARGV_SHOWN - 1);
	if (len > 0)
		bpf_dynptr_read_upto(e->text, len & (ARGV_SHOWN - 1), strings, shown);
}

SEC("lsm.s/bprm_committed_creds")
int BPF_PROG(argv, const struct linux_binprm *bprm)
{
	/* Arguments, then the environment. */
	u64 size = bprm->exec - bprm->p;
	struct bpf_dynptr strings;
	struct argv_event *e;
	int err;

	if (bpf_get_current_cgroup_id() != cgroup)
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->pid = bpf_get_current_pid_tgid() >> 32;
	e->rule = -1;
	e->count = bprm->argc;
	err = bpf_dynptr_alloc(size < ARGV_BYTES ? size : ~0U, 0, &strings);
	if (!err)
		err = bpf_copy_from_user_dynptr(&strings, 0, size, (void *)bprm->p);
	e->error = err;
	if (!err)
		look(&strings, e);
	bpf_dynptr_put(&strings);
	/* What cannot be looked at is excluded too. */
	if (e->rule >= 0 || e->error)
		bpf_send_signal(SIGKILL);
	bpf_ringbuf_submit(e, 0);
	return 0;
}
