// SPDX-License-Identifier: GPL-2.0
/* Operations on heap dynptrs with operands that suit the model, and misuse of them. */
#include "heap.h"

/* How often each is proposed: see propose.c. */
int heap_weight(int kind)
{
	static const __u8 weights[OPS] = {
		[OP_ALLOC] = 70, [OP_ATTACH] = 60, [OP_PUT] = 25, [OP_DETACH] = 40,
		[OP_ACQUIRE] = 25, [OP_HEAP_RELEASE] = 10, [OP_XCHG] = 60, [OP_HEAP_LOOKUP] = 25,
		[OP_HEAP_UPDATE] = 3, [OP_HEAP_DELETE] = 3, [OP_CLONE] = 10, [OP_WRITE] = 15,
		[OP_READ] = 10, [OP_DATA] = 10,
	};

	return heap_mode ? weights[kind] : 0;
}

static int pick_heap_size(struct gen *g)
{
	static const int sizes[] = {
		0, 1, 8, 8, 16, 16, 24, 32, 32, 64, 64, 100, 256, 1000, 4000, 4096, 4096, 8160,
		8192, 9000, 32736, 32768, 65536, 1 << 20, 1 << 24, -1,
	};

	/* Filling and looking through the largest takes long. */
	return rng_chance(&g->rng, 1) && rng_chance(&g->rng, 20) ? (1 << 24) - 1 :
	       RNG_PICK(&g->rng, sizes);
}

static int pick_heap_flags(struct gen *g)
{
	static const int flags[] = { 0, 0, 0, 0, 0, 0x100, 0x100, 1, 0x101, -1 };

	return RNG_PICK(&g->rng, flags);
}

/* A pointer register that has an object if one has. */
static int pick_object(struct gen *g, const struct model *m)
{
	int reg = rng_below(&g->rng, 2);

	return m->ptr[reg].kind != PTR_HEAP && m->ptr[!reg].kind == PTR_HEAP ? !reg : reg;
}

/* Where a map has an object. */
static struct opnd pick_field(struct gen *g, const struct model *m)
{
	struct opnd o = { .base = BASE_HEAP, .off = HEAP_FIELD(rng_below(&g->rng, 2)) };

	for (int i = 0; i < 2; i++)
		if (m->ptr[i].kind == PTR_HEAP_VALUE && rng_chance(&g->rng, 70))
			o.base = BASE_P0 + i;
	if (gen_wrong(g) && rng_chance(&g->rng, 20))
		o.off = rng_below(&g->rng, 7) * 4;
	if (gen_wrong(g) && rng_chance(&g->rng, 10))
		o.base = rng_below(&g->rng, ALL_BASES);
	if (gen_wrong(g) && rng_chance(&g->rng, 10))
		o.flags = OPND_VAR;
	return o;
}

/* Fills @op, which has its kind. */
void heap_propose(struct gen *g, const struct model *m, struct op *op)
{
	switch (op->kind) {
	case OP_ALLOC:
		op->d = pick_slot(g);
		op->a = pick_heap_size(g);
		op->b = pick_heap_flags(g);
		break;
	case OP_ATTACH:
		op->d = pick_slot(g);
		op->reg = pick_object(g, m);
		break;
	case OP_PUT:
	case OP_DETACH:
		op->d = pick_dynptr(g, m, gen_wrong(g) ? ANY_TYPE : TYPES(DYN_HEAP));
		break;
	case OP_ACQUIRE:
		op->reg = !pick_object(g, m);
		break;
	case OP_HEAP_RELEASE:
		op->reg = pick_object(g, m);
		break;
	case OP_XCHG:
		op->m = pick_field(g, m);
		op->reg = pick_object(g, m);
		op->c = m->ptr[op->reg].kind != PTR_HEAP;
		if (rng_chance(&g->rng, 10)) {
			op->c = 1;
			op->reg ^= 1;
		}
		if (gen_wrong(g) && rng_chance(&g->rng, 30))
			op->c = !op->c;
		break;
	default:
		op->size = rng_below(&g->rng, HEAP_MAPS);
		op->m = (struct opnd){ .base = BASE_FP, .off = BUFFER_OFF };
		if (rng_chance(&g->rng, 30))
			op->m = (struct opnd){ .base = BASE_VAL, .off = 8 };
	}
}

void heap_walk(struct gen *g, const struct model *m, struct op *op)
{
	static const int steps[] = { 1, 8, 8, 16, 100, 100, 4096, 0, -1 };
	static const int flags[] = { 0, 0, 0x200, 0x400, 0x100, 0x300, 0x500, 1 };
	struct opnd over = pick_dynptr(g, m, ANY_TYPE);

	if (model_find(m, &over) == NO_INST && !gen_wrong(g))
		return;
	op->size = rng_chance(&g->rng, 50) ? ITER_STEPS : ITER_TOKENS;
	op->d.off = iter_off(op);
	op->m = over;
	op->a = RNG_PICK(&g->rng, steps);
	op->b = op->size == ITER_TOKENS ? RNG_PICK(&g->rng, flags) : rng_chance(&g->rng, 5);
}

void heap_mark(struct gen *g, const struct model *m, struct op *op)
{
	bool heap = model_type(m, model_find(m, &op->d)) == DYN_HEAP;

	/* Memory that is written with what freed memory is filled with would be taken for it. */
	if (op->kind == OP_MEMSET && (op->c & 255) == 0x6b)
		op->c ^= 1;
	if ((op->kind == OP_DETACH && rng_chance(&g->rng, 92)) ||
	    ((op->kind == OP_ALLOC || (op->kind == OP_READ && heap) ||
	      (op->kind == OP_WRITE && heap)) && rng_chance(&g->rng, 60)))
		op->flags |= OP_CHECK;
}

static void add(struct gen *g, struct model *m, struct op op)
{
	gen_add(g, &op);
	model_apply(m, &op);
}

static void add_end(struct gen *g, struct model *m)
{
	add(g, m, (struct op){ .kind = OP_END });
}

static struct opnd slot(struct gen *g)
{
	return (struct opnd){ .base = BASE_FP, .off = SLOT_OFF(rng_below(&g->rng, SLOTS)) };
}

static void add_alloc(struct gen *g, struct model *m, struct opnd d)
{
	add(g, m, (struct op){ .kind = OP_ALLOC, .a = 32, .d = d });
}

/* A dynptr is used, or released again, after its release; or a clone is. */
static void use_released(struct gen *g, struct model *m)
{
	static const __u8 kinds[] = {
		OP_PUT, OP_DETACH, OP_READ, OP_WRITE, OP_DATA, OP_SLICE, OP_CLONE, OP_SIZE,
		OP_IS_NULL, OP_ADJUST,
	};
	struct opnd d = slot(g), other = slot(g);
	struct op op;

	add_alloc(g, m, d);
	if (rng_chance(&g->rng, 50) && other.off != d.off) {
		add(g, m, (struct op){ .kind = OP_CLONE, .m = d, .d = other });
		if (rng_chance(&g->rng, 50)) {
			struct opnd swap = d;

			d = other;
			other = swap;
		}
	} else {
		other = d;
	}
	op = (struct op){ .kind = rng_chance(&g->rng, 75) ? OP_PUT : OP_DETACH, .d = d };
	op.reg = rng_below(&g->rng, 2);
	add(g, m, op);
	if (op.kind == OP_DETACH) {
		add(g, m, (struct op){ .kind = OP_IF, .reg = op.reg, .a = IF_NOT_NULL });
		add(g, m, (struct op){ .kind = OP_HEAP_RELEASE, .reg = op.reg });
		add_end(g, m);
	}
	propose_kind(g, m, RNG_PICK(&g->rng, kinds), &op);
	if (op.kind == OP_CLONE)
		op.m = other;
	else
		op.d = other;
	add(g, m, op);
}

/* A slice outlives its dynptr. */
static void keep_heap_slice(struct gen *g, struct model *m)
{
	static const __u8 ends[] = { OP_PUT, OP_DETACH, OP_STACK_STORE, OP_ALLOC };
	int reg = rng_below(&g->rng, 2);
	struct opnd d = slot(g);
	struct op op;

	add_alloc(g, m, d);
	op = (struct op){ .reg = reg, .d = d, .a = 8, .m = { .base = BASE_NULL } };
	op.kind = rng_chance(&g->rng, 60) ? OP_DATA : OP_SLICE;
	add(g, m, op);
	add(g, m, (struct op){ .kind = OP_IF, .reg = reg, .a = IF_NOT_NULL });
	op = (struct op){ .kind = RNG_PICK(&g->rng, ends), .reg = !reg, .d = d, .size = 8 };
	add(g, m, op);
	op = (struct op){ .kind = OP_LOAD, .reg = reg, .size = 8 };
	if (rng_chance(&g->rng, 50))
		op.kind = OP_STORE;
	add(g, m, op);
	add_end(g, m);
}

/* Released on one way only, or in a loop. */
static void release_sometimes(struct gen *g, struct model *m)
{
	static const __u8 blocks[] = { OP_IF, OP_IF, OP_LOOP, OP_ITER, OP_MAY_GOTO };
	struct op op = { .kind = RNG_PICK(&g->rng, blocks), .a = 2 };
	struct opnd d = slot(g);

	if (op.kind == OP_IF) {
		op.a = rng_below(&g->rng, 2);
		op.b = 1 + rng_below(&g->rng, 200);
	}
	op.d = (struct opnd){ .base = BASE_FP, .off = ITER_OFF };
	add_alloc(g, m, d);
	gen_add(g, &op);
	add(g, m, (struct op){ .kind = OP_PUT, .d = d });
	add_end(g, m);
	if (rng_chance(&g->rng, 40))
		add(g, m, (struct op){ .kind = OP_PUT, .d = d });
}

/* A release of one type of dynptrs gets another. */
static void release_other(struct gen *g, struct model *m)
{
	static const __u8 makers[] = {
		OP_FROM_MEM, OP_RESERVE_DYNPTR, OP_RESERVE_DYNPTR, OP_ALLOC
	};
	static const __u8 puts[] = { OP_PUT, OP_DETACH };
	static const __u8 others[] = { OP_SUBMIT_DYNPTR, OP_DISCARD_DYNPTR, OP_FILE_DISCARD };
	struct op op = { .kind = RNG_PICK(&g->rng, makers), .a = 16, .m = { .base = BASE_VAL } };

	op.d = slot(g);
	add(g, m, op);
	op.kind = op.kind == OP_ALLOC ? RNG_PICK(&g->rng, others) : RNG_PICK(&g->rng, puts);
	op.m = (struct opnd){};
	add(g, m, op);
}

/* The last dynptr of a block is overwritten. */
static void overwrite_last(struct gen *g, struct model *m)
{
	static const __u8 kinds[] = { OP_STACK_STORE, OP_STACK_STORE_REG, OP_FROM_MEM, OP_ALLOC,
				      OP_RESERVE_DYNPTR, OP_SPILL };
	struct op op = { .kind = RNG_PICK(&g->rng, kinds), .a = 16, .size = 8 };
	struct opnd d = slot(g);

	if (op.kind == OP_RESERVE_DYNPTR)
		op.size = 0;
	add_alloc(g, m, d);
	if (rng_chance(&g->rng, 30)) {
		struct opnd other = slot(g);

		add(g, m, (struct op){ .kind = OP_CLONE, .m = d, .d = other });
		if (rng_chance(&g->rng, 50))
			d = other;
	}
	op.d = d;
	op.m.base = BASE_VAL;
	add(g, m, op);
	if (rng_chance(&g->rng, 50))
		add(g, m, (struct op){ .kind = OP_PUT, .d = d });
}

/* An object is used before it is known to be there, or after it was given away. */
static void misuse_object(struct gen *g, struct model *m)
{
	static const __u8 kinds[] = { OP_HEAP_RELEASE, OP_ATTACH, OP_XCHG, OP_ACQUIRE, OP_LOAD,
				      OP_STORE };
	struct op op = { .kind = RNG_PICK(&g->rng, kinds), .size = 4 };
	int reg = rng_below(&g->rng, 2);
	bool checked = rng_chance(&g->rng, 60);
	struct opnd d = slot(g);

	op.reg = op.kind == OP_ACQUIRE ? !reg : reg;
	op.d = slot(g);
	op.m = (struct opnd){ .base = BASE_HEAP, .off = HEAP_FIELD(0) };
	if (rng_chance(&g->rng, 70)) {
		add_alloc(g, m, d);
		add(g, m, (struct op){ .kind = OP_DETACH, .reg = reg, .d = d });
	} else {
		add(g, m, (struct op){ .kind = OP_XCHG, .reg = reg, .c = 1, .m = op.m });
	}
	if (checked)
		add(g, m, (struct op){ .kind = OP_IF, .reg = reg, .a = IF_NOT_NULL });
	if (checked && rng_chance(&g->rng, 70))
		add(g, m, (struct op){ .kind = OP_HEAP_RELEASE, .reg = reg });
	add(g, m, op);
	if (checked)
		add_end(g, m);
}

/* The object in a map is read past the exchange: that is a pointer to nothing certain. */
static void read_field(struct gen *g, struct model *m)
{
	static const __u8 kinds[] = { OP_HEAP_RELEASE, OP_ATTACH, OP_XCHG, OP_ACQUIRE, OP_LOAD,
				      OP_STORE };
	struct op op = { .kind = RNG_PICK(&g->rng, kinds), .size = 4, .d = slot(g) }, fill;
	int reg = rng_below(&g->rng, 2);

	op.reg = op.kind == OP_ACQUIRE ? !reg : reg;
	op.m = (struct opnd){ .base = BASE_HEAP, .off = HEAP_FIELD(0) };
	if (rng_chance(&g->rng, 15)) {
		/* Half of it. */
		gen_add(g, &(struct op){ .kind = OP_STACK_PTR, .reg = reg, .d = op.m });
		gen_add(g, &(struct op){ .kind = OP_LOAD, .reg = reg, .size = 4 });
		return;
	}
	fill = (struct op){ .kind = OP_FILL, .reg = reg, .d = op.m };
	if (rng_chance(&g->rng, 15))
		fill.kind = OP_SPILL;
	gen_add(g, &fill);
	add(g, m, (struct op){ .kind = OP_IF, .reg = reg, .a = IF_NOT_NULL });
	gen_add(g, &op);
	add_end(g, m);
}

/* The program leaves while it holds a block or an object. */
static void leave_with(struct gen *g, struct model *m)
{
	static const __u8 ways[] = { OP_TAIL_CALL, OP_THROW, OP_EXIT };
	int reg = rng_below(&g->rng, 2);
	struct opnd d = slot(g);

	add_alloc(g, m, d);
	if (rng_chance(&g->rng, 40))
		add(g, m, (struct op){ .kind = OP_DETACH, .reg = reg, .d = d });
	gen_kind(g, RNG_PICK(&g->rng, ways));
}

/*
 * A loop goes through a block or a record, which is released after it; or in it, and made anew for
 * the next round: the iterator alone is in the way of that.
 */
static void release_walked(struct gen *g, struct model *m)
{
	bool heap = rng_chance(&g->rng, 60), inside = rng_chance(&g->rng, 60);
	struct op walk = { .kind = OP_ITER, .a = 8, .d.base = BASE_FP };
	struct opnd d = slot(g), clone = slot(g);
	struct op make = { .kind = heap ? OP_ALLOC : OP_RESERVE_DYNPTR, .a = 32, .d = d };
	struct op release = { .kind = heap ? OP_PUT : OP_DISCARD_DYNPTR, .d = d };

	if (!heap && rng_chance(&g->rng, 50))
		release.kind = OP_SUBMIT_DYNPTR;
	walk.size = rng_chance(&g->rng, 50) ? ITER_STEPS : ITER_TOKENS;
	walk.d.off = iter_off(&walk);
	walk.m = d;
	add(g, m, make);
	if (clone.off != d.off && rng_chance(&g->rng, 40)) {
		add(g, m, (struct op){ .kind = OP_CLONE, .m = d, .d = clone });
		if (rng_chance(&g->rng, 50))
			walk.m = clone;
	}
	gen_add(g, &walk);
	if (inside) {
		gen_add(g, &release);
		gen_add(g, &make);
	} else {
		gen_add(g, &(struct op){ .kind = OP_SIZE, .d = d });
	}
	gen_kind(g, OP_END);
	add(g, m, release);
}

/*
 * Legal: an object gets a second owner, one of the two lets go, in one of the ways there are, and
 * the other one is used.
 */
static void share_object(struct gen *g, struct model *m)
{
	int reg = rng_below(&g->rng, 2), way = rng_below(&g->rng, 3);
	struct opnd d = slot(g), other = slot(g);
	struct opnd field = { .base = BASE_HEAP, .off = HEAP_FIELD(rng_below(&g->rng, 2)) };

	add_alloc(g, m, d);
	add(g, m, (struct op){ .kind = OP_DETACH, .reg = reg, .d = d });
	add(g, m, (struct op){ .kind = OP_IF, .reg = reg, .a = IF_NOT_NULL });
	add(g, m, (struct op){ .kind = OP_ACQUIRE, .reg = !reg });
	add(g, m, (struct op){ .kind = OP_IF, .reg = !reg, .a = IF_NOT_NULL });
	if (way == 0) {
		add(g, m, (struct op){ .kind = OP_ATTACH, .reg = !reg, .d = other });
		add(g, m, (struct op){ .kind = OP_PUT, .d = other });
	} else if (way == 1) {
		add(g, m, (struct op){ .kind = OP_XCHG, .reg = !reg, .m = field });
		add(g, m, (struct op){ .kind = OP_IF, .reg = !reg, .a = IF_NOT_NULL });
		add(g, m, (struct op){ .kind = OP_HEAP_RELEASE, .reg = !reg });
		add_end(g, m);
	} else {
		add(g, m, (struct op){ .kind = OP_HEAP_RELEASE, .reg = !reg });
	}
	add_end(g, m);
	add(g, m, (struct op){ .kind = OP_ATTACH, .reg = reg, .d = d });
	add(g, m, (struct op){ .kind = OP_PUT, .d = d });
	add_end(g, m);
}

/* Another function gets at a block of its caller's, or a constant dynptr is released. */
static void meddle_heap(struct gen *g, struct model *m)
{
	static const __u8 callees[] = { FUNC_STATIC, FUNC_LOOP, FUNC_DRAIN, FUNC_EACH,
					FUNC_GLOBAL_DYNPTR };
	static const __u8 kinds[] = { OP_PUT, OP_DETACH, OP_ALLOC, OP_ADJUST, OP_WRITE, OP_CLONE };
	struct op call = { .kind = OP_CALL, .a = g->p->funcs, .b = 2, .m = { .base = BASE_FP } };
	int caller = g->func, kind = RNG_PICK(&g->rng, callees);
	struct op op;

	if (g->p->funcs == MAX_FUNCS)
		return;
	call.d = slot(g);
	add_alloc(g, m, call.d);
	g->func = g->p->funcs++;
	g->p->func[g->func].kind = kind;
	propose_kind(g, m, RNG_PICK(&g->rng, kinds), &op);
	op.flags = 0;
	op.d = (struct opnd){ .base = BASE_CALLER, .off = call.d.off };
	if (kind == FUNC_DRAIN || kind == FUNC_GLOBAL_DYNPTR)
		op.d = (struct opnd){ .base = BASE_P1 };
	gen_add(g, &op);
	g->func = caller;
	add(g, m, call);
	if (rng_chance(&g->rng, 60))
		add(g, m, (struct op){ .kind = OP_PUT, .d = call.d });
}

/*
 * Another function makes a clone in its own frame and leaves a slice of it in a slot of its
 * caller's, which reads it after the release. Nobody judges it, but what it reads must not be free.
 */
static void outlive_frame(struct gen *g, struct model *m)
{
	static const __u8 callees[] = { FUNC_STATIC, FUNC_STATIC, FUNC_LOOP, FUNC_EACH };
	struct op call = { .kind = OP_CALL, .a = g->p->funcs, .b = 2, .m = { .base = BASE_FP } };
	int caller = g->func, reg = rng_below(&g->rng, 2), kept = SPILL_OFF(rng_below(&g->rng, 2));
	struct opnd own = slot(g);
	struct op op;

	if (g->p->funcs == MAX_FUNCS)
		return;
	call.d = slot(g);
	add_alloc(g, m, call.d);
	gen_add(g, &(struct op){ .kind = OP_ZERO, .reg = reg });
	gen_add(g, &(struct op){ .kind = OP_SPILL, .reg = reg, .d = { .off = kept } });
	g->func = g->p->funcs++;
	g->p->func[g->func].kind = RNG_PICK(&g->rng, callees);
	op = (struct op){ .kind = OP_CLONE, .d = own };
	op.m = (struct opnd){ .base = BASE_CALLER, .off = call.d.off };
	gen_add(g, &op);
	op = (struct op){ .kind = OP_DATA, .reg = reg, .d = own, .a = 8, .m.base = BASE_NULL };
	gen_add(g, &op);
	op = (struct op){ .kind = OP_SPILL, .reg = reg };
	op.d = (struct opnd){ .base = BASE_CALLER, .off = kept };
	gen_add(g, &op);
	g->func = caller;
	add(g, m, call);
	if (rng_chance(&g->rng, 80))
		add(g, m, (struct op){ .kind = OP_PUT, .d = call.d });
	gen_add(g, &(struct op){ .kind = OP_FILL, .reg = reg, .d = { .off = kept } });
	gen_add(g, &(struct op){ .kind = OP_IF, .reg = reg, .a = IF_NOT_NULL });
	gen_add(g, &(struct op){ .kind = OP_LOAD, .reg = reg, .size = 8 });
	gen_kind(g, OP_END);
}

/* One of the above: like gen_scenario(). */
void heap_scenario(struct gen *g, struct model *m)
{
	static void (*const all[])(struct gen *g, struct model *m) = {
		use_released, use_released, keep_heap_slice, release_sometimes, release_other,
		release_other, overwrite_last, misuse_object, misuse_object, read_field, leave_with,
		meddle_heap, share_object, share_object, release_walked, release_walked,
		outlive_frame, outlive_frame,
	};

	RNG_PICK(&g->rng, all)(g, m);
}
