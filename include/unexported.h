/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prototypes of kernel functions that no installed header declares: static ones, and those of
 * kernel/bpf/diagnostics.h. The module reaches them by livepatch relocations
 * (scripts/build/klp-symbols). check-takeover compares every one with the target kernel's BTF.
 */
#ifndef RUST_DYNPTR_UNEXPORTED_H
#define RUST_DYNPTR_UNEXPORTED_H

#include <linux/bpf.h>
#include <linux/bpf_verifier.h>

/* kernel/bpf/verifier.c */
struct argno {
	int argno;
};

int check_mem_access(struct bpf_verifier_env *env, int insn_idx, struct bpf_reg_state *reg,
		     struct argno argno, int off, int bpf_size, enum bpf_access_type t,
		     int value_regno, bool strict_alignment_once, bool is_ldsx);
void __mark_reg_known(struct bpf_reg_state *reg, u64 imm);

/* kernel/bpf/diagnostics.h */
enum bpf_diag_mod_reason {
	BPF_DIAG_MOD_WRITE,
	BPF_DIAG_MOD_SPILL,
	BPF_DIAG_MOD_VAR_WRITE,
	BPF_DIAG_MOD_REF_RELEASE,
	BPF_DIAG_MOD_PKT_DATA_CHANGE,
	BPF_DIAG_MOD_NON_OWN_REF,
	BPF_DIAG_MOD_CALLER_SAVED,
};

/* kernel/bpf/diagnostics.c */
void bpf_diag_res(struct bpf_verifier_env *env, u32 insn_idx, const char *problem,
		  const char *reason, const char *suggestion);
void bpf_diag_call_type(struct bpf_verifier_env *env, u32 insn_idx, int argno, int regno,
			int stack_arg_slot, const char *call_name, const char *arg_name,
			const char *reason, const char *suggestion);
char *bpf_diag_fmt_buf(struct bpf_verifier_env *env, size_t size);
const char *bpf_diag_reg_type_plain(struct bpf_verifier_env *env, enum bpf_reg_type type);
void bpf_diag_mod_begin(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			const struct bpf_reg_state *origin, enum bpf_diag_mod_reason reason);
void bpf_diag_mod_end(struct bpf_verifier_env *env);
void bpf_diag_record_scrub(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			   enum bpf_diag_mod_reason reason);
void bpf_diag_record_ref_acquire(struct bpf_verifier_env *env, u32 insn_idx, u32 ref_id);
void bpf_diag_record_ref_release(struct bpf_verifier_env *env, u32 insn_idx, u32 ref_id);

/* kernel/livepatch/patch.c */
struct klp_ops;
struct klp_ops *klp_find_ops(void *old_func);

/* kernel/bpf/syscall.c */
struct bpf_map *bpf_map_get_curr_or_next(u32 *id);
struct bpf_prog *bpf_prog_get_curr_or_next(u32 *id);

/* kernel/bpf/ringbuf.c */
void bpf_ringbuf_notify(struct irq_work *work);

#endif
