// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz KO OPTION…: random dynptr programs, loaded and run with C and with the module KO, in one
 * boot. Verdict, whole verifier log, and what a run leaves must be the same.
 *
 *   --seeds A-B      the programs of the seeds A to B
 *   --block N        seeds between two loads of the module (10000)
 *   --seed N         one program: its operations, instructions, log, and the difference
 *   --reduce N       the smallest program, from that of seed N, for which C and Rust still differ
 *   --match TEXT     with --reduce: for which the log has TEXT
 *   --file PATH      instead of a seed: a program that --reduce has left
 *   --dir PATH       where logs and reduced programs go (build/fuzz)
 *   --state PATH     statistics go on from those in this file, and are left in it
 *   --plant          a difference on purpose (load.c): exactly those programs must differ
 *   --heap           programs with heap dynptrs, with the module alone: see heap.h
 *   --with PARAMS    with --heap: more parameters for the module
 * "-" as KO: C on both sides; then nothing may differ either, unless it is planted.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "sides.h"
#include "ksft.h"

#define HEAP_PARAMETERS "count=1 heap_red_zones=1"
#define SHOWN 5	/* differing programs of which the logs are compared */

static struct {
	const char *ko, *dir, *file, *state, *with;
	__u64 first, last, seed;
	size_t block;
	bool seeds, single, reduce;
} options = { .dir = "build/fuzz", .block = 10000 };

static __u64 different[SHOWN];
static size_t differences, planted_programs, planted_found;
static __u64 planted_seed;
static struct tally *tally;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* How many operations the program of @seed has if it calls memset, else 0. */
static size_t calls_memset(__u64 seed)
{
	static struct image image;
	struct program p;

	generate(seed, &p);
	emit(&p, &image);
	for (int i = 0; i < image.count; i++)
		if (image.insns[i].code == (BPF_JMP | BPF_CALL) &&
		    image.insns[i].src_reg == BPF_PSEUDO_KFUNC_CALL &&
		    image.insns[i].imm == KF_MEMSET)
			return program_size(&p);
	return 0;
}

static void compare(__u64 first, size_t count, const struct outcome *c,
		    const struct outcome *rust)
{
	tally->programs += count;
	for (size_t i = 0; i < count; i++) {
		bool same = outcome_same(&c[i], &rust[i]);

		if (planted && calls_memset(first + i)) {
			planted_programs++;
			planted_found += !same;
			if (!same && calls_memset(first + i) > calls_memset(planted_seed))
				planted_seed = first + i;
			continue;
		}
		if (same)
			continue;
		if (outcome_misprint(&c[i], &rust[i])) {
			tally->misprints++;
			continue;
		}
		tally->verdicts += c[i].verdict != rust[i].verdict;
		tally->logs += c[i].log != rust[i].log;
		tally->runs += c[i].run != rust[i].run;
		if (differences < SHOWN)
			different[differences] = first + i;
		differences++;
	}
}

/* A block of seeds on both sides; the one that serves now goes first. */
static void run_block(__u64 first, size_t count, struct outcome *out[SIDES], double *seconds)
{
	for (int i = 0; i < SIDES; i++) {
		enum side side = i ? !side_now() : side_now();
		double start;

		side_take(side);
		start = now();
		pass_seeds(first, count, out[side], i ? out[!side] : NULL, options.dir);
		seconds[side] += now() - start;
	}
	compare(first, count, out[SIDE_C], out[SIDE_RUST]);
}

static void show_differences(void)
{
	struct program p;

	for (size_t i = 0; i < differences && i < SHOWN; i++) {
		printf("# seed %llu differs:\n", (unsigned long long)different[i]);
		generate(different[i], &p);
		replay(&p, options.dir, false);
	}
}

/* What a run of many programs must have reached; short ones cannot reach all. */
static void check_summary(const struct summary *s)
{
	ksft_test_result(s->accepted * 10ULL >= s->programs * 3ULL,
			 "fuzz: %u of %u programs are accepted (%.1f %%, at least 30 %%)\n",
			 s->accepted, s->programs,
			 100.0 * s->accepted / (s->programs ? s->programs : 1));
	if (s->programs >= 5000)
		ksft_test_result(!s->ops_missing,
				 "fuzz: each of %d operations is in accepted programs\n", OPS);
	if (s->programs < 100000)
		return;
	ksft_test_result(!s->messages_missing,
			 "fuzz: all of %u messages of the verifier are reached\n", s->messages);
	ksft_test_result(!s->texts_missing, "fuzz: all of %u messages of reject.rs are reached\n",
			 s->texts);
}

static void check_planted(void)
{
	ksft_test_result(!check_images(3000),
			 "fuzz: jumps stay valid whatever operations are removed\n");
	/* Some are refused before the verifier has looked at the changed instruction. */
	ksft_test_result(planted_found * 100 >= planted_programs * 95 && planted_found,
			 "fuzz: a planted difference is found in %zu of %zu programs\n",
			 planted_found, planted_programs);
	ksft_test_result(!differences, "fuzz: and in %zu others\n", differences);
	ksft_print_msg("the largest one: %llu\n", (unsigned long long)planted_seed);
}

static void check_seeds(void)
{
	struct summary summary;
	unsigned int rows;

	tally->differences += differences;
	tally->hits += side_hits(&rows, true);
	summary = stats_report();
	check_summary(&summary);
	if (strcmp(options.ko, "-"))
		ksft_test_result(rows > 0, "fuzz: Rust served: %llu hits in %u rows\n",
				 (unsigned long long)tally->hits, rows);
	ksft_print_msg("%llu logs differ only in stack slots that C misprints (log.c)\n",
		       (unsigned long long)tally->misprints);
	ksft_test_result(!tally->differences,
			 "fuzz: %llu programs, %llu differences (%llu verdicts, %llu logs, %llu runs)\n",
			 (unsigned long long)tally->programs,
			 (unsigned long long)tally->differences,
			 (unsigned long long)tally->verdicts, (unsigned long long)tally->logs,
			 (unsigned long long)tally->runs);
	if (options.state)
		stats_save(options.state);
}

static void run_seeds(void)
{
	size_t total = options.last - options.first + 1;
	struct outcome *out[SIDES];
	double seconds[SIDES] = {};

	for (int i = 0; i < SIDES; i++) {
		out[i] = calloc(options.block, sizeof(**out));
		if (!out[i])
			ksft_exit_fail_msg("no memory\n");
	}
	for (size_t done = 0; done < total; done += options.block) {
		size_t count = total - done < options.block ? total - done : options.block;

		run_block(options.first + done, count, out, seconds);
		ksft_print_msg("%zu programs, %zu differ; a second: %.0f with C, %.0f with Rust\n",
			       done + count, differences, (done + count) / seconds[SIDE_C],
			       (done + count) / seconds[SIDE_RUST]);
	}
	if (differences)
		show_differences();
	side_take(SIDE_C);
	if (planted)
		check_planted();
	else
		check_seeds();
}

static void get_program(struct program *p)
{
	if (!options.file)
		generate(options.seed, p);
	else if (!restore_program(options.file, p))
		ksft_exit_fail_msg("%s is no program of this generator\n", options.file);
}

static void run_reduce(void)
{
	holds_fn holds = wanted_text ? holds_text : holds_difference;
	char name[256];
	struct program p;
	bool held;

	get_program(&p);
	holds(&p, 1, &held);
	if (!held)
		ksft_exit_fail_msg("it does not hold for the whole program\n");
	reduce(&p, holds);
	snprintf(name, sizeof(name), "%s/%llu.program", options.dir,
		 (unsigned long long)options.seed);
	save_program(name, &p);
	replay(&p, options.dir, true);
	side_take(SIDE_C);
	printf("reduced to %zu operations, %s\n", program_size(&p), name);
}

static void run_single(void)
{
	struct program p;

	get_program(&p);
	replay(&p, options.dir, true);
	side_take(SIDE_C);
}

static const struct option names[] = {
	{ "seeds", required_argument, NULL, 's' }, { "block", required_argument, NULL, 'b' },
	{ "seed", required_argument, NULL, 'n' },  { "reduce", required_argument, NULL, 'r' },
	{ "match", required_argument, NULL, 'm' }, { "file", required_argument, NULL, 'f' },
	{ "dir", required_argument, NULL, 'd' },   { "plant", no_argument, NULL, 'p' },
	{ "state", required_argument, NULL, 'S' }, { "heap", no_argument, NULL, 'h' },
	{ "with", required_argument, NULL, 'w' }, {},
};

static bool parse(int argc, char **argv)
{
	unsigned long long a, b;
	int o;

	while ((o = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (o) {
		case 's':
			if (sscanf(optarg, "%llu-%llu", &a, &b) != 2 || b < a)
				return false;
			options.first = a;
			options.last = b;
			options.seeds = true;
			break;
		case 'b':
			options.block = strtoul(optarg, NULL, 10);
			break;
		case 'n':
		case 'r':
			options.seed = strtoull(optarg, NULL, 10);
			options.single = true;
			options.reduce |= o == 'r';
			break;
		case 'm':
			wanted_text = optarg;
			break;
		case 'f':
			options.file = optarg;
			options.single = true;
			break;
		case 'd':
			options.dir = optarg;
			break;
		case 'S':
			options.state = optarg;
			break;
		case 'h':
			heap_mode = true;
			break;
		case 'w':
			options.with = optarg;
			break;
		case 'p':
			planted = true;
			break;
		default:
			return false;
		}
	}
	if (optind != argc - 1 || !options.block || options.seeds == options.single)
		return false;
	options.ko = argv[optind];
	return true;
}

static int run_heap(void)
{
	static char parameters[256];
	struct program p;

	snprintf(parameters, sizeof(parameters), HEAP_PARAMETERS " %s",
		 options.with ? options.with : "");
	side_parameters = parameters;
	if (!options.single) {
		heap_seeds(options.first, options.last, options.block, options.dir);
		ksft_finished();
	}
	get_program(&p);
	if (options.reduce)
		heap_reduce(&p, options.dir);
	else
		heap_single(&p, options.dir);
	return 0;
}

int main(int argc, char **argv)
{
	if (!parse(argc, argv)) {
		fprintf(stderr, "usage: fuzz KO|- --seeds A-B|--seed N|--reduce N [OPTION...]\n");
		return 2;
	}
	if (!options.single)
		ksft_print_header();
	mkdir(options.dir, 0755);
	setvbuf(stdout, NULL, _IOLBF, 0);
	side_init(options.ko);
	tally = stats_share(options.state);
	run_share();
	if (heap_mode)
		return run_heap();
	if (!options.single) {
		run_seeds();
		ksft_finished();
	}
	if (options.reduce)
		run_reduce();
	else
		run_single();
	return 0;
}
