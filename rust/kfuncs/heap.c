// SPDX-License-Identifier: GPL-2.0
/*
 * The kfuncs of heap dynptrs, for BTF: Rust functions get none. Each is one call of
 * rust/entry/heap.rs. The names of arguments are what the verifier goes by; own.c has the flags.
 */
#include <linux/bpf.h>
#include <linux/btf.h>

#include "../../include/heap_kfuncs.h"

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_dynptr_alloc(u32 size, u64 flags, struct bpf_dynptr *ptr__uninit,
				 struct bpf_prog_aux *aux)
{
	return rust_bpf_dynptr_alloc(size, flags, ptr__uninit, aux);
}

__bpf_kfunc void bpf_dynptr_put(struct bpf_dynptr *ptr)
{
	rust_bpf_dynptr_put(ptr);
}

__bpf_kfunc struct bpf_dynptr_heap *bpf_dynptr_detach(struct bpf_dynptr *ptr)
{
	return rust_bpf_dynptr_detach(ptr);
}

__bpf_kfunc void bpf_dynptr_attach(struct bpf_dynptr_heap *heap, struct bpf_dynptr *ptr__uninit)
{
	rust_bpf_dynptr_attach(heap, ptr__uninit);
}

__bpf_kfunc struct bpf_dynptr_heap *bpf_dynptr_heap_acquire(struct bpf_dynptr_heap *heap)
{
	return rust_bpf_dynptr_heap_acquire(heap);
}

__bpf_kfunc void bpf_dynptr_heap_release(struct bpf_dynptr_heap *heap)
{
	rust_bpf_dynptr_heap_release(heap);
}

/* What the kernel calls when a map value that holds a heap object is freed. */
__bpf_kfunc void bpf_dynptr_heap_release_dtor(void *heap)
{
	rust_bpf_dynptr_heap_release(heap);
}

CFI_NOSEAL(bpf_dynptr_heap_release_dtor);

__bpf_kfunc_end_defs();
