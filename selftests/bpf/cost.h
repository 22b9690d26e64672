/* SPDX-License-Identifier: GPL-2.0 */
/* What cost.bpf.c and its runner share: the operations that are measured. */
#ifndef COST_H
#define COST_H

#define COST_CALLS 2048	/* calls that a measurement is made of */
#define COST_UNROLLED 16	/* calls in a turn of its loop */
#define COST_MAX_SIZE 256
#define COST_MEMORY 2048

enum cost_op {
	COST_NOTHING,	/* the loop alone */
	COST_FROM_MEM,
	COST_READ,
	COST_WRITE,
	COST_DATA,
	COST_SLICE,
	COST_SLICE_BUFFER,
	COST_SLICE_RDWR,
	COST_ADJUST,
	COST_IS_NULL,
	COST_IS_RDONLY,
	COST_SIZE,
	COST_CLONE,
	COST_COPY,
	COST_MEMSET,
	COST_PROBE_KERNEL,
	COST_PROBE_KERNEL_STR,
	COST_PROBE_USER,
	COST_PROBE_USER_STR,
	COST_COMMON,	/* those above work on every class */
	COST_CONSTRUCT = COST_COMMON,	/* from_skb, from_xdp, from_skb_meta */
	COST_RINGBUF_OUTPUT,
	COST_RINGBUF_QUERY,
	/* For sleepable programs. */
	COST_COPY_USER,
	COST_COPY_USER_STR,
	COST_COPY_TASK,
	COST_COPY_TASK_STR,
	COST_FILE_READ,
	COST_FILE_DISCARD,	/* from_file and file_discard */
	COST_OPS,
};

#endif
