// SPDX-License-Identifier: GPL-2.0
/* What an operation changes: see model.h. What is legal is in legal.c. */
#include <string.h>

#include "model.h"

/* Whether r6 is the context here. */
bool has_context(const struct model *m)
{
	return m->func == FUNC_MAIN || m->func == FUNC_GLOBAL_CTX;
}

/* Whether r6 is the caller's frame here. */
bool has_caller(const struct model *m)
{
	return m->func >= FUNC_STATIC && m->func <= FUNC_EACH;
}

bool type_referenced(int type)
{
	return type == DYN_RINGBUF || type == DYN_FILE || type == DYN_HEAP;
}

/* The dynptr that starts exactly at @o, CONST_INST for a callback's, or NO_INST. */
int model_find(const struct model *m, const struct opnd *o)
{
	bool caller = o->base == BASE_CALLER && has_caller(m);
	int off = o->off;

	if (o->flags & OPND_VAR)
		return NO_INST;
	if (o->base == BASE_P0 || o->base == BASE_P1) {
		const struct ptr *ptr = &m->ptr[o->base - BASE_P0];

		if (ptr->kind == PTR_CONST_DYNPTR)
			return off ? NO_INST : CONST_INST;
		if (ptr->kind != PTR_STACK)
			return NO_INST;
		off += ptr->size;
	} else if (o->base != BASE_FP && !caller) {
		return NO_INST;
	}
	for (int i = 0; i < m->insts; i++)
		if (m->inst[i].live && m->inst[i].caller == caller && m->inst[i].off == off)
			return i;
	return NO_INST;
}

int model_type(const struct model *m, int inst)
{
	return inst == CONST_INST ? DYN_LOCAL : inst < 0 ? DYN_NONE : m->inst[inst].type;
}

/* Whether a pointer of @kind is a reference. */
bool ptr_referenced(int kind)
{
	return kind == PTR_RECORD || kind == PTR_FILE || kind == PTR_HEAP;
}

/* Whether @ptr holds the only copy of a reference. */
bool ptr_owns(const struct model *m, const struct ptr *ptr)
{
	int copies = 0;

	if (!ptr_referenced(ptr->kind))
		return false;
	for (int i = 0; i < 2; i++) {
		copies += m->ptr[i].kind == ptr->kind && m->ptr[i].id == ptr->id;
		copies += m->spill[i].kind == ptr->kind && m->spill[i].id == ptr->id;
	}
	return copies < 2;
}

/* Whether this function holds a reference acquired at @level or deeper. */
bool model_holds(const struct model *m, int level)
{
	for (int i = 0; i < m->insts; i++)
		if (m->inst[i].live && !m->inst[i].caller && m->inst[i].level >= level &&
		    type_referenced(m->inst[i].type))
			return true;
	for (int i = 0; i < 2; i++)
		if (ptr_referenced(m->ptr[i].kind) && m->ptr[i].level >= level)
			return true;
	return !level && m->skb;
}

static int group_size(const struct model *m, int group)
{
	int size = 0;

	for (int i = 0; i < m->insts; i++)
		size += m->inst[i].live && m->inst[i].group == group;
	return size;
}

static bool covers(const struct inst *inst, bool caller, int off, int size)
{
	return inst->live && inst->caller == caller && inst->off < off + size &&
	       inst->off + 16 > off;
}

/* Whether all dynptrs of @group, which is a reference, have bytes there. */
static bool covers_group(const struct model *m, int group, bool caller, int off, int size)
{
	int covered = 0;

	for (int i = 0; i < m->insts; i++)
		covered += m->inst[i].group == group && covers(&m->inst[i], caller, off, size);
	return covered == group_size(m, group);
}

/* Whether bytes may be written there: no last dynptr of a reference, nothing a loop needs. */
bool model_may_overwrite(const struct model *m, bool caller, int off, int size)
{
	if (off < BUFFER_OFF || off + size > 0)
		return false;
	for (int i = 0; i < m->insts; i++) {
		const struct inst *inst = &m->inst[i];

		if (!covers(inst, caller, off, size))
			continue;
		if (type_referenced(inst->type) &&
		    covers_group(m, inst->group, caller, off, size))
			return false;
		if (inst->level < m->loop_level)
			return false;
		if (heap_mode && type_referenced(inst->type) && inst->level < m->level)
			return false;
	}
	return true;
}

static void kill_slices(struct ptr *ptr, int inst)
{
	if (ptr->inst == inst && ptr->kind != PTR_NONE)
		*ptr = (struct ptr){ .inst = NO_INST };
}

/* The dynptr and its slices are gone. */
void model_kill(struct model *m, int inst)
{
	m->inst[inst].live = false;
	for (int i = 0; i < 2; i++) {
		kill_slices(&m->ptr[i], inst);
		kill_slices(&m->spill[i], inst);
	}
}

void model_kill_group(struct model *m, int group)
{
	for (int i = 0; i < m->insts; i++)
		if (m->inst[i].live && m->inst[i].group == group)
			model_kill(m, i);
}

static void kill_type(struct model *m, int type)
{
	for (int i = 0; i < m->insts; i++)
		if (m->inst[i].live && m->inst[i].type == type)
			model_kill(m, i);
}

static void kill_packet(struct model *m)
{
	for (int i = 0; i < 2; i++) {
		if (m->ptr[i].packet)
			m->ptr[i] = (struct ptr){ .inst = NO_INST };
		if (m->spill[i].packet)
			m->spill[i] = (struct ptr){ .inst = NO_INST };
	}
}

/* All copies of a pointer. */
void model_kill_pointer(struct model *m, const struct ptr *ptr)
{
	int kind = ptr->kind, id = ptr->id;

	for (int i = 0; i < 2; i++) {
		if (m->ptr[i].kind == kind && m->ptr[i].id == id)
			m->ptr[i] = (struct ptr){ .inst = NO_INST };
		if (m->spill[i].kind == kind && m->spill[i].id == id)
			m->spill[i] = (struct ptr){ .inst = NO_INST };
	}
}

static void overwrite(struct model *m, const struct opnd *o, int size)
{
	bool caller = o->base == BASE_CALLER && has_caller(m);

	if (o->base != BASE_FP && !caller)
		return;
	if (o->flags & OPND_VAR)
		size += 8;
	for (int i = 0; i < m->insts; i++)
		if (covers(&m->inst[i], caller, o->off, size))
			model_kill(m, i);
	for (int i = 0; i < 2 && !caller; i++)
		if (SPILL_OFF(i) < o->off + size && SPILL_OFF(i) + 8 > o->off)
			m->spill[i] = (struct ptr){ .inst = NO_INST };
}

void model_construct(struct model *m, const struct opnd *o, int type, int group)
{
	overwrite(m, o, 16);
	if (m->insts == MAX_INSTS || (o->base != BASE_FP && o->base != BASE_CALLER))
		return;
	m->inst[m->insts++] = (struct inst){
		.type = type, .group = group ? group : ++m->groups, .level = m->level,
		.caller = o->base == BASE_CALLER, .live = true, .off = o->off,
	};
}

void model_set_ptr(struct model *m, const struct op *op, int kind, int size, int inst)
{
	int type = model_type(m, inst);

	m->ptr[op->reg] = (struct ptr){
		.kind = kind, .level = m->level, .id = ++m->ids, .maybe_null = true,
		.packet = kind == PTR_PACKET ||
			  (op->kind != OP_DATA && type >= DYN_SKB && type <= DYN_META),
		.inst = inst, .size = size,
	};
}

/* A clone at @o of the dynptr @d. */
static void clone(struct model *m, const struct opnd *o, int d)
{
	int level = d < 0 ? m->level : m->inst[d].level;
	int count;

	model_construct(m, o, model_type(m, d), d < 0 ? 0 : m->inst[d].group);
	/* It is as old as its group: who releases it releases the group. */
	count = m->insts;
	if (heap_mode && count && m->inst[count - 1].off == o->off)
		m->inst[count - 1].level = level;
}

static void apply_call(struct model *m, const struct op *op)
{
	int d = model_find(m, &op->d), type = model_type(m, d);

	switch (op->kind) {
	case OP_FROM_MEM:
		model_construct(m, &op->d, DYN_LOCAL, 0);
		break;
	case OP_RESERVE_DYNPTR:
		model_construct(m, &op->d, DYN_RINGBUF, 0);
		break;
	case OP_FROM_SKB:
	case OP_FROM_XDP:
	case OP_FROM_META:
	case OP_FROM_FILE:
		model_construct(m, &op->d, DYN_SKB + op->kind - OP_FROM_SKB, 0);
		break;
	case OP_CLONE:
		d = model_find(m, &op->m);
		if (d != NO_INST)
			clone(m, &op->d, d);
		break;
	case OP_SUBMIT_DYNPTR:
	case OP_DISCARD_DYNPTR:
	case OP_FILE_DISCARD:
		if (d >= 0)
			model_kill_group(m, m->inst[d].group);
		break;
	case OP_READ:
		overwrite(m, &op->m, op->a);
		break;
	case OP_WRITE:
		if (type == DYN_SKB || type == DYN_META)
			kill_packet(m);
		break;
	case OP_DATA:
	case OP_SLICE_RDWR:
		model_set_ptr(m, op, PTR_MEM, op->a, d);
		break;
	case OP_SLICE:
		model_set_ptr(m, op, PTR_RDONLY, op->a, d);
		break;
	case OP_RESERVE:
		model_set_ptr(m, op, PTR_RECORD, op->a, NO_INST);
		break;
	case OP_LOOKUP:
		model_set_ptr(m, op, PTR_VALUE, 16, NO_INST);
		break;
	case OP_GET_FILE:
		model_set_ptr(m, op, PTR_FILE, 0, NO_INST);
		break;
	case OP_SUBMIT:
	case OP_DISCARD:
	case OP_PUT_FILE:
		model_kill_pointer(m, &m->ptr[op->reg]);
		break;
	case OP_SKB_PULL:
	case OP_SKB_TAIL:
	case OP_SKB_STORE:
	case OP_XDP_HEAD:
	case OP_XDP_TAIL:
	case OP_XDP_META:
		kill_packet(m);
		break;
	case OP_QDISC_DROP:
	case OP_FREE_SKB:
		m->skb = false;
		kill_type(m, DYN_SKB);
		break;
	}
}

void model_apply(struct model *m, const struct op *op)
{
	int slot = op->d.off == SPILL_OFF(1);
	struct ptr *ptr = &m->ptr[op->reg];

	switch (op->kind) {
	case OP_ADD:
		ptr->size -= op->a;
		if (ptr->kind == PTR_RECORD)
			ptr->kind = PTR_MEM;
		break;
	case OP_MOVE:
		*ptr = m->ptr[!op->reg];
		break;
	case OP_ZERO:
		*ptr = (struct ptr){ .inst = NO_INST };
		break;
	case OP_SPILL:
		overwrite(m, &op->d, 8);
		m->spill[slot] = *ptr;
		break;
	case OP_FILL:
		*ptr = m->spill[slot];
		break;
	case OP_STACK_PTR:
		*ptr = (struct ptr){
			.kind = PTR_STACK, .level = m->level, .inst = NO_INST, .size = op->d.off,
		};
		break;
	case OP_PACKET:
		model_set_ptr(m, op, PTR_PACKET, op->a, NO_INST);
		break;
	case OP_STACK_STORE:
	case OP_STACK_STORE_REG:
		overwrite(m, &op->d, op->size);
		break;
	default:
		if (op->kind < OP_CALLS_END)
			apply_call(m, op);
		else if (op->kind >= OP_HEAP)
			heap_apply(m, op);
	}
}

void model_merge(struct model *m, const struct model *other)
{
	for (int i = 0; i < m->insts; i++)
		if (m->inst[i].live && (i >= other->insts || !other->inst[i].live))
			model_kill(m, i);
	for (int i = 0; i < 2; i++) {
		if (memcmp(&m->ptr[i], &other->ptr[i], sizeof(m->ptr[i])))
			m->ptr[i] = (struct ptr){ .inst = NO_INST };
		if (memcmp(&m->spill[i], &other->spill[i], sizeof(m->spill[i])))
			m->spill[i] = (struct ptr){ .inst = NO_INST };
	}
	m->skb &= other->skb;
}

struct model model_entry(const struct model *m, int kind, const struct op *call)
{
	struct model callee = { .p = m->p, .func = kind, .ids = m->ids, .groups = m->groups };

	for (int i = 0; i < 2; i++) {
		callee.ptr[i].inst = NO_INST;
		callee.spill[i].inst = NO_INST;
	}
	callee.atomic = m->atomic;
	callee.level = kind == FUNC_STATIC ? m->level : m->level + 1;
	callee.loop_level = kind == FUNC_STATIC ? m->loop_level : callee.level;
	if (kind <= FUNC_EACH) {
		callee.insts = m->insts;
		memcpy(callee.inst, m->inst, sizeof(callee.inst));
		for (int i = 0; i < m->insts; i++) {
			callee.inst[i].live &= !m->inst[i].caller;
			callee.inst[i].caller = true;
		}
	}
	if (kind == FUNC_DRAIN || kind == FUNC_GLOBAL_DYNPTR)
		callee.ptr[1].kind = PTR_CONST_DYNPTR;
	if (kind == FUNC_EACH || kind == FUNC_GLOBAL_MEM)
		callee.ptr[0] = (struct ptr){
			.kind = PTR_VALUE, .size = kind == FUNC_EACH ? 16 : 8, .inst = NO_INST,
			.maybe_null = kind == FUNC_GLOBAL_MEM,
		};
	if (kind == FUNC_EACH && each_map(call) != MAP_ARR) {
		callee.ptr[0].kind = PTR_HEAP_VALUE;
		callee.ptr[0].size = HEAP_FIELD(0);
	}
	return callee;
}
