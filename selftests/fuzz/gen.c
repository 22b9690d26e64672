// SPDX-License-Identifier: GPL-2.0
/*
 * Programs from seeds. Operations are proposed at random and taken if the model says that they are
 * legal where they would stand; with a probability that differs from program to program they are
 * taken all the same. At the end of a block, what was acquired in it is released, or not.
 */
#include <string.h>

#include "heap.h"

static void gen_body(struct gen *g, struct model *m, int count);

/* Whether something may go wrong here. */
bool gen_wrong(struct gen *g)
{
	return rng_chance(&g->rng, g->misuse);
}

struct op *gen_add(struct gen *g, const struct op *op)
{
	static struct op nowhere;
	struct func *f = &g->p->func[g->func];

	if (f->count == MAX_OPS) {
		g->full = true;
		return &nowhere;
	}
	f->ops[f->count] = *op;
	return &f->ops[f->count++];
}

struct op *gen_kind(struct gen *g, int kind)
{
	struct op op = { .kind = kind };

	return gen_add(g, &op);
}

static void gen_apply(struct gen *g, struct model *m, const struct op *op)
{
	gen_add(g, op);
	model_apply(m, op);
}

/* An object that may be null goes, if it is not. */
static void gen_release_object(struct gen *g, struct model *m, int reg)
{
	gen_add(g, &(struct op){ .kind = OP_IF, .reg = reg, .a = IF_NOT_NULL });
	gen_apply(g, m, &(struct op){ .kind = OP_HEAP_RELEASE, .reg = reg });
	gen_kind(g, OP_END);
}

/* An object is released, or left in a map in exchange for what is there. */
static void gen_leave_object(struct gen *g, struct model *m, int reg)
{
	struct op op = { .kind = OP_XCHG, .reg = reg, .m = { .base = BASE_HEAP } };

	if (rng_chance(&g->rng, 40)) {
		gen_apply(g, m, &(struct op){ .kind = OP_HEAP_RELEASE, .reg = reg });
		return;
	}
	op.m.off = HEAP_FIELD(rng_below(&g->rng, 2));
	gen_apply(g, m, &op);
	gen_release_object(g, m, reg);
}

static int release_of(struct gen *g, int type)
{
	if (type == DYN_FILE)
		return OP_FILE_DISCARD;
	if (type == DYN_HEAP)
		return OP_PUT;
	return rng_chance(&g->rng, 60) ? OP_SUBMIT_DYNPTR : OP_DISCARD_DYNPTR;
}

/* Releases what was acquired at @level or deeper, in an order that works. */
static void gen_release(struct gen *g, struct model *m, int level)
{
	struct op op;

	for (int i = 0; i < m->insts; i++) {
		const struct inst *inst = &m->inst[i];

		if (!inst->live || inst->caller || inst->level < level ||
		    !type_referenced(inst->type))
			continue;
		if (gen_wrong(g) && rng_chance(&g->rng, 30))
			continue;
		op = (struct op){ .d = { .base = BASE_FP, .off = inst->off } };
		op.kind = release_of(g, inst->type);
		gen_apply(g, m, &op);
	}
	for (int i = 0; i < 2; i++) {
		const struct ptr *ptr = &m->ptr[i];

		if (!ptr_referenced(ptr->kind) || ptr->level < level)
			continue;
		if (ptr->maybe_null || (gen_wrong(g) && rng_chance(&g->rng, 30)))
			continue;
		if (ptr->kind == PTR_HEAP) {
			gen_leave_object(g, m, i);
			continue;
		}
		op = (struct op){ .reg = i };
		op.kind = ptr->kind == PTR_FILE ? OP_PUT_FILE :
			  rng_chance(&g->rng, 60) ? OP_SUBMIT : OP_DISCARD;
		gen_apply(g, m, &op);
	}
	if (!level && m->skb && m->func == FUNC_MAIN && !gen_wrong(g))
		gen_apply(g, m, &(struct op){ .kind = OP_QDISC_DROP });
}

/* A body of a block; its model is left in @inner. */
static void gen_inner(struct gen *g, const struct model *m, struct model *inner, int count)
{
	g->depth++;
	gen_body(g, inner, count);
	gen_release(g, inner, inner->level);
	g->depth--;
}

/* if (…) { … } [else { … }] */
static void gen_if(struct gen *g, struct model *m)
{
	struct model yes = *m, no = *m;
	struct op op = { .kind = OP_IF, .a = rng_below(&g->rng, 2) };

	op.b = 1 + rng_below(&g->rng, 200);
	yes.level = m->level + 1;
	no.level = m->level + 1;
	gen_add(g, &op);
	gen_inner(g, m, &yes, 1 + rng_below(&g->rng, 2));
	if (rng_chance(&g->rng, 15)) {
		gen_release(g, &yes, 0);
		gen_kind(g, OP_EXIT);
		yes = no;
	}
	if (rng_chance(&g->rng, 40)) {
		gen_kind(g, OP_ELSE);
		gen_inner(g, m, &no, 1 + rng_below(&g->rng, 2));
	}
	gen_kind(g, OP_END);
	model_merge(m, &yes);
	model_merge(m, &no);
}

/* A pointer that may be null is asked about, and used where it is not. */
static void gen_null_check(struct gen *g, struct model *m, int reg)
{
	struct op op = { .kind = OP_IF, .reg = reg };
	struct model inner = *m;

	inner.level = m->level + 1;
	if (rng_chance(&g->rng, 30) && !m->loop_level) {
		/* Out with it if it is null. */
		op.a = IF_NULL;
		gen_add(g, &op);
		inner.ptr[reg] = (struct ptr){ .inst = NO_INST };
		gen_release(g, &inner, 0);
		gen_kind(g, OP_EXIT);
		gen_kind(g, OP_END);
		m->ptr[reg].maybe_null = false;
		for (int i = 0; i < 2; i++)
			if (m->spill[i].id == m->ptr[reg].id)
				m->spill[i].maybe_null = false;
		return;
	}
	op.a = IF_NOT_NULL;
	gen_add(g, &op);
	inner.ptr[reg].maybe_null = false;
	inner.ptr[reg].level = inner.level;
	gen_inner(g, m, &inner, 1 + rng_below(&g->rng, 2));
	gen_kind(g, OP_END);
	m->ptr[reg] = (struct ptr){ .inst = NO_INST };
	for (int i = 0; i < 2; i++)
		if (m->spill[i].id && m->spill[i].maybe_null)
			m->spill[i] = (struct ptr){ .inst = NO_INST };
	model_merge(m, &inner);
}

/* Loops and sections. In a loop, what is older must stay, and pointers are not known. */
static void gen_section(struct gen *g, struct model *m)
{
	static const __u8 kinds[] = {
		OP_LOOP, OP_LOOP, OP_ITER, OP_MAY_GOTO, OP_RCU, OP_PREEMPT, OP_IRQ,
	};
	struct op op = { .kind = RNG_PICK(&g->rng, kinds), .a = 1 + rng_below(&g->rng, 3) };
	struct model inner = *m;
	bool loop = op.kind <= OP_MAY_GOTO;

	op.d = (struct opnd){ .base = BASE_FP, .off = op.kind == OP_IRQ ? IRQ_OFF : ITER_OFF };
	if (heap_mode && op.kind == OP_ITER && rng_chance(&g->rng, 80))
		heap_walk(g, m, &op);
	if (gen_wrong(g) && rng_chance(&g->rng, 60))
		op.d = rng_chance(&g->rng, 60) ? pick_odd_slot(g) : pick_slot(g);
	inner.level = m->level + 1;
	if (loop) {
		inner.loop_level = inner.level;
		for (int i = 0; i < 2; i++)
			if (!ptr_owns(m, &inner.ptr[i]))
				inner.ptr[i] = (struct ptr){ .inst = NO_INST };
	} else {
		inner.atomic = true;
	}
	gen_add(g, &op);
	gen_inner(g, m, &inner, 1 + rng_below(&g->rng, 2));
	gen_kind(g, OP_END);
	model_merge(m, &inner);
}

/* A reference is released in both branches. */
static bool gen_release_both(struct gen *g, struct model *m)
{
	struct op op = { .kind = OP_IF, .a = rng_below(&g->rng, 2), .b = 1 };
	struct op release = {};
	bool heap;
	int inst;

	release.d = pick_dynptr(g, m, heap_mode ? TYPES(DYN_RINGBUF) | TYPES(DYN_HEAP) :
				TYPES(DYN_RINGBUF));
	inst = model_find(m, &release.d);

	if (inst < 0 || m->inst[inst].caller || m->inst[inst].level != m->level)
		return false;
	heap = m->inst[inst].type == DYN_HEAP;
	op.b = 1 + rng_below(&g->rng, 200);
	gen_add(g, &op);
	release.kind = heap ? OP_PUT : OP_SUBMIT_DYNPTR;
	gen_add(g, &release);
	gen_kind(g, OP_ELSE);
	release.kind = heap ? OP_PUT : OP_DISCARD_DYNPTR;
	if (!gen_wrong(g))
		gen_add(g, &release);
	gen_kind(g, OP_END);
	model_apply(m, &release);
	return true;
}

static int pick_func_kind(struct gen *g, const struct model *m)
{
	static const __u8 kinds[] = {
		FUNC_STATIC, FUNC_STATIC, FUNC_STATIC, FUNC_LOOP, FUNC_LOOP, FUNC_DRAIN, FUNC_DRAIN,
		FUNC_DRAIN, FUNC_EACH, FUNC_GLOBAL_DYNPTR, FUNC_GLOBAL_DYNPTR, FUNC_GLOBAL_CTX,
		FUNC_GLOBAL_MEM,
	};
	int kind = RNG_PICK(&g->rng, kinds);

	if (kind == FUNC_GLOBAL_CTX &&
	    ((g->p->kind != PROG_CLS && g->p->kind != PROG_XDP) || !has_context(m)))
		return FUNC_STATIC;
	return kind;
}

/* What a function that is global takes as a dynptr. */
static bool is_local(int type)
{
	return type == DYN_LOCAL || type == DYN_HEAP;
}

/* A call of a new function, which is made here. */
static void gen_call(struct gen *g, struct model *m)
{
	struct op op = { .kind = OP_CALL, .a = g->p->funcs, .b = 1 + rng_below(&g->rng, 4) };
	int caller = g->func, depth = g->depth, kind = pick_func_kind(g, m);
	struct model callee;

	if (g->p->funcs == MAX_FUNCS)
		return;
	op.m = (struct opnd){ .base = BASE_FP };
	if (gen_wrong(g) && rng_chance(&g->rng, 25))
		op.m = (struct opnd){ .base = rng_below(&g->rng, BASES), .off = -16 };
	if (kind == FUNC_GLOBAL_MEM)
		op.m = (struct opnd){ .base = BASE_P0 + rng_below(&g->rng, 2) };
	if (kind == FUNC_LOOP && rng_chance(&g->rng, 10))
		op.flags = OP_VAR_B;
	op.size = kind == FUNC_DRAIN && gen_wrong(g) && rng_chance(&g->rng, 20);
	if (heap_mode && kind == FUNC_EACH)
		op.size = rng_below(&g->rng, HEAP_MAPS + 1);
	callee = model_entry(m, kind, &op);
	op.c = rng_chance(&g->rng, 5) ? rng_below(&g->rng, 4) : 0;
	op.d = pick_dynptr(g, m, gen_wrong(g) ? ANY_TYPE :
			   TYPES(DYN_LOCAL) | (heap_mode ? TYPES(DYN_HEAP) : 0));
	if (kind == FUNC_GLOBAL_DYNPTR && !is_local(model_type(m, model_find(m, &op.d))) &&
	    !gen_wrong(g))
		return;
	g->func = g->p->funcs++;
	g->p->func[g->func] = (struct func){ .kind = kind, .ret = rng_below(&g->rng, 2) };
	if (gen_wrong(g))
		g->p->func[g->func].ret = 2;
	g->depth = 0;
	gen_body(g, &callee, 1 + rng_below(&g->rng, 3));
	gen_release(g, &callee, callee.level);
	g->func = caller;
	g->depth = depth;
	gen_add(g, &op);
	for (int i = 0; i < m->insts && kind <= FUNC_EACH; i++)
		if (m->inst[i].live && !m->inst[i].caller && !callee.inst[i].live)
			model_kill(m, i);
	if (kind == FUNC_GLOBAL_CTX)
		model_apply(m, &(struct op){ .kind = OP_SKB_PULL });
}

static bool gen_simple(struct gen *g, struct model *m)
{
	struct op op;

	for (int i = 0; i < 12; i++) {
		propose(g, m, &op);
		bool legal = model_legal(m, &op);

		if (legal && heap_mode)
			heap_mark(g, m, &op);
		if (legal || (i && gen_wrong(g))) {
			gen_apply(g, m, &op);
			return true;
		}
	}
	return false;
}

static void gen_step(struct gen *g, struct model *m)
{
	__u32 way = rng_below(&g->rng, 100);

	for (int i = 0; i < 2; i++) {
		bool due = m->ptr[i].kind && m->ptr[i].maybe_null && g->depth < 4;

		if (due && rng_chance(&g->rng, ptr_owns(m, &m->ptr[i]) ? 95 - g->misuse : 50)) {
			gen_null_check(g, m, i);
			return;
		}
	}
	if (g->depth < 3 && gen_wrong(g) && rng_chance(&g->rng, 35))
		heap_mode && rng_chance(&g->rng, 70) ? heap_scenario(g, m) : gen_scenario(g, m);
	else if (g->depth < 3 && way < 9)
		gen_if(g, m);
	else if (g->depth < 2 && way < 15)
		gen_section(g, m);
	else if (g->depth < 2 && way < 22)
		gen_call(g, m);
	else if (g->depth >= 3 || way >= 25 || !gen_release_both(g, m))
		gen_simple(g, m);
}

static void gen_body(struct gen *g, struct model *m, int count)
{
	for (int i = 0; i < count && !g->full; i++)
		gen_step(g, m);
	/* What may be null and must be released has to be asked about now. */
	for (int i = 0; i < 2; i++)
		if (ptr_owns(m, &m->ptr[i]) && m->ptr[i].maybe_null && !gen_wrong(g))
			gen_null_check(g, m, i);
}

/* Operations dropped, doubled, exchanged, or changed, whatever comes of it. */
static void mutate(struct gen *g)
{
	struct func *f = &g->p->func[rng_below(&g->rng, g->p->funcs)];
	int at = f->count ? rng_below(&g->rng, f->count) : 0;
	struct op *op = &f->ops[at], other;

	if (f->count < 2 || f->count == MAX_OPS)
		return;
	switch (rng_below(&g->rng, 5)) {
	case 0:
		memmove(op, op + 1, (f->count - at - 1) * sizeof(*op));
		f->count--;
		break;
	case 1:
		memmove(op + 1, op, (f->count - at) * sizeof(*op));
		f->count++;
		break;
	case 2:
		other = *op;
		*op = f->ops[(at + 1) % f->count];
		f->ops[(at + 1) % f->count] = other;
		break;
	case 3:
		op->d = pick_slot(g);
		break;
	default:
		op->reg ^= 1;
	}
}

static void pick_tweak(struct gen *g)
{
	static const __s16 values[] = { 0, 1, 2, 6, 8, 9, 10, -8, -16, -24, -32, -48, 16, 5 };

	g->p->tweak = 1 + rng_below(&g->rng, TWEAKS - 1);
	g->p->tweak_at = rng_below(&g->rng, 200);
	g->p->tweak_to = RNG_PICK(&g->rng, values);
}

void generate(__u64 seed, struct program *p)
{
	static const __u8 kinds[] = {
		PROG_CLS, PROG_CLS, PROG_CLS, PROG_CLS, PROG_CLS, PROG_CLS, PROG_CLS, PROG_XDP,
		PROG_XDP, PROG_XDP, PROG_XDP, PROG_XDP, PROG_SYSCALL, PROG_SYSCALL, PROG_SYSCALL,
		PROG_RAW_TP, PROG_RAW_TP, PROG_CGROUP_SKB, PROG_SOCKET, PROG_LSM, PROG_LSM_SLEEP,
		PROG_QDISC,
	};
	static const __u8 misuse[] = { 0, 0, 2, 4, 6, 10, 15, 20, 30, 40 };
	struct gen g = { .p = p };
	struct model m = { .p = p, .func = FUNC_MAIN };
	int count;

	memset(p, 0, sizeof(*p));
	rng_seed(&g.rng, seed);
	p->seed = seed;
	p->kind = RNG_PICK(&g.rng, kinds);
	/* Programs that are not run, or seldom, show less. */
	if (heap_mode && p->kind >= PROG_LSM && rng_chance(&g.rng, 60))
		p->kind = PROG_SYSCALL;
	p->frags = (p->kind == PROG_XDP || p->kind == PROG_CLS) && rng_chance(&g.rng, 15);
	p->no_perfmon = (p->kind == PROG_XDP || p->kind == PROG_CLS) && rng_chance(&g.rng, 20);
	p->packet = 14 + rng_below(&g.rng, 120);
	p->funcs = 1;
	g.misuse = RNG_PICK(&g.rng, misuse);
	p->no_init = g.misuse && rng_chance(&g.rng, 10);
	m.skb = p->kind == PROG_QDISC;
	for (int i = 0; i < 2; i++) {
		m.ptr[i].inst = NO_INST;
		m.spill[i].inst = NO_INST;
	}
	/* Short ones are loaded faster, and seldom fail for two reasons; some are long. */
	count = rng_chance(&g.rng, 85) ? 2 + rng_below(&g.rng, 5) : 7 + rng_below(&g.rng, 7);
	/* One thing is wrong, and surely seen, if nothing else is. */
	if (heap_mode && !g.misuse && rng_chance(&g.rng, 50))
		heap_scenario(&g, &m);
	gen_body(&g, &m, count);
	gen_release(&g, &m, 0);
	for (int i = 0; g.misuse && i < 2; i++)
		if (rng_chance(&g.rng, 12))
			mutate(&g);
	if (g.misuse && rng_chance(&g.rng, 8))
		pick_tweak(&g);
}
