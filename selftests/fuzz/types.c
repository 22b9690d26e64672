// SPDX-License-Identifier: GPL-2.0
/* Type ids: of the kernel's functions, and of the functions of our programs. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "ksft.h"

static struct btf *kernel, *module;
static int module_fd = -1, heap_value, map_key;
static int kfunc_ids[KFUNCS];
static int funcs[FUNC_KINDS], global_ctx_xdp;

static int kernel_type(const char *name, int kind)
{
	int id = btf__find_by_name_kind(kernel, name, kind);

	if (id < 0)
		ksft_exit_fail_msg("the kernel has no %s\n", name);
	return id;
}

static void find_kernel_types(void)
{
	kernel = btf__load_vmlinux_btf();
	if (!kernel)
		ksft_exit_fail_msg("cannot read the kernel's BTF\n");
	for (int i = 0; i < KF_HEAP; i++)
		kfunc_ids[i] = kernel_type(kfunc_names[i], BTF_KIND_FUNC);
}

/* The BTF object of the name @name that the kernel has. */
static int find_btf(const char *name)
{
	struct bpf_btf_info info;
	char found[64];
	__u32 size, id = 0;
	int fd;

	while (!bpf_btf_get_next_id(id, &id)) {
		fd = bpf_btf_get_fd_by_id(id);
		info = (struct bpf_btf_info){
			.name = (uintptr_t)found, .name_len = sizeof(found),
		};
		size = sizeof(info);
		if (fd >= 0 && !bpf_btf_get_info_by_fd(fd, &info, &size) && info.kernel_btf &&
		    !strcmp(found, name))
			return fd;
		close(fd);
	}
	return -1;
}

static void find_module_types(void)
{
	module = btf__load_module_btf("rust_dynptr", kernel);
	module_fd = find_btf("rust_dynptr");
	if (!module || module_fd < 0)
		ksft_exit_fail_msg("cannot read the module's BTF\n");
	for (int i = KF_HEAP; i < KFUNCS; i++) {
		kfunc_ids[i] = btf__find_by_name_kind(module, kfunc_names[i], BTF_KIND_FUNC);
		if (kfunc_ids[i] < 0)
			ksft_exit_fail_msg("the module has no %s\n", kfunc_names[i]);
	}
}

int types_module(void)
{
	return module_fd;
}

__u32 types_heap_value(void)
{
	return heap_value;
}

__u32 types_key(void)
{
	return map_key;
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

/* struct { u64 data; struct bpf_dynptr_heap __kptr *first, *second; } */
static void add_heap_value(struct btf *btf, int word, int number)
{
	int object, tag, pointer;

	object = btf__add_struct(btf, "bpf_dynptr_heap", 4);
	btf__add_field(btf, "size", number, 0, 0);
	tag = btf__add_type_tag(btf, "kptr", object);
	pointer = btf__add_ptr(btf, tag);
	heap_value = btf__add_struct(btf, "heap_value", HEAP_VALUE);
	btf__add_field(btf, "data", word, 0, 0);
	btf__add_field(btf, "first", pointer, 8 * HEAP_FIELD(0), 0);
	btf__add_field(btf, "second", pointer, 8 * HEAP_FIELD(1), 0);
	map_key = number;
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
	if (heap_mode && !module)
		find_module_types();
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
	if (heap_mode)
		add_heap_value(btf, word, number);
	raw = btf__raw_data(btf, &size);
	fd = bpf_btf_load(raw, size, NULL);
	btf__free(btf);
	if (fd < 0)
		ksft_exit_fail_msg("cannot load the types of the programs\n");
	return fd;
}

__u32 types_func(const struct program *p, int kind)
{
	return kind == FUNC_GLOBAL_CTX && p->kind == PROG_XDP ? global_ctx_xdp : funcs[kind];
}
