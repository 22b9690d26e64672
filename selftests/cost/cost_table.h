/* SPDX-License-Identifier: GPL-2.0 */
/* What cost.c measures: the classes of memory and the operations. */
#ifndef COST_TABLE_H
#define COST_TABLE_H

#include <stdbool.h>

#include "cost.h"

#define PACKET 6000	/* bytes of a packet with fragments */
#define SHORT 1024	/* of one without */
#define LINEAR 100	/* of the first part of the former */
#define META 16		/* of metadata */

#define SIZES_QUICK 2	/* of the sizes, those of the test */

static const unsigned int sizes[] = { 8, 256, 64, COST_MAX_SIZE };

/* How a program is run. */
enum how { ALONE, ON_PACKET, ON_FRAGMENTS, ON_METADATA, ON_FILE };

static const struct program {
	const char *name;
	const char *label;
	enum how how;
	unsigned int offset;	/* where an operation starts in the dynptr */
	unsigned int max_size;	/* that makes sense; 0: any */
} programs[] = {
	{ "local", "local", ON_PACKET, 8 },
	{ "null", "null", ON_PACKET, 8, 8 },
	{ "skb", "skb", ON_PACKET, 8, 256 },
	/* From the first part into the next. A write makes it one part. */
	{ "skb", "skb, across parts", ON_FRAGMENTS, LINEAR - 4 },
	{ "frame", "xdp", ON_PACKET, 8, 256 },
	{ "frame", "xdp, across fragments", ON_FRAGMENTS, LINEAR - 4 },
	{ "frame", "xdp, in a fragment", ON_FRAGMENTS, LINEAR + 100 },
	{ "skb_meta", "skb metadata", ON_METADATA, META - 8, 8 },
	{ "skb_rdonly", "read-only skb", ON_PACKET, 8, 8 },
	{ "rings", "ring", ON_PACKET },
	{ "sleepable", "local, sleepable", ALONE, 8 },
	{ "crypto", "local, crypto", ON_PACKET },
	{ "file", "file", ON_FILE, 8 },
	{ "file_sleepable", "file, sleepable", ON_FILE, 8 },
};

static const struct operation {
	const char *name;
	const char *row;	/* of the take-over table; NULL: by class */
	bool sized;
} operations[COST_OPS] = {
	[COST_READ] = { "read", "bpf_dynptr_read", true },
	[COST_WRITE] = { "write", "bpf_dynptr_write", true },
	[COST_DATA] = { "data", "bpf_dynptr_data" },
	[COST_SLICE_NULL] = { "slice", "bpf_dynptr_slice" },
	[COST_SLICE_BUFFER] = { "slice with buffer", "bpf_dynptr_slice" },
	[COST_COPY] = { "copy", "bpf_dynptr_copy", true },
	[COST_MEMSET] = { "memset", "bpf_dynptr_memset", true },
	[COST_PROBE_KERNEL] = { "probe_read_kernel", "bpf_probe_read_kernel_dynptr", true },
	[COST_PROBE_KERNEL_STR] = { "probe_read_kernel_str", "bpf_probe_read_kernel_str_dynptr",
				    true },
	[COST_PROBE_USER] = { "probe_read_user", "bpf_probe_read_user_dynptr", true },
	[COST_PROBE_USER_STR] = { "probe_read_user_str", "bpf_probe_read_user_str_dynptr", true },
	[COST_SLICE_RDWR] = { "slice_rdwr", "bpf_dynptr_slice_rdwr" },
	[COST_ADJUST] = { "adjust", "bpf_dynptr_adjust" },
	[COST_IS_NULL] = { "is_null", "bpf_dynptr_is_null" },
	[COST_IS_RDONLY] = { "is_rdonly", "bpf_dynptr_is_rdonly" },
	[COST_SIZE] = { "size", "bpf_dynptr_size" },
	[COST_CLONE] = { "clone", "bpf_dynptr_clone" },
	[COST_FROM_MEM] = { "from_mem", "bpf_dynptr_from_mem" },
	[COST_FROM_MEM_REFUSED] = { "from_mem, refused", "bpf_dynptr_from_mem" },
	[COST_CONSTRUCT] = { "construct", NULL },
	[COST_CONSTRUCT_REFUSED] = { "construct, refused", NULL },
	[COST_RINGBUF_OUTPUT] = { "output", "bpf_ringbuf_output", true },
	[COST_RINGBUF_OUTPUT_FULL] = { "output, full", "bpf_ringbuf_output" },
	[COST_RINGBUF_QUERY] = { "query", "bpf_ringbuf_query" },
	[COST_RINGBUF_SUBMIT] = { "reserve + submit", "bpf_ringbuf_submit" },
	[COST_RINGBUF_OVERWRITE] = { "reserve + submit, overwriting", "bpf_ringbuf_submit" },
	[COST_RINGBUF_DISCARD] = { "reserve + discard", "bpf_ringbuf_discard" },
	[COST_RINGBUF_RESERVE_FULL] = { "reserve, full", "bpf_ringbuf_reserve" },
	[COST_RINGBUF_SUBMIT_DYNPTR] = { "reserve_dynptr + submit_dynptr",
					 "bpf_ringbuf_submit_dynptr" },
	[COST_RINGBUF_DISCARD_DYNPTR] = { "reserve_dynptr + discard_dynptr",
					  "bpf_ringbuf_discard_dynptr" },
	[COST_USER_RINGBUF_EMPTY] = { "user_ringbuf_drain, empty", "bpf_user_ringbuf_drain" },
	[COST_USER_RINGBUF_DRAIN] = { "user_ringbuf_drain, one record", "bpf_user_ringbuf_drain" },
	[COST_COPY_USER] = { "copy_from_user", "bpf_copy_from_user_dynptr", true },
	[COST_COPY_USER_STR] = { "copy_from_user_str", "bpf_copy_from_user_str_dynptr", true },
	[COST_COPY_TASK] = { "copy_from_user_task", "bpf_copy_from_user_task_dynptr", true },
	[COST_COPY_TASK_STR] = { "copy_from_user_task_str", "bpf_copy_from_user_task_str_dynptr",
				 true },
	[COST_CRYPTO] = { "crypto_encrypt", "__bpf_dynptr_is_rdonly" },
	[COST_FROM_FILE] = { "from_file + discard", "bpf_dynptr_file_discard" },
	[COST_FROM_FILE_REFUSED] = { "from_file + discard, refused", "bpf_dynptr_file_discard" },
	[COST_FSVERITY] = { "from_mem + get_fsverity_digest", "__bpf_dynptr_data_rw" },
	[COST_XATTR] = { "from_mem + get_file_xattr", "__bpf_dynptr_size" },
	[COST_PKCS7] = { "from_mem + verify_pkcs7_signature", "__bpf_dynptr_data" },
};

#endif
