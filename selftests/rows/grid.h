/* SPDX-License-Identifier: GPL-2.0 */
/* What grid.bpf.c and its runner share: one case, and what came of it. */
#ifndef GRID_H
#define GRID_H

#define GRID_BATCH 512	/* cases a program run goes through at most */
#define GRID_BYTES 2048	/* of a map value, a record */
#define GRID_PACKET 4608	/* of a packet: more than a page */
#define GRID_META 16	/* of the metadata before a packet */
#define GRID_BUFFER 640	/* of what is read and written at once */
#define GRID_ADDRESSES 24	/* foreign memory to read */

/* What is done to the dynptr. */
enum grid_op {
	GRID_READ,
	GRID_WRITE,
	GRID_DATA_0,
	GRID_DATA_300,
	GRID_SLICE_16,
	GRID_SLICE_300,
	GRID_SLICE_NULL,
	GRID_ADJUST,
	GRID_CLONE,
	GRID_COPY_SELF,
	GRID_COPY_IN,
	GRID_COPY_OUT,
	GRID_MEMSET,
	GRID_SLICE_RDWR_16,
	GRID_SLICE_RDWR_300,
	GRID_SLICE_RDWR_NULL,
	GRID_PROBE_KERNEL,
	GRID_PROBE_KERNEL_STR,
	GRID_PROBE_USER,
	GRID_PROBE_USER_STR,
	/* For sleepable programs. */
	GRID_COPY_USER,
	GRID_COPY_USER_STR,
	GRID_COPY_TASK,
	GRID_COPY_TASK_STR,
	GRID_OPS,
};

/* What kind of dynptr. */
enum grid_class {
	GRID_LOCAL,
	GRID_RINGBUF,
	GRID_NULL,
	GRID_SKB,
	GRID_SKB_FRAGS,
	GRID_SKB_META,
	GRID_SKB_RDONLY,
	GRID_XDP,
	GRID_XDP_FRAGS,
	GRID_FILE,
	GRID_FILE_SLEEPABLE,
	GRID_LOCAL_SLEEPABLE,
	GRID_RINGBUF_SLEEPABLE,
	GRID_CLASSES,
};

struct grid_case {
	unsigned long long start;	/* the view before: bpf_dynptr_adjust(start, end) */
	unsigned long long end;
	unsigned long long offset;
	unsigned long long len;
	unsigned long long other;	/* the other offset of a copy; an index of foreign memory */
	unsigned int op;
	unsigned int flags;
};

struct grid_result {
	long long made;		/* by the constructor */
	long long view;		/* by the first adjust */
	long long ret;		/* by the operation; of a pointer: 0 NULL, 1 direct, 2 the buffer */
	long long more;		/* by what follows it */
	unsigned long long buffer;	/* hash of what was read */
	unsigned long long memory;	/* hash of all memory afterwards */
	unsigned long long size;	/* of the dynptr afterwards */
	unsigned int is_null;
	unsigned int is_rdonly;
};

/* What is read of a frame that has become shorter than its dynptr. */
#define GRID_CUT 512	/* bytes shorter */
struct grid_cut {
	long long slice[2];	/* at the end, and behind it; as grid_result.ret */
	unsigned long long bytes[4];	/* of both buffers */
	long long read[2];
	long long written[2];
	long long memset[2];
};

#endif
