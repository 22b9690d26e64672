/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an iterator must give over known bytes: as simple as can be, a byte at a time, and nothing
 * of rust/logic/iter.rs. Results are those of bpf/iter.h.
 */
#ifndef ITERMODEL_H
#define ITERMODEL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "iter.h"

#define MODEL_MAX_SIZE ((1 << 24) - 1)
#define MODEL_RANGES 0x800000
#define MODEL_SCAN 65536	/* bytes one call looks at */
#define MODEL_END -1
#define MODEL_CUT -2
#define MODEL_BYTE 0x100
#define MODEL_EMPTY 0x200
#define MODEL_LINES 0x400

static inline void model_note(struct iter_result *r, unsigned long long offset, unsigned int len,
			      int end)
{
	r->count++;
	r->hash = iter_hash(r->hash, offset);
	r->hash = iter_hash(r->hash, (unsigned long long)(unsigned int)end << 32 | len);
}

static inline void model_steps(const unsigned char *bytes, size_t size,
			       const struct iter_request *c, struct iter_result *r)
{
	size_t at = 0, len, by;

	if (c->flags || !c->step)
		r->made = -EINVAL;
	else if (c->step > MODEL_MAX_SIZE || (size + c->step - 1) / c->step > MODEL_RANGES)
		r->made = -E2BIG;
	while (!r->made && at < size) {
		len = size - at < c->step ? size - at : c->step;
		model_note(r, at, len, at + len == size ? MODEL_END : MODEL_CUT);
		by = len;
		if (c->kind == ITER_ADVANCE) {
			by = bytes[at] & ITER_ADVANCE_MASK;
			r->advanced = by > size - at ? -ERANGE : 0;
		}
		if (!by || r->advanced)
			break;
		at += by;
	}
}

/* The delimiters of a request, and how many. */
static inline size_t model_set(const struct iter_request *c, unsigned char *set)
{
	const char *fixed = c->kind == ITER_LINE_FEED ? "\n" :
			    c->kind == ITER_SEVERAL ? ITER_SET : "";
	size_t n = strlen(fixed);

	memcpy(set, fixed, n);
	if (c->flags & MODEL_BYTE)
		set[n++] = c->flags;
	return n;
}

static inline void model_tokens(const unsigned char *bytes, size_t size,
				const struct iter_request *c, struct iter_result *r)
{
	bool words = !(c->flags & (MODEL_EMPTY | MODEL_LINES)), cut = false;
	size_t at = 0, from, seen, n;
	unsigned char set[32];

	n = model_set(c, set);
	if (!n || c->flags >> 11 || (c->flags & MODEL_EMPTY && c->flags & MODEL_LINES) ||
	    ((c->flags & 0xff) && !(c->flags & MODEL_BYTE))) {
		r->made = -EINVAL;
		return;
	}
	while (at < size || c->flags & MODEL_EMPTY) {
		for (seen = 0; words && !cut && seen < MODEL_SCAN && at < size; seen++, at++)
			if (!memchr(set, bytes[at], n))
				break;
		if (words && at == size)
			return;
		for (from = at; seen < MODEL_SCAN && at < size; seen++, at++)
			if (memchr(set, bytes[at], n))
				break;
		if (at == size) {
			model_note(r, from, at - from, MODEL_END);
			return;
		}
		/* The whole room without a delimiter, or with nothing else. */
		if (seen == MODEL_SCAN) {
			model_note(r, from, at - from, MODEL_CUT);
			cut = at != from;
			continue;
		}
		model_note(r, from, at - from, bytes[at]);
		cut = false;
		at++;
	}
}

/* What the walk @c over @size bytes, a dynptr that is no file, must find. */
static inline void model_walk(const unsigned char *bytes, size_t size,
			      const struct iter_request *c, struct iter_result *r)
{
	memset(r, 0, sizeof(*r));
	if (c->start > c->end)
		r->view = -EINVAL;
	else if (c->end > size)
		r->view = -ERANGE;
	else
		size = c->end - c->start;
	if (!r->view)
		bytes += c->start;
	if (c->kind <= ITER_ADVANCE)
		model_steps(bytes, size, c, r);
	else
		model_tokens(bytes, size, c, r);
}

#endif
