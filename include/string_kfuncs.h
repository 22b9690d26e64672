/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Strings and memory in dynptrs: the kfuncs, as rust/kfuncs/strings.c defines them for BTF, and the
 * Rust functions that do the work (rust/entry/strings.rs). Programs include
 * rust_dynptr_strings.bpf.h, which documents them.
 */
#ifndef RUST_DYNPTR_STRING_KFUNCS_H
#define RUST_DYNPTR_STRING_KFUNCS_H

#include <linux/types.h>

struct bpf_dynptr;
struct bpf_prog;

/* A token of a string, and where to go on behind it. */
struct bpf_dynptr_token {
	u64 offset;
	u64 len;
	u64 next;
};

int bpf_dynptr_strnlen(const struct bpf_dynptr *p, u64 offset, u64 count);
int bpf_dynptr_strncmp(const struct bpf_dynptr *p1, u64 offset1, const struct bpf_dynptr *p2,
		       u64 offset2, u64 count);
int bpf_dynptr_strncasecmp(const struct bpf_dynptr *p1, u64 offset1, const struct bpf_dynptr *p2,
			   u64 offset2, u64 count);
int bpf_dynptr_strncmp_const(const struct bpf_dynptr *p, u64 offset, u64 count,
			     const char *s__str);
int bpf_dynptr_strncasecmp_const(const struct bpf_dynptr *p, u64 offset, u64 count,
				 const char *s__str);
int bpf_dynptr_strnchr(const struct bpf_dynptr *p, u64 offset, u64 count, char c);
int bpf_dynptr_strnchrnul(const struct bpf_dynptr *p, u64 offset, u64 count, char c);
int bpf_dynptr_strnrchr(const struct bpf_dynptr *p, u64 offset, u64 count, char c);
int bpf_dynptr_strnspn(const struct bpf_dynptr *p, u64 offset, u64 count,
		       const char *accept__str);
int bpf_dynptr_strncspn(const struct bpf_dynptr *p, u64 offset, u64 count,
			const char *reject__str);
int bpf_dynptr_strnpbrk(const struct bpf_dynptr *p, u64 offset, u64 count,
			const char *accept__str);
int bpf_dynptr_strnstr(const struct bpf_dynptr *p, u64 offset, u64 count, const char *s__str);
int bpf_dynptr_strncasestr(const struct bpf_dynptr *p, u64 offset, u64 count, const char *s__str);
int bpf_dynptr_strntol(const struct bpf_dynptr *p, u64 offset, u64 count, u64 base, s64 *res);
int bpf_dynptr_strntoul(const struct bpf_dynptr *p, u64 offset, u64 count, u64 base, u64 *res);
int bpf_dynptr_strntok(const struct bpf_dynptr *p, u64 offset, u64 count,
		       const char *delimiters__str, struct bpf_dynptr_token *token);
int bpf_dynptr_strnsep(const struct bpf_dynptr *p, u64 offset, u64 count,
		       const char *delimiters__str, struct bpf_dynptr_token *token);
int bpf_dynptr_memcmp(const struct bpf_dynptr *p1, u64 offset1, const struct bpf_dynptr *p2,
		      u64 offset2, u64 len);
int bpf_dynptr_memcmp_mem(const struct bpf_dynptr *p, u64 offset, const void *mem, u32 mem__sz);
int bpf_dynptr_memchr(const struct bpf_dynptr *p, u64 offset, u64 len, u8 c);
int bpf_dynptr_memmem(const struct bpf_dynptr *p, u64 offset, u64 len,
		      const struct bpf_dynptr *needle);
int bpf_dynptr_memmem_mem(const struct bpf_dynptr *p, u64 offset, u64 len, const void *mem,
			  u32 mem__sz);
int bpf_dynptr_read_upto(void *dst, u32 dst__sz, const struct bpf_dynptr *p, u64 offset);
int bpf_dynptr_copy_to_user(const struct bpf_dynptr *p, u64 offset, u64 size,
			    void *unsafe_ptr__ign);

/* A byte is passed as an unsigned int: who calls extends it. */
int rust_bpf_dynptr_strnlen(const struct bpf_dynptr *p, u64 offset, u64 count);
int rust_bpf_dynptr_strncmp(const struct bpf_dynptr *p1, u64 offset1, const struct bpf_dynptr *p2,
			    u64 offset2, u64 count);
int rust_bpf_dynptr_strncasecmp(const struct bpf_dynptr *p1, u64 offset1,
				const struct bpf_dynptr *p2, u64 offset2, u64 count);
int rust_bpf_dynptr_strncmp_const(const struct bpf_dynptr *p, u64 offset, u64 count,
				  const char *s);
int rust_bpf_dynptr_strncasecmp_const(const struct bpf_dynptr *p, u64 offset, u64 count,
				      const char *s);
int rust_bpf_dynptr_strnchr(const struct bpf_dynptr *p, u64 offset, u64 count, u32 c);
int rust_bpf_dynptr_strnchrnul(const struct bpf_dynptr *p, u64 offset, u64 count, u32 c);
int rust_bpf_dynptr_strnrchr(const struct bpf_dynptr *p, u64 offset, u64 count, u32 c);
int rust_bpf_dynptr_strnspn(const struct bpf_dynptr *p, u64 offset, u64 count,
			    const char *accept);
int rust_bpf_dynptr_strncspn(const struct bpf_dynptr *p, u64 offset, u64 count,
			     const char *reject);
int rust_bpf_dynptr_strnpbrk(const struct bpf_dynptr *p, u64 offset, u64 count,
			     const char *accept);
int rust_bpf_dynptr_strnstr(const struct bpf_dynptr *p, u64 offset, u64 count, const char *s);
int rust_bpf_dynptr_strncasestr(const struct bpf_dynptr *p, u64 offset, u64 count, const char *s);
int rust_bpf_dynptr_strntol(const struct bpf_dynptr *p, u64 offset, u64 count, u64 base,
			    s64 *res);
int rust_bpf_dynptr_strntoul(const struct bpf_dynptr *p, u64 offset, u64 count, u64 base,
			     u64 *res);
int rust_bpf_dynptr_strntok(const struct bpf_dynptr *p, u64 offset, u64 count,
			    const char *delimiters, struct bpf_dynptr_token *token);
int rust_bpf_dynptr_strnsep(const struct bpf_dynptr *p, u64 offset, u64 count,
			    const char *delimiters, struct bpf_dynptr_token *token);
int rust_bpf_dynptr_memcmp(const struct bpf_dynptr *p1, u64 offset1, const struct bpf_dynptr *p2,
			   u64 offset2, u64 len);
int rust_bpf_dynptr_memcmp_mem(const struct bpf_dynptr *p, u64 offset, const void *mem,
			       u32 mem_size);
int rust_bpf_dynptr_memchr(const struct bpf_dynptr *p, u64 offset, u64 len, u32 c);
int rust_bpf_dynptr_memmem(const struct bpf_dynptr *p, u64 offset, u64 len,
			   const struct bpf_dynptr *needle);
int rust_bpf_dynptr_memmem_mem(const struct bpf_dynptr *p, u64 offset, u64 len, const void *mem,
			       u32 mem_size);
int rust_bpf_dynptr_read_upto(void *dst, u32 dst_size, const struct bpf_dynptr *p, u64 offset);
int rust_bpf_dynptr_copy_to_user(const struct bpf_dynptr *p, u64 offset, u64 size,
				 void *unsafe_ptr);

#endif
