/* SPDX-License-Identifier: GPL-2.0 */
/* What rows.bpf.c and its runners share. */
#ifndef ROWS_H
#define ROWS_H

#define ROWS_BYTES 64

enum rows_class {
	ROWS_LOCAL,
	ROWS_RINGBUF,
	ROWS_SKB,
	ROWS_NULL,
	ROWS_CLASSES,
};

/* One call of each function: what goes in. */
struct rows_request {
	unsigned long long size;	/* of the dynptr: from_mem, or the slice of a record */
	unsigned long long offset;
	unsigned long long len;		/* 0 to ROWS_BYTES, as the verifier wants it bounded */
	unsigned long long flags;
	unsigned long long query;	/* BPF_RB_* */
	unsigned int class;
};

/* What came out. */
struct rows_result {
	long long from_mem;
	long long adjust;
	long long read;
	long long write;
	unsigned long long data_offset;	/* from the start of the memory, plus 1; 0 is NULL */
	unsigned long long dynptr_size;
	long long output;
	unsigned long long query;
	unsigned char bytes[ROWS_BYTES];	/* what read gave */
	unsigned char after[ROWS_BYTES];	/* the memory after write */
};

#endif
