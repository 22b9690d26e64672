// SPDX-License-Identifier: GPL-2.0
/*
 * The set of the module's own kfuncs, which heap.c, iter.c and strings.c define, with the flags
 * that the verifier goes by (rust/logic/argument.rs has the rest of the rules); and who may call
 * them. rust/glue/own_kfuncs.rs calls this.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/capability.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/security.h>

#include "../../include/own_kfuncs.h"
#include "../../include/unexported.h"

/* A module can have one set: these are all of ours. */
BTF_KFUNCS_START(own_kfuncs)
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
BTF_KFUNCS_END(own_kfuncs)

static u32 user_writer;

/*
 * This module's BTF, if the first function of that name in all BTF is this module's. Without a
 * reference: it is what the verifier has found the kfuncs in when it asks who may call them.
 */
static const struct btf *own_btf;

static void find_own_btf(void)
{
	struct btf *ours, *btf;
	s32 id;

	if (bpf_find_btf_id("rust_dynptr_may_call_own", BTF_KIND_FUNC, &ours) < 0)
		return;
	own_btf = ours;
	id = bpf_find_btf_id("bpf_dynptr_copy_to_user", BTF_KIND_FUNC, &btf);
	if (id > 0) {
		if (btf == ours)
			user_writer = id;
		btf_put(btf);
	}
	btf_put(ours);
}

/*
 * The verifier takes the address of a kfunc from kallsyms, by its name: whether what it finds is
 * ours. A function of another module that is called the same would be called instead, and the
 * rules for ours, which go by the address, would not be kept.
 */
static bool is_ours(u32 kfunc_id)
{
	const struct btf_type *type = own_btf ? btf_type_by_id(own_btf, kfunc_id) : NULL;
	const char *name = type ? btf_name_by_offset(own_btf, type->name_off) : NULL;

	return name && within_module(kallsyms_lookup_name(name), THIS_MODULE);
}

int rust_dynptr_may_call_own(const struct bpf_prog *prog, u32 kfunc_id)
{
	if (!is_ours(kfunc_id))
		return -EACCES;
	/* Without its number, none may. */
	if (user_writer && kfunc_id != user_writer)
		return 0;
	if (!capable(CAP_SYS_ADMIN) || security_locked_down(LOCKDOWN_BPF_WRITE_USER))
		return -EACCES;
	return 0;
}

static const struct btf_kfunc_id_set own_kfunc_set = {
	.owner = THIS_MODULE,
	.set = &own_kfuncs,
	.filter = rust_own_kfunc_filter,
};

BTF_ID_LIST(heap_dtor_ids)
BTF_ID(struct, bpf_dynptr_heap)
BTF_ID(func, bpf_dynptr_heap_release_dtor)

int rust_dynptr_register_own_kfuncs(void)
{
	const struct btf_id_dtor_kfunc dtors[] = {
		{ .btf_id = heap_dtor_ids[0], .kfunc_btf_id = heap_dtor_ids[1] },
	};
	int err;

	find_own_btf();
	/* No type: every type of programs that may call kfuncs at all. */
	err = register_btf_kfunc_id_set(BPF_PROG_TYPE_UNSPEC, &own_kfunc_set);
	return err ?: register_btf_id_dtor_kfuncs(dtors, ARRAY_SIZE(dtors), THIS_MODULE);
}
