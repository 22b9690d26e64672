// SPDX-License-Identifier: GPL-2.0
/*
 * rows KO: every function of the take-over table over a grid of arguments, first with C, then with
 * the module loaded: all results and bytes must be the same, and every row must have been hit.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <string.h>

#include "rows.h"
#include "control.h"
#include "rows.skel.h"
#include "ksft.h"

static const unsigned long long numbers[] = {
	0, 1, 7, 8, 24, 63, 64, 65, 1ULL << 24, 1ULL << 32, ~0ULL - 7, ~0ULL,
};

static const unsigned long long lengths[] = { 0, 1, 8, 33, 64 };

static const unsigned long long all_flags[] = { 0, 1, 2, 4, ~0ULL };

#define CASES (ROWS_CLASSES * COUNT(numbers) * COUNT(numbers) * COUNT(lengths) * COUNT(all_flags))

/* What this test must reach. */
static const char *const mine[] = {
	"bpf_dynptr_from_mem", "bpf_dynptr_read", "bpf_dynptr_write", "bpf_dynptr_data",
	"bpf_dynptr_size", "bpf_dynptr_adjust", "bpf_dynptr_from_skb", "bpf_ringbuf_output",
	"bpf_ringbuf_query", "destroy_if_dynptr_stack_slot", "release_reference_nomark",
};

static struct rows_result *results[2];
static int owned[2];

static struct rows_request request(size_t i)
{
	struct rows_request r = {};

	r.flags = all_flags[i % COUNT(all_flags)];
	i /= COUNT(all_flags);
	r.len = lengths[i % COUNT(lengths)];
	i /= COUNT(lengths);
	r.offset = numbers[i % COUNT(numbers)];
	i /= COUNT(numbers);
	r.size = numbers[i % COUNT(numbers)];
	i /= COUNT(numbers);
	r.class = i;
	r.query = r.offset % 7;
	return r;
}

/* Empties the record ring, so that both rounds find the same room. */
static int drop(void *context, void *data, size_t size)
{
	return 0;
}

static void fill(struct rows_bpf *skel)
{
	unsigned char bytes[ROWS_BYTES];
	__u32 key = 0;

	for (int i = 0; i < ROWS_BYTES; i++)
		bytes[i] = i * 7 + 1;
	bpf_map__update_elem(skel->maps.memory, &key, sizeof(key), bytes, sizeof(bytes), BPF_ANY);
}

/* One round over the grid with a program loaded now. */
static void round_of(int side)
{
	struct rows_result *out = results[side];
	unsigned char packet[ROWS_BYTES];
	struct ring_buffer *ring;
	struct rows_bpf *skel;

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	skel = rows_bpf__open_and_load();
	if (!skel)
		ksft_exit_fail_msg("cannot load rows.bpf.o: %s\n", strerror(errno));
	ring = ring_buffer__new(bpf_map__fd(skel->maps.ring), drop, NULL, NULL);
	if (!ring)
		ksft_exit_fail_msg("ring_buffer__new: %s\n", strerror(errno));
	for (size_t i = 0; i < CASES; i++) {
		memset(packet, 0x5a, sizeof(packet));
		memset(&skel->bss->result, 0, sizeof(skel->bss->result));
		fill(skel);
		skel->bss->request = request(i);
		if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.rows), &opts))
			ksft_exit_fail_msg("test run of case %zu: %s\n", i, strerror(errno));
		out[i] = skel->bss->result;
		ring_buffer__consume(ring);
	}
	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.owned), &opts))
		ksft_exit_fail_msg("test run of owned: %s\n", strerror(errno));
	owned[side] = opts.retval;
	ring_buffer__free(ring);
	rows_bpf__destroy(skel);
}

static void show(const char *side, const struct rows_result *r)
{
	ksft_print_msg("  %-4s from_mem %lld adjust %lld read %lld write %lld data %llu\n", side,
		       r->from_mem, r->adjust, r->read, r->write, r->data_offset);
	ksft_print_msg("       size %llu output %lld query %llu\n", r->dynptr_size, r->output,
		       r->query);
}

static void compare(void)
{
	size_t differences = 0;

	for (size_t i = 0; i < CASES; i++) {
		struct rows_request r = request(i);

		if (!memcmp(&results[0][i], &results[1][i], sizeof(results[0][i])))
			continue;
		if (differences++ >= 5)
			continue;
		ksft_print_msg("class %u size %llx offset %llx len %llu flags %llx\n", r.class,
			       r.size, r.offset, r.len, r.flags);
		show("C", &results[0][i]);
		show("Rust", &results[1][i]);
	}
	ksft_test_result(!differences, "rows: %zu cases, %zu differences between C and Rust\n",
			 CASES, differences);
}

static unsigned long long hits_of(const struct row *rows, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(rows[i].name, name))
			return rows[i].hits;
	return 0;
}

int main(int argc, char **argv)
{
	struct row rows[MAX_ROWS];
	int count;

	if (argc != 2) {
		fprintf(stderr, "usage: rows KO\n");
		return 2;
	}
	ksft_print_header();
	ksft_set_plan(COUNT(mine) + 6);
	for (int side = 0; side < 2; side++) {
		results[side] = calloc(CASES, sizeof(*results[side]));
		if (!results[side])
			ksft_exit_fail_msg("no memory\n");
	}
	round_of(0);
	if (!ksft_test_result(!control_load(argv[1], "count=1"), "rows: the module loads\n"))
		ksft_finished();
	round_of(1);
	compare();
	ksft_test_result(!owned[0] && !owned[1], "rows: an object that a list takes over\n");
	count = control_rows(rows);
	ksft_test_result(count > 0, "rows: debugfs lists the table\n");
	for (size_t i = 0; i < COUNT(mine); i++)
		ksft_test_result(hits_of(rows, count, mine[i]) > 0, "rows: %s was served by Rust\n",
				 mine[i]);
	ksft_test_result(!control_save_hits(), "rows: the hits are kept\n");
	ksft_test_result(!control_unload(), "rows: the module unloads\n");
	ksft_finished();
}
