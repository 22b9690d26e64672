/* SPDX-License-Identifier: GPL-2.0 */
/* BPF programs of a few instructions, one for each ring buffer helper, for any type of program. */
#ifndef INSNS_H
#define INSNS_H

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#define MAX_INSNS 32

struct insns {
	const char *name;
	struct bpf_insn list[MAX_INSNS];
	size_t count;
};

static inline void put(struct insns *insns, __u8 code, __u8 dst, __u8 src, __s16 off, __s32 imm)
{
	insns->list[insns->count++] = (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm,
	};
}

static inline void put_imm(struct insns *insns, __u8 dst, __s32 imm)
{
	put(insns, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

static inline void put_reg(struct insns *insns, __u8 dst, __u8 src)
{
	put(insns, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

/* The address of a place on the stack. */
static inline void put_stack(struct insns *insns, __u8 dst, __s32 offset)
{
	put_reg(insns, dst, BPF_REG_10);
	put(insns, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, offset);
}

static inline void put_map(struct insns *insns, __u8 dst, int fd)
{
	put(insns, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, fd);
	put(insns, 0, 0, 0, 0, 0);
}

static inline void put_call(struct insns *insns, enum bpf_func_id helper)
{
	put(insns, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

static inline void put_return(struct insns *insns, __s32 value)
{
	put_imm(insns, 0, value);
	put(insns, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* The programs; all return 1. */
enum {
	BY_QUERY,
	BY_OUTPUT,
	BY_SUBMIT,
	BY_DISCARD,
	BY_SUBMIT_DYNPTR,
	BY_DISCARD_DYNPTR,
	BY_DRAIN,
	BY_HELPERS,
};

static inline void put_output(struct insns *insns, int ring)
{
	put(insns, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 7);
	put_map(insns, 1, ring);
	put_stack(insns, 2, -8);
	put_imm(insns, 3, 8);
	put_imm(insns, 4, 0);
	put_call(insns, BPF_FUNC_ringbuf_output);
}

static inline void put_reserve(struct insns *insns, int ring, enum bpf_func_id commit)
{
	put_map(insns, 1, ring);
	put_imm(insns, 2, 8);
	put_imm(insns, 3, 0);
	put_call(insns, BPF_FUNC_ringbuf_reserve);
	put(insns, BPF_JMP | BPF_JNE | BPF_K, 0, 0, 2, 0);
	put_return(insns, 1);
	put_reg(insns, 1, 0);
	put_imm(insns, 2, 0);
	put_call(insns, commit);
}

static inline void put_reserve_dynptr(struct insns *insns, int ring, enum bpf_func_id commit)
{
	put_map(insns, 1, ring);
	put_imm(insns, 2, 8);
	put_imm(insns, 3, 0);
	put_stack(insns, 4, -16);
	put_call(insns, BPF_FUNC_ringbuf_reserve_dynptr);
	put_stack(insns, 1, -16);
	put_imm(insns, 2, 0);
	put_call(insns, commit);
}

static inline struct insns insns_of(int by, int ring, int user_ring)
{
	static const char *const names[BY_HELPERS] = {
		"query", "output", "submit", "discard", "submit_dynptr", "discard_dynptr", "drain",
	};
	struct insns insns = { .name = names[by] };

	switch (by) {
	case BY_QUERY:
		put_map(&insns, 1, ring);
		put_imm(&insns, 2, 0);
		put_call(&insns, BPF_FUNC_ringbuf_query);
		break;
	case BY_OUTPUT:
		put_output(&insns, ring);
		break;
	case BY_SUBMIT:
		put_reserve(&insns, ring, BPF_FUNC_ringbuf_submit);
		break;
	case BY_DISCARD:
		put_reserve(&insns, ring, BPF_FUNC_ringbuf_discard);
		break;
	case BY_SUBMIT_DYNPTR:
		put_reserve_dynptr(&insns, ring, BPF_FUNC_ringbuf_submit_dynptr);
		break;
	case BY_DISCARD_DYNPTR:
		put_reserve_dynptr(&insns, ring, BPF_FUNC_ringbuf_discard_dynptr);
		break;
	default:
		/* Its callback would need BTF: this one is refused for it, if not before. */
		put_map(&insns, 1, user_ring);
		put_imm(&insns, 2, 0);
		put_imm(&insns, 3, 0);
		put_imm(&insns, 4, 0);
		put_call(&insns, BPF_FUNC_user_ringbuf_drain);
		break;
	}
	put_return(&insns, 1);
	return insns;
}

/* Loads a program; the verifier's log, if there is one, goes to @log. An fd or -errno. */
static inline int insns_load(const struct insns *insns, enum bpf_prog_type type,
			     enum bpf_attach_type attach, char *log, size_t size)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach, .log_buf = log,
		    .log_size = size, .log_level = log ? 1 : 0);
	int fd;

	if (log)
		log[0] = 0;
	fd = bpf_prog_load(type, insns->name, "GPL", insns->list, insns->count, &opts);
	return fd < 0 ? -errno : fd;
}

#endif
