// SPDX-License-Identifier: GPL-2.0
/*
 * The kfuncs of heap dynptrs, for BTF: Rust functions get none. Each is one call of
 * rust/entry/heap.rs. The flags and the names of arguments are what the verifier goes by:
 * rust/logic/argument.rs has the rest of the rules.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/module.h>

#include "../../include/heap_kfuncs.h"
#include "../../include/iter_kfuncs.h"
#include "../../include/string_kfuncs.h"

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

/* A module can have one set: these are all of ours. */
BTF_KFUNCS_START(heap_kfuncs)
BTF_ID_FLAGS(func, bpf_iter_dynptr_new, KF_ITER_NEW)
BTF_ID_FLAGS(func, bpf_iter_dynptr_next, KF_ITER_NEXT | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_iter_dynptr_destroy, KF_ITER_DESTROY)
BTF_ID_FLAGS(func, bpf_iter_dynptr_advance)
BTF_ID_FLAGS(func, bpf_iter_dynptr_token_new, KF_ITER_NEW)
BTF_ID_FLAGS(func, bpf_iter_dynptr_token_next, KF_ITER_NEXT | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_iter_dynptr_token_destroy, KF_ITER_DESTROY)
BTF_ID_FLAGS(func, bpf_dynptr_alloc, KF_IMPLICIT_ARGS)
BTF_ID_FLAGS(func, bpf_dynptr_put, KF_RELEASE)
BTF_ID_FLAGS(func, bpf_dynptr_detach, KF_ACQUIRE | KF_RELEASE | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_dynptr_attach, KF_RELEASE)
BTF_ID_FLAGS(func, bpf_dynptr_heap_acquire, KF_ACQUIRE | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_dynptr_heap_release, KF_RELEASE)
BTF_ID_FLAGS(func, bpf_dynptr_strnlen)
BTF_ID_FLAGS(func, bpf_dynptr_strncmp)
BTF_ID_FLAGS(func, bpf_dynptr_strncasecmp)
BTF_ID_FLAGS(func, bpf_dynptr_strncmp_const)
BTF_ID_FLAGS(func, bpf_dynptr_strncasecmp_const)
BTF_ID_FLAGS(func, bpf_dynptr_strnchr)
BTF_ID_FLAGS(func, bpf_dynptr_strnchrnul)
BTF_ID_FLAGS(func, bpf_dynptr_strnrchr)
BTF_ID_FLAGS(func, bpf_dynptr_strnspn)
BTF_ID_FLAGS(func, bpf_dynptr_strncspn)
BTF_ID_FLAGS(func, bpf_dynptr_strnpbrk)
BTF_ID_FLAGS(func, bpf_dynptr_strnstr)
BTF_ID_FLAGS(func, bpf_dynptr_strncasestr)
BTF_ID_FLAGS(func, bpf_dynptr_strntol)
BTF_ID_FLAGS(func, bpf_dynptr_strntoul)
BTF_ID_FLAGS(func, bpf_dynptr_strntok)
BTF_ID_FLAGS(func, bpf_dynptr_strnsep)
BTF_ID_FLAGS(func, bpf_dynptr_memcmp)
BTF_ID_FLAGS(func, bpf_dynptr_memcmp_mem)
BTF_ID_FLAGS(func, bpf_dynptr_memchr)
BTF_ID_FLAGS(func, bpf_dynptr_memmem)
BTF_ID_FLAGS(func, bpf_dynptr_memmem_mem)
BTF_ID_FLAGS(func, bpf_dynptr_read_upto)
BTF_ID_FLAGS(func, bpf_dynptr_copy_to_user, KF_SLEEPABLE)
BTF_KFUNCS_END(heap_kfuncs)

static const struct btf_kfunc_id_set heap_kfunc_set = {
	.owner = THIS_MODULE,
	.set = &heap_kfuncs,
	.filter = rust_heap_kfunc_filter,
};

BTF_ID_LIST(heap_dtor_ids)
BTF_ID(struct, bpf_dynptr_heap)
BTF_ID(func, bpf_dynptr_heap_release_dtor)

int rust_dynptr_register_heap_kfuncs(void)
{
	const struct btf_id_dtor_kfunc dtors[] = {
		{ .btf_id = heap_dtor_ids[0], .kfunc_btf_id = heap_dtor_ids[1] },
	};
	int err;

	/* No type: every type of programs that may call kfuncs at all. */
	err = register_btf_kfunc_id_set(BPF_PROG_TYPE_UNSPEC, &heap_kfunc_set);
	return err ?: register_btf_id_dtor_kfuncs(dtors, ARRAY_SIZE(dtors), THIS_MODULE);
}
