// SPDX-License-Identifier: GPL-2.0
/*
 * heapcost KO: instructions of bpf_dynptr_alloc() and bpf_dynptr_put() of 64 bytes, and of
 * bpf_obj_new() and bpf_obj_drop() of the same size. Where the clock counts instructions (vm -i).
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "control.h"
#include "heapcost.skel.h"
#include "heapstat.h"
#include "tap.h"

#define REPEATS 5

/* The least of some runs, of which each is the mean of many calls. */
static unsigned long long least(struct heapcost_bpf *skel, struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	unsigned long long found = ~0ULL;

	for (int i = 0; i < REPEATS; i++) {
		if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
			tap_bail("%s: %s", bpf_program__name(prog), strerror(errno));
		if (skel->bss->spent < found)
			found = skel->bss->spent;
	}
	return found;
}

int main(int argc, char **argv)
{
	unsigned long long heap, object, loop;
	struct heapcost_bpf *skel;

	if (argc != 2) {
		fprintf(stderr, "usage: heapcost KO\n");
		return 2;
	}
	if (control_load(argv[1], ""))
		tap_bail("the module cannot be loaded");
	skel = heapcost_bpf__open_and_load();
	if (!skel)
		tap_bail("heapcost.bpf.o cannot be had: %s", strerror(errno));
	loop = least(skel, skel->progs.nothing);
	heap = least(skel, skel->progs.heap) - loop;
	object = least(skel, skel->progs.object) - loop;
	tap_note("64 bytes: bpf_dynptr_alloc + put %llu instructions, bpf_obj_new + drop %llu",
		 heap, object);
	tap_ok(heap <= object + object / 10,
	       "heapcost: a heap dynptr costs about as much as an object, or less");
	heapcost_bpf__destroy(skel);
	tap_ok(heap_is_empty(), "heapcost: all is freed");
	tap_ok(!control_unload(), "heapcost: the module can be unloaded");
	return tap_done();
}
