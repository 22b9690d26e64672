/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kfuncs of strings and memory must give, byte by byte on bytes in one place: the loops
 * of the kernel's bpf_str*(), for which a view has a NUL behind its end.
 */
#ifndef STRINGS_MODEL_H
#define STRINGS_MODEL_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "strings.h"

/* A string, or memory. */
struct bytes {
	const unsigned char *at;
	size_t len;
};

static inline unsigned char byte_at(struct bytes s, size_t i)
{
	return i < s.len ? s.at[i] : 0;
}

static inline unsigned char model_lower(unsigned char c)
{
	bool upper = (c >= 'A' && c <= 'Z') || (c >= 192 && c <= 222 && c != 215);

	return upper ? c + 32 : c;
}

static inline int model_compare(struct bytes a, struct bytes b, bool ignore_case)
{
	for (size_t i = 0; i < a.len || i < b.len; i++) {
		unsigned char c = byte_at(a, i), d = byte_at(b, i);

		if (ignore_case) {
			c = model_lower(c);
			d = model_lower(d);
		}
		if (c != d)
			return c < d ? -1 : 1;
		if (!c)
			return 0;
	}
	return 0;
}

/* Bytes at the start that are, or are not, in @set, and no NUL. */
static inline int model_span(struct bytes s, const char *set, bool inside)
{
	size_t i = 0;

	while (byte_at(s, i) && !!strchr(set, s.at[i]) == inside)
		i++;
	return i;
}

static inline int model_chr(struct bytes s, unsigned char c, bool or_end, bool last)
{
	int found = -ENOENT;

	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == c) {
			found = i;
			if (!last)
				return found;
		}
		if (!s.at[i])
			return or_end ? (int)i : found;
	}
	return or_end ? (int)s.len : found;
}

static inline int model_mem(struct bytes s, struct bytes needle)
{
	for (size_t i = 0; i + needle.len <= s.len; i++)
		if (!memcmp(s.at + i, needle.at, needle.len))
			return i;
	return -ENOENT;
}

static inline int model_str(struct bytes s, const char *needle, bool ignore_case)
{
	size_t end = model_span(s, "", false), len = strlen(needle);

	for (size_t i = 0; i + len <= end; i++) {
		struct bytes here = { s.at + i, len };
		struct bytes wanted = { (const unsigned char *)needle, len };

		if (!model_compare(here, wanted, ignore_case))
			return i;
	}
	return -ENOENT;
}

/* By the C library, on what the kernel looks at. */
static inline int model_number(struct bytes s, unsigned long long base, bool is_signed,
			       long long *number)
{
	static const char spaces[] = "\t\n\v\f\r \240";
	unsigned long long value;
	char digits[64] = "", *end;
	bool minus, has_x;
	size_t i = 0;

	if (base != 0 && base != 8 && base != 10 && base != 16)
		return -EINVAL;
	while (byte_at(s, i) && strchr(spaces, s.at[i]))
		i++;
	minus = byte_at(s, i) == '-';
	i += minus;
	for (size_t j = 0; j < sizeof(digits) - 1; j++)
		digits[j] = byte_at(s, i + j);
	/* What strtoull() takes and the kernel does not. */
	if (digits[0] == '+' || digits[0] == '-' || (digits[0] && strchr(spaces, digits[0])))
		return -EINVAL;
	has_x = digits[0] == '0' && (digits[1] | 32) == 'x';
	errno = 0;
	value = strtoull(digits, &end, base);
	if (errno == ERANGE)
		return -ERANGE;
	/* "0x" without digits: none of base 16, else a 0. */
	if (end == digits || (base == 16 && has_x && end == digits + 1))
		return -EINVAL;
	if (is_signed ? value > (unsigned long long)LLONG_MAX + minus : false)
		return -ERANGE;
	if (!is_signed && minus)
		return -EINVAL;
	*number = minus ? -value : value;
	return i + (end - digits);
}

static inline int model_token(struct bytes s, const struct strings_case *c, const char *set,
			      struct strings_result *r)
{
	size_t start = c->op == STRNTOK ? model_span(s, set, true) : 0;
	struct bytes rest = { s.at + start, s.len - start };

	if (c->op == STRNTOK && !byte_at(s, start))
		return -ENOENT;
	r->offset = c->offset + start;
	r->len = model_span(rest, set, false);
	r->next = byte_at(rest, r->len) ? r->offset + r->len + 1 : ~0ULL;
	return 0;
}

/* @len bytes at @offset of the view, or none. */
static inline struct bytes range(struct bytes view, size_t offset, size_t len)
{
	if (offset > view.len || len > view.len - offset)
		return (struct bytes){};
	return (struct bytes){ view.at + offset, len };
}

static inline struct bytes string_at(struct bytes view, size_t offset, unsigned long long count)
{
	size_t left = view.len - offset;

	return (struct bytes){ view.at + offset, left < count ? left : count };
}

static inline int model_of_memory(struct bytes a, struct bytes b, const struct strings_case *c,
				  struct strings_result *r)
{
	size_t len = c->op == MEMCMP_MEM ? c->mem_len : c->count;
	struct bytes mem = { (const unsigned char *)c->mem, c->mem_len };
	struct bytes one = range(a, c->offset, len);
	struct bytes other = c->op == MEMCMP_MEM ? mem : range(b, c->offset2, len);
	int order;

	if (c->op == READ_UPTO) {
		one = string_at(a, c->offset, c->mem_len);
		memcpy(r->bytes, one.at, one.len);
		return one.len;
	}
	if (!one.at || (c->op == MEMCMP && !other.at))
		return -E2BIG;
	switch (c->op) {
	case MEMCHR:
		return model_mem(one, (struct bytes){ &c->c, 1 });
	case MEMMEM:
		return b.len > 255 ? -E2BIG : model_mem(one, b);
	case MEMMEM_MEM:
		return model_mem(one, mem);
	}
	order = memcmp(one.at, other.at, len);
	return order < 0 ? -1 : order > 0;
}

/* The result of @c with the views @a and @b. */
static inline int model(struct bytes a, struct bytes b, const struct strings_case *c,
			const char *constant, struct strings_result *r)
{
	struct bytes fixed = { (const unsigned char *)constant, strlen(constant) };
	struct bytes s, other;
	int end;

	if (c->offset > a.len)
		return -E2BIG;
	if (c->op >= MEMCMP)
		return model_of_memory(a, b, c, r);
	s = string_at(a, c->offset, c->count);
	switch (c->op) {
	case STRNLEN:
		return model_span(s, "", false);
	case STRNCMP:
	case STRNCASECMP:
		if (c->offset2 > b.len)
			return -E2BIG;
		other = string_at(b, c->offset2, c->count);
		return model_compare(s, other, c->op == STRNCASECMP);
	case STRNCMP_CONST:
	case STRNCASECMP_CONST:
		other = string_at(fixed, 0, c->count);
		return model_compare(s, other, c->op == STRNCASECMP_CONST);
	case STRNCHR:
		return model_chr(s, c->c, false, false);
	case STRNCHRNUL:
		return model_chr(s, c->c, true, false);
	case STRNRCHR:
		return model_chr(s, c->c, false, true);
	case STRNSPN:
		return model_span(s, constant, true);
	case STRNCSPN:
		return model_span(s, constant, false);
	case STRNPBRK:
		end = model_span(s, constant, false);
		return byte_at(s, end) ? end : -ENOENT;
	case STRNSTR:
	case STRNCASESTR:
		return model_str(s, constant, c->op == STRNCASESTR);
	case STRNTOL:
	case STRNTOUL:
		return model_number(s, c->base, c->op == STRNTOL, &r->number);
	default:
		return model_token(s, c, constant, r);
	}
}

#endif
