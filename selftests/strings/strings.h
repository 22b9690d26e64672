/* SPDX-License-Identifier: GPL-2.0 */
/* What strings.bpf.c and strings.c share. */
#ifndef STRINGS_H
#define STRINGS_H

/* Cases of a run. */
#define STRINGS_BATCH 256
/* Bytes of the memory that is no dynptr's own. */
#define STRINGS_BYTES 16384
/* Of the metadata before a packet. */
#define STRINGS_META 128
/* Constants, which the loader sets, and their bytes with the NUL. */
#define STRINGS_CONSTANTS 3
#define STRINGS_CONSTANT 32
/* Bytes that a case has of its own, or gets. */
#define STRINGS_MEM 64

enum strings_op {
	STRNLEN,
	STRNCMP,
	STRNCASECMP,
	STRNCMP_CONST,
	STRNCASECMP_CONST,
	STRNCHR,
	STRNCHRNUL,
	STRNRCHR,
	STRNSPN,
	STRNCSPN,
	STRNPBRK,
	STRNSTR,
	STRNCASESTR,
	STRNTOL,
	STRNTOUL,
	STRNTOK,
	STRNSEP,
	MEMCMP,
	MEMCMP_MEM,
	MEMCHR,
	MEMMEM,
	MEMMEM_MEM,
	READ_UPTO,
	STRINGS_OPS,
};

/* What the program is asked to do: with the views from @start to @end, from @start2 to @end2. */
struct strings_case {
	unsigned int op;
	unsigned int constant;
	unsigned int start, end;
	unsigned int start2, end2;
	/* Whether the second view is of the packet too, not of other memory. */
	unsigned int same;
	unsigned int mem_len;
	unsigned long long offset, offset2, count;
	unsigned long long base;
	unsigned char c;
	char mem[STRINGS_MEM];
};

/* What came of it. */
struct strings_result {
	int made;
	int value;
	long long number;
	unsigned long long offset, len, next;
	char bytes[STRINGS_MEM];
};

#endif
