/* SPDX-License-Identifier: GPL-2.0 */
/* Writing instructions into an image. Registers by use, see emit.c. */
#ifndef INSN_H
#define INSN_H

#include "fuzz.h"

#define REG_CTX BPF_REG_6	/* the context; in callees, the caller's frame */
#define REG_ACC BPF_REG_7	/* the scalar that collects results */
#define REG_P(i) (BPF_REG_8 + (i))

/* What is being emitted. */
struct emitter {
	struct image *image;
	const struct program *p;
	int func;		/* index */
	bool dead;		/* cannot be reached: not written */
	int depth;
	struct block {
		const struct op *op;
		int top;	/* where the body starts */
		int exits[2];	/* jumps to patch at the end, 0 if none */
		bool has_else, then_dead, was_dead;
	} blocks[MAX_OPS];
	struct {
		int insn;
		int func;
	} fixups[MAX_OPS * MAX_FUNCS];
	int fixup_count;
	bool wanted[MAX_FUNCS];
};

/* Appends one instruction; its index. What cannot be reached goes nowhere. */
static inline int put(struct emitter *e, int code, int dst, int src, int off, int imm)
{
	struct image *image = e->image;

	if (e->dead)
		return 0;
	if (image->count >= MAX_INSNS)
		return MAX_INSNS - 1;
	image->insns[image->count] = (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm,
	};
	return image->count++;
}

static inline void put_mov(struct emitter *e, int dst, int src)
{
	put(e, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static inline void put_mov_imm(struct emitter *e, int dst, int imm)
{
	put(e, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

static inline void put_add_imm(struct emitter *e, int dst, int imm)
{
	put(e, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm);
}

static inline void put_alu(struct emitter *e, int op, int dst, int src)
{
	put(e, BPF_ALU64 | op | BPF_X, dst, src, 0, 0);
}

static inline void put_alu_imm(struct emitter *e, int op, int dst, int imm)
{
	put(e, BPF_ALU64 | op | BPF_K, dst, 0, 0, imm);
}

/* The BPF_B to BPF_DW of 1 to 8 bytes. */
static inline int width(int bytes)
{
	return bytes == 1 ? BPF_B : bytes == 2 ? BPF_H : bytes == 4 ? BPF_W : BPF_DW;
}

static inline void put_load(struct emitter *e, int bytes, int dst, int base, int off)
{
	put(e, BPF_LDX | BPF_MEM | width(bytes), dst, base, off, 0);
}

static inline void put_store(struct emitter *e, int bytes, int base, int off, int src)
{
	put(e, BPF_STX | BPF_MEM | width(bytes), base, src, off, 0);
}

static inline void put_store_imm(struct emitter *e, int bytes, int base, int off, int imm)
{
	put(e, BPF_ST | BPF_MEM | width(bytes), base, 0, off, imm);
}

static inline void put_map(struct emitter *e, int dst, enum map_index map)
{
	put(e, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, map);
	put(e, 0, 0, 0, 0, 0);
}

/* The address of byte @off of the only value of @map. */
static inline void put_map_value(struct emitter *e, int dst, enum map_index map, int off)
{
	put(e, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_VALUE, 0, map);
	put(e, 0, 0, 0, 0, off);
}

static inline void put_helper(struct emitter *e, int helper)
{
	put(e, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

static inline void put_kfunc(struct emitter *e, enum kfunc kfunc)
{
	put(e, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, kfunc);
}

/* A jump whose target comes later; its index, for land(). */
static inline int put_jump(struct emitter *e, int op, int reg, int imm)
{
	return put(e, BPF_JMP | op | BPF_K, reg, 0, 0, imm);
}

/* Makes the jump at @insn come here. */
static inline void land(struct emitter *e, int insn)
{
	if (insn)
		e->image->insns[insn].off = e->image->count - insn - 1;
}

void put_operand(struct emitter *e, int reg, const struct opnd *o);
void put_call_op(struct emitter *e, const struct op *op);
void put_block(struct emitter *e, const struct op *op);
void put_else(struct emitter *e);
void put_end(struct emitter *e);
void survey(const struct program *p, struct image *image);

/* heap_emit.c: what programs check of heap dynptrs when they run. */
void put_checks_before(struct emitter *e, const struct op *op);
void put_checks_after(struct emitter *e, const struct op *op);
void put_load_check(struct emitter *e, int bytes);

#endif
