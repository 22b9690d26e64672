// SPDX-License-Identifier: GPL-2.0
/*
 * From operations to instructions. In every function r6 holds the context (main, global_ctx) or
 * the frame of the caller (callbacks and static functions: their operands reach its slots), r7 the
 * scalar that collects results, r8 and r9 the pointers P0 and P1.
 *
 * Whatever operations a function has, in whatever order, its jumps are valid: blocks that are not
 * closed end with the function, a stray OP_END or OP_ELSE is nothing, and what follows an exit up
 * to the end of its block is left out. That is what lets reduce.c remove any of them.
 */
#include <string.h>

#include "insn.h"

void put_operand(struct emitter *e, int reg, const struct opnd *o)
{
	switch (o->base) {
	case BASE_VAL:
		put_map_value(e, reg, MAP_VAL, o->off);
		break;
	case BASE_HEAP:
		put_map_value(e, reg, MAP_HEAP, o->off);
		break;
	case BASE_MAP:
		put_map(e, reg, MAP_ARR);
		break;
	case BASE_NULL:
		put_mov_imm(e, reg, 0);
		return;
	case BASE_NUM:
		put_mov_imm(e, reg, USER_PAGE + o->off);
		break;
	case BASE_FP:
		put_mov(e, reg, BPF_REG_10);
		break;
	case BASE_P0:
	case BASE_P1:
		put_mov(e, reg, REG_P(o->base - BASE_P0));
		break;
	default:
		put_mov(e, reg, REG_CTX);
	}
	if (o->off && o->base != BASE_VAL && o->base != BASE_NUM && o->base != BASE_MAP &&
	    o->base != BASE_HEAP)
		put_add_imm(e, reg, o->off);
	if (o->flags & OPND_VAR) {
		put_mov(e, BPF_REG_0, REG_ACC);
		put_alu_imm(e, BPF_AND, BPF_REG_0, 8);
		put_alu(e, BPF_ADD, reg, BPF_REG_0);
	}
}

static void put_number(struct emitter *e, int reg, int number, bool var)
{
	if (!var) {
		put_mov_imm(e, reg, number);
		return;
	}
	put_mov(e, reg, REG_ACC);
	put_alu_imm(e, BPF_AND, reg, number);
}

static void put_argument(struct emitter *e, char arg, int reg, const struct op *op)
{
	static const enum map_index rings[] = {
		MAP_RING, MAP_RING_OVERWRITE, MAP_USER_RING, MAP_ARR,
	};

	switch (arg) {
	case 'd':
		put_operand(e, reg, &op->d);
		break;
	case 'm':
		put_operand(e, reg, &op->m);
		break;
	case 'a':
		put_number(e, reg, op->a, op->flags & OP_VAR_A);
		break;
	case 'b':
		put_number(e, reg, op->b, op->flags & OP_VAR_B);
		break;
	case 'c':
		put_number(e, reg, op->c, false);
		break;
	case 'p':
		put_mov(e, reg, REG_P(op->reg));
		break;
	case 'x':
		put_mov(e, reg, REG_CTX);
		break;
	case 'q':
		put_mov(e, reg, REG_P(1));
		break;
	case 'R':
		put_map(e, reg, rings[op->size % COUNT(rings)]);
		break;
	case 'V':
		put_map(e, reg, MAP_ARR);
		break;
	case 'J':
		put_map(e, reg, MAP_PROGS);
		break;
	case 'k':
		put_map_value(e, reg, MAP_VAL, 0);
		break;
	case 'o':
		put_mov(e, reg, REG_P(!op->reg));
		break;
	case 'h':
		if (op->c)
			put_mov_imm(e, reg, 0);
		else
			put_mov(e, reg, REG_P(op->reg));
		break;
	case 'H':
		put_map(e, reg, MAP_HEAP + op->size % HEAP_MAPS);
		break;
	case 'T':
		put_mov(e, reg, BPF_REG_0);
		break;
	}
}

/*
 * Adds @bytes bytes of r0 to the scalar: as 32 bits unless all of r0 is unknown, because a sum of
 * bounded numbers has other bounds in every round of a loop, and the verifier would not come to an
 * end.
 */
static void put_collect(struct emitter *e, int bytes)
{
	put(e, (bytes == 8 ? BPF_ALU64 : BPF_ALU) | BPF_ADD | BPF_X, REG_ACC, BPF_REG_0, 0, 0);
}

/* One call with all its arguments, and its result. */
void put_call_op(struct emitter *e, const struct op *op)
{
	const struct op_info *info = &op_info[op->kind];

	if (heap_mode)
		put_checks_before(e, op);
	if (strchr(info->args, 'T'))
		put_helper(e, BPF_FUNC_get_current_task_btf);
	for (int i = 0; info->args[i]; i++)
		put_argument(e, info->args[i], BPF_REG_1 + i, op);
	if (info->helper >= 0)
		put_helper(e, info->helper);
	else
		put_kfunc(e, info->kfunc);
	/* Of what a kernel function returns, only the bits of its type mean something. */
	if (info->result == 'b')
		put_alu_imm(e, BPF_AND, BPF_REG_0, 255);
	if (info->result == 'i')
		put_collect(e, 8);
	else if (info->result == 'w' || info->result == 'b')
		put_collect(e, 4);
	else if (info->result == 'p')
		put_mov(e, REG_P(op->reg), BPF_REG_0);
	if (heap_mode)
		put_checks_after(e, op);
}

/* Remembers that the instruction at @insn names the function @func. */
static void refer(struct emitter *e, int insn, int func)
{
	if (e->dead || e->fixup_count == (int)COUNT(e->fixups))
		return;
	e->wanted[func] = true;
	e->fixups[e->fixup_count].insn = insn;
	e->fixups[e->fixup_count++].func = func;
}

static void put_func_address(struct emitter *e, int reg, int func)
{
	refer(e, put(e, BPF_LD | BPF_IMM | BPF_DW, reg, BPF_PSEUDO_FUNC, 0, 0), func);
	put(e, 0, 0, 0, 0, 0);
}

/* A callback: (first, function, memory, flags). */
static void put_callback(struct emitter *e, const struct op *op, int kind)
{
	if (kind == FUNC_LOOP)
		put_number(e, BPF_REG_1, op->b, op->flags & OP_VAR_B);
	else if (kind == FUNC_EACH)
		put_map(e, BPF_REG_1, each_map(op));
	else
		put_map(e, BPF_REG_1, op->size ? MAP_RING : MAP_USER_RING);
	put_func_address(e, BPF_REG_2, op->a);
	put_operand(e, BPF_REG_3, &op->m);
	put_mov_imm(e, BPF_REG_4, op->c);
	put_helper(e, kind == FUNC_LOOP ? BPF_FUNC_loop :
		      kind == FUNC_EACH ? BPF_FUNC_for_each_map_elem :
					  BPF_FUNC_user_ringbuf_drain);
}

/* A call of another function of the program, in the way of its kind. */
static void put_func_call(struct emitter *e, const struct op *op)
{
	int kind;

	if (op->a <= e->func || op->a >= e->p->funcs)
		return;
	kind = e->p->func[op->a].kind;
	switch (kind) {
	case FUNC_LOOP:
	case FUNC_DRAIN:
	case FUNC_EACH:
		put_callback(e, op, kind);
		break;
	default:
		if (kind == FUNC_GLOBAL_DYNPTR)
			put_operand(e, BPF_REG_1, &op->d);
		else if (kind == FUNC_GLOBAL_CTX)
			put_mov(e, BPF_REG_1, REG_CTX);
		else
			put_operand(e, BPF_REG_1, &op->m);
		put_mov(e, BPF_REG_2, REG_ACC);
		put_mov(e, BPF_REG_3, REG_P(0));
		refer(e, put(e, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0), op->a);
	}
	put_collect(e, 4);
}

/* What the function returns, in r0, and the exit. */
static void put_exit(struct emitter *e)
{
	const struct func *f = &e->p->func[e->func];
	int kind = e->p->kind;

	if (f->kind == FUNC_MAIN && kind >= PROG_LSM) {
		put_map_value(e, BPF_REG_1, MAP_VAL, VAL_RESULT);
		put_store(e, 8, BPF_REG_1, 0, REG_ACC);
		put_mov_imm(e, BPF_REG_0, 0);
	} else if (f->kind >= FUNC_LOOP && f->kind <= FUNC_EACH && !f->ret) {
		put_mov_imm(e, BPF_REG_0, 0);
	} else {
		put_mov(e, BPF_REG_0, REG_ACC);
	}
	if ((f->kind == FUNC_MAIN && kind == PROG_CGROUP_SKB) ||
	    (f->kind >= FUNC_LOOP && f->kind <= FUNC_EACH && f->ret == 1))
		put_alu_imm(e, BPF_AND, BPF_REG_0, 1);
	put(e, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	e->dead = true;
}

/* A pointer to packet bytes in P, or zero: as many as a, compared with the packet's end. */
static void put_packet(struct emitter *e, const struct op *op)
{
	bool xdp = e->p->kind == PROG_XDP;
	int jump, data = xdp ? offsetof(struct xdp_md, data) : offsetof(struct __sk_buff, data);
	int end = xdp ? offsetof(struct xdp_md, data_end) : offsetof(struct __sk_buff, data_end);

	put_load(e, 4, REG_P(op->reg), REG_CTX, data);
	put_load(e, 4, BPF_REG_0, REG_CTX, end);
	put_mov(e, BPF_REG_1, REG_P(op->reg));
	put_add_imm(e, BPF_REG_1, op->a);
	jump = put(e, BPF_JMP | BPF_JLE | BPF_X, BPF_REG_1, BPF_REG_0, 0, 0);
	put_mov_imm(e, REG_P(op->reg), 0);
	land(e, jump);
}

static void put_stack_access(struct emitter *e, const struct op *op)
{
	put_operand(e, BPF_REG_1, &op->d);
	if (op->kind == OP_STACK_STORE) {
		put_store_imm(e, op->size, BPF_REG_1, 0, op->b);
	} else if (op->kind == OP_STACK_STORE_REG) {
		put_store(e, op->size, BPF_REG_1, 0, REG_ACC);
	} else {
		put_load(e, op->size, BPF_REG_0, BPF_REG_1, 0);
		put_collect(e, op->size);
	}
}

/* The operations on P0 and P1 that call nothing. */
static void put_pointer_op(struct emitter *e, const struct op *op)
{
	int reg = REG_P(op->reg);

	switch (op->kind) {
	case OP_LOAD:
		put_load(e, op->size, BPF_REG_0, reg, op->a);
		put_collect(e, op->size);
		if (heap_mode)
			put_load_check(e, op->size);
		break;
	case OP_STORE:
		if (op->flags & OP_VAR_B)
			put_store(e, op->size, reg, op->a, REG_ACC);
		else
			put_store_imm(e, op->size, reg, op->a, op->b);
		break;
	case OP_ADD:
		if (op->flags & OP_VAR_A) {
			put_number(e, BPF_REG_0, op->a, true);
			put_alu(e, BPF_ADD, reg, BPF_REG_0);
		} else {
			put_add_imm(e, reg, op->a);
		}
		break;
	case OP_MOVE:
		put_mov(e, reg, REG_P(!op->reg));
		break;
	case OP_ZERO:
		put_mov_imm(e, reg, 0);
		break;
	case OP_SPILL:
		put_operand(e, BPF_REG_1, &op->d);
		put_store(e, 8, BPF_REG_1, 0, reg);
		break;
	case OP_FILL:
		put_operand(e, BPF_REG_1, &op->d);
		put_load(e, 8, reg, BPF_REG_1, 0);
		break;
	case OP_STACK_PTR:
		put_operand(e, reg, &op->d);
		break;
	}
}

static void put_op(struct emitter *e, const struct op *op)
{
	switch (op->kind) {
	case OP_PACKET:
		put_packet(e, op);
		break;
	case OP_STACK_STORE:
	case OP_STACK_STORE_REG:
	case OP_STACK_LOAD:
		put_stack_access(e, op);
		break;
	case OP_STORE_VAL:
		put_map_value(e, BPF_REG_1, MAP_VAL, op->a & (VAL_SIZE - 8));
		put_store(e, 8, BPF_REG_1, 0, REG_ACC);
		break;
	case OP_MIX:
		put(e, BPF_ALU | (op->a & 1 ? BPF_XOR : BPF_MUL) | BPF_K, REG_ACC, 0, 0, op->b);
		break;
	case OP_ELSE:
		put_else(e);
		break;
	case OP_END:
		put_end(e);
		break;
	case OP_EXIT:
		put_exit(e);
		break;
	case OP_CALL:
		put_func_call(e, op);
		break;
	default:
		if (is_call(op->kind))
			put_call_op(e, op);
		else if (is_block(op->kind))
			put_block(e, op);
		else
			put_pointer_op(e, op);
	}
}

/* r6 to r9 from what the caller, or the kernel, passes. */
static void put_entry(struct emitter *e)
{
	int kind = e->p->func[e->func].kind;
	bool own = kind != FUNC_STATIC && kind != FUNC_LOOP && kind != FUNC_GLOBAL_DYNPTR;
	int context = kind == FUNC_LOOP || kind == FUNC_DRAIN ? BPF_REG_2 :
		      kind == FUNC_EACH ? BPF_REG_4 : BPF_REG_1;

	if (kind == FUNC_MAIN && e->p->kind == PROG_QDISC)
		put_load(e, 8, REG_P(1), BPF_REG_1, 16);
	else if (kind == FUNC_DRAIN || kind == FUNC_GLOBAL_DYNPTR)
		put_mov(e, REG_P(1), BPF_REG_1);
	else
		put_mov_imm(e, REG_P(1), 0);
	if (kind == FUNC_STATIC || kind == FUNC_EACH)
		put_mov(e, REG_P(0), BPF_REG_3);
	else if (kind == FUNC_GLOBAL_MEM)
		put_mov(e, REG_P(0), BPF_REG_1);
	else
		put_mov_imm(e, REG_P(0), 0);
	if (kind == FUNC_STATIC || kind == FUNC_GLOBAL_DYNPTR)
		put_mov(e, REG_ACC, BPF_REG_2);
	else if (kind == FUNC_LOOP)
		put_mov(e, REG_ACC, BPF_REG_1);
	if (kind == FUNC_GLOBAL_DYNPTR || kind == FUNC_GLOBAL_MEM)
		put_mov_imm(e, REG_CTX, 0);
	else if (kind == FUNC_MAIN && e->p->kind >= PROG_LSM)
		put_load(e, 8, REG_CTX, BPF_REG_1, 0);
	else
		put_mov(e, REG_CTX, context);
	if (own) {
		put_map_value(e, BPF_REG_1, MAP_VAL, 0);
		put_load(e, 8, REG_ACC, BPF_REG_1, 0);
	}
}

static bool touches_buffer(const struct opnd *o, int base)
{
	return o->base == base && o->off < BUFFER_OFF + BUFFER_SIZE && o->off >= BUFFER_OFF - 16;
}

static bool func_touches_buffer(const struct func *f, int base)
{
	for (int i = 0; i < f->count; i++)
		if (touches_buffer(&f->ops[i].m, base) || touches_buffer(&f->ops[i].d, base))
			return true;
	return false;
}

/* Zeroes the buffer and the spill slots if the function, or one that it calls, uses them. */
static void put_buffer(struct emitter *e)
{
	const struct func *f = &e->p->func[e->func];
	bool used = func_touches_buffer(f, BASE_FP), filled = false;

	if (e->p->no_init)
		return;
	for (int i = 0; i < f->count; i++) {
		const struct op *op = &f->ops[i];

		filled |= op->kind == OP_FILL;
		if (op->kind == OP_CALL && op->a > 0 && op->a < e->p->funcs)
			used |= func_touches_buffer(&e->p->func[op->a], BASE_CALLER);
	}
	for (int off = 0; used && off < BUFFER_SIZE; off += 8)
		put_store_imm(e, 8, BPF_REG_10, BUFFER_OFF + off, 0);
	for (int i = 0; filled && i < 2; i++)
		put_store_imm(e, 8, BPF_REG_10, SPILL_OFF(i), 0);
}

static void put_func(struct emitter *e, int func)
{
	const struct func *f = &e->p->func[func];

	e->func = func;
	e->dead = false;
	e->depth = 0;
	e->image->sub[e->image->subs].func = func;
	e->image->sub[e->image->subs++].insn = e->image->count;
	put_entry(e);
	put_buffer(e);
	for (int i = 0; i < f->count; i++)
		put_op(e, &f->ops[i]);
	while (e->depth)
		put_end(e);
	if (!e->dead)
		put_exit(e);
}

static void tweak(const struct program *p, struct image *image)
{
	struct bpf_insn *insn = &image->insns[p->tweak_at % image->count];

	switch (p->tweak) {
	case TWEAK_DST:
		insn->dst_reg = p->tweak_to & 15;
		break;
	case TWEAK_SRC:
		insn->src_reg = p->tweak_to & 15;
		break;
	case TWEAK_OFF:
		insn->off = p->tweak_to;
		break;
	case TWEAK_IMM:
		insn->imm = p->tweak_to;
		break;
	case TWEAK_SKIP:
		*insn = (struct bpf_insn){ .code = BPF_JMP | BPF_JA };
		break;
	}
}

void emit(const struct program *p, struct image *image)
{
	struct emitter e = { .image = image, .p = p };
	int start[MAX_FUNCS] = {};

	memset(image, 0, offsetof(struct image, sub) + sizeof(image->sub));
	survey(p, image);
	e.wanted[0] = true;
	for (int i = 0; i < p->funcs; i++) {
		if (!e.wanted[i])
			continue;
		start[i] = image->count;
		put_func(&e, i);
	}
	for (int i = 0; i < e.fixup_count; i++) {
		struct bpf_insn *insn = &image->insns[e.fixups[i].insn];

		insn->imm = start[e.fixups[i].func] - e.fixups[i].insn - 1;
	}
	if (p->tweak)
		tweak(p, image);
}
