/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Iterators over dynptrs for BPF programs: kfuncs of the module rust_dynptr. Include it after
 * vmlinux.h and <bpf/bpf_helpers.h>. The manual page docs/bpf-dynptr-iterators.7 is made of the
 * comments here (make man): each DOC comment is a section of it.
 */
#ifndef RUST_DYNPTR_ITER_BPF_H
#define RUST_DYNPTR_ITER_BPF_H

#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif

/**
 * DOC: description
 *
 * Loops over the bytes of a dynptr of any kind: memory of a map, a record of a ring buffer, a
 * packet in one or many parts, its metadata, a file, heap memory. There are two iterators, for
 * bpf_for_each() of libbpf: ``dynptr`` goes in steps of a size, or as far as the program says;
 * ``dynptr_token`` finds what is between delimiters, such as lines and fields. Each gives ranges,
 * offset and length, which the program uses with bpf_dynptr_read(), bpf_dynptr_slice() and so on.
 *
 * An iterator shows the view that the dynptr had when it was made: bpf_dynptr_adjust() of the
 * dynptr, or writing over it, does not change that, and the iterator leaves the dynptr as it is.
 * What the dynptr stands for cannot be released before the iterator is destroyed. The verifier
 * refuses a program that does so, with "Leaking reference id=... Release it first.": leave the loop
 * before bpf_dynptr_put(), bpf_ringbuf_submit_dynptr() or bpf_dynptr_file_discard().
 *
 * The ranges are right for the memory as it was when they were found. If the memory changes
 * meanwhile, or a packet becomes shorter, the program's own read of a range is checked as ever.
 *
 * Nothing is allocated. An iterator gives at most 2^23 ranges, as bpf_for() counts, then it ends.
 * These kfuncs are the module rust_dynptr's. Every type of programs that may call kfuncs can use
 * them; loading one takes CAP_BPF.
 */

/**
 * union bpf_dynptr_range - a part of a dynptr's view
 * @offset: bytes from the start of the view as it was when the iterator was made
 * @len: bytes
 * @end: what comes behind it: the delimiter of a token, 0 to 255; ``BPF_DYNPTR_END``, -1: the view
 * ends there; ``BPF_DYNPTR_CUT``, -2: the next range goes on with it
 *
 * It is the iterator's: the next call changes it, and after the loop it must not be used.
 */
union bpf_dynptr_range {
	struct {
		__u64 offset;
		__u32 len;
		__s32 end;
	};
};

enum {
	BPF_DYNPTR_END = -1,
	BPF_DYNPTR_CUT = -2,
};

/* Flags of bpf_iter_dynptr_token_new(). */
enum {
	/* The low 8 bits are one more delimiter. */
	BPF_DYNPTR_TOKEN_BYTE = 1 << 8,
	/* Fields. */
	BPF_DYNPTR_TOKEN_EMPTY = 1 << 9,
	BPF_DYNPTR_TOKEN_LINES = 1 << 10,
};

struct bpf_iter_dynptr {
	__u64 __opaque[5];
} __attribute__((aligned(8)));

struct bpf_iter_dynptr_token {
	__u64 __opaque[12];
} __attribute__((aligned(8)));

/**
 * bpf_iter_dynptr_new() - an iterator over ranges of one size
 * @it: 40 bytes of stack that become the iterator
 * @ptr: the dynptr
 * @size: bytes of each range, 1 to 2^24-1; the last one may be shorter
 * @flags: 0
 *
 * As with all iterators, bpf_iter_dynptr_destroy() must be called on every path, also after an
 * error, when the iterator gives nothing; bpf_for_each() does it.
 *
 * Of a file, the view ends where the file ended when the iterator was made. A file of which the
 * kernel does not know how long it is, such as a pipe, has no ranges.
 *
 * Context: any.
 *
 * Return:
 * * ``0`` - done
 * * ``-EINVAL`` - the dynptr is null, @size is 0, or @flags is not
 * * ``-E2BIG`` - @size is above 2^24-1, or there were more than 2^23 ranges
 *
 * Example::
 *
 *	union bpf_dynptr_range *r;
 *
 *	bpf_for_each(dynptr, r, &packet, 64, 0) {
 *		__u8 buf[64], *bytes = bpf_dynptr_slice(&packet, r->offset, buf, 64);
 *
 *		if (bytes && r->len == 64)
 *			sum += bytes[0];
 *	}
 */
extern int bpf_iter_dynptr_new(struct bpf_iter_dynptr *it, const struct bpf_dynptr *ptr,
			       __u64 size, __u64 flags) __ksym;

/**
 * bpf_iter_dynptr_next() - the next range
 * @it: the iterator
 *
 * Context: any.
 *
 * Return: the range, which is not empty; NULL at the end and ever after.
 */
extern union bpf_dynptr_range *bpf_iter_dynptr_next(struct bpf_iter_dynptr *it) __ksym;

/**
 * bpf_iter_dynptr_destroy() - the end of an iterator
 * @it: the iterator
 *
 * Context: any.
 */
extern void bpf_iter_dynptr_destroy(struct bpf_iter_dynptr *it) __ksym;

/**
 * bpf_iter_dynptr_advance() - says how much of the last range was used
 * @it__iter: the iterator
 * @len: bytes; may be more or less than the range has
 *
 * The next range starts @len bytes behind the start of the last one. 0 ends the iteration: the next
 * range is NULL. So a loop goes through records of which each says how long it is. (It is what the
 * callback of bpf_dynptr_iterator(), which was posted for mainline, would return.)
 *
 * Context: any.
 *
 * Return:
 * * ``0`` - done
 * * ``-EINVAL`` - there is no last range
 * * ``-ERANGE`` - the view ends before that; the iteration ends
 *
 * Example::
 *
 *	struct bpf_iter_dynptr it;
 *	union bpf_dynptr_range *r;
 *	__u8 option[2];
 *
 *	bpf_iter_dynptr_new(&it, &options, sizeof(option), 0);
 *	while ((r = bpf_iter_dynptr_next(&it))) {
 *		if (bpf_dynptr_read(option, sizeof(option), &options, r->offset, 0))
 *			break;
 *		bpf_iter_dynptr_advance(&it, option[1]);
 *	}
 *	bpf_iter_dynptr_destroy(&it);
 */
extern int bpf_iter_dynptr_advance(struct bpf_iter_dynptr *it__iter, __u64 len) __ksym;

/**
 * bpf_iter_dynptr_token_new() - an iterator over what is between delimiters
 * @it: 96 bytes of stack that become the iterator
 * @ptr: the dynptr
 * @delims__str: a string constant: each of its first 65,536 bytes is a delimiter; ``""`` for none
 * @flags: 0 or some of the following
 *
 * Without flags, any number of delimiters separates two tokens, which are never empty: words.
 *
 * ``BPF_DYNPTR_TOKEN_EMPTY``: each delimiter separates two tokens, which may be empty: fields.
 * There is one more than there are delimiters, also in an empty view.
 *
 * ``BPF_DYNPTR_TOKEN_LINES``: each delimiter ends a token, which may be empty: lines. What is
 * behind the last is a token if it is not empty.
 *
 * ``BPF_DYNPTR_TOKEN_BYTE | byte``: the byte is a delimiter too. It may be NUL, or not constant.
 *
 * A token of more than 65,536 bytes comes in parts, as does one that has as many delimiters before
 * it: all but the last have @end ``BPF_DYNPTR_CUT``, and a part may be empty.
 *
 * Context: any.
 *
 * Return:
 * * ``0`` - done
 * * ``-EINVAL`` - the dynptr is null; @flags has others, or both of those; there is no delimiter
 *
 * Example::
 *
 *	union bpf_dynptr_range *line;
 *
 *	bpf_for_each(dynptr_token, line, &packet, "\n", BPF_DYNPTR_TOKEN_LINES)
 *		lines++;
 */
extern int bpf_iter_dynptr_token_new(struct bpf_iter_dynptr_token *it,
				     const struct bpf_dynptr *ptr, const char *delims__str,
				     __u64 flags) __ksym;

/**
 * bpf_iter_dynptr_token_next() - the next token
 * @it: the iterator
 *
 * Looks at no more than 65,536 bytes. A file is read from memory only where the program may not
 * sleep.
 *
 * Context: any.
 *
 * Return: the token; NULL at the end or if the bytes cannot be read, and ever after.
 */
extern union bpf_dynptr_range *
bpf_iter_dynptr_token_next(struct bpf_iter_dynptr_token *it) __ksym;

/**
 * bpf_iter_dynptr_token_destroy() - the end of an iterator
 * @it: the iterator
 *
 * Context: any.
 */
extern void bpf_iter_dynptr_token_destroy(struct bpf_iter_dynptr_token *it) __ksym;

#endif
