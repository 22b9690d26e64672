// SPDX-License-Identifier: GPL-2.0
/*
 * Misuse that takes several operations in a row, which chance alone seldom puts together. Only
 * programs that may go wrong have these.
 */
#include "gen.h"

static void add(struct gen *g, struct model *m, struct op op)
{
	gen_add(g, &op);
	model_apply(m, &op);
}

/* An operation of @kind with operands that suit, or not. */
static void add_kind(struct gen *g, struct model *m, int kind)
{
	struct op op;

	propose_kind(g, m, kind, &op);
	add(g, m, op);
}

static int constructor(const struct model *m)
{
	static const __u8 kinds[PROG_KINDS] = {
		[PROG_CLS] = OP_FROM_SKB, [PROG_CGROUP_SKB] = OP_FROM_SKB,
		[PROG_SOCKET] = OP_FROM_SKB, [PROG_QDISC] = OP_FROM_SKB,
		[PROG_XDP] = OP_FROM_XDP, [PROG_LSM] = OP_FROM_FILE,
		[PROG_LSM_SLEEP] = OP_FROM_FILE,
	};

	return has_context(m) ? kinds[m->p->kind] : OP_FROM_MEM;
}

/* A record or a slice is moved, stored to, or released before it is known to be there. */
static void use_unchecked(struct gen *g, struct model *m)
{
	static const __u8 makers[] = { OP_RESERVE, OP_DATA, OP_SLICE, OP_LOOKUP };
	static const __u8 uses[] = { OP_ADD, OP_LOAD, OP_STORE, OP_SUBMIT, OP_DISCARD };
	struct op op = { .kind = OP_FROM_MEM, .a = 16, .m = { .base = BASE_VAL } };
	int reg = rng_below(&g->rng, 2);

	op.d = pick_slot(g);
	add(g, m, op);
	propose_kind(g, m, RNG_PICK(&g->rng, makers), &op);
	op.reg = reg;
	op.a = 16;
	op.flags = 0;
	add(g, m, op);
	propose_kind(g, m, RNG_PICK(&g->rng, uses), &op);
	op.reg = reg;
	op.a = 4;
	add(g, m, op);
}

/* A record is released at another place than its start. */
static void release_inside(struct gen *g, struct model *m)
{
	int reg = rng_below(&g->rng, 2);

	add(g, m, (struct op){ .kind = OP_RESERVE, .reg = reg, .a = 16 });
	add(g, m, (struct op){ .kind = OP_IF, .reg = reg, .a = IF_NOT_NULL });
	add(g, m, (struct op){ .kind = OP_ADD, .reg = reg, .a = 8 });
	add(g, m, (struct op){ .kind = OP_SUBMIT, .reg = reg });
	add(g, m, (struct op){ .kind = OP_END });
}

/* A file goes while a dynptr still reads it. */
static void put_file_early(struct gen *g, struct model *m)
{
	int reg = rng_below(&g->rng, 2);
	struct opnd d = pick_slot(g);
	struct op op;

	add(g, m, (struct op){ .kind = OP_GET_FILE, .reg = reg });
	add(g, m, (struct op){ .kind = OP_IF, .reg = reg, .a = IF_NOT_NULL });
	op = (struct op){ .kind = OP_FROM_FILE, .d = d, .m = { .base = BASE_P0 + reg } };
	add(g, m, op);
	add(g, m, (struct op){ .kind = OP_PUT_FILE, .reg = reg });
	add(g, m, (struct op){ .kind = OP_FILE_DISCARD, .d = d });
	add(g, m, (struct op){ .kind = OP_END });
}

/* The program leaves while it holds a reference. */
static void leave_early(struct gen *g, struct model *m)
{
	static const __u8 ways[] = { OP_TAIL_CALL, OP_THROW };
	struct opnd d = pick_slot(g);

	add(g, m, (struct op){ .kind = OP_RESERVE_DYNPTR, .a = 16, .d = d });
	add(g, m, (struct op){ .kind = RNG_PICK(&g->rng, ways) });
	add(g, m, (struct op){ .kind = OP_DISCARD_DYNPTR, .d = d });
}

/* A function gets a slice of the packet, or another dynptr, and may change the packet. */
static void pass_slice(struct gen *g, struct model *m)
{
	static const __u8 changes[] = { OP_SKB_PULL, OP_XDP_HEAD };
	static const __u8 makers[] = { OP_SLICE, OP_SLICE_RDWR, OP_PACKET };
	int caller = g->func, reg = rng_below(&g->rng, 2);
	struct opnd d = pick_slot(g);
	bool memory = rng_chance(&g->rng, 60);
	struct op op;

	if (g->p->funcs == MAX_FUNCS)
		return;
	propose_kind(g, m, constructor(m), &op);
	op.d = d;
	add(g, m, op);
	op = (struct op){ .reg = reg, .d = d, .a = 8, .m = { .base = BASE_NULL } };
	op.kind = RNG_PICK(&g->rng, makers);
	add(g, m, op);
	g->func = g->p->funcs++;
	g->p->func[g->func].kind = memory ? FUNC_GLOBAL_MEM : FUNC_GLOBAL_DYNPTR;
	gen_kind(g, RNG_PICK(&g->rng, changes));
	op = (struct op){ .kind = OP_CALL, .a = g->func, .d = d,
			  .m = { .base = BASE_P0 + reg } };
	g->func = caller;
	add(g, m, op);
}

/* Another function's dynptr is released, overwritten, or made, or a constant one is. */
static void meddle(struct gen *g, struct model *m)
{
	static const __u8 callees[] = { FUNC_STATIC, FUNC_LOOP, FUNC_DRAIN, FUNC_EACH,
					   FUNC_GLOBAL_DYNPTR };
	static const __u8 kinds[] = { OP_SUBMIT_DYNPTR, OP_DISCARD_DYNPTR, OP_FILE_DISCARD,
					 OP_RESERVE_DYNPTR, OP_FROM_MEM, OP_CLONE, OP_ADJUST };
	struct op call = { .kind = OP_CALL, .a = g->p->funcs, .b = 2, .m = { .base = BASE_FP } };
	struct op op = { .kind = OP_RESERVE_DYNPTR, .a = 24, .d = pick_slot(g) };
	int caller = g->func;

	if (g->p->funcs == MAX_FUNCS)
		return;
	add(g, m, op);
	g->func = g->p->funcs++;
	g->p->func[g->func].kind = RNG_PICK(&g->rng, callees);
	propose_kind(g, m, RNG_PICK(&g->rng, kinds), &call);
	call.d.base = BASE_CALLER;
	if (g->p->func[g->func].kind == FUNC_DRAIN ||
	    g->p->func[g->func].kind == FUNC_GLOBAL_DYNPTR)
		call.d = (struct opnd){ .base = BASE_P1 };
	else
		call.d.off = op.d.off;
	gen_add(g, &call);
	call = (struct op){ .kind = OP_CALL, .a = g->func, .b = 2, .d = op.d,
			    .m = { .base = BASE_FP } };
	g->func = caller;
	add(g, m, call);
	if (rng_chance(&g->rng, 50))
		add(g, m, (struct op){ .kind = OP_SUBMIT_DYNPTR, .d = op.d });
}

/* A slice, or a spilled one, is used after its dynptr has gone in one of many ways. */
static void keep_slice(struct gen *g, struct model *m)
{
	static const __u8 ends[] = { OP_SUBMIT_DYNPTR, OP_DISCARD_DYNPTR, OP_STACK_STORE,
					OP_FROM_MEM, OP_CLONE, OP_WRITE, OP_SKB_PULL, OP_XDP_TAIL,
					OP_READ };
	struct opnd d = pick_slot(g);
	int reg = rng_below(&g->rng, 2);
	struct op op;

	propose_kind(g, m, rng_chance(&g->rng, 50) ? constructor(m) : OP_RESERVE_DYNPTR, &op);
	op.d = d;
	add(g, m, op);
	op = (struct op){ .reg = reg, .d = d, .a = 8, .m = { .base = BASE_NULL } };
	op.kind = rng_chance(&g->rng, 50) ? OP_DATA : OP_SLICE;
	add(g, m, op);
	add(g, m, (struct op){ .kind = OP_IF, .reg = reg, .a = IF_NOT_NULL });
	if (rng_chance(&g->rng, 40))
		add_kind(g, m, OP_SPILL);
	propose_kind(g, m, RNG_PICK(&g->rng, ends), &op);
	if (op.kind == OP_READ)
		op.m = d;
	else
		op.d = d;
	op.flags = 0;
	add(g, m, op);
	if (rng_chance(&g->rng, 40))
		add_kind(g, m, OP_FILL);
	add(g, m, (struct op){ .kind = OP_LOAD, .reg = reg, .size = 8 });
	add(g, m, (struct op){ .kind = OP_END });
}

/* Iterators, interrupt flags and dynptrs in each other's places. */
static void mix_objects(struct gen *g, struct model *m)
{
	struct op op = { .kind = rng_chance(&g->rng, 50) ? OP_ITER : OP_IRQ, .a = 2 };

	op.d = pick_odd_slot(g);
	if (rng_chance(&g->rng, 30))
		op.d = (struct opnd){ .base = BASE_FP, .flags = OPND_VAR, .off = SLOT_OFF(1) };
	add(g, m, op);
	propose_kind(g, m, rng_chance(&g->rng, 50) ? OP_FROM_MEM : OP_RESERVE_DYNPTR, &op);
	if (rng_chance(&g->rng, 50))
		op.d = (struct opnd){ .base = BASE_FP, .off = SLOT_OFF(1) };
	add(g, m, op);
	add(g, m, (struct op){ .kind = OP_END });
}

void gen_scenario(struct gen *g, struct model *m)
{
	static void (*const all[])(struct gen *g, struct model *m) = {
		use_unchecked, release_inside, leave_early, pass_slice, meddle, meddle, keep_slice,
		keep_slice, mix_objects,
	};

	if (m->p->kind >= PROG_LSM && rng_chance(&g->rng, 30))
		put_file_early(g, m);
	else
		RNG_PICK(&g->rng, all)(g, m);
}
