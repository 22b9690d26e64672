/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Iterators over dynptrs: the kfuncs, as rust/kfuncs/iter.c defines them for BTF, and the Rust
 * functions that do the work (rust/entry/iter.rs). Programs include rust_dynptr_iter.bpf.h, which
 * documents them. All of these kfuncs are in the set of rust/kfuncs/own.c: a module can have one.
 */
#ifndef RUST_DYNPTR_ITER_KFUNCS_H
#define RUST_DYNPTR_ITER_KFUNCS_H

#include <linux/types.h>

struct bpf_dynptr;

/* On the program's stack: Rust's (rust/glue/iter.rs). */
struct bpf_iter_dynptr {
	u64 __opaque[5];
} __aligned(8);

struct bpf_iter_dynptr_token {
	u64 __opaque[12];
} __aligned(8);

/*
 * What an iterator gives. To the verifier a pointer to a structure would be one to an object of the
 * kernel, which outlives the iterator; one to anything else is memory of the iterator's.
 */
union bpf_dynptr_range {
	struct {
		u64 offset;
		u32 len;
		s32 end;
	};
};

int bpf_iter_dynptr_new(struct bpf_iter_dynptr *it, const struct bpf_dynptr *ptr, u64 size,
			u64 flags);
union bpf_dynptr_range *bpf_iter_dynptr_next(struct bpf_iter_dynptr *it);
void bpf_iter_dynptr_destroy(struct bpf_iter_dynptr *it);
int bpf_iter_dynptr_advance(struct bpf_iter_dynptr *it__iter, u64 len);

int bpf_iter_dynptr_token_new(struct bpf_iter_dynptr_token *it, const struct bpf_dynptr *ptr,
			      const char *delims__str, u64 flags);
union bpf_dynptr_range *bpf_iter_dynptr_token_next(struct bpf_iter_dynptr_token *it);
void bpf_iter_dynptr_token_destroy(struct bpf_iter_dynptr_token *it);

int rust_bpf_iter_dynptr_new(struct bpf_iter_dynptr *it, const struct bpf_dynptr *ptr, u64 size,
			     u64 flags);
union bpf_dynptr_range *rust_bpf_iter_dynptr_next(struct bpf_iter_dynptr *it);
void rust_bpf_iter_dynptr_destroy(struct bpf_iter_dynptr *it);
int rust_bpf_iter_dynptr_advance(struct bpf_iter_dynptr *it, u64 len);

int rust_bpf_iter_dynptr_token_new(struct bpf_iter_dynptr_token *it, const struct bpf_dynptr *ptr,
				   const char *delims, u64 flags);
union bpf_dynptr_range *rust_bpf_iter_dynptr_token_next(struct bpf_iter_dynptr_token *it);
void rust_bpf_iter_dynptr_token_destroy(struct bpf_iter_dynptr_token *it);

#endif
