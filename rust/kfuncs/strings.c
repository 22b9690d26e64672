// SPDX-License-Identifier: GPL-2.0
/*
 * The kfuncs of strings and memory in dynptrs, for BTF: Rust functions get none. Each is one call
 * of rust/entry/strings.rs. The names of arguments are what the verifier goes by: __str is a
 * string in a read-only map, __sz the size of the memory before it. rust/kfuncs/own.c has the
 * module's one set of kfuncs, with these.
 */
#include <linux/bpf.h>
#include <linux/btf.h>

#include "../../include/string_kfuncs.h"

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_dynptr_strnlen(const struct bpf_dynptr *p, u64 offset, u64 count)
{
	return rust_bpf_dynptr_strnlen(p, offset, count);
}

__bpf_kfunc int bpf_dynptr_strncmp(const struct bpf_dynptr *p1, u64 offset1,
				   const struct bpf_dynptr *p2, u64 offset2, u64 count)
{
	return rust_bpf_dynptr_strncmp(p1, offset1, p2, offset2, count);
}

__bpf_kfunc int bpf_dynptr_strncasecmp(const struct bpf_dynptr *p1, u64 offset1,
				       const struct bpf_dynptr *p2, u64 offset2, u64 count)
{
	return rust_bpf_dynptr_strncasecmp(p1, offset1, p2, offset2, count);
}

__bpf_kfunc int bpf_dynptr_strncmp_const(const struct bpf_dynptr *p, u64 offset, u64 count,
					 const char *s__str)
{
	return rust_bpf_dynptr_strncmp_const(p, offset, count, s__str);
}

__bpf_kfunc int bpf_dynptr_strncasecmp_const(const struct bpf_dynptr *p, u64 offset, u64 count,
					     const char *s__str)
{
	return rust_bpf_dynptr_strncasecmp_const(p, offset, count, s__str);
}

__bpf_kfunc int bpf_dynptr_strnchr(const struct bpf_dynptr *p, u64 offset, u64 count, char c)
{
	return rust_bpf_dynptr_strnchr(p, offset, count, (u8)c);
}

__bpf_kfunc int bpf_dynptr_strnchrnul(const struct bpf_dynptr *p, u64 offset, u64 count, char c)
{
	return rust_bpf_dynptr_strnchrnul(p, offset, count, (u8)c);
}

__bpf_kfunc int bpf_dynptr_strnrchr(const struct bpf_dynptr *p, u64 offset, u64 count, char c)
{
	return rust_bpf_dynptr_strnrchr(p, offset, count, (u8)c);
}

__bpf_kfunc int bpf_dynptr_strnspn(const struct bpf_dynptr *p, u64 offset, u64 count,
				   const char *accept__str)
{
	return rust_bpf_dynptr_strnspn(p, offset, count, accept__str);
}

__bpf_kfunc int bpf_dynptr_strncspn(const struct bpf_dynptr *p, u64 offset, u64 count,
				    const char *reject__str)
{
	return rust_bpf_dynptr_strncspn(p, offset, count, reject__str);
}

__bpf_kfunc int bpf_dynptr_strnpbrk(const struct bpf_dynptr *p, u64 offset, u64 count,
				    const char *accept__str)
{
	return rust_bpf_dynptr_strnpbrk(p, offset, count, accept__str);
}

__bpf_kfunc int bpf_dynptr_strnstr(const struct bpf_dynptr *p, u64 offset, u64 count,
				   const char *s__str)
{
	return rust_bpf_dynptr_strnstr(p, offset, count, s__str);
}

__bpf_kfunc int bpf_dynptr_strncasestr(const struct bpf_dynptr *p, u64 offset, u64 count,
				       const char *s__str)
{
	return rust_bpf_dynptr_strncasestr(p, offset, count, s__str);
}

__bpf_kfunc int bpf_dynptr_strntol(const struct bpf_dynptr *p, u64 offset, u64 count, u64 base,
				   s64 *res)
{
	return rust_bpf_dynptr_strntol(p, offset, count, base, res);
}

__bpf_kfunc int bpf_dynptr_strntoul(const struct bpf_dynptr *p, u64 offset, u64 count, u64 base,
				    u64 *res)
{
	return rust_bpf_dynptr_strntoul(p, offset, count, base, res);
}

__bpf_kfunc int bpf_dynptr_strntok(const struct bpf_dynptr *p, u64 offset, u64 count,
				   const char *delimiters__str, struct bpf_dynptr_token *token)
{
	return rust_bpf_dynptr_strntok(p, offset, count, delimiters__str, token);
}

__bpf_kfunc int bpf_dynptr_strnsep(const struct bpf_dynptr *p, u64 offset, u64 count,
				   const char *delimiters__str, struct bpf_dynptr_token *token)
{
	return rust_bpf_dynptr_strnsep(p, offset, count, delimiters__str, token);
}

__bpf_kfunc int bpf_dynptr_memcmp(const struct bpf_dynptr *p1, u64 offset1,
				  const struct bpf_dynptr *p2, u64 offset2, u64 len)
{
	return rust_bpf_dynptr_memcmp(p1, offset1, p2, offset2, len);
}

__bpf_kfunc int bpf_dynptr_memcmp_mem(const struct bpf_dynptr *p, u64 offset, const void *mem,
				      u32 mem__sz)
{
	return rust_bpf_dynptr_memcmp_mem(p, offset, mem, mem__sz);
}

__bpf_kfunc int bpf_dynptr_memchr(const struct bpf_dynptr *p, u64 offset, u64 len, u8 c)
{
	return rust_bpf_dynptr_memchr(p, offset, len, c);
}

__bpf_kfunc int bpf_dynptr_memmem(const struct bpf_dynptr *p, u64 offset, u64 len,
				  const struct bpf_dynptr *needle)
{
	return rust_bpf_dynptr_memmem(p, offset, len, needle);
}

__bpf_kfunc int bpf_dynptr_memmem_mem(const struct bpf_dynptr *p, u64 offset, u64 len,
				      const void *mem, u32 mem__sz)
{
	return rust_bpf_dynptr_memmem_mem(p, offset, len, mem, mem__sz);
}

__bpf_kfunc int bpf_dynptr_read_upto(void *dst, u32 dst__sz, const struct bpf_dynptr *p,
				     u64 offset)
{
	return rust_bpf_dynptr_read_upto(dst, dst__sz, p, offset);
}

__bpf_kfunc int bpf_dynptr_copy_to_user(const struct bpf_dynptr *p, u64 offset, u64 size,
					void *unsafe_ptr__ign)
{
	return rust_bpf_dynptr_copy_to_user(p, offset, size, unsafe_ptr__ign);
}

__bpf_kfunc_end_defs();
