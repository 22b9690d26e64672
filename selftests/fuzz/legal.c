// SPDX-License-Identifier: GPL-2.0
/* What is legal at a point of a program: see model.h. */
#include "model.h"

static bool kind_in(const struct model *m, unsigned int kinds)
{
	return kinds & (1u << m->p->kind);
}

#define KIND(kind) (1u << PROG_##kind)
#define KINDS_LSM (KIND(LSM) | KIND(LSM_SLEEP))
#define KINDS_SLEEP (KIND(SYSCALL) | KIND(LSM_SLEEP))
#define KINDS_SKB (KIND(CLS) | KIND(CGROUP_SKB) | KIND(SOCKET) | KIND(QDISC))

/* Whether @size bytes at @o may be read or written by a call or an access. */
bool memory_legal(const struct model *m, const struct opnd *o, int size, bool write)
{
	bool caller = o->base == BASE_CALLER && has_caller(m);
	const struct ptr *ptr;

	if (size < 0 || o->off < BUFFER_OFF || (o->flags & OPND_VAR))
		return false;
	if (o->base == BASE_HEAP)
		return o->off >= 0 && o->off + size <= HEAP_FIELD(0);
	if (o->base == BASE_VAL)
		return o->off >= 0 && o->off + size <= VAL_SIZE;
	if (o->base == BASE_FP || caller) {
		if (o->off >= BUFFER_OFF && o->off + size <= BUFFER_OFF + BUFFER_SIZE)
			return true;
		return write && model_may_overwrite(m, caller, o->off, size);
	}
	if (o->base != BASE_P0 && o->base != BASE_P1)
		return false;
	ptr = &m->ptr[o->base - BASE_P0];
	if (ptr->maybe_null || o->off < 0 || o->off + size > ptr->size)
		return false;
	switch (ptr->kind) {
	case PTR_MEM:
	case PTR_RECORD:
	case PTR_VALUE:
	case PTR_HEAP_VALUE:
		return true;
	case PTR_PACKET:
		return kind_in(m, KIND(CLS) | KIND(XDP));
	case PTR_RDONLY:
		return !write;
	}
	return false;
}

/* Whether a dynptr may be made at @o. */
bool target_legal(const struct model *m, const struct opnd *o)
{
	return o->base == BASE_FP && !o->flags && !(o->off & 7) && o->off <= -16 &&
	       o->off >= SLOT_OFF(SLOTS - 1) && model_may_overwrite(m, false, o->off, 16);
}

/* The pointer register may be given another value. */
bool free_reg(const struct model *m, const struct op *op)
{
	return !ptr_owns(m, &m->ptr[op->reg]);
}

/* The release of what @op names is this block's business. */
bool release_legal(const struct model *m, const struct op *op, int type)
{
	int d = model_find(m, &op->d);

	return d >= 0 && m->inst[d].type == type && m->inst[d].level == m->level &&
	       (!m->inst[d].caller || m->func == FUNC_STATIC);
}

static bool construct_legal(const struct model *m, const struct op *op)
{
	static const unsigned int kinds[] = {
		[OP_FROM_SKB] = KINDS_SKB, [OP_FROM_XDP] = KIND(XDP), [OP_FROM_META] = KIND(CLS),
		[OP_FROM_FILE] = KINDS_LSM,
	};
	const struct ptr *ptr = &m->ptr[op->m.base == BASE_P1];

	if (!target_legal(m, &op->d))
		return false;
	switch (op->kind) {
	case OP_FROM_MEM:
		return op->m.base == BASE_VAL && memory_legal(m, &op->m, op->a, true);
	case OP_RESERVE_DYNPTR:
		return op->size < 2;
	case OP_CLONE:
		return model_find(m, &op->m) != NO_INST;
	case OP_FROM_FILE:
		if (op->m.base == BASE_P0 || op->m.base == BASE_P1)
			return ptr->kind == PTR_FILE && !ptr->maybe_null;
	}
	return kind_in(m, kinds[op->kind]) && op->m.base == BASE_CTX && !op->m.off &&
	       !op->m.flags && has_context(m) && (m->skb || m->p->kind != PROG_QDISC);
}

/* Operations on a dynptr that is there. */
static bool use_legal(const struct model *m, const struct op *op)
{
	bool perfmon = !m->p->no_perfmon;

	if (model_find(m, &op->d) == NO_INST)
		return false;
	switch (op->kind) {
	case OP_READ:
		/* Of memory whose size is not certain, the verifier wants to know the contents. */
		return memory_legal(m, &op->m, op->a, !(op->flags & OP_VAR_A));
	case OP_WRITE:
		return memory_legal(m, &op->m, op->a, false);
	case OP_DATA:
		return free_reg(m, op) && !(op->flags & OP_VAR_A) && op->a >= 0;
	case OP_SLICE_RDWR:
		if (!kind_in(m, KIND(CLS) | KIND(XDP)))
			return false;
		__attribute__((fallthrough));
	case OP_SLICE:
		return free_reg(m, op) && !(op->flags & OP_VAR_A) && op->a >= 0 &&
		       (op->m.base == BASE_NULL || memory_legal(m, &op->m, op->a, false));
	case OP_COPY:
		return model_find(m, &op->m) != NO_INST;
	case OP_PROBE_USER:
	case OP_PROBE_KERNEL:
	case OP_PROBE_USER_STR:
	case OP_PROBE_KERNEL_STR:
		return perfmon;
	case OP_COPY_USER:
	case OP_COPY_USER_STR:
	case OP_COPY_TASK:
	case OP_COPY_TASK_STR:
		return perfmon && kind_in(m, KINDS_SLEEP) && !m->atomic;
	}
	return true;
}

static bool call_legal(const struct model *m, const struct op *op)
{
	const struct ptr *ptr = &m->ptr[op->reg];

	switch (op->kind) {
	case OP_SUBMIT_DYNPTR:
	case OP_DISCARD_DYNPTR:
		return release_legal(m, op, DYN_RINGBUF);
	case OP_FILE_DISCARD:
		return release_legal(m, op, DYN_FILE);
	case OP_RESERVE:
		return free_reg(m, op) && op->size < 2 && !(op->flags & OP_VAR_A);
	case OP_SUBMIT:
	case OP_DISCARD:
		return ptr->kind == PTR_RECORD && !ptr->maybe_null && ptr->level == m->level;
	case OP_OUTPUT:
		return op->size < 2 && memory_legal(m, &op->m, op->a, false);
	case OP_QUERY:
		return op->size < 2;
	case OP_LOOKUP:
		return free_reg(m, op) && memory_legal(m, &op->m, 4, false);
	case OP_UPDATE:
		return memory_legal(m, &op->m, 16, false);
	case OP_TAIL_CALL:
	case OP_THROW:
		return m->func == FUNC_MAIN && !model_holds(m, 0) && !m->loop_level && !m->atomic;
	case OP_GET_FILE:
		return kind_in(m, KINDS_LSM) && free_reg(m, op);
	case OP_PUT_FILE:
		for (int i = 0; i < m->insts; i++)
			if (m->inst[i].live && m->inst[i].type == DYN_FILE)
				return false;
		return ptr->kind == PTR_FILE && !ptr->maybe_null && ptr->level == m->level;
	case OP_SKB_PULL:
	case OP_SKB_TAIL:
		return kind_in(m, KIND(CLS)) && has_context(m);
	case OP_SKB_STORE:
		return kind_in(m, KIND(CLS)) && has_context(m) &&
		       memory_legal(m, &op->m, op->a, false);
	case OP_XDP_HEAD:
	case OP_XDP_TAIL:
	case OP_XDP_META:
		return kind_in(m, KIND(XDP)) && has_context(m);
	case OP_QDISC_DROP:
	case OP_FREE_SKB:
		return m->skb && !m->level && m->func == FUNC_MAIN;
	}
	return true;
}

static bool load_legal(const struct model *m, const struct op *op, bool write)
{
	struct opnd o = { .base = BASE_P0 + op->reg, .off = op->a };
	const struct ptr *ptr = &m->ptr[op->reg];

	/* Its size. */
	if (ptr->kind == PTR_HEAP)
		return !write && !m->p->no_perfmon && !ptr->maybe_null && !op->a && op->size == 4;

	return memory_legal(m, &o, op->size, write);
}

static bool stack_legal(const struct model *m, const struct op *op)
{
	bool caller = op->d.base == BASE_CALLER && has_caller(m);
	int size = op->size;

	if (op->d.base != BASE_FP && !caller)
		return false;
	if (op->d.flags & OPND_VAR) {
		if (m->p->no_perfmon)
			return false;
		size += 8;
	}
	if (op->kind == OP_STACK_LOAD)
		return op->d.off >= BUFFER_OFF && op->d.off + size <= BUFFER_OFF + BUFFER_SIZE;
	return model_may_overwrite(m, caller, op->d.off, size);
}

static bool spill_slot(const struct opnd *o)
{
	return o->base == BASE_FP && !o->flags &&
	       (o->off == SPILL_OFF(0) || o->off == SPILL_OFF(1));
}

/* Whether the verifier should let @op pass here. */
bool model_legal(const struct model *m, const struct op *op)
{
	const struct ptr *ptr = &m->ptr[op->reg];

	switch (op->kind) {
	case OP_LOAD:
		return load_legal(m, op, false);
	case OP_STORE:
		return load_legal(m, op, true);
	case OP_ADD:
		return (ptr->kind == PTR_MEM || ptr->kind == PTR_RDONLY ||
			ptr->kind == PTR_PACKET || ptr->kind == PTR_VALUE ||
			ptr->kind == PTR_HEAP_VALUE) &&
		       !ptr->maybe_null && op->a >= 0 && op->a <= ptr->size;
	case OP_MOVE:
	case OP_ZERO:
	case OP_STACK_PTR:
		return free_reg(m, op) && (op->kind != OP_MOVE || m->ptr[!op->reg].kind);
	case OP_FILL:
		return free_reg(m, op) && spill_slot(&op->d);
	case OP_SPILL:
		return spill_slot(&op->d) && !ptr_owns(m, &m->spill[op->d.off == SPILL_OFF(1)]);
	case OP_PACKET:
		return free_reg(m, op) && has_context(m) &&
		       kind_in(m, KIND(CLS) | KIND(XDP) | KIND(CGROUP_SKB));
	case OP_STACK_STORE:
	case OP_STACK_STORE_REG:
	case OP_STACK_LOAD:
		return stack_legal(m, op);
	case OP_STORE_VAL:
	case OP_MIX:
		return true;
	}
	if (op->kind >= OP_HEAP)
		return heap_legal(m, op);
	if (op->kind <= OP_CLONE)
		return construct_legal(m, op);
	if (op->kind >= OP_READ && op->kind <= OP_COPY_TASK_STR)
		return use_legal(m, op);
	return call_legal(m, op);
}
