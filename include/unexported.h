/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prototypes of kernel functions that no installed header declares: static ones, and those of
 * kernel/bpf/diagnostics.h. The module reaches them by livepatch relocations (scripts/klp-symbols).
 * check-takeover compares every one with the target kernel's BTF.
 */
#ifndef RUST_DYNPTR_UNEXPORTED_H
#define RUST_DYNPTR_UNEXPORTED_H

#include <linux/bpf.h>
#include <linux/bpf_verifier.h>

/* kernel/bpf/verifier.c */
int release_reference(struct bpf_verifier_env *env, int id);

/* kernel/bpf/diagnostics.c */
void bpf_diag_res(struct bpf_verifier_env *env, u32 insn_idx, const char *problem,
		  const char *reason, const char *suggestion);

/* kernel/bpf/syscall.c */
struct bpf_prog *bpf_prog_get_curr_or_next(u32 *id);

/* kernel/bpf/ringbuf.c */
void bpf_ringbuf_notify(struct irq_work *work);

#endif
