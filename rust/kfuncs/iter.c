// SPDX-License-Identifier: GPL-2.0
/*
 * The kfuncs of iterators over dynptrs, for BTF: Rust functions get none. Each is one call of
 * rust/entry/iter.rs. The names are those that the kernel asks of an iterator's functions.
 */
#include <linux/bpf.h>
#include <linux/btf.h>

#include "../../include/iter_kfuncs.h"

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_iter_dynptr_new(struct bpf_iter_dynptr *it, const struct bpf_dynptr *ptr,
				    u64 size, u64 flags)
{
	return rust_bpf_iter_dynptr_new(it, ptr, size, flags);
}

__bpf_kfunc union bpf_dynptr_range *bpf_iter_dynptr_next(struct bpf_iter_dynptr *it)
{
	return rust_bpf_iter_dynptr_next(it);
}

__bpf_kfunc void bpf_iter_dynptr_destroy(struct bpf_iter_dynptr *it)
{
	rust_bpf_iter_dynptr_destroy(it);
}

__bpf_kfunc int bpf_iter_dynptr_advance(struct bpf_iter_dynptr *it__iter, u64 len)
{
	return rust_bpf_iter_dynptr_advance(it__iter, len);
}

__bpf_kfunc int bpf_iter_dynptr_token_new(struct bpf_iter_dynptr_token *it,
					  const struct bpf_dynptr *ptr, const char *delims__str,
					  u64 flags)
{
	return rust_bpf_iter_dynptr_token_new(it, ptr, delims__str, flags);
}

__bpf_kfunc union bpf_dynptr_range *
bpf_iter_dynptr_token_next(struct bpf_iter_dynptr_token *it)
{
	return rust_bpf_iter_dynptr_token_next(it);
}

__bpf_kfunc void bpf_iter_dynptr_token_destroy(struct bpf_iter_dynptr_token *it)
{
	rust_bpf_iter_dynptr_token_destroy(it);
}

__bpf_kfunc_end_defs();
