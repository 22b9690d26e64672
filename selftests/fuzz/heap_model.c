// SPDX-License-Identifier: GPL-2.0
/* Heap dynptrs in the model: what is legal and what it changes. */
#include "model.h"

/* The pointer register has an object, for certain, that this block may give away. */
static bool has_object(const struct model *m, int reg)
{
	const struct ptr *ptr = &m->ptr[reg];

	return ptr->kind == PTR_HEAP && !ptr->maybe_null && ptr->level == m->level;
}

/* Whether an object may be put at @o. */
static bool field_legal(const struct model *m, const struct opnd *o)
{
	const struct ptr *ptr = &m->ptr[o->base == BASE_P1];

	if (o->flags || (o->off != HEAP_FIELD(0) && o->off != HEAP_FIELD(1)))
		return false;
	if (o->base == BASE_HEAP)
		return true;
	/* Without CAP_PERFMON, nothing may be added to the address of a value with such fields. */
	return !m->p->no_perfmon && (o->base == BASE_P0 || o->base == BASE_P1) &&
	       ptr->kind == PTR_HEAP_VALUE && !ptr->maybe_null && ptr->size == HEAP_FIELD(0);
}

/* Whether the verifier should let @op, of heap dynptrs, pass here. */
bool heap_legal(const struct model *m, const struct op *op)
{
	switch (op->kind) {
	case OP_ALLOC:
		return target_legal(m, &op->d);
	case OP_ATTACH:
		return has_object(m, op->reg) && target_legal(m, &op->d);
	case OP_PUT:
		return release_legal(m, op, DYN_HEAP);
	case OP_DETACH:
		return release_legal(m, op, DYN_HEAP) && free_reg(m, op);
	case OP_ACQUIRE:
		return m->ptr[!op->reg].kind == PTR_HEAP && !m->ptr[!op->reg].maybe_null &&
		       free_reg(m, op);
	case OP_HEAP_RELEASE:
		return has_object(m, op->reg);
	case OP_XCHG:
		return field_legal(m, &op->m) &&
		       (op->c ? free_reg(m, op) : has_object(m, op->reg));
	case OP_HEAP_LOOKUP:
		return free_reg(m, op) && memory_legal(m, &op->m, 4, false);
	case OP_HEAP_UPDATE:
		return memory_legal(m, &op->m, HEAP_VALUE, false);
	}
	return true;
}

void heap_apply(struct model *m, const struct op *op)
{
	int d = model_find(m, &op->d);

	switch (op->kind) {
	case OP_ALLOC:
		model_construct(m, &op->d, DYN_HEAP, 0);
		break;
	case OP_ATTACH:
		model_kill_pointer(m, &m->ptr[op->reg]);
		model_construct(m, &op->d, DYN_HEAP, 0);
		break;
	case OP_PUT:
	case OP_DETACH:
		if (d >= 0)
			model_kill_group(m, m->inst[d].group);
		if (op->kind == OP_DETACH)
			model_set_ptr(m, op, PTR_HEAP, 0, NO_INST);
		break;
	case OP_ACQUIRE:
		model_set_ptr(m, op, PTR_HEAP, 0, NO_INST);
		break;
	case OP_HEAP_RELEASE:
		model_kill_pointer(m, &m->ptr[op->reg]);
		break;
	case OP_XCHG:
		if (!op->c)
			model_kill_pointer(m, &m->ptr[op->reg]);
		model_set_ptr(m, op, PTR_HEAP, 0, NO_INST);
		break;
	case OP_HEAP_LOOKUP:
		model_set_ptr(m, op, PTR_HEAP_VALUE, HEAP_FIELD(0), NO_INST);
		break;
	}
}
