// SPDX-License-Identifier: GPL-2.0
/*
 * moves KO: copies within a packet of two parts, from the first to the second (see moves.bpf.c).
 * C reads freed memory there. The guest must be one whose allocator fills freed memory
 * (slab_debug=P), or such memory still has the right bytes.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "moves.h"
#include "control.h"
#include "moves.skel.h"
#include "packets.h"
#include "ksft.h"

#define LINEAR 500	/* bytes of the first part */

static struct moves_bpf *skel;
static unsigned char packet[MOVES_MAX];

/* One run: whether the packet is what a move between its bytes gives. */
static bool moved(struct bpf_program *prog, unsigned int from, unsigned int to, unsigned int size)
{
	unsigned char wanted[MOVES_MAX];

	skel->bss->from = from;
	skel->bss->to = to;
	skel->bss->size = size;
	if (packet_run(bpf_program__fd(prog), false, packet, sizeof(packet), LINEAR))
		ksft_exit_fail_msg("test run: %s\n", strerror(errno));
	memcpy(wanted, packet, sizeof(wanted));
	memmove(wanted + to, packet + from, size);
	return !skel->bss->copied && !memcmp(wanted, skel->bss->found, sizeof(wanted));
}

/*
 * Whether all are, from and to everywhere, but not overlapping: if the first part has room and
 * need not move, such bytes are left to chance. Up to the first that is not.
 */
static bool copies(void)
{
	for (unsigned int size = 1; size <= 300; size += 23) {
		for (unsigned int from = 0; from + size <= LINEAR; from += 61) {
			for (unsigned int to = 0; to + size <= MOVES_MAX; to += 119) {
				if (to < from + size && from < to + size)
					continue;
				if (!moved(skel->progs.copy, from, to, size))
					return false;
			}
		}
	}
	return true;
}

static bool writes(void)
{
	for (unsigned int from = 0; from + MOVES_WRITE <= LINEAR; from += 61) {
		for (unsigned int to = LINEAR; to + MOVES_WRITE <= MOVES_MAX; to += 119) {
			if (!moved(skel->progs.write, from, to, MOVES_WRITE))
				return false;
		}
	}
	return true;
}

/* How often Rust served the function. */
static unsigned long long hits(const char *name)
{
	struct row rows[MAX_ROWS];
	int count = control_rows(rows);

	for (int i = 0; i < count; i++) {
		if (!strcmp(rows[i].name, name))
			return rows[i].hits;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: moves KO\n");
		return 2;
	}
	ksft_print_header();
	ksft_set_plan(7);
	for (unsigned int i = 0; i < sizeof(packet); i++)
		packet[i] = i * 7 + (i >> 8);
	skel = moves_bpf__open_and_load();
	if (!skel)
		ksft_exit_fail_msg("moves.bpf.o: %s\n", strerror(errno));
	/* If C does one day, this test no longer shows that it can fail. */
	ksft_test_result(!copies(), "moves: control: C copies what the packet no longer has\n");
	ksft_test_result(!writes(), "moves: control: C writes what the slice no longer has\n");
	ksft_test_result(!control_load(argv[1], "count=1"), "moves: the module loads\n");
	ksft_test_result(copies(), "moves: Rust copies what the packet had\n");
	ksft_test_result(writes(), "moves: Rust writes what the slice had\n");
	ksft_test_result(hits("bpf_dynptr_copy") && hits("bpf_dynptr_write"),
			 "moves: Rust did it\n");
	ksft_test_result(!control_unload(), "moves: the module unloads\n");
	moves_bpf__destroy(skel);
	ksft_finished();
}
