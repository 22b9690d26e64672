// SPDX-License-Identifier: GPL-2.0
/* Conditions, loops, and sections: what operations up to an OP_END are put into. */
#include "insn.h"

#define WALK_END 600	/* how far a loop over a dynptr goes */

/* A jump over the block, taken when the condition does not hold. */
static int put_condition(struct emitter *e, const struct op *op)
{
	int skip;

	switch (op->a) {
	case IF_BITS:
		skip = put_jump(e, BPF_JSET, REG_ACC, op->b);
		put(e, BPF_JMP | BPF_JA, 0, 0, 0, 0);
		land(e, skip);
		return e->dead ? 0 : e->image->count - 1;
	case IF_ABOVE:
		return put_jump(e, BPF_JLE, REG_ACC, op->b);
	case IF_NOT_NULL:
		return put_jump(e, BPF_JEQ, REG_P(op->reg), 0);
	default:
		return put_jump(e, BPF_JNE, REG_P(op->reg), 0);
	}
}

/* A loop over the start of the dynptr m, in steps of a or between delimiters; b are the flags. */
static void put_walk(struct emitter *e, struct block *b)
{
	bool tokens = b->op->size == ITER_TOKENS;

	put_operand(e, BPF_REG_1, &b->op->d);
	put_operand(e, BPF_REG_2, &b->op->m);
	if (tokens)
		put_map_value(e, BPF_REG_3, MAP_DELIMS, 0);
	else
		put_mov_imm(e, BPF_REG_3, b->op->a);
	put_mov_imm(e, BPF_REG_4, b->op->b);
	put_kfunc(e, tokens ? KF_TOKENS_NEW : KF_STEPS_NEW);
	b->top = e->image->count;
	put_operand(e, BPF_REG_1, &b->op->d);
	put_kfunc(e, tokens ? KF_TOKENS_NEXT : KF_STEPS_NEXT);
	b->exits[0] = put_jump(e, BPF_JEQ, BPF_REG_0, 0);
	put_load(e, 8, BPF_REG_1, BPF_REG_0, 0);
	b->exits[1] = put_jump(e, BPF_JGT, BPF_REG_1, WALK_END);
	put_load(e, 4, BPF_REG_2, BPF_REG_0, 8);
	put(e, BPF_ALU | BPF_ADD | BPF_X, REG_ACC, BPF_REG_1, 0, 0);
	put(e, BPF_ALU | BPF_ADD | BPF_X, REG_ACC, BPF_REG_2, 0, 0);
}

static void put_walk_end(struct emitter *e, struct block *b)
{
	land(e, b->exits[1]);
	put_operand(e, BPF_REG_1, &b->op->d);
	put_kfunc(e, b->op->size == ITER_TOKENS ? KF_TOKENS_DESTROY : KF_STEPS_DESTROY);
}

/* A loop of as many rounds as a says, with an open-coded iterator. */
static void put_iter(struct emitter *e, struct block *b)
{
	put_operand(e, BPF_REG_1, &b->op->d);
	put_mov_imm(e, BPF_REG_2, 0);
	put_mov_imm(e, BPF_REG_3, b->op->a);
	put_kfunc(e, KF_ITER_NEW);
	b->top = e->image->count;
	put_operand(e, BPF_REG_1, &b->op->d);
	put_kfunc(e, KF_ITER_NEXT);
	b->exits[0] = put_jump(e, BPF_JEQ, BPF_REG_0, 0);
	put_load(e, 4, BPF_REG_1, BPF_REG_0, 0);
	put(e, BPF_ALU | BPF_ADD | BPF_X, REG_ACC, BPF_REG_1, 0, 0);
}

/* The same with may_goto. The count is in a map: the verifier does not know it, run time ends. */
static void put_may_goto(struct emitter *e, struct block *b)
{
	int off = 16 * e->func + 4 * (e->depth & 3);

	put_map_value(e, BPF_REG_1, MAP_CTL, off);
	put_store_imm(e, 4, BPF_REG_1, 0, 0);
	b->top = e->image->count;
	put_map_value(e, BPF_REG_1, MAP_CTL, off);
	put_load(e, 4, BPF_REG_2, BPF_REG_1, 0);
	b->exits[0] = put_jump(e, BPF_JGE, BPF_REG_2, b->op->a);
	put_add_imm(e, BPF_REG_2, 1);
	put_store(e, 4, BPF_REG_1, 0, BPF_REG_2);
	b->exits[1] = put(e, BPF_JMP | BPF_JCOND, 0, BPF_MAY_GOTO, 0, 0);
}

void put_block(struct emitter *e, const struct op *op)
{
	struct block *b = &e->blocks[e->depth];

	*b = (struct block){ .op = op, .was_dead = e->dead };
	switch (op->kind) {
	case OP_IF:
		b->exits[0] = put_condition(e, op);
		break;
	case OP_LOOP:
		put_store_imm(e, 8, BPF_REG_10, COUNTER_OFF(e->depth), 0);
		b->top = e->image->count;
		break;
	case OP_ITER:
		if (op->size)
			put_walk(e, b);
		else
			put_iter(e, b);
		break;
	case OP_MAY_GOTO:
		put_may_goto(e, b);
		break;
	case OP_RCU:
		put_kfunc(e, KF_RCU_LOCK);
		break;
	case OP_PREEMPT:
		put_kfunc(e, KF_PREEMPT_DISABLE);
		break;
	case OP_IRQ:
		put_operand(e, BPF_REG_1, &op->d);
		put_kfunc(e, KF_IRQ_SAVE);
		break;
	}
	e->depth++;
}

void put_else(struct emitter *e)
{
	struct block *b = e->depth ? &e->blocks[e->depth - 1] : NULL;
	int over;

	if (!b || b->op->kind != OP_IF || b->has_else || b->was_dead)
		return;
	over = put(e, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	b->then_dead = e->dead;
	e->dead = false;
	land(e, b->exits[0]);
	b->exits[0] = over;
	b->has_else = true;
}

/* Back to the top of the block. */
static void put_back(struct emitter *e, struct block *b)
{
	put(e, BPF_JMP | BPF_JA, 0, 0, b->top - e->image->count - 1, 0);
}

static void put_loop_end(struct emitter *e, struct block *b)
{
	int counter = COUNTER_OFF(e->depth);

	put_load(e, 8, BPF_REG_1, BPF_REG_10, counter);
	put_add_imm(e, BPF_REG_1, 1);
	put_store(e, 8, BPF_REG_10, counter, BPF_REG_1);
	put(e, BPF_JMP | BPF_JLT | BPF_K, BPF_REG_1, 0, b->top - e->image->count - 1, b->op->a);
}

void put_end(struct emitter *e)
{
	struct block *b;

	if (!e->depth)
		return;
	b = &e->blocks[--e->depth];
	if (b->was_dead)
		return;
	switch (b->op->kind) {
	case OP_IF:
		e->dead = b->has_else && b->then_dead && e->dead;
		land(e, b->exits[0]);
		break;
	case OP_LOOP:
		put_loop_end(e, b);
		break;
	case OP_ITER:
		put_back(e, b);
		e->dead = false;
		land(e, b->exits[0]);
		if (b->op->size) {
			put_walk_end(e, b);
			break;
		}
		put_operand(e, BPF_REG_1, &b->op->d);
		put_kfunc(e, KF_ITER_DESTROY);
		break;
	case OP_MAY_GOTO:
		put_back(e, b);
		e->dead = false;
		land(e, b->exits[0]);
		land(e, b->exits[1]);
		break;
	case OP_RCU:
		put_kfunc(e, KF_RCU_UNLOCK);
		break;
	case OP_PREEMPT:
		put_kfunc(e, KF_PREEMPT_ENABLE);
		break;
	case OP_IRQ:
		put_operand(e, BPF_REG_1, &b->op->d);
		put_kfunc(e, KF_IRQ_RESTORE);
		break;
	}
}
