// SPDX-License-Identifier: GPL-2.0
/*
 * Whether a program is legal, from its operations alone: the generator's model (legal.c, model.c,
 * heap_model.c) is taken through them, whoever put them together: the generator, a mutation, or
 * reduce.c.
 *
 * The model is stricter than the verifier, and merges ways roughly. So there are three answers. A
 * program is legal if every operation is. It is illegal if one is that breaks a rule of dynptrs,
 * and what the model knows there is exact, and the verifier surely gets there. Else nobody knows.
 */
#include <errno.h>
#include <string.h>

#include "heap.h"

struct judge {
	const struct program *p;
	bool legal;	/* so far */
	bool illegal;
	bool exact;	/* the model is, and this place is surely reached */
	bool merged;	/* ways have met: a pointer may be more than the model knows */
	bool tested;	/* a condition on the scalar has been before */
	int func;
	int sections;	/* OP_LOOP to OP_IRQ around this place, a bit each, from OP_IF on */
	int walked;	/* the group that a loop goes through whose body this is, or 0 */
	int walk_level;	/* of that body */
};

/* Of them, those that may be left in the middle. */
#define SECTIONS_FREE (1 << (OP_LOOP - OP_IF) | 1 << (OP_MAY_GOTO - OP_IF))

static bool judge_ops(struct judge *j, struct model *m, int *at, bool *left);

/* From here on nothing is known. */
static void give_up(struct judge *j)
{
	j->legal = false;
}

static void convict(struct judge *j, bool sure)
{
	j->illegal |= sure && j->exact && j->legal;
	j->legal = false;
}

/* Operations on a dynptr that must be there. */
static bool needs_dynptr(int kind)
{
	return (kind >= OP_SUBMIT_DYNPTR && kind <= OP_COPY_TASK_STR) || kind == OP_PUT ||
	       kind == OP_DETACH;
}

/* The type that a release asks for, or DYN_NONE. */
static int wanted_type(int kind)
{
	switch (kind) {
	case OP_SUBMIT_DYNPTR:
	case OP_DISCARD_DYNPTR:
		return DYN_RINGBUF;
	case OP_FILE_DISCARD:
		return DYN_FILE;
	case OP_PUT:
	case OP_DETACH:
		return DYN_HEAP;
	}
	return DYN_NONE;
}

/* Whether @op overwrites the only dynptr of a reference of this frame. */
static bool overwrites_last(const struct model *m, const struct op *op)
{
	int size = is_constructor(op->kind) ? 16 : op->size;

	if (op->d.base != BASE_FP || op->d.flags || op->d.off & 7 ||
	    (op->kind != OP_STACK_STORE && op->kind != OP_STACK_STORE_REG &&
	     !is_constructor(op->kind)))
		return false;
	for (int i = 0; i < m->insts; i++) {
		const struct inst *a = &m->inst[i];
		int group = 0;

		if (!a->live || a->caller || !type_referenced(a->type) ||
		    a->off >= op->d.off + size || a->off + 16 <= op->d.off)
			continue;
		for (int k = 0; k < m->insts; k++)
			group += m->inst[k].live && m->inst[k].group == a->group;
		if (group == 1)
			return true;
	}
	return false;
}

/* Whether an object is used that surely is none, or may be null. */
static bool misuses_object(const struct judge *j, const struct model *m, const struct op *op)
{
	int reg = op->kind == OP_ACQUIRE ? !op->reg : op->reg;
	const struct ptr *ptr = &m->ptr[reg];

	if (op->kind != OP_ATTACH && op->kind != OP_ACQUIRE && op->kind != OP_HEAP_RELEASE &&
	    (op->kind != OP_XCHG || op->c))
		return false;
	if (ptr->kind == PTR_HEAP)
		return ptr->maybe_null;
	/* Null may be exchanged, whatever it was. */
	if (ptr->kind == PTR_NONE)
		return !j->merged && op->kind != OP_XCHG;
	return true;
}

/*
 * Whether @op releases what the loop around it goes through. The verifier follows the first round
 * with just what the model knows; whatever comes then, this is wrong.
 */
static bool releases_walked(const struct judge *j, const struct model *m, const struct op *op)
{
	int d = model_find(m, &op->d), type = wanted_type(op->kind);

	return j->walked && m->level == j->walk_level && type && d >= 0 &&
	       m->inst[d].type == type && m->inst[d].group == j->walked;
}

/* Whether @op, which the model does not let pass, surely breaks a rule. */
static bool surely_wrong(const struct judge *j, const struct model *m, const struct op *op)
{
	int d = model_find(m, &op->d), type = wanted_type(op->kind);
	bool plain = op->d.base == BASE_FP && !op->d.flags;

	if (needs_dynptr(op->kind) && plain && d == NO_INST)
		return true;
	if (type && d >= 0 && m->inst[d].type != type)
		return true;
	if (type && d == CONST_INST)
		return true;
	return overwrites_last(m, op) || misuses_object(j, m, op);
}

/* Whether this function holds what its caller does not. */
static bool holds(const struct model *m)
{
	for (int i = 0; i < m->insts; i++) {
		const struct inst *own = &m->inst[i];
		bool shared = false;

		if (!own->live || own->caller || !type_referenced(own->type))
			continue;
		for (int k = 0; k < m->insts; k++)
			shared |= m->inst[k].live && m->inst[k].caller &&
				  m->inst[k].group == own->group;
		if (!shared)
			return true;
	}
	for (int i = 0; i < 2; i++)
		if (ptr_referenced(m->ptr[i].kind) || ptr_referenced(m->spill[i].kind))
			return true;
	return m->skb;
}

static bool has_copy(const struct model *m, const struct ptr *ptr)
{
	for (int i = 0; i < 2; i++)
		if ((m->ptr[i].kind == ptr->kind && m->ptr[i].id == ptr->id) ||
		    (m->spill[i].kind == ptr->kind && m->spill[i].id == ptr->id))
			return true;
	return false;
}

/* Whether a reference that @way holds is nowhere any more where ways have met. */
static bool loses(const struct model *met, const struct model *way)
{
	for (int i = 0; i < 2; i++)
		if ((ptr_referenced(way->ptr[i].kind) && !has_copy(met, &way->ptr[i])) ||
		    (ptr_referenced(way->spill[i].kind) && !has_copy(met, &way->spill[i])))
			return true;
	return false;
}

/* A function is left: nothing may be held. */
static void judge_exit(struct judge *j, const struct model *m)
{
	/* An iterator, or a lock, is held as well. */
	if (j->sections & ~SECTIONS_FREE)
		give_up(j);
	if (holds(m))
		convict(j, !m->skb);
}

/* The body up to its end; @left: every way through it leaves the function. */
static void judge_inner(struct judge *j, struct model *m, int *at, bool *left)
{
	judge_ops(j, m, at, left);
	/* What is held there and not known after it. */
	if (!*left && model_holds(m, m->level) && m->level)
		give_up(j);
}

static const struct op *op_at(const struct judge *j, int at)
{
	const struct func *f = &j->p->func[j->func];

	return at < f->count ? &f->ops[at] : NULL;
}

/* if (acc …) { … } [else { … }] */
static void judge_scalar_if(struct judge *j, struct model *m, int *at, bool *left)
{
	bool exact = j->exact && !j->tested, yes_left = false, no_left = false;
	struct model yes = *m, no = *m;
	const struct op *op;

	j->exact = exact;
	j->tested = true;
	yes.level++;
	no.level++;
	judge_inner(j, &yes, at, &yes_left);
	op = op_at(j, *at - 1);
	if (op && op->kind == OP_ELSE)
		judge_inner(j, &no, at, &no_left);
	j->exact &= exact;
	j->merged = true;
	if (!yes_left)
		model_merge(m, &yes);
	if (!no_left)
		model_merge(m, &no);
	if ((!yes_left && loses(m, &yes)) || (!no_left && loses(m, &no)))
		give_up(j);
	*left = yes_left && no_left;
}

/* The pointer is known not to be null; so are its copies. */
static void found_pointer(struct model *m, int reg, int level)
{
	int id = m->ptr[reg].id;

	for (int i = 0; i < 2; i++) {
		if (m->ptr[i].id == id) {
			m->ptr[i].maybe_null = false;
			m->ptr[i].level = level;
		}
		if (m->spill[i].id == id) {
			m->spill[i].maybe_null = false;
			m->spill[i].level = level;
		}
	}
}

static void lost_pointer(struct model *m, int id)
{
	for (int i = 0; i < 2; i++) {
		if (m->ptr[i].id == id)
			m->ptr[i] = (struct ptr){ .inst = NO_INST };
		if (m->spill[i].id == id)
			m->spill[i] = (struct ptr){ .inst = NO_INST };
	}
}

/* if (p != null) { … }, or if (p == null) { …; exit } */
static void judge_null_if(struct judge *j, struct model *m, const struct op *op, int *at,
			  bool *left)
{
	const struct ptr ptr = m->ptr[op->reg];
	struct model inner = *m;
	bool gone = false;

	/*
	 * Known values: one way is never looked at. And a reference that is older than this block
	 * is not released on other ways around it.
	 */
	if (!ptr.kind || !ptr.maybe_null || ptr.kind == PTR_PACKET ||
	    (ptr_referenced(ptr.kind) && ptr.level != m->level)) {
		give_up(j);
		return;
	}
	/* A lookup with a key that the verifier knows is never null. */
	j->exact &= ptr.kind != PTR_VALUE && ptr.kind != PTR_HEAP_VALUE;
	inner.level++;
	if (op->a == IF_NOT_NULL)
		found_pointer(&inner, op->reg, inner.level);
	else
		lost_pointer(&inner, ptr.id);
	judge_inner(j, &inner, at, &gone);
	if (op_at(j, *at - 1) && op_at(j, *at - 1)->kind == OP_ELSE)
		give_up(j);
	if (op->a == IF_NULL) {
		if (gone)
			found_pointer(m, op->reg, ptr.level);
		else
			give_up(j);
		return;
	}
	lost_pointer(m, ptr.id);
	j->merged = true;
	if (gone)
		return;
	model_merge(m, &inner);
	if (loses(m, &inner))
		give_up(j);
}

/* Loops and sections: see gen_section(). */
static void judge_section(struct judge *j, struct model *m, const struct op *op, int *at)
{
	bool loop = op->kind <= OP_MAY_GOTO, left = false, exact = j->exact;
	int off = op->kind == OP_IRQ ? IRQ_OFF : iter_off(op);
	int walked = j->walked, walk_level = j->walk_level;
	struct model inner = *m;

	if (op->kind == OP_IRQ || op->kind == OP_ITER) {
		if (op->d.base != BASE_FP || op->d.flags || op->d.off != off ||
		    j->sections & (1 << (op->kind - OP_IF)))
			give_up(j);
	}
	j->walked = 0;
	if (op->kind == OP_ITER && op->size) {
		int over = model_find(m, &op->m);

		if (over == NO_INST)
			convict(j, false);
		else if (over >= 0 && exact && type_referenced(m->inst[over].type))
			j->walked = m->inst[over].group;
		j->walk_level = m->level + 1;
	}
	/* Other rounds may come with more than the model knows of. */
	j->exact &= !loop;
	j->tested |= loop;
	j->merged |= loop;
	j->sections |= 1 << (op->kind - OP_IF);
	inner.level++;
	if (loop) {
		inner.loop_level = inner.level;
		for (int i = 0; i < 2; i++)
			if (ptr_referenced(inner.ptr[i].kind) && !ptr_owns(m, &inner.ptr[i]))
				give_up(j);
			else if (!ptr_owns(m, &inner.ptr[i]))
				inner.ptr[i] = (struct ptr){ .inst = NO_INST };
	} else {
		inner.atomic = true;
	}
	judge_inner(j, &inner, at, &left);
	if (left)
		give_up(j);
	j->walked = walked;
	j->walk_level = walk_level;
	j->sections &= ~(1 << (op->kind - OP_IF));
	model_merge(m, &inner);
	if (loses(m, &inner))
		give_up(j);
}

/* What is passed to a function that is called: see gen_call(). */
static bool arguments_legal(const struct judge *j, const struct model *m, const struct op *op,
			    int kind)
{
	const struct ptr *ptr = &m->ptr[op->m.base == BASE_P1];
	int d = model_find(m, &op->d);

	switch (kind) {
	case FUNC_GLOBAL_DYNPTR:
		return !j->sections && d != NO_INST &&
		       (model_type(m, d) == DYN_LOCAL || model_type(m, d) == DYN_HEAP);
	case FUNC_GLOBAL_CTX:
		return !j->sections && has_context(m);
	case FUNC_GLOBAL_MEM:
		return !j->sections && (op->m.base == BASE_P0 || op->m.base == BASE_P1) &&
		       !op->m.off && !op->m.flags && !ptr->maybe_null && ptr->size >= 8 &&
		       (ptr->kind == PTR_MEM || ptr->kind == PTR_VALUE);
	case FUNC_DRAIN:
		if (op->size)
			return false;
	}
	return op->m.base == BASE_FP && !op->m.off && !op->m.flags;
}

static void judge_call(struct judge *j, struct model *m, const struct op *op)
{
	struct judge inner = *j;
	const struct func *f;
	struct model callee;
	bool left = false;
	int at = 0;

	if (op->a <= j->func || op->a >= j->p->funcs)
		return;
	f = &j->p->func[op->a];
	callee = model_entry(m, f->kind, op);
	/* P0 is an argument. */
	if (!arguments_legal(j, m, op, f->kind) || f->ret == 2 ||
	    (j->p->no_perfmon && !m->ptr[0].kind)) {
		give_up(j);
		return;
	}
	inner.func = op->a;
	inner.walked = 0;
	inner.exact &= f->kind == FUNC_STATIC;
	if (f->kind != FUNC_STATIC)
		inner.sections = 0;
	judge_ops(&inner, &callee, &at, &left);
	if (!left)
		judge_exit(&inner, &callee);
	j->legal = inner.legal;
	j->illegal = inner.illegal;
	j->exact = false;
	for (int i = 0; i < m->insts && f->kind <= FUNC_EACH; i++)
		if (m->inst[i].live && !m->inst[i].caller && !callee.inst[i].live)
			model_kill(m, i);
	if (f->kind == FUNC_GLOBAL_CTX)
		model_apply(m, &(struct op){ .kind = OP_SKB_PULL });
}

/* What the verifier asks for and the model does not. */
static bool beyond_model(const struct model *m, const struct op *op)
{
	const struct ptr *ptr = &m->ptr[op->kind == OP_MOVE ? !op->reg : op->reg];
	bool stack = op->m.base == BASE_FP || op->m.base == BASE_CALLER;

	switch (op->kind) {
	/* An address of a value is one inside of it. */
	case OP_STACK_PTR:
		return (op->d.base == BASE_VAL && (op->d.off < 0 || op->d.off >= VAL_SIZE)) ||
		       (op->d.base == BASE_HEAP && (op->d.off < 0 || op->d.off >= HEAP_VALUE));
	case OP_RESERVE:
		return op->a < 0;
	case OP_SKB_STORE:
		return op->flags & OP_VAR_A;
	/* Without CAP_PERFMON, what is gone or was never written may not even be copied. */
	case OP_SPILL:
	case OP_MOVE:
		return m->p->no_perfmon && !ptr->kind;
	case OP_SLICE:
	case OP_SLICE_RDWR:
		return m->p->no_perfmon && stack && op->m.off >= BUFFER_OFF + BUFFER_SIZE - op->a;
	}
	return false;
}

static void judge_simple(struct judge *j, struct model *m, const struct op *op, bool *left)
{
	if (m->insts == MAX_INSTS || beyond_model(m, op)) {
		give_up(j);
	} else if (releases_walked(j, m, op)) {
		j->illegal |= j->legal;
		j->legal = false;
	} else if (model_legal(m, op)) {
		model_apply(m, op);
	} else {
		convict(j, surely_wrong(j, m, op));
	}
	if (op->kind == OP_THROW)
		*left = true;
}

/*
 * The operations from @at up to the end of their block, or an OP_ELSE, which *@at is behind then;
 * whether they go on being legal.
 */
static bool judge_ops(struct judge *j, struct model *m, int *at, bool *left)
{
	const struct op *op;

	while (j->legal && (op = op_at(j, *at))) {
		++*at;
		/* What follows is left out, but for blocks: find the end. */
		if (*left && op->kind != OP_END && op->kind != OP_ELSE) {
			give_up(j);
			break;
		}
		switch (op->kind) {
		case OP_END:
		case OP_ELSE:
			if (m->level || j->func)
				return true;
			give_up(j);
			break;
		case OP_EXIT:
			judge_exit(j, m);
			*left = true;
			break;
		case OP_CALL:
			judge_call(j, m, op);
			break;
		case OP_IF:
			if (op->a <= IF_ABOVE)
				judge_scalar_if(j, m, at, left);
			else
				judge_null_if(j, m, op, at, left);
			break;
		default:
			if (is_block(op->kind))
				judge_section(j, m, op, at);
			else
				judge_simple(j, m, op, left);
		}
	}
	return j->legal;
}

enum judgement heap_judge(const struct program *p)
{
	struct judge j = { .p = p, .legal = true, .exact = true };
	struct model m = { .p = p, .func = FUNC_MAIN, .skb = p->kind == PROG_QDISC };
	bool left = false;
	int at = 0;

	if (p->tweak || p->no_init)
		return JUDGED_UNKNOWN;
	for (int i = 0; i < 2; i++) {
		m.ptr[i].inst = NO_INST;
		m.spill[i].inst = NO_INST;
	}
	judge_ops(&j, &m, &at, &left);
	if (j.legal && !left)
		judge_exit(&j, &m);
	/* A qdisc's list must still be in P1 when its packet is dropped. */
	if (p->kind == PROG_QDISC)
		give_up(&j);
	return j.illegal ? JUDGED_ILLEGAL : j.legal ? JUDGED_LEGAL : JUDGED_UNKNOWN;
}

/* What the model does not count: that the verifier, a stack or the compiler has had enough. */
static const char *const limits[] = {
	"The sequence of", "BPF program is too large", "combined stack size", "infinite loop",
	"too complex", "too many", "program requires BPF JIT compiler",
};

/* Bits of enum wrong: the verdict, an errno or 0, against the judge's. */
__u32 heap_check_verdict(const struct program *p, int verdict, const char *log)
{
	enum judgement judgement = heap_judge(p);

	if (judgement == JUDGED_ILLEGAL)
		return verdict ? 0 : 1u << WRONG_ACCEPTED;
	/* Or the log was too short. */
	if (judgement != JUDGED_LEGAL || !verdict || verdict == ENOSPC)
		return 0;
	for (size_t i = 0; i < COUNT(limits); i++)
		if (strstr(log, limits[i]))
			return 0;
	return 1u << WRONG_REFUSED;
}
