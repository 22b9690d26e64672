// SPDX-License-Identifier: GPL-2.0
/*
 * Making a program small while something stays true of it: operations are removed in ever smaller
 * groups (delta debugging), then what is left is made plain. Any list of operations is a program
 * with valid jumps (emit.c), so nothing has to be repaired.
 *
 * The predicate gets all candidates of a round at once, because asking it once means loading and
 * unloading the module.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "ksft.h"

#define MAX_CANDIDATES 1024

static struct program *candidates;
static size_t count;

size_t program_size(const struct program *p)
{
	size_t ops = 0;

	for (int i = 0; i < p->funcs; i++)
		ops += p->func[i].count;
	return ops;
}

static void candidate(const struct program *p)
{
	if (count < MAX_CANDIDATES)
		candidates[count++] = *p;
}

/* @p without the operations [from, from + size), counted over all functions. */
static struct program without(const struct program *p, size_t from, size_t size)
{
	struct program q = *p;
	size_t at = 0;

	for (int i = 0; i < p->funcs; i++) {
		q.func[i].count = 0;
		for (int j = 0; j < p->func[i].count; j++, at++)
			if (at < from || at >= from + size)
				q.func[i].ops[q.func[i].count++] = p->func[i].ops[j];
	}
	return q;
}

/* A block without what opens and closes it. */
static void unwrap(const struct program *p)
{
	size_t base = 0;

	for (int i = 0; i < p->funcs; base += p->func[i++].count)
		for (int j = 0; j < p->func[i].count; j++) {
			struct program q;
			int depth = 1, end;

			if (!is_block(p->func[i].ops[j].kind))
				continue;
			for (end = j + 1; end < p->func[i].count && depth; end++)
				depth += is_block(p->func[i].ops[end].kind) -
					 (p->func[i].ops[end].kind == OP_END);
			if (depth)
				continue;
			q = without(p, base + end - 1, 1);
			q = without(&q, base + j, 1);
			candidate(&q);
		}
}

/* Takes the first candidate for which it holds; whether there was one. */
static bool take(struct program *p, holds_fn holds)
{
	static bool result[MAX_CANDIDATES];
	bool found = false;

	if (count)
		holds(candidates, count, result);
	for (size_t i = 0; i < count && !found; i++)
		if (result[i]) {
			*p = candidates[i];
			found = true;
		}
	ksft_print_msg("reduce: %zu candidates, %zu operations left\n", count, program_size(p));
	count = 0;
	return found;
}

/* Two operations that go only together, such as an acquisition and its release. */
static void remove_pairs(const struct program *p)
{
	size_t ops = program_size(p);

	for (size_t second = 1; second < ops; second++) {
		struct program q = without(p, second, 1);

		for (size_t first = 0; first < second; first++) {
			struct program r = without(&q, first, 1);

			candidate(&r);
		}
	}
}

/* Removes groups of operations, halving their size; at size 1 until nothing goes, nor pairs. */
static void remove_ops(struct program *p, holds_fn holds)
{
	size_t size = program_size(p) / 2;
	bool again = true;

	while (size || again) {
		size_t ops = program_size(p);

		if (!size)
			size = 1;
		for (size_t from = 0; from < ops; from += size) {
			struct program q = without(p, from, size);

			candidate(&q);
		}
		if (size == 1)
			unwrap(p);
		again = take(p, holds);
		if (!again && size == 1) {
			remove_pairs(p);
			again = take(p, holds);
			if (!again)
				return;
		}
		if (!again || size > program_size(p))
			size /= 2;
	}
}

static void try_byte(struct program *p, __u8 *field, __u8 value)
{
	__u8 old = *field;

	if (old == value)
		return;
	*field = value;
	candidate(p);
	*field = old;
}

static void try_number(struct program *p, __s32 *field)
{
	__s32 old = *field;

	if (!old)
		return;
	*field = 0;
	candidate(p);
	*field = old;
}

static void try_operand(struct program *p, struct opnd *o, bool slot)
{
	__s16 old = o->off;

	try_byte(p, &o->flags, 0);
	if (!slot || o->base != BASE_FP || old == SLOT_OFF(0))
		return;
	o->off = SLOT_OFF(0);
	candidate(p);
	o->off = old;
}

/* Everything about @p that could be plainer, one candidate each. */
static void plainer(struct program *p)
{
	try_byte(p, &p->tweak, TWEAK_NONE);
	try_byte(p, &p->frags, 0);
	try_byte(p, &p->no_perfmon, 0);
	try_byte(p, &p->no_init, 0);
	for (int i = 0; i < p->funcs; i++) {
		try_byte(p, &p->func[i].ret, 0);
		for (int j = 0; j < p->func[i].count; j++) {
			struct op *op = &p->func[i].ops[j];

			try_byte(p, &op->flags, 0);
			try_byte(p, &op->reg, 0);
			if (op->kind != OP_CALL && !is_block(op->kind))
				try_number(p, &op->a);
			try_number(p, &op->b);
			try_number(p, &op->c);
			try_operand(p, &op->d, true);
			try_operand(p, &op->m, false);
		}
	}
}

/* Makes @p as small as it gets while @holds is true of it. */
void reduce(struct program *p, holds_fn holds)
{
	candidates = calloc(MAX_CANDIDATES, sizeof(*candidates));
	if (!candidates)
		ksft_exit_fail_msg("no memory\n");
	remove_ops(p, holds);
	do {
		plainer(p);
	} while (take(p, holds));
	remove_ops(p, holds);
	free(candidates);
}
