// SPDX-License-Identifier: GPL-2.0
/*
 * copycost KO JSON TURNS: instructions of a record that is filled, copied into the ring by
 * bpf_ringbuf_output() or made there by a dynptr, both with Rust. Where the clock counts
 * instructions (vm -i).
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "copycost.skel.h"
#include "samples.h"
#include "ksft.h"

static const unsigned int sizes[] = { 8, 64, 256, 1024, 4096 };

static int drop(void *context, void *data, size_t size)
{
	return 0;
}

static double run(struct copycost_bpf *skel, struct bpf_program *prog, struct ring_buffer *ring)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) || opts.retval)
		ksft_exit_fail_msg("%s: %s\n", bpf_program__name(prog), strerror(errno));
	ring_buffer__consume(ring);
	return skel->bss->spent;
}

static void compare(struct copycost_bpf *skel, struct ring_buffer *ring, FILE *json, bool first,
		    unsigned int size, int turns)
{
	struct samples output = {}, reserved = {};
	unsigned long long copied, stored;
	char name[64];

	skel->bss->size = size;
	for (int i = 0; i < turns; i++) {
		sample_add(&output, run(skel, skel->progs.by_output, ring));
		copied = skel->bss->copied;
		stored = skel->bss->stored;
		sample_add(&reserved, run(skel, skel->progs.by_reservation, ring));
		sample_add(&reserved, run(skel, skel->progs.by_reservation, ring));
		ksft_test_result(copied == size && !skel->bss->copied &&
				 stored == skel->bss->stored,
				 "copycost: %u B: %llu copied by output, %llu by reservation; both store %llu\n",
				 size, copied, skel->bss->copied, stored);
		sample_add(&output, run(skel, skel->progs.by_output, ring));
	}
	snprintf(name, sizeof(name), "a record of %u B, filled", size);
	ksft_print_msg("%s: bpf_ringbuf_output %.0f instructions, by dynptr %.0f\n", name,
		       sample_least(&output), sample_least(&reserved));
	samples_result(json, first, name, "bpf_ringbuf_output", &output, &reserved);
}

int main(int argc, char **argv)
{
	int turns = argc == 4 ? atoi(argv[3]) : 0;
	struct copycost_bpf *skel;
	struct ring_buffer *ring;
	FILE *json;

	if (turns < 1) {
		fprintf(stderr, "usage: copycost KO JSON TURNS\n");
		return 2;
	}
	ksft_print_header();
	if (control_load(argv[1], ""))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	skel = copycost_bpf__open_and_load();
	if (!skel)
		ksft_exit_fail_msg("copycost.bpf.o cannot be had: %s\n", strerror(errno));
	ring = ring_buffer__new(bpf_map__fd(skel->maps.ring), drop, NULL, NULL);
	if (!ring)
		ksft_exit_fail_msg("ring: %s\n", strerror(errno));
	json = samples_open(argv[2], "copied", "instructions a record");
	for (size_t i = 0; i < COUNT(sizes); i++)
		compare(skel, ring, json, !i, sizes[i], turns);
	samples_close(json);
	ring_buffer__free(ring);
	copycost_bpf__destroy(skel);
	ksft_test_result(!control_unload(), "copycost: the module can be unloaded\n");
	ksft_finished();
}
