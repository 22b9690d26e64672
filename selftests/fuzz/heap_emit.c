// SPDX-License-Identifier: GPL-2.0
/*
 * What programs check of heap dynptrs when they run. What is wrong goes to MAP_FAIL, with the
 * number of the instruction that found it.
 *
 * If no program takes a second reference to an object or adjusts a dynptr (struct image, pure),
 * what is detached gets a stamp at its start, and must have it when it is attached again: whoever
 * has it in between, nobody can have written to it.
 */
#include <string.h>

#include "insn.h"

#define FREED 0x6b6b6b6b	/* FREED_BYTE of rust/logic/heap.rs */
#define STAMP 0x57a3b1e5

bool heap_mode;

enum map_index each_map(const struct op *op)
{
	return heap_mode && op->size ? MAP_HEAP + (op->size - 1) % HEAP_MAPS : MAP_ARR;
}

/* Notes @what. */
static void put_fail(struct emitter *e, enum failure what)
{
	put_map_value(e, BPF_REG_1, MAP_FAIL, 8 * what);
	put_store_imm(e, 8, BPF_REG_1, 0, e->image->count);
}

/* r0: @size bytes of the dynptr at @d, from @off, or null. */
static void put_slice(struct emitter *e, const struct opnd *d, int off, int size)
{
	put_operand(e, BPF_REG_1, d);
	put_mov_imm(e, BPF_REG_2, off);
	put_mov_imm(e, BPF_REG_3, size);
	put_helper(e, BPF_FUNC_dynptr_data);
}

/* The largest access of at most @bytes, 0 if there is none. */
static int access_size(int bytes)
{
	return bytes >= 8 ? 8 : bytes >= 4 ? 4 : bytes >= 2 ? 2 : bytes > 0;
}

static void put_zero_check(struct emitter *e, const struct op *op, int off, int size)
{
	int none, zero;

	put_slice(e, &op->d, off, size);
	none = put_jump(e, BPF_JEQ, BPF_REG_0, 0);
	put_load(e, size, BPF_REG_0, BPF_REG_0, 0);
	zero = put_jump(e, BPF_JEQ, BPF_REG_0, 0);
	put_fail(e, FAIL_FRESH);
	land(e, none);
	land(e, zero);
}

/* New memory is zero at its start and its end. */
static void put_alloc_check(struct emitter *e, const struct op *op)
{
	int size = access_size(op->a);

	if (op->flags & (OP_VAR_A | OP_VAR_B) || !size)
		return;
	put_zero_check(e, op, 0, size);
	if (op->a > size)
		put_zero_check(e, op, op->a - size, size);
}

/* Whether @size bytes at @o, which a call was given, can be loaded at once. */
static bool loadable(const struct opnd *o, int size)
{
	return !o->flags && !(o->off % size) && (o->base == BASE_FP || o->base == BASE_VAL);
}

/* Of what was written, the first bytes are there. r0 is what the call returned. */
static void put_write_check(struct emitter *e, const struct op *op)
{
	int size = access_size(op->a), failed, none, same;

	if (op->flags & (OP_VAR_A | OP_VAR_B) || !size || op->b < 0 || !loadable(&op->m, size))
		return;
	failed = put_jump(e, BPF_JNE, BPF_REG_0, 0);
	put_slice(e, &op->d, op->b, size);
	none = put_jump(e, BPF_JEQ, BPF_REG_0, 0);
	put_load(e, size, BPF_REG_0, BPF_REG_0, 0);
	put_operand(e, BPF_REG_1, &op->m);
	put_load(e, size, BPF_REG_2, BPF_REG_1, 0);
	same = put(e, BPF_JMP | BPF_JEQ | BPF_X, BPF_REG_0, BPF_REG_2, 0, 0);
	put_fail(e, FAIL_WRITE);
	land(e, failed);
	land(e, none);
	land(e, same);
}

/* What was read into m is nothing of a block that is free. */
static void put_read_check(struct emitter *e, const struct op *op)
{
	if (op->flags & OP_VAR_A || op->a < 8 || !loadable(&op->m, 8))
		return;
	put_operand(e, BPF_REG_1, &op->m);
	put_load(e, 8, BPF_REG_0, BPF_REG_1, 0);
	put_load_check(e, 8);
}

/* r0, which was loaded with @bytes bytes, is not what freed memory is filled with. */
void put_load_check(struct emitter *e, int bytes)
{
	int other;

	if (bytes == 8) {
		put(e, BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, 0, 0, FREED);
		put(e, 0, 0, 0, 0, FREED);
		other = put(e, BPF_JMP | BPF_JNE | BPF_X, BPF_REG_0, BPF_REG_1, 0, 0);
	} else if (bytes == 4) {
		other = put_jump(e, BPF_JNE, BPF_REG_0, FREED);
	} else {
		return;
	}
	put_fail(e, FAIL_FREED);
	land(e, other);
}

static void put_stamp(struct emitter *e, const struct op *op)
{
	int none;

	put_slice(e, &op->d, 0, 8);
	none = put_jump(e, BPF_JEQ, BPF_REG_0, 0);
	put_store_imm(e, 8, BPF_REG_0, 0, STAMP);
	land(e, none);
}

static void put_stamp_check(struct emitter *e, const struct op *op)
{
	int none, same;

	put_slice(e, &op->d, 0, 8);
	none = put_jump(e, BPF_JEQ, BPF_REG_0, 0);
	put_load(e, 8, BPF_REG_0, BPF_REG_0, 0);
	same = put_jump(e, BPF_JEQ, BPF_REG_0, STAMP);
	put_fail(e, FAIL_STAMP);
	land(e, none);
	land(e, same);
}

/* What the dynptr at d starts with is nothing of a block that is free. */
static void put_start_check(struct emitter *e, const struct op *op)
{
	int none;

	put_slice(e, &op->d, 0, 8);
	none = put_jump(e, BPF_JEQ, BPF_REG_0, 0);
	put_load(e, 8, BPF_REG_0, BPF_REG_0, 0);
	put_load_check(e, 8);
	land(e, none);
}

/* Before the call of @op. */
void put_checks_before(struct emitter *e, const struct op *op)
{
	if (op->kind == OP_DETACH && e->image->pure)
		put_stamp(e, op);
}

/* After it. */
void put_checks_after(struct emitter *e, const struct op *op)
{
	if (op->kind == OP_ATTACH && e->image->pure)
		put_stamp_check(e, op);
	else if (op->kind == OP_ATTACH)
		put_start_check(e, op);
	if (!(op->flags & OP_CHECK))
		return;
	if (op->kind == OP_ALLOC)
		put_alloc_check(e, op);
	else if (op->kind == OP_WRITE)
		put_write_check(e, op);
	else if (op->kind == OP_READ)
		put_read_check(e, op);
}
