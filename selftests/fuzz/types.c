// SPDX-License-Identifier: GPL-2.0
/* Type ids: of the kernel's functions, and of the functions of our programs. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "tap.h"

static struct btf *kernel;
static int kfunc_ids[KFUNCS];
static int funcs[FUNC_KINDS], global_ctx_xdp;

static int kernel_type(const char *name, int kind)
{
	int id = btf__find_by_name_kind(kernel, name, kind);

	if (id < 0)
		tap_bail("the kernel has no %s", name);
	return id;
}

static void find_kernel_types(void)
{
	kernel = btf__load_vmlinux_btf();
	if (!kernel)
		tap_bail("cannot read the kernel's BTF");
	for (int i = 0; i < KFUNCS; i++)
		kfunc_ids[i] = kernel_type(kfunc_names[i], BTF_KIND_FUNC);
}

int types_kfunc(enum kfunc kfunc)
{
	return kfunc_ids[kfunc];
}

/* The hook that flock() calls, which nothing else in the guest does. */
int types_lsm_hook(void)
{
	static int id;

	if (!id)
		id = kernel_type("bpf_lsm_file_lock", BTF_KIND_FUNC);
	return id;
}

/* struct Qdisc_ops, and the index of its member enqueue. */
int types_qdisc(int *member)
{
	static int id, index;
	const struct btf_type *type;

	if (!id) {
		id = kernel_type("Qdisc_ops", BTF_KIND_STRUCT);
		type = btf__type_by_id(kernel, id);
		for (int i = 0; i < btf_vlen(type); i++)
			if (!strcmp(btf__name_by_offset(kernel, btf_members(type)[i].name_off),
				    "enqueue"))
				index = i;
	}
	*member = index;
	return id;
}

/* A function of our programs: @params are type ids, 0 ends them. */
static int add_func(struct btf *btf, const char *name, bool global, int ret, const int *params)
{
	int proto = btf__add_func_proto(btf, ret);
	char param[] = "a";

	for (; *params; params++) {
		btf__add_func_param(btf, param, *params);
		param[0]++;
	}
	return btf__add_func(btf, name, global ? BTF_FUNC_GLOBAL : BTF_FUNC_STATIC, proto);
}

static int pointer_to(struct btf *btf, const char *name, int size)
{
	return btf__add_ptr(btf, btf__add_struct(btf, name, size));
}

/* Loads the types that function records name. A file descriptor. */
int types_load(void)
{
	struct btf *btf = btf__new_empty();
	const int none[] = { 0 };
	int number, word, any, dynptr, skb, xdp, buffer, fd;
	const void *raw;
	__u32 size;

	if (!kernel)
		find_kernel_types();
	number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	word = btf__add_int(btf, "unsigned long long", 8, 0);
	any = btf__add_ptr(btf, 0);
	dynptr = pointer_to(btf, "bpf_dynptr", 16);
	skb = pointer_to(btf, "__sk_buff", 4);
	xdp = pointer_to(btf, "xdp_md", 4);
	buffer = btf__add_ptr(btf, word);
	for (int i = FUNC_MAIN; i < FUNC_GLOBAL_DYNPTR; i++)
		funcs[i] = add_func(btf, func_names[i], i == FUNC_MAIN, number, none);
	funcs[FUNC_STATIC] = add_func(btf, "static_func", false, word,
				      (const int[]){ any, word, any, 0 });
	funcs[FUNC_GLOBAL_DYNPTR] = add_func(btf, "global_dynptr", true, number,
					     (const int[]){ dynptr, word, 0 });
	funcs[FUNC_GLOBAL_CTX] = add_func(btf, "global_ctx", true, number,
					  (const int[]){ skb, 0 });
	global_ctx_xdp = add_func(btf, "global_ctx", true, number, (const int[]){ xdp, 0 });
	funcs[FUNC_GLOBAL_MEM] = add_func(btf, "global_mem", true, number,
					  (const int[]){ buffer, 0 });
	raw = btf__raw_data(btf, &size);
	fd = bpf_btf_load(raw, size, NULL);
	btf__free(btf);
	if (fd < 0)
		tap_bail("cannot load the types of the programs");
	return fd;
}

__u32 types_func(const struct program *p, int kind)
{
	return kind == FUNC_GLOBAL_CTX && p->kind == PROG_XDP ? global_ctx_xdp : funcs[kind];
}
