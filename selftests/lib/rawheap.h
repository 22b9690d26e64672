/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs with heap dynptrs of a few instructions, for processes with few capabilities: libbpf
 * finds a module's BTF only with CAP_SYS_ADMIN.
 */
#ifndef RAWHEAP_H
#define RAWHEAP_H

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "capabilities.h"
#include "insns.h"
#include "ksft.h"

/* The module's BTF: a file descriptor. */
static inline int module_btf(void)
{
	struct bpf_btf_info info;
	__u32 size, id = 0;
	char name[64];
	int fd;

	while (!bpf_btf_get_next_id(id, &id)) {
		fd = bpf_btf_get_fd_by_id(id);
		memset(&info, 0, sizeof(info));
		info.name = (__u64)name;
		info.name_len = sizeof(name);
		size = sizeof(info);
		if (fd >= 0 && !bpf_btf_get_info_by_fd(fd, &info, &size) &&
		    !strcmp(name, "rust_dynptr"))
			return fd;
		close(fd);
	}
	ksft_exit_fail_msg("the kernel has no BTF of the module\n");
}

/* A call of a kfunc of the module's. */
static inline void raw_call(struct insns *insns, const char *name)
{
	static struct btf *btf;

	if (!btf)
		btf = btf__load_module_btf("rust_dynptr", btf__load_vmlinux_btf());
	if (!btf)
		ksft_exit_fail_msg("no BTF of the module\n");
	put(insns, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 1,
	    btf__find_by_name_kind(btf, name, BTF_KIND_FUNC));
}

/* Memory of @size bytes for a dynptr at 16 bytes below the stack's top. */
static inline void raw_alloc(struct insns *insns, int size)
{
	put_imm(insns, 1, size);
	put_imm(insns, 2, 0);
	put_stack(insns, 3, -16);
	raw_call(insns, "bpf_dynptr_alloc");
}

/* Loads it with only these capabilities (a mask) in effect. 0 or a negative errno. */
static inline int raw_load(const struct insns *insns, enum bpf_prog_type type,
			   unsigned long long capabilities, char *log, size_t size)
{
	int fds[2] = { 0, module_btf() }, fd, err;

	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = fds, .log_buf = log, .log_size = size,
		    .log_level = 1,
		    .prog_flags = type == BPF_PROG_TYPE_SYSCALL ? BPF_F_SLEEPABLE : 0);
	log[0] = 0;
	keep_capabilities(capabilities);
	fd = bpf_prog_load(type, "raw", "GPL", insns->list, insns->count, &opts);
	err = fd < 0 ? -errno : 0;
	keep_capabilities(CAP_ALL);
	close(fds[1]);
	if (fd >= 0)
		close(fd);
	return err;
}

#endif
