/* SPDX-License-Identifier: GPL-2.0 */
/* Runs the programs of bpf/heap.bpf.c, and what an allocation must have left. */
#ifndef HEAPRUN_H
#define HEAPRUN_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <string.h>

#include "heap.h"
#include "heap.skel.h"
#include "ksft.h"

/* What kmalloc_nolock() and alloc_pages_nolock() give at most, less the header. */
#define SLAB_MAX (8192 - 32)
#define PAGES_MAX (32768 - 32)

static inline struct heap_bpf *heap_load(void)
{
	struct heap_bpf *loaded = heap_bpf__open_and_load();

	if (!loaded)
		ksft_exit_fail_msg("heap.bpf.o cannot be had: %s\n", strerror(errno));
	return loaded;
}

/* Runs @prog once, with a packet if it takes one. 0 or the errno of the system call. */
static inline int heap_test_run(struct bpf_program *prog)
{
	char packet[64] = "packet";

	LIBBPF_OPTS(bpf_test_run_opts, on_packet, .data_in = packet,
		    .data_size_in = sizeof(packet));
	LIBBPF_OPTS(bpf_test_run_opts, plain);
	bool has_packet = bpf_program__type(prog) == BPF_PROG_TYPE_SCHED_CLS;

	if (bpf_prog_test_run_opts(bpf_program__fd(prog), has_packet ? &on_packet : &plain))
		return errno;
	return 0;
}

/* The same of @skel with this request; what came of it is in skel->bss->result. */
static inline int heap_run(struct heap_bpf *skel, struct bpf_program *prog,
			   struct heap_request request)
{
	memset(&skel->bss->result, 0, sizeof(skel->bss->result));
	skel->bss->request = request;
	return heap_test_run(prog);
}

/* One allocation of @size bytes: errno @err, and that the dynptr is what it must be. */
static inline bool heap_is_right(const struct heap_result *r, unsigned int size, int err)
{
	bool null = err || !r->size;

	if (r->alloc != err)
		return false;
	if (err)
		return r->is_null && r->write == -EINVAL && r->read == -EINVAL && !r->data &&
		       !r->empty_data;
	return !r->is_null && !r->is_rdonly && r->size == size && !r->dirty &&
	       r->write == (size < 64 ? -E2BIG : 0) && r->read == (size < 64 ? -E2BIG : 0) &&
	       r->wrong == (size < 64) && r->beyond == -E2BIG && r->data == !null &&
	       r->empty_data;
}

#endif
