// SPDX-License-Identifier: GPL-2.0
/*
 * What is known of a program from its operations alone: whether the result of a run means
 * something, and whether it may be run at all.
 *
 * A privileged program may read stack bytes that were never written, spilled pointers, and kernel
 * objects. Such a result is not the same in two loads, even of the same code: it is not compared.
 * And a slice of a packet with fragments is a buffer of the program's own stack, which it may
 * write while the verifier believes that a spilled pointer or dynptr is there (suspect L1 of the
 * project's notes, a bug of stock C): programs that could do so are loaded but never run.
 *
 * Nor are tracing programs that call bpf_throw(): stock C crashes. With 64 bytes of stack or more
 * they have a private stack, the JIT saves its pointer around each call, and the way out of the
 * exception, which does not know of it, gives the caller wrong registers.
 *
 * Nor are programs that keep a pointer into a packet with fragments while something moves the
 * packet that stock C does not count as such: bpf_dynptr_memset() and the like, and
 * bpf_dynptr_write() in a global function. It takes the pointer for valid; the memory is freed.
 */
#include "insn.h"

static bool on_stack(const struct opnd *o)
{
	return o->base == BASE_FP || o->base == BASE_CALLER;
}

static bool in_pointer(const struct opnd *o)
{
	return o->base == BASE_P0 || o->base == BASE_P1;
}

/* Whether [off, off + size) is within the buffer, for certain. */
static bool in_buffer(const struct opnd *o, int size)
{
	return !(o->flags & OPND_VAR) && o->off >= BUFFER_OFF && size >= 0 &&
	       o->off + size <= BUFFER_OFF + BUFFER_SIZE;
}

/* Whether what @op puts at d meets [off, off + size). */
static bool meets(const struct op *op, int off, int size)
{
	int taken = (is_constructor(op->kind) ? 16 : op->kind == OP_ITER ? iter_bytes(op) : 8) +
		    (op->d.flags & OPND_VAR ? 8 : 0);

	return op->d.off < off + size && op->d.off + taken > off;
}

/* Operations that leave something in the slot d that is not data. */
static bool occupies(const struct op *op)
{
	return is_constructor(op->kind) || op->kind == OP_SPILL || op->kind == OP_ITER ||
	       op->kind == OP_IRQ;
}

/* Operations that read or write the memory m, of a bytes. */
static bool uses_memory(const struct op *op)
{
	switch (op->kind) {
	case OP_FROM_MEM:
	case OP_READ:
	case OP_WRITE:
	case OP_SLICE:
	case OP_SLICE_RDWR:
	case OP_OUTPUT:
	case OP_LOOKUP:
	case OP_UPDATE:
	case OP_SKB_STORE:
	case OP_HEAP_LOOKUP:
	case OP_HEAP_UPDATE:
		return true;
	}
	return op->kind >= OP_PROBE_USER && op->kind <= OP_COPY_TASK_STR;
}

static int memory_size(const struct op *op)
{
	switch (op->kind) {
	case OP_LOOKUP:
	case OP_HEAP_LOOKUP:
		return 4;
	case OP_UPDATE:
		return 16;
	case OP_HEAP_UPDATE:
		return HEAP_VALUE;
	}
	return op->a;
}

static bool has(const struct program *p, int kind)
{
	for (int i = 0; i < p->funcs; i++)
		for (int j = 0; j < p->func[i].count; j++)
			if (p->func[i].ops[j].kind == kind)
				return true;
	return false;
}

/* Whether P0 or P1 may point to something of the kernel. */
static bool holds_objects(const struct program *p, const struct op *op)
{
	if (has(p, OP_GET_FILE) || p->kind >= PROG_LSM)
		return true;
	if (op->kind != OP_PROBE_KERNEL && op->kind != OP_PROBE_KERNEL_STR)
		return false;
	for (int i = 0; i < p->funcs; i++)
		if (p->func[i].kind == FUNC_DRAIN || p->func[i].kind == FUNC_GLOBAL_DYNPTR)
			return true;
	return false;
}

static bool op_leaks(const struct program *p, const struct op *op)
{
	if (occupies(op) && (!on_stack(&op->d) || meets(op, BUFFER_OFF, BUFFER_SIZE)))
		return true;
	if (uses_memory(op)) {
		if (on_stack(&op->m) && !in_buffer(&op->m, memory_size(op)))
			return true;
		if (op->m.base == BASE_CTX || op->m.base == BASE_MAP)
			return true;
		if (in_pointer(&op->m) && holds_objects(p, op))
			return true;
	}
	if (op->kind == OP_STACK_LOAD && !(on_stack(&op->d) && in_buffer(&op->d, op->size)))
		return true;
	if (op->kind == OP_FILL && (op->d.base != BASE_FP || op->d.flags ||
				    (op->d.off != SPILL_OFF(0) && op->d.off != SPILL_OFF(1))))
		return true;
	if (op->kind == OP_LOAD && holds_objects(p, op))
		return true;
	if (op->kind == OP_CALL && (op->m.base != BASE_FP || op->m.off || op->m.flags))
		return true;
	return op->kind == OP_STACK_PTR;
}

/* Whether a slice's own buffer, [off, off + size) of some frame, can hold more than data. */
static bool buffer_occupied(const struct program *p, const struct op *slice)
{
	int size = slice->a > 0 && slice->a < 512 ? slice->a : 512;

	if (slice->m.base == BASE_NULL || slice->m.base == BASE_VAL)
		return false;
	if (slice->m.flags || has(p, OP_STACK_PTR))
		return true;
	for (int i = 0; i < p->funcs; i++)
		for (int j = 0; j < p->func[i].count; j++) {
			const struct op *op = &p->func[i].ops[j];

			if (occupies(op) && (!on_stack(&op->d) || meets(op, slice->m.off, size)))
				return true;
			if (op->kind == OP_CALL && (op->m.off || op->m.flags))
				return true;
		}
	return false;
}

/* Whether a pointer into the packet may be stale although the verifier knows nothing of it. */
static bool packet_may_move(const struct program *p)
{
	bool moves = has(p, OP_COPY) || has(p, OP_MEMSET);

	if (p->kind != PROG_CLS || !p->frags)
		return false;
	for (int kind = OP_PROBE_USER; kind <= OP_COPY_TASK_STR; kind++)
		moves |= has(p, kind);
	for (int i = 0; i < p->funcs; i++)
		moves |= p->func[i].kind >= FUNC_GLOBAL_DYNPTR && has(p, OP_WRITE);
	return moves && (has(p, OP_SLICE) || has(p, OP_SLICE_RDWR) || has(p, OP_PACKET));
}

/* Exceptions out of a private stack. */
static bool throws_from_private_stack(const struct program *p)
{
	return has(p, OP_THROW) && (p->kind == PROG_RAW_TP || p->kind >= PROG_LSM);
}

void survey(const struct program *p, struct image *image)
{
	image->leaky = p->no_init && !p->no_perfmon;
	image->no_run = p->tweak || throws_from_private_stack(p) || packet_may_move(p);
	image->pure = heap_mode && !p->tweak && !has(p, OP_ACQUIRE) && !has(p, OP_ADJUST);
	image->rings = false;
	image->user_ring = false;
	image->reaches = p->funcs > 1 && has(p, OP_STACK_PTR);
	for (int i = 0; i < p->funcs; i++) {
		image->user_ring |= p->func[i].kind == FUNC_DRAIN;
		for (int j = 0; j < p->func[i].count; j++) {
			const struct op *op = &p->func[i].ops[j];

			image->pure &= op->kind != OP_DETACH || (op->flags & OP_CHECK);
			image->reaches |= i && (op->d.base == BASE_CALLER ||
						op->m.base == BASE_CALLER);
			image->leaky |= !p->no_perfmon && op_leaks(p, op);
			image->no_run |= op->kind == OP_SLICE_RDWR && buffer_occupied(p, op);
			image->rings |= op->kind == OP_RESERVE_DYNPTR || op->kind == OP_RESERVE ||
					op->kind == OP_OUTPUT;
		}
	}
}
