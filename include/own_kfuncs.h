/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's own kfuncs as one: what rust/kfuncs/own.c has of their set, and the filter of it,
 * which is rust/entry/own_kfuncs.rs. Each kfunc is in heap_kfuncs.h, iter_kfuncs.h or
 * string_kfuncs.h.
 */
#ifndef RUST_DYNPTR_OWN_KFUNCS_H
#define RUST_DYNPTR_OWN_KFUNCS_H

#include <linux/types.h>

struct bpf_prog;

/*
 * Whether @prog may call the kfunc @kfunc_id, which only who may bpf_probe_write_user() can if it
 * is the one that writes to user space: 0 or -EACCES.
 */
int rust_dynptr_may_call_own(const struct bpf_prog *prog, u32 kfunc_id);

/*
 * register_btf_kfunc_id_set() for all program types and register_btf_id_dtor_kfuncs(): 0 or an
 * errno. They go with the module's BTF.
 */
int rust_dynptr_register_own_kfuncs(void);

int rust_own_kfunc_filter(const struct bpf_prog *prog, u32 kfunc_id);

#endif
