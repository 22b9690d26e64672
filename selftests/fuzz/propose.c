// SPDX-License-Identifier: GPL-2.0
/* One operation with operands that suit the model; what is wrong with them, on purpose, is here. */
#include "heap.h"

/* How often each operation is proposed; those for some kinds of programs only are in special[]. */
static const __u8 weights[OPS] = {
	[OP_FROM_MEM] = 30, [OP_RESERVE_DYNPTR] = 30, [OP_CLONE] = 24,
	[OP_SUBMIT_DYNPTR] = 14, [OP_DISCARD_DYNPTR] = 10,
	[OP_READ] = 16, [OP_WRITE] = 18, [OP_DATA] = 18, [OP_SLICE] = 18,
	[OP_ADJUST] = 8, [OP_IS_NULL] = 5, [OP_IS_RDONLY] = 5, [OP_SIZE] = 6, [OP_COPY] = 8,
	[OP_MEMSET] = 8, [OP_PROBE_USER] = 3, [OP_PROBE_KERNEL] = 3, [OP_PROBE_USER_STR] = 2,
	[OP_PROBE_KERNEL_STR] = 2, [OP_RESERVE] = 7, [OP_SUBMIT] = 4, [OP_DISCARD] = 3,
	[OP_OUTPUT] = 4, [OP_QUERY] = 3, [OP_LOOKUP] = 4, [OP_UPDATE] = 4, [OP_TAIL_CALL] = 2,
	[OP_LOAD] = 16, [OP_STORE] = 12, [OP_ADD] = 5, [OP_MOVE] = 4, [OP_ZERO] = 2,
	[OP_SPILL] = 8, [OP_FILL] = 8, [OP_STACK_PTR] = 2, [OP_STACK_STORE] = 9,
	[OP_STACK_STORE_REG] = 5, [OP_STACK_LOAD] = 4, [OP_STORE_VAL] = 3, [OP_MIX] = 3,
};

static const __u8 special[PROG_KINDS][OPS] = {
	[PROG_CLS] = {
		[OP_FROM_SKB] = 40, [OP_FROM_META] = 12, [OP_SLICE_RDWR] = 18, [OP_SKB_PULL] = 4,
		[OP_SKB_TAIL] = 3, [OP_SKB_STORE] = 4, [OP_PACKET] = 6, [OP_THROW] = 2,
	},
	[PROG_XDP] = {
		[OP_FROM_XDP] = 50, [OP_SLICE_RDWR] = 18, [OP_XDP_HEAD] = 4, [OP_XDP_TAIL] = 4,
		[OP_XDP_META] = 3, [OP_PACKET] = 6, [OP_THROW] = 2, [OP_FROM_SKB] = 1,
		[OP_COPY_USER] = 1,
	},
	[PROG_SYSCALL] = {
		[OP_COPY_USER] = 8, [OP_COPY_USER_STR] = 6, [OP_COPY_TASK] = 6,
		[OP_COPY_TASK_STR] = 6, [OP_SLICE_RDWR] = 5, [OP_FROM_SKB] = 2,
		[OP_FROM_XDP] = 2, [OP_FROM_META] = 2,
	},
	[PROG_RAW_TP] = {
		[OP_PROBE_USER] = 6, [OP_PROBE_KERNEL] = 6, [OP_PROBE_USER_STR] = 6,
		[OP_PROBE_KERNEL_STR] = 6, [OP_SLICE_RDWR] = 5, [OP_COPY_USER] = 3,
		[OP_COPY_TASK_STR] = 2, [OP_FROM_SKB] = 2, [OP_FROM_META] = 2,
	},
	[PROG_CGROUP_SKB] = { [OP_FROM_SKB] = 50, [OP_PACKET] = 4, [OP_SLICE_RDWR] = 5 },
	[PROG_SOCKET] = { [OP_FROM_SKB] = 50, [OP_SLICE_RDWR] = 5, [OP_FROM_META] = 4 },
	[PROG_LSM] = {
		[OP_FROM_FILE] = 60, [OP_FILE_DISCARD] = 25, [OP_GET_FILE] = 20, [OP_PUT_FILE] = 10,
	},
	[PROG_LSM_SLEEP] = {
		[OP_FROM_FILE] = 60, [OP_FILE_DISCARD] = 25, [OP_GET_FILE] = 20, [OP_PUT_FILE] = 10,
		[OP_COPY_USER] = 6, [OP_COPY_USER_STR] = 4, [OP_COPY_TASK] = 4,
		[OP_COPY_TASK_STR] = 4,
	},
	[PROG_QDISC] = { [OP_FROM_SKB] = 60, [OP_QDISC_DROP] = 6, [OP_FREE_SKB] = 4 },
};

static int pick_kind(struct gen *g)
{
	const __u8 *more = special[g->p->kind];
	int total = 0, at;

	/* Now and then something that this kind of program may not have. */
	if (gen_wrong(g) && rng_chance(&g->rng, 12))
		return heap_mode && rng_chance(&g->rng, 50) ?
		       OP_HEAP + rng_below(&g->rng, OPS - OP_HEAP) : rng_below(&g->rng, OP_IF);
	for (int i = 0; i < OPS; i++)
		total += weights[i] + more[i] + heap_weight(i);
	at = rng_below(&g->rng, total);
	for (int i = 0; i < OPS; i++) {
		at -= weights[i] + more[i] + heap_weight(i);
		if (at < 0)
			return i;
	}
	return OP_MIX;
}

/* Where no dynptr can be, or only halves of some. */
struct opnd pick_odd_slot(struct gen *g)
{
	static const __s16 odd[] = { -8, -4, -12, -1, 0, 8, -512, -520, -15, -20, BUFFER_OFF };
	struct opnd o = { .base = BASE_FP, .off = SLOT_OFF(rng_below(&g->rng, SLOTS)) };

	switch (rng_below(&g->rng, 4)) {
	case 0:
		o.off = RNG_PICK(&g->rng, odd);
		break;
	case 1:
		o.flags = OPND_VAR;
		break;
	case 2:
		o.base = BASE_CALLER;
		break;
	default:
		o.base = rng_below(&g->rng, BASES);
	}
	return o;
}

/* A dynptr slot of this frame, or one that meets two of them. */
struct opnd pick_slot(struct gen *g)
{
	struct opnd o = { .base = BASE_FP, .off = SLOT_OFF(rng_below(&g->rng, SLOTS)) };

	if (rng_chance(&g->rng, 12))
		o.off += o.off < -16 ? 8 : -8;
	if (gen_wrong(g) && rng_chance(&g->rng, 35))
		return pick_odd_slot(g);
	return o;
}

/* A dynptr of one of @types that is there, or any slot. */
struct opnd pick_dynptr(struct gen *g, const struct model *m, unsigned int types)
{
	struct opnd found[MAX_INSTS + 4];
	int count = 0;

	for (int i = 0; i < m->insts; i++)
		if (m->inst[i].live && (types & TYPES(m->inst[i].type)))
			found[count++] = (struct opnd){
				.base = m->inst[i].caller ? BASE_CALLER : BASE_FP,
				.off = m->inst[i].off,
			};
	for (int i = 0; i < 2; i++) {
		struct opnd o = { .base = BASE_P0 + i };
		int inst = model_find(m, &o);

		if (inst != NO_INST && (types & TYPES(model_type(m, inst))))
			found[count++] = o;
	}
	if (!count || (gen_wrong(g) && rng_chance(&g->rng, 40)))
		return pick_slot(g);
	return found[rng_below(&g->rng, count)];
}

/* Memory of @size bytes to read or write. */
static struct opnd pick_memory(struct gen *g, const struct model *m, int size)
{
	struct opnd o = { .base = BASE_FP, .off = BUFFER_OFF };
	int slack = BUFFER_SIZE - (size > BUFFER_SIZE ? BUFFER_SIZE : size);
	__u32 way = rng_below(&g->rng, 100);

	if (way < 45) {
		o.off += rng_below(&g->rng, slack + 1);
	} else if (way < 75) {
		o.base = BASE_VAL;
		o.off = rng_below(&g->rng, VAL_SIZE - 8) & ~7;
	} else if (way < 88) {
		o.base = BASE_P0 + rng_below(&g->rng, 2);
		o.off = 0;
	} else if (way < 92 && has_caller(m)) {
		o.base = BASE_CALLER;
	} else {
		o = pick_slot(g);
	}
	if (gen_wrong(g) && rng_chance(&g->rng, 15))
		o.base = rng_below(&g->rng, BASES);
	if (gen_wrong(g) && rng_chance(&g->rng, 15))
		o.flags = OPND_VAR;
	return o;
}

static int pick_size(struct gen *g)
{
	static const int sizes[] = { 0, 1, 2, 4, 8, 8, 8, 16, 16, 16, 24, 32, 7, 13, 31 };

	return RNG_PICK(&g->rng, sizes);
}

static int pick_offset(struct gen *g)
{
	static const int offsets[] = { 0, 0, 0, 0, 0, 1, 4, 8, 16, 24, 60, 64, 255, -1, -8, 4095 };

	return RNG_PICK(&g->rng, offsets);
}

/* How much a record of a ring is to hold; the ring holds 4096 with the headers. */
static int pick_record(struct gen *g)
{
	static const int sizes[] = { 0, 1, 8, 8, 16, 16, 16, 24, 32, 64, 64, 100, 256, 1000,
				     2000, 2040, 4080, 4088, 4089, 5000, 1 << 24, -1 };

	return RNG_PICK(&g->rng, sizes);
}

/* Flags are 0, but not always. */
static int pick_flags(struct gen *g)
{
	return rng_chance(&g->rng, 90) ? 0 : rng_below(&g->rng, 4) * 7 + 1;
}

static void propose_construct(struct gen *g, const struct model *m, struct op *op)
{
	static const int sizes[] = { 0, 1, 8, 16, 16, 24, 32, 32, 64, 100, 200 };

	op->d = pick_slot(g);
	op->b = pick_flags(g);
	switch (op->kind) {
	case OP_FROM_MEM:
		op->m = (struct opnd){ .base = BASE_VAL, .off = rng_below(&g->rng, 24) * 8 };
		op->a = RNG_PICK(&g->rng, sizes);
		if (gen_wrong(g) && rng_chance(&g->rng, 60))
			op->m = pick_memory(g, m, op->a);
		break;
	case OP_RESERVE_DYNPTR:
		op->a = pick_record(g);
		op->size = rng_chance(&g->rng, 15);
		if (gen_wrong(g) && rng_chance(&g->rng, 15))
			op->size = rng_below(&g->rng, 4);
		break;
	case OP_CLONE:
		op->m = pick_dynptr(g, m, ANY_TYPE);
		break;
	default:
		op->m = (struct opnd){ .base = BASE_CTX };
		if (op->kind == OP_FROM_FILE && m->ptr[op->reg].kind == PTR_FILE)
			op->m.base = BASE_P0 + op->reg;
		if (gen_wrong(g) && rng_chance(&g->rng, 20))
			op->m.base = rng_below(&g->rng, BASES);
	}
}

static void propose_use(struct gen *g, const struct model *m, struct op *op)
{
	unsigned int types = ANY_TYPE;

	if (op->kind == OP_SLICE_RDWR)
		types = TYPES(DYN_SKB) | TYPES(DYN_XDP) | TYPES(DYN_META) | TYPES(DYN_LOCAL);
	op->d = pick_dynptr(g, m, types);
	op->a = pick_size(g);
	op->b = pick_offset(g);
	op->c = pick_flags(g);
	op->m = pick_memory(g, m, op->a);
	switch (op->kind) {
	case OP_SLICE:
	case OP_SLICE_RDWR:
		if (rng_chance(&g->rng, 45))
			op->m = (struct opnd){ .base = BASE_NULL };
		break;
	case OP_COPY:
		op->m = pick_dynptr(g, m, ANY_TYPE);
		op->c = pick_offset(g);
		break;
	case OP_MEMSET:
		op->c = rng_below(&g->rng, 256);
		break;
	case OP_ADJUST:
		op->a = pick_offset(g);
		op->b = op->a + pick_offset(g);
		break;
	default:
		if (op->kind >= OP_PROBE_USER && op->kind <= OP_COPY_TASK_STR &&
		    op->kind != OP_PROBE_KERNEL && op->kind != OP_PROBE_KERNEL_STR)
			op->m = (struct opnd){ .base = BASE_NUM, .off = pick_offset(g) };
	}
}

static void propose_ring(struct gen *g, const struct model *m, struct op *op)
{
	op->a = op->kind == OP_RESERVE ? pick_record(g) : pick_size(g);
	op->b = pick_flags(g);
	op->size = rng_chance(&g->rng, 15);
	if (gen_wrong(g) && rng_chance(&g->rng, 10))
		op->size = rng_below(&g->rng, 4);
	if (op->kind == OP_QUERY)
		op->a = rng_below(&g->rng, 6);
	op->m = pick_memory(g, m, op->a);
}

/* Accesses through P0 and P1, and of the stack. */
static void propose_access(struct gen *g, struct op *op)
{
	static const __u8 bytes[] = { 1, 2, 4, 8, 8 };

	op->size = RNG_PICK(&g->rng, bytes);
	op->a = rng_chance(&g->rng, 60) ? 0 : (int)rng_below(&g->rng, 24);
	op->b = rng_chance(&g->rng, 50) ? 0 : (int)rng_below(&g->rng, 100);
	if (rng_chance(&g->rng, 20))
		op->flags |= OP_VAR_B;
	switch (op->kind) {
	case OP_SPILL:
	case OP_FILL:
		op->d = (struct opnd){ .base = BASE_FP, .off = SPILL_OFF(rng_below(&g->rng, 2)) };
		if (gen_wrong(g) && rng_chance(&g->rng, 25))
			op->d = pick_slot(g);
		break;
	case OP_STACK_PTR:
		op->d = pick_slot(g);
		break;
	case OP_STACK_STORE:
	case OP_STACK_STORE_REG:
		op->d = pick_slot(g);
		op->d.off += rng_below(&g->rng, 2) * 8;
		if (rng_chance(&g->rng, 25))
			op->d.base = BASE_CALLER;
		if (rng_chance(&g->rng, 15))
			op->d.flags |= OPND_VAR;
		break;
	case OP_STACK_LOAD:
		op->d = (struct opnd){ .base = BASE_FP, .off = BUFFER_OFF };
		op->d.off += rng_below(&g->rng, 4) * 8;
		if (gen_wrong(g))
			op->d = pick_slot(g);
		break;
	case OP_PACKET:
		op->a = 14 + rng_below(&g->rng, 32);
		break;
	}
}

static void propose_other(struct gen *g, const struct model *m, struct op *op)
{
	switch (op->kind) {
	case OP_LOOKUP:
	case OP_UPDATE:
		op->m = pick_memory(g, m, 16);
		if (op->kind == OP_UPDATE && gen_wrong(g))
			op->m = pick_dynptr(g, m, ANY_TYPE);
		break;
	case OP_SKB_PULL:
	case OP_SKB_TAIL:
		op->a = rng_below(&g->rng, 200);
		break;
	case OP_SKB_STORE:
		op->a = 1 + rng_below(&g->rng, 16);
		op->b = rng_below(&g->rng, 64);
		op->m = pick_memory(g, m, op->a);
		break;
	case OP_XDP_HEAD:
	case OP_XDP_TAIL:
	case OP_XDP_META:
		op->a = (int)rng_below(&g->rng, 40) - 20;
		break;
	}
}

void propose_kind(struct gen *g, const struct model *m, int kind, struct op *op)
{
	*op = (struct op){ .kind = kind, .reg = rng_below(&g->rng, 2) };
	if (kind >= OP_HEAP) {
		heap_propose(g, m, op);
	} else if (kind <= OP_CLONE) {
		propose_construct(g, m, op);
	} else if (kind <= OP_FILE_DISCARD) {
		op->d = pick_dynptr(g, m, gen_wrong(g) ? ANY_TYPE :
				    TYPES(kind == OP_FILE_DISCARD ? DYN_FILE : DYN_RINGBUF));
		op->b = pick_flags(g);
		if (op->kind == OP_SUBMIT_DYNPTR && rng_chance(&g->rng, 10))
			op->b = rng_below(&g->rng, 4);
	} else if (kind <= OP_COPY_TASK_STR) {
		propose_use(g, m, op);
	} else if (kind <= OP_QUERY) {
		propose_ring(g, m, op);
	} else if (kind < OP_CALLS_END) {
		propose_other(g, m, op);
	} else {
		propose_access(g, op);
	}
	if (rng_chance(&g->rng, 6) && op->a > 0 && kind != OP_ADJUST)
		op->flags |= OP_VAR_A;
	if (rng_chance(&g->rng, 8) && op->b > 0)
		op->flags |= OP_VAR_B;
	if (kind == OP_ADD)
		op->a &= 15;
	if (kind == OP_MIX)
		op->b = 1 + rng_below(&g->rng, 30);
	else if (kind == OP_STORE_VAL)
		op->a = rng_below(&g->rng, VAL_SIZE);
}

void propose(struct gen *g, const struct model *m, struct op *op)
{
	propose_kind(g, m, pick_kind(g), op);
}
