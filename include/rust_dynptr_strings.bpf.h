/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Strings and memory in dynptrs for BPF programs: kfuncs of the module rust_dynptr. Include it
 * after vmlinux.h and <bpf/bpf_helpers.h>. The manual page docs/bpf-dynptr-strings.7 is made of
 * the comments here (make man): each DOC comment is a section of it.
 */
#ifndef RUST_DYNPTR_STRINGS_BPF_H
#define RUST_DYNPTR_STRINGS_BPF_H

#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif

/**
 * DOC: description
 *
 * Functions of strings and memory that work on what is behind a dynptr, wherever that is: memory
 * of a map or of the heap, a ring buffer record, a packet or frame in one part or in fragments, a
 * packet's metadata, a file. One call does what a program would do by a loop over
 * bpf_dynptr_slice() or bpf_dynptr_read(), and lengths and offsets may be known at run time only.
 *
 * These kfuncs are the module rust_dynptr's. A program that calls them holds the module. Every type
 * of programs that may call kfuncs can use them, with CAP_BPF. Read-only dynptrs will do for all.
 * Nothing is allocated.
 *
 * A **string** starts at an offset from the start of the dynptr's view and ends at its first NUL,
 * after count bytes, or where the view ends, whichever is first: BPF_DYNPTR_ALL for count is the
 * whole of it. Results are as of the kernel's bpf_strnlen(), bpf_strncmp() and so on, for which
 * the end of the view is a NUL that is not there: it cannot be found. A call looks at no more
 * than the first 65,536 bytes of a string, and returns -E2BIG if they do not tell. Case is
 * ignored as by the kernel's tolower(), which takes bytes for Latin-1.
 *
 * **Memory** is a range of bytes, whatever they are, of at most 2^24-1.
 *
 * Arguments that are constants, such as names, are strings in read-only maps: string literals, and
 * const arrays of characters outside of functions. They end with a NUL.
 *
 * Errors that all functions return, besides those given with each:
 *
 * * ``-EINVAL`` - the dynptr is null
 * * ``-E2BIG`` - the offset is behind the end of the view; of memory, not all is in the view
 * * ``-EFAULT`` - a packet or file that cannot be read; of a file, for instance, what is not in the
 *   page cache where the program must not sleep
 *
 * A file ends where it does at the time of the call.
 */

/** define BPF_DYNPTR_ALL - as count: to the end of the string */
#define BPF_DYNPTR_ALL (~0ULL)

/**
 * struct bpf_dynptr_token - a token of a string
 * @offset: where it starts, from the start of the view
 * @len: its bytes
 * @next: where to look for the next one, or BPF_DYNPTR_ALL behind the last
 */
struct bpf_dynptr_token {
	__u64 offset;
	__u64 len;
	__u64 next;
};

/**
 * bpf_dynptr_strnlen() - the length of a string
 * @p: the dynptr
 * @offset: where the string starts
 * @count: bytes of it, at most
 *
 * Return:
 * * ``>= 0`` - bytes in front of its end
 * * ``-E2BIG`` - no end in 65,536 bytes
 */
extern int bpf_dynptr_strnlen(const struct bpf_dynptr *p, __u64 offset, __u64 count) __ksym;

/**
 * bpf_dynptr_strncmp() - compares two strings
 * @p1: the dynptr of one
 * @offset1: where it starts
 * @p2: the dynptr of the other, which may be the same
 * @offset2: where that starts
 * @count: bytes to compare, at most
 *
 * Return:
 * * ``0`` - they are equal
 * * ``-1`` - the first is less
 * * ``1`` - the first is greater
 * * ``-E2BIG`` - equal in 65,536 bytes
 */
extern int bpf_dynptr_strncmp(const struct bpf_dynptr *p1, __u64 offset1,
			      const struct bpf_dynptr *p2, __u64 offset2, __u64 count) __ksym;

/**
 * bpf_dynptr_strncasecmp() - compares two strings, ignoring case
 * @p1: the dynptr of one
 * @offset1: where it starts
 * @p2: the dynptr of the other, which may be the same
 * @offset2: where that starts
 * @count: bytes to compare, at most
 *
 * Return: as bpf_dynptr_strncmp().
 */
extern int bpf_dynptr_strncasecmp(const struct bpf_dynptr *p1, __u64 offset1,
				  const struct bpf_dynptr *p2, __u64 offset2, __u64 count) __ksym;

/**
 * bpf_dynptr_strncmp_const() - compares a string with a constant
 * @p: the dynptr
 * @offset: where the string starts
 * @count: bytes to compare, at most
 * @s__str: the constant
 *
 * Return: as bpf_dynptr_strncmp().
 *
 * Example::
 *
 *	if (!bpf_dynptr_strncmp_const(&packet, offset, 5, "HTTP/"))
 *		parse_response(&packet, offset);
 */
extern int bpf_dynptr_strncmp_const(const struct bpf_dynptr *p, __u64 offset, __u64 count,
				    const char *s__str) __ksym;

/**
 * bpf_dynptr_strncasecmp_const() - compares a string with a constant, ignoring case
 * @p: the dynptr
 * @offset: where the string starts
 * @count: bytes to compare, at most
 * @s__str: the constant
 *
 * Return: as bpf_dynptr_strncmp().
 */
extern int bpf_dynptr_strncasecmp_const(const struct bpf_dynptr *p, __u64 offset, __u64 count,
					const char *s__str) __ksym;

/**
 * bpf_dynptr_strnchr() - finds a byte in a string
 * @p: the dynptr
 * @offset: where the string starts
 * @count: bytes of it, at most
 * @c: the byte; NUL finds the one that ends the string
 *
 * Return:
 * * ``>= 0`` - bytes of the string in front of the first
 * * ``-ENOENT`` - there is none
 * * ``-E2BIG`` - none in 65,536 bytes
 */
extern int bpf_dynptr_strnchr(const struct bpf_dynptr *p, __u64 offset, __u64 count,
			      char c) __ksym;

/**
 * bpf_dynptr_strnchrnul() - finds a byte in a string, or its end
 * @p: the dynptr
 * @offset: where the string starts
 * @count: bytes of it, at most
 * @c: the byte
 *
 * Return:
 * * ``>= 0`` - bytes in front of the first, or of the string
 * * ``-E2BIG`` - neither in 65,536 bytes
 */
extern int bpf_dynptr_strnchrnul(const struct bpf_dynptr *p, __u64 offset, __u64 count,
				 char c) __ksym;

/**
 * bpf_dynptr_strnrchr() - finds the last such byte of a string
 * @p: the dynptr
 * @offset: where the string starts
 * @count: bytes of it, at most
 * @c: the byte
 *
 * Return:
 * * ``>= 0`` - bytes of the string in front of the last
 * * ``-ENOENT`` - there is none
 * * ``-E2BIG`` - the string has no end in 65,536 bytes
 */
extern int bpf_dynptr_strnrchr(const struct bpf_dynptr *p, __u64 offset, __u64 count,
			       char c) __ksym;

/**
 * bpf_dynptr_strnspn() - how much of a string is of some bytes
 * @p: the dynptr
 * @offset: where the string starts
 * @count: bytes of it, at most
 * @accept__str: the bytes
 *
 * Return:
 * * ``>= 0`` - bytes at the start of the string that are all in @accept__str
 * * ``-E2BIG`` - as many as 65,536
 */
extern int bpf_dynptr_strnspn(const struct bpf_dynptr *p, __u64 offset, __u64 count,
			      const char *accept__str) __ksym;

/**
 * bpf_dynptr_strncspn() - how much of a string is not of some bytes
 * @p: the dynptr
 * @offset: where the string starts
 * @count: bytes of it, at most
 * @reject__str: the bytes
 *
 * Return:
 * * ``>= 0`` - bytes at the start of the string that are not in @reject__str
 * * ``-E2BIG`` - as many as 65,536
 */
extern int bpf_dynptr_strncspn(const struct bpf_dynptr *p, __u64 offset, __u64 count,
			       const char *reject__str) __ksym;

/**
 * bpf_dynptr_strnpbrk() - finds any of some bytes in a string
 * @p: the dynptr
 * @offset: where the string starts
 * @count: bytes of it, at most
 * @accept__str: the bytes
 *
 * Return:
 * * ``>= 0`` - bytes of the string in front of the first
 * * ``-ENOENT`` - there is none
 * * ``-E2BIG`` - none in 65,536 bytes
 */
extern int bpf_dynptr_strnpbrk(const struct bpf_dynptr *p, __u64 offset, __u64 count,
			       const char *accept__str) __ksym;

/**
 * bpf_dynptr_strnstr() - finds a constant in a string
 * @p: the dynptr
 * @offset: where the string starts
 * @count: bytes of it, at most
 * @s__str: the constant, of at most 255 bytes
 *
 * Looks at each byte once, in steps proportional to their number. bpf_dynptr_memmem() finds what is
 * not a constant.
 *
 * Return:
 * * ``>= 0`` - bytes of the string in front of the first occurrence
 * * ``-ENOENT`` - there is none
 * * ``-E2BIG`` - none in 65,536 bytes, or @s__str is longer
 */
extern int bpf_dynptr_strnstr(const struct bpf_dynptr *p, __u64 offset, __u64 count,
			      const char *s__str) __ksym;

/**
 * bpf_dynptr_strncasestr() - finds a constant in a string, ignoring case
 * @p: the dynptr
 * @offset: where the string starts
 * @count: bytes of it, at most
 * @s__str: the constant, of at most 255 bytes
 *
 * Return: as bpf_dynptr_strnstr().
 */
extern int bpf_dynptr_strncasestr(const struct bpf_dynptr *p, __u64 offset, __u64 count,
				  const char *s__str) __ksym;

/**
 * bpf_dynptr_strntol() - an integer in a string
 * @p: the dynptr
 * @offset: where the string starts
 * @count: bytes of it, at most
 * @base: 8, 10, 16, or 0 for what a 0 or 0x in front says
 * @res: the integer, if there is one
 *
 * As bpf_strtol(): white space in front of it is skipped, then there may be a minus. At most 63
 * bytes behind that are looked at.
 *
 * Return:
 * * ``> 0`` - bytes of the string that it takes, with what is in front of it
 * * ``-EINVAL`` - no digit there, or another @base
 * * ``-ERANGE`` - more than @res can hold
 */
extern int bpf_dynptr_strntol(const struct bpf_dynptr *p, __u64 offset, __u64 count, __u64 base,
			      __s64 *res) __ksym;

/**
 * bpf_dynptr_strntoul() - an integer without sign in a string
 * @p: the dynptr
 * @offset: where the string starts
 * @count: bytes of it, at most
 * @base: 8, 10, 16, or 0 for what a 0 or 0x in front says
 * @res: the integer, if there is one
 *
 * Return: as bpf_dynptr_strntol(); a minus is ``-EINVAL``.
 */
extern int bpf_dynptr_strntoul(const struct bpf_dynptr *p, __u64 offset, __u64 count, __u64 base,
			       __u64 *res) __ksym;

/**
 * bpf_dynptr_strntok() - the next token of a string
 * @p: the dynptr
 * @offset: where the rest of the string starts: 0, then the last token's next
 * @count: bytes of it, at most
 * @delimiters__str: the bytes that are between tokens
 * @token: the token, if there is one
 *
 * As strtok(): delimiters in front of it are skipped, so that no token is empty.
 *
 * Return:
 * * ``0`` - @token is the first token
 * * ``-ENOENT`` - there is none
 * * ``-E2BIG`` - it has no end in 65,536 bytes
 *
 * Example::
 *
 *	struct bpf_dynptr_token word = {};
 *
 *	bpf_repeat(100)
 *		if (bpf_dynptr_strntok(&line, word.next, BPF_DYNPTR_ALL, " \t", &word))
 *			break;
 */
extern int bpf_dynptr_strntok(const struct bpf_dynptr *p, __u64 offset, __u64 count,
			      const char *delimiters__str, struct bpf_dynptr_token *token) __ksym;

/**
 * bpf_dynptr_strnsep() - the next field of a string
 * @p: the dynptr
 * @offset: where the rest of the string starts: 0, then the last field's next
 * @count: bytes of it, at most
 * @delimiters__str: the bytes of which one ends a field
 * @token: the field, if there is one
 *
 * As strsep(): between two delimiters is an empty field, and one more field than delimiters in all.
 *
 * Return: as bpf_dynptr_strntok().
 */
extern int bpf_dynptr_strnsep(const struct bpf_dynptr *p, __u64 offset, __u64 count,
			      const char *delimiters__str, struct bpf_dynptr_token *token) __ksym;

/**
 * bpf_dynptr_memcmp() - compares memory
 * @p1: the dynptr of one range
 * @offset1: where it starts
 * @p2: the dynptr of the other, which may be the same
 * @offset2: where that starts
 * @len: bytes
 *
 * Return:
 * * ``0`` - they are equal
 * * ``-1`` - the first is less
 * * ``1`` - the first is greater
 */
extern int bpf_dynptr_memcmp(const struct bpf_dynptr *p1, __u64 offset1,
			     const struct bpf_dynptr *p2, __u64 offset2, __u64 len) __ksym;

/**
 * bpf_dynptr_memcmp_mem() - compares memory with that of a program
 * @p: the dynptr
 * @offset: where its range starts
 * @mem: the other, on the stack or in a map; the verifier wants it to be writable
 * @mem__sz: bytes
 *
 * Return: as bpf_dynptr_memcmp().
 */
extern int bpf_dynptr_memcmp_mem(const struct bpf_dynptr *p, __u64 offset, const void *mem,
				 __u32 mem__sz) __ksym;

/**
 * bpf_dynptr_memchr() - finds a byte in memory
 * @p: the dynptr
 * @offset: where the range starts
 * @len: its bytes
 * @c: the byte
 *
 * Return:
 * * ``>= 0`` - bytes of the range in front of the first
 * * ``-ENOENT`` - there is none
 */
extern int bpf_dynptr_memchr(const struct bpf_dynptr *p, __u64 offset, __u64 len, __u8 c) __ksym;

/**
 * bpf_dynptr_memmem() - finds the bytes of a dynptr in another's
 * @p: the dynptr
 * @offset: where the range starts
 * @len: its bytes
 * @needle: the other, of which all of the view is looked for: at most 255 bytes
 *
 * Looks at each byte once, in steps proportional to their number.
 *
 * Return:
 * * ``>= 0`` - bytes of the range in front of the first occurrence
 * * ``-ENOENT`` - there is none
 * * ``-E2BIG`` - also if @needle has more bytes
 */
extern int bpf_dynptr_memmem(const struct bpf_dynptr *p, __u64 offset, __u64 len,
			     const struct bpf_dynptr *needle) __ksym;

/**
 * bpf_dynptr_memmem_mem() - finds the bytes of a program in a dynptr's
 * @p: the dynptr
 * @offset: where the range starts
 * @len: its bytes
 * @mem: what to look for, on the stack or in a map; the verifier wants it to be writable
 * @mem__sz: its bytes, at most 255
 *
 * Return: as bpf_dynptr_memmem().
 */
extern int bpf_dynptr_memmem_mem(const struct bpf_dynptr *p, __u64 offset, __u64 len,
				 const void *mem, __u32 mem__sz) __ksym;

/**
 * bpf_dynptr_read_upto() - reads as many bytes as there are
 * @dst: where to
 * @dst__sz: bytes, at most
 * @p: the dynptr
 * @offset: where from
 *
 * As bpf_dynptr_read(), which reads all or nothing.
 *
 * Return: bytes read: @dst__sz, or those behind @offset if they are fewer; 0 at the end.
 */
extern int bpf_dynptr_read_upto(void *dst, __u32 dst__sz, const struct bpf_dynptr *p,
				__u64 offset) __ksym;

/**
 * bpf_dynptr_copy_to_user() - copies to the current task's memory
 * @p: the dynptr
 * @offset: where from
 * @size: bytes, known at run time
 * @unsafe_ptr__ign: the address in user space
 *
 * Sleeps. It is for who may use bpf_probe_write_user(): loading takes CAP_SYS_ADMIN, and a kernel
 * that is not locked down. The other way is the kernel's own bpf_copy_from_user_dynptr().
 *
 * Return:
 * * ``0`` - done
 * * ``-EFAULT`` - also if the address cannot be written: some bytes may be
 * * ``-EPERM`` - in a kernel thread, such as a workqueue's, and in a task that is exiting
 */
extern int bpf_dynptr_copy_to_user(const struct bpf_dynptr *p, __u64 offset, __u64 size,
				   void *unsafe_ptr__ign) __ksym;

/**
 * DOC: notes
 *
 * While the module is being loaded or unloaded, programs that call these kfuncs are refused
 * (EACCES).
 *
 * Others may write what is being looked at: each byte is read once, and counts as it was then.
 *
 * The file strings in the directory rust_dynptr of debugfs shows how often each was called while
 * hits were counted.
 */

#endif
