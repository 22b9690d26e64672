// SPDX-License-Identifier: GPL-2.0
/*
 * heapcost KO [JSON [TURNS]]: instructions of bpf_dynptr_alloc() and bpf_dynptr_put(), and of
 * bpf_obj_new() and bpf_obj_drop() of as many bytes. Those zero nothing and take from a cache of
 * the processor's that an interrupt fills, on which it depends how much they take. Where the clock
 * counts instructions (vm -i).
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "heapcost.skel.h"
#include "heapstat.h"
#include "samples.h"
#include "ksft.h"

#define REPEATS 5
/* Instructions for 64 bytes, which 64 of them are zeroed with, at most: 616 on 2026-11-26. */
#define HELD_SIZE 64
#define HELD_TO 650

static const unsigned int sizes[] = { 8, 64, 256, 4000 };

/* The least of some runs, of which each is the mean of many calls. */
static double least(struct heapcost_bpf *skel, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(skel->obj, name);

	LIBBPF_OPTS(bpf_test_run_opts, opts);
	unsigned long long found = ~0ULL;

	for (int i = 0; i < REPEATS; i++) {
		if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
			ksft_exit_fail_msg("%s: %s\n", name, strerror(errno));
		if (skel->bss->spent < found)
			found = skel->bss->spent;
	}
	return found;
}

static double of_heap(struct heapcost_bpf *skel, unsigned int size)
{
	skel->bss->size = size;
	return least(skel, "heap") - least(skel, "nothing");
}

static double of_object(struct heapcost_bpf *skel, unsigned int size)
{
	char name[32];

	snprintf(name, sizeof(name), "object_%u", size);
	return least(skel, name) - least(skel, "nothing");
}

/* Of one size; in turns. */
static void compare(struct heapcost_bpf *skel, FILE *json, bool first, unsigned int size, int turns)
{
	struct samples heap = {}, object = {};
	char name[64];

	for (int i = 0; i < turns; i++) {
		sample_add(&object, of_object(skel, size));
		sample_add(&heap, of_heap(skel, size));
		sample_add(&heap, of_heap(skel, size));
		sample_add(&object, of_object(skel, size));
	}
	snprintf(name, sizeof(name), "bpf_dynptr_alloc + put, %u B", size);
	ksft_print_msg("%s: %.0f instructions, bpf_obj_new + drop %.0f to %.0f\n", name,
		       sample_least(&heap), sample_least(&object), sample_most(&object));
	if (size == HELD_SIZE)
		ksft_test_result(sample_least(&heap) <= HELD_TO,
				 "heapcost: alloc and put of %u B: %.0f instructions, at most %u\n",
				 size, sample_least(&heap), HELD_TO);
	if (json)
		samples_result(json, first, name, "bpf_obj_new + drop", &object, &heap);
}

int main(int argc, char **argv)
{
	int turns = argc > 3 ? atoi(argv[3]) : 1;
	struct heapcost_bpf *skel;
	FILE *json = NULL;

	if (argc < 2 || turns < 1) {
		fprintf(stderr, "usage: heapcost KO [JSON [TURNS]]\n");
		return 2;
	}
	ksft_print_header();
	if (control_load(argv[1], ""))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	skel = heapcost_bpf__open_and_load();
	if (!skel)
		ksft_exit_fail_msg("heapcost.bpf.o cannot be had: %s\n", strerror(errno));
	if (argc > 2)
		json = samples_open(argv[2], "heap", "instructions an object");
	for (size_t i = 0; i < COUNT(sizes); i++)
		compare(skel, json, !i, sizes[i], turns);
	if (json)
		samples_close(json);
	heapcost_bpf__destroy(skel);
	ksft_test_result(heap_is_empty(), "heapcost: all is freed\n");
	ksft_test_result(!control_unload(), "heapcost: the module can be unloaded\n");
	ksft_finished();
}
