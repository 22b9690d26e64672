// SPDX-License-Identifier: GPL-2.0
/*
 * itercost KO: instructions of finding the lines of a packet, run and verified: by an iterator, and
 * by loops over the packet. Where the clock counts instructions (vm -i).
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "control.h"
#include "itercost.skel.h"
#include "packets.h"
#include "ksft.h"

#define REPEATS 5
#define SIZE 1500
#define LINE 30

static struct itercost_bpf *skel;

struct cost {
	unsigned long long run;
	unsigned int verified;
	unsigned int lines;
};

/* The packet's first part has @linear bytes, all if 0. */
static struct cost cost_of(struct bpf_program *prog, unsigned int linear)
{
	struct cost cost = { .run = ~0ULL };
	struct bpf_prog_info info = {};
	unsigned char packet[SIZE];
	__u32 len = sizeof(info);

	for (int i = 0; i < SIZE; i++)
		packet[i] = i % LINE == LINE - 1 ? '\n' : 'x';
	for (int i = 0; i < REPEATS; i++) {
		if (packet_run(bpf_program__fd(prog), false, packet, SIZE, linear))
			ksft_exit_fail_msg("%s: %s\n", bpf_program__name(prog), strerror(errno));
		if (skel->bss->spent < cost.run)
			cost.run = skel->bss->spent;
	}
	if (bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info, &len))
		ksft_exit_fail_msg("%s: %s\n", bpf_program__name(prog), strerror(errno));
	cost.verified = info.verified_insns;
	cost.lines = skel->bss->lines;
	return cost;
}

static void compare(unsigned int linear, const char *what)
{
	struct cost iterator = cost_of(skel->progs.iterator, linear);
	struct cost pieces = cost_of(skel->progs.pieces, linear);
	struct cost slices = cost_of(skel->progs.slices, linear);

	ksft_print_msg("%u bytes, %u lines, %s: iterator %llu, pieces %llu, slices %llu\n",
		       SIZE, iterator.lines, what, iterator.run, pieces.run, slices.run);
	ksft_print_msg("verified: iterator %u instructions, pieces %u, slices %u\n",
		       iterator.verified, pieces.verified, slices.verified);
	ksft_test_result(iterator.lines == SIZE / LINE && pieces.lines == iterator.lines &&
			 slices.lines == iterator.lines, "itercost: %s: all find the lines\n",
			 what);
	ksft_test_result(iterator.run < pieces.run && iterator.run < slices.run,
			 "itercost: %s: the iterator takes the fewest instructions\n", what);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: itercost KO\n");
		return 2;
	}
	ksft_print_header();
	ksft_set_plan(5);
	if (control_load(argv[1], ""))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	skel = itercost_bpf__open_and_load();
	if (!skel)
		ksft_exit_fail_msg("itercost.bpf.o cannot be had: %s\n", strerror(errno));
	compare(0, "in one part");
	compare(300, "with fragments");
	itercost_bpf__destroy(skel);
	ksft_test_result(!control_unload(), "itercost: the module can be unloaded\n");
	ksft_finished();
}
