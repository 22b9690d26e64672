/* SPDX-License-Identifier: GPL-2.0 */
/* For BPF programs: one case of strings.h. */
#ifndef STRINGS_ONE_H
#define STRINGS_ONE_H

#include "strings.h"

/* Set before the programs are loaded; the verifier reads them. */
const volatile char constants[STRINGS_CONSTANTS][STRINGS_CONSTANT];

#define CONSTANT(i) ((const char *)constants[i])

static __always_inline int with_constant(struct bpf_dynptr *a, const struct strings_case *c,
					 const char *s, struct bpf_dynptr_token *token)
{
	switch (c->op) {
	case STRNCMP_CONST:
		return bpf_dynptr_strncmp_const(a, c->offset, c->count, s);
	case STRNCASECMP_CONST:
		return bpf_dynptr_strncasecmp_const(a, c->offset, c->count, s);
	case STRNSPN:
		return bpf_dynptr_strnspn(a, c->offset, c->count, s);
	case STRNCSPN:
		return bpf_dynptr_strncspn(a, c->offset, c->count, s);
	case STRNPBRK:
		return bpf_dynptr_strnpbrk(a, c->offset, c->count, s);
	case STRNSTR:
		return bpf_dynptr_strnstr(a, c->offset, c->count, s);
	case STRNCASESTR:
		return bpf_dynptr_strncasestr(a, c->offset, c->count, s);
	case STRNTOK:
		return bpf_dynptr_strntok(a, c->offset, c->count, s, token);
	case STRNSEP:
		return bpf_dynptr_strnsep(a, c->offset, c->count, s, token);
	}
	return 1000;
}

/* With the constant that the case asks for. */
static __always_inline int of_constant(struct bpf_dynptr *a, const struct strings_case *c,
				       struct bpf_dynptr_token *token)
{
	switch (c->constant) {
	case 0:
		return with_constant(a, c, CONSTANT(0), token);
	case 1:
		return with_constant(a, c, CONSTANT(1), token);
	default:
		return with_constant(a, c, CONSTANT(2), token);
	}
}

static __noinline int one(struct bpf_dynptr *a, struct bpf_dynptr *b, struct strings_case *c,
			  struct strings_result *r)
{
	struct bpf_dynptr_token token = {};
	u64 unsigned_number = 0;
	s64 number = 0;

	if (!c || !r)
		return 0;
	switch (c->op) {
	case STRNLEN:
		r->value = bpf_dynptr_strnlen(a, c->offset, c->count);
		break;
	case STRNCMP:
		r->value = bpf_dynptr_strncmp(a, c->offset, b, c->offset2, c->count);
		break;
	case STRNCASECMP:
		r->value = bpf_dynptr_strncasecmp(a, c->offset, b, c->offset2, c->count);
		break;
	case STRNCHR:
		r->value = bpf_dynptr_strnchr(a, c->offset, c->count, c->c);
		break;
	case STRNCHRNUL:
		r->value = bpf_dynptr_strnchrnul(a, c->offset, c->count, c->c);
		break;
	case STRNRCHR:
		r->value = bpf_dynptr_strnrchr(a, c->offset, c->count, c->c);
		break;
	case STRNTOL:
		r->value = bpf_dynptr_strntol(a, c->offset, c->count, c->base, &number);
		r->number = number;
		break;
	case STRNTOUL:
		r->value = bpf_dynptr_strntoul(a, c->offset, c->count, c->base,
					       &unsigned_number);
		r->number = unsigned_number;
		break;
	case MEMCMP:
		r->value = bpf_dynptr_memcmp(a, c->offset, b, c->offset2, c->count);
		break;
	case MEMCMP_MEM:
		r->value = bpf_dynptr_memcmp_mem(a, c->offset, c->mem,
						 c->mem_len & (STRINGS_MEM - 1));
		break;
	case MEMCHR:
		r->value = bpf_dynptr_memchr(a, c->offset, c->count, c->c);
		break;
	case MEMMEM:
		r->value = bpf_dynptr_memmem(a, c->offset, c->count, b);
		break;
	case MEMMEM_MEM:
		r->value = bpf_dynptr_memmem_mem(a, c->offset, c->count, c->mem,
						 c->mem_len & (STRINGS_MEM - 1));
		break;
	case READ_UPTO:
		r->value = bpf_dynptr_read_upto(r->bytes, c->mem_len & (STRINGS_MEM - 1), a,
						c->offset);
		break;
	default:
		r->value = of_constant(a, c, &token);
		r->offset = token.offset;
		r->len = token.len;
		r->next = token.next;
	}
	return 0;
}

#endif
