/* SPDX-License-Identifier: GPL-2.0 */
/* What cost.bpf.c and its runner share: the operations that are measured. */
#ifndef COST_H
#define COST_H

#define COST_CALLS 512	/* calls that a measurement is made of */
#define COST_UNROLLED 8	/* calls in a turn of its loop */
#define COST_MAX_SIZE 4096
#define COST_MEMORY 8192	/* bytes of a map value */
#define COST_SLICE 8	/* bytes of a slice */
#define COST_RECORD 64	/* bytes of a ring buffer record, where it is a constant */
#define COST_FULL 4096	/* bytes of the ring that is full */

/* Values of the map: all in one place, so that copies go the same way in every run. */
enum cost_value {
	COST_MINE,	/* behind the local dynptr */
	COST_OTHER,	/* what is read goes here */
	COST_TEXT,	/* a string: what is written comes from here */
	COST_VALUES,
};

enum cost_op {
	COST_NOTHING,	/* the loop alone */
	/* The bytes of any dynptr. */
	COST_READ,
	COST_WRITE,
	COST_DATA,
	COST_SLICE_NULL,
	COST_SLICE_BUFFER,
	COST_COPY,
	COST_MEMSET,
	COST_PROBE_KERNEL,
	COST_PROBE_KERNEL_STR,
	COST_PROBE_USER,
	COST_PROBE_USER_STR,
	/* Where packets may be written. */
	COST_SLICE_RDWR,
	/* The dynptr itself. */
	COST_ADJUST,
	COST_IS_NULL,
	COST_IS_RDONLY,
	COST_SIZE,
	COST_CLONE,
	COST_FROM_MEM,
	COST_FROM_MEM_REFUSED,
	/* The constructor of the class; with flags that it does not take. */
	COST_CONSTRUCT,
	COST_CONSTRUCT_REFUSED,
	/* Ring buffers. */
	COST_RINGBUF_OUTPUT,
	COST_RINGBUF_OUTPUT_FULL,
	COST_RINGBUF_QUERY,
	COST_RINGBUF_SUBMIT,
	COST_RINGBUF_OVERWRITE,
	COST_RINGBUF_DISCARD,
	COST_RINGBUF_RESERVE_FULL,
	COST_RINGBUF_SUBMIT_DYNPTR,
	COST_RINGBUF_DISCARD_DYNPTR,
	COST_USER_RINGBUF_EMPTY,
	COST_USER_RINGBUF_DRAIN,
	/* For sleepable programs. */
	COST_COPY_USER,
	COST_COPY_USER_STR,
	COST_COPY_TASK,
	COST_COPY_TASK_STR,
	COST_CRYPTO,
	/* Where there is a file. */
	COST_FROM_FILE,
	COST_FROM_FILE_REFUSED,
	COST_FSVERITY,
	/* The same, and it may sleep. */
	COST_XATTR,
	COST_PKCS7,
	COST_OPS,
};

#endif
