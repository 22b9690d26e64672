/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Heap dynptrs: the kfuncs, as rust/kfuncs/heap.c defines them for BTF, and the Rust functions that
 * do the work (rust/entry/heap.rs). Programs include rust_dynptr.bpf.h, which documents them.
 */
#ifndef RUST_DYNPTR_HEAP_KFUNCS_H
#define RUST_DYNPTR_HEAP_KFUNCS_H

#include <linux/llist.h>
#include <linux/types.h>

struct bpf_dynptr;
struct bpf_prog_aux;
struct obj_cgroup;

/* A block of memory, then its bytes. Programs may read @size; the rest is Rust's. */
struct bpf_dynptr_heap {
	u32 size;
	u32 origin;
	u32 references;
	u32 unused;
	/* Who pays, see rust_dynptr_charge(). */
	struct obj_cgroup *charged;
	/* Of a block without owners, which waits to be freed. */
	struct llist_node node;
};

int bpf_dynptr_alloc(u32 size, u64 flags, struct bpf_dynptr *ptr__uninit,
		     struct bpf_prog_aux *aux);
void bpf_dynptr_put(struct bpf_dynptr *ptr);
struct bpf_dynptr_heap *bpf_dynptr_detach(struct bpf_dynptr *ptr);
void bpf_dynptr_attach(struct bpf_dynptr_heap *heap, struct bpf_dynptr *ptr__uninit);
struct bpf_dynptr_heap *bpf_dynptr_heap_acquire(struct bpf_dynptr_heap *heap);
void bpf_dynptr_heap_release(struct bpf_dynptr_heap *heap);
void bpf_dynptr_heap_release_dtor(void *heap);

int rust_bpf_dynptr_alloc(u32 size, u64 flags, struct bpf_dynptr *ptr, struct bpf_prog_aux *aux);
void rust_bpf_dynptr_put(struct bpf_dynptr *ptr);
struct bpf_dynptr_heap *rust_bpf_dynptr_detach(struct bpf_dynptr *ptr);
void rust_bpf_dynptr_attach(struct bpf_dynptr_heap *heap, struct bpf_dynptr *ptr);
struct bpf_dynptr_heap *rust_bpf_dynptr_heap_acquire(struct bpf_dynptr_heap *heap);
void rust_bpf_dynptr_heap_release(struct bpf_dynptr_heap *heap);
/* What rust_dynptr_defer() is for. */
void rust_heap_free_deferred(struct llist_node *node);

#endif
