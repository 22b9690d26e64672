// SPDX-License-Identifier: GPL-2.0
/* fuzz --heap: many programs, one with its log, and making one small. See heap.h. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "heap.h"
#include "sides.h"
#include "ksft.h"

#define SHOWN 8

/* Of the programs so far; @worst: some that are wrong. */
static struct {
	size_t programs, accepted, judged[3], wrong[WRONGS];
	__u64 worst[SHOWN], largest;
	size_t bad, largest_size;
} found;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void count(__u64 seed, const struct outcome *out)
{
	struct program p;

	generate(seed, &p);
	found.programs++;
	found.accepted += !out->verdict;
	found.judged[heap_judge(&p)]++;
	if (!out->wrong)
		return;
	for (int i = 0; i < WRONGS; i++) {
		if (!(out->wrong & 1u << i))
			continue;
		found.wrong[i]++;
		ksft_print_msg("seed %llu %s\n", (unsigned long long)seed, wrong_names[i]);
	}
	if (found.bad < SHOWN)
		found.worst[found.bad] = seed;
	found.bad++;
	if (program_size(&p) > found.largest_size) {
		found.largest_size = program_size(&p);
		found.largest = seed;
	}
}

static void show_wrong(FILE *out, __u32 wrong)
{
	for (int i = 0; i < WRONGS; i++)
		if (wrong & 1u << i)
			fprintf(out, "# %s\n", wrong_names[i]);
}

static void log_path(char *to, size_t size, const char *dir, const struct program *p)
{
	snprintf(to, size, "%s/%llu.heap.log", dir, (unsigned long long)p->seed);
}

/* With the module: the program, its log, and what is wrong with it. */
static void replay_heap(const struct program *p, const char *dir, bool verbose)
{
	static const char *const judgements[] = { "legal", "illegal", "of unknown legality" };
	static struct image image;
	char name[256], command[600];
	struct outcome out;

	show_program(stdout, p);
	emit(p, &image);
	if (verbose)
		show_insns(stdout, &image);
	log_path(name, sizeof(name), dir, p);
	record(p, name, &out);
	snprintf(command, sizeof(command), "%s %s", verbose ? "cat" : "tail -n 25", name);
	fflush(stdout);
	if (system(command) < 0)
		ksft_print_msg("cannot show %s\n", name);
	printf("# judged %s\n", judgements[heap_judge(p)]);
	show_wrong(stdout, out.wrong);
}

/* What must be left when all programs and maps are gone. */
static void check_end(void)
{
	struct heap_counts counts = {};
	bool settled = heap_settled();

	heap_counts(&counts);
	ksft_test_result(settled,
			 "heapfuzz: without programs and maps %llu blocks (%llu bytes) of %llu live\n",
			 counts.live, counts.bytes, counts.allocated);
	ksft_test_result(!counts.damaged, "heapfuzz: none of %llu blocks was damaged (%llu)\n",
			 counts.allocated, counts.damaged);
	ksft_print_msg("%llu allocations failed\n", counts.failed);
}

static void check_found(void)
{
	struct summary s = stats_report();

	ksft_test_result(found.accepted * 10 >= found.programs * 3,
			 "heapfuzz: %zu of %zu programs are accepted (%.1f %%, at least 30 %%)\n",
			 found.accepted, found.programs, 100.0 * found.accepted / found.programs);
	if (found.programs >= 3000)
		ksft_test_result(!s.ops_missing,
				 "heapfuzz: each of %d operations is in accepted programs\n", OPS);
	if (found.programs >= 20000)
		ksft_test_result(!s.messages_missing, "heapfuzz: all of %u messages are reached\n",
				 s.messages);
	ksft_print_msg("judged: %zu legal, %zu illegal, %zu unknown\n", found.judged[JUDGED_LEGAL],
		       found.judged[JUDGED_ILLEGAL], found.judged[JUDGED_UNKNOWN]);
	for (int i = 0; i < WRONGS; i++)
		ksft_test_result(!found.wrong[i], "heapfuzz: of %zu programs, %zu %s\n",
				 found.programs, found.wrong[i], wrong_names[i]);
	if (found.bad)
		ksft_print_msg("the largest wrong one: %llu\n", (unsigned long long)found.largest);
}

/* The programs of the seeds @first to @last, @block at a time. */
void heap_seeds(__u64 first, __u64 last, size_t block, const char *dir)
{
	struct outcome *out = calloc(block, sizeof(*out));
	double start = now();
	struct program p;

	if (!out)
		ksft_exit_fail_msg("no memory\n");
	side_take(SIDE_RUST);
	for (__u64 seed = first; seed <= last; seed += block) {
		size_t size = last - seed + 1 < block ? last - seed + 1 : block;

		pass_seeds(seed, size, out, NULL, dir);
		for (size_t i = 0; i < size; i++)
			count(seed + i, &out[i]);
		ksft_print_msg("%zu programs, %zu wrong; %.0f a second\n", found.programs,
			       found.bad, found.programs / (now() - start));
	}
	for (size_t i = 0; i < found.bad && i < SHOWN; i++) {
		generate(found.worst[i], &p);
		replay_heap(&p, dir, false);
	}
	check_found();
	check_end();
	side_take(SIDE_C);
	ksft_test_result(true, "heapfuzz: the module unloads\n");
}

void heap_single(const struct program *p, const char *dir)
{
	side_take(SIDE_RUST);
	replay_heap(p, dir, true);
	side_take(SIDE_C);
}

/* Makes @p small while the same is wrong with it, or while its log has the wanted text. */
void heap_reduce(struct program *p, const char *dir)
{
	char name[256];
	bool holds;

	side_take(SIDE_RUST);
	if (!wanted_text) {
		struct outcome out;

		log_path(name, sizeof(name), dir, p);
		record(p, name, &out);
		wanted_wrong = out.wrong & -out.wrong;
		printf("# to be kept:\n");
		show_wrong(stdout, wanted_wrong);
	}
	holds_text(p, 1, &holds);
	if (!holds)
		ksft_exit_fail_msg("it does not hold for the whole program\n");
	reduce(p, holds_text);
	snprintf(name, sizeof(name), "%s/%llu.small", dir, (unsigned long long)p->seed);
	save_program(name, p);
	replay_heap(p, dir, true);
	side_take(SIDE_C);
	printf("reduced to %zu operations, %s\n", program_size(p), name);
}
