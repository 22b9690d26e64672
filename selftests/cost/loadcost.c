// SPDX-License-Identifier: GPL-2.0
/*
 * loadcost KO OTHERPATCH PROGRAMS MODULE TURNS OBJECT…: what it takes to verify the programs of
 * the objects, with C and with Rust in turns (C, Rust, Rust, C), and to load, switch and unload the
 * module. In a guest that counts instructions (vm -i), whose clock they are. The first goes to the
 * file PROGRAMS, the second to MODULE, as JSON (scripts/bench/run).
 *
 * What no replacement of these functions can go below is C behind a livepatch of the same
 * functions, which replaces them by themselves (the module OTHERPATCH): C's turns are done so, too.
 *
 * The verifier measures itself, in microseconds; a program that it refuses is left out.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "insert.h"
#include "samples.h"
#include "ksft.h"

#define LOG_SIZE 65536
#define MAX_PROGRAMS 512
#define REPEATS 3	/* the least of these counts */
#define WAIT_US 1000
#define WAITS 60000
#define OTHERPATCH "/sys/kernel/livepatch/otherpatch"

enum { WITH_C, WITH_RUST, BEHIND_PATCH, SIDES };

struct program {
	char name[128];
	struct samples cost[SIDES];
};

static struct program programs[MAX_PROGRAMS];
static int count;
static struct samples loaded, switched, disabled, removed;

static struct program *program_of(const char *object, const char *name)
{
	char full[128];

	snprintf(full, sizeof(full), "%s/%s", object, name);
	for (int i = 0; i < count; i++)
		if (!strcmp(programs[i].name, full))
			return &programs[i];
	if (count == MAX_PROGRAMS)
		ksft_exit_fail_msg("more than %d programs\n", MAX_PROGRAMS);
	memcpy(programs[count].name, full, sizeof(full));
	return &programs[count++];
}

/* Microseconds that the verifier took for one program of the object; 0 if it does not load. */
static double verify(const char *path, const char *name)
{
	static char log[LOG_SIZE];
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct bpf_program *prog;
	const char *found;
	double spent = 0;

	if (!obj)
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
	prog = bpf_object__find_program_by_name(obj, name);
	bpf_program__set_log_buf(prog, log, sizeof(log));
	bpf_program__set_log_level(prog, 4);
	log[0] = 0;
	if (!bpf_object__load(obj)) {
		found = strstr(log, "verification time ");
		if (found)
			spent = strtod(found + strlen("verification time "), NULL);
	}
	bpf_object__close(obj);
	return spent;
}

/* All programs of the object. */
static void measure(char *path, int side)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct bpf_program *prog;

	if (!obj)
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	bpf_object__for_each_program(prog, obj) {
		struct program *p = program_of(base, bpf_program__name(prog));
		double least = 0;

		for (int i = 0; i < REPEATS; i++) {
			double spent = verify(path, bpf_program__name(prog));

			if (spent && (!least || spent < least))
				least = spent;
		}
		if (least)
			sample_add(&p->cost[side], least);
	}
	bpf_object__close(obj);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

/* Waits until the file at @path says @text, or with NULL is not there. Microseconds. */
static double wait_for(const char *path, const char *text)
{
	double start = now();
	char line[8];

	for (int i = 0; i < WAITS; i++) {
		FILE *file = fopen(path, "r");
		bool good = !file && !text;

		if (file) {
			good = text && fgets(line, sizeof(line), file) &&
			       !strncmp(line, text, strlen(text));
			fclose(file);
		}
		if (good)
			return now() - start;
		usleep(WAIT_US);
	}
	ksft_exit_fail_msg("%s does not become %s\n", path, text ? text : "empty");
}

/* Names of the functions that the module replaces by livepatch, with commas. */
static char replaced[1024];

static void read_replaced(void)
{
	struct row rows[MAX_ROWS];
	int rows_read = control_rows(rows), used = 0;

	for (int i = 0; i < rows_read; i++)
		if (!strcmp(rows[i].kind, "patch"))
			used += snprintf(replaced + used, sizeof(replaced) - used, "%s%s",
					 used ? "," : "", rows[i].name);
	if (!used || used >= (int)sizeof(replaced))
		ksft_exit_fail_msg("the module's table cannot be read\n");
}

static void load_module(const char *ko)
{
	double start = now();
	int err = module_insert(ko, "");

	if (err)
		ksft_exit_fail_msg("%s: %s\n", ko, strerror(err));
	sample_add(&loaded, now() - start);
	sample_add(&switched, wait_for(LIVEPATCH "/transition", "0"));
	read_replaced();
}

static void load_otherpatch(const char *ko)
{
	char parameters[sizeof(replaced) + 16];
	int err;

	snprintf(parameters, sizeof(parameters), "function=%s", replaced);
	err = module_insert(ko, parameters);
	if (err)
		ksft_exit_fail_msg("%s: %s\n", ko, strerror(err));
	wait_for(OTHERPATCH "/transition", "0");
}

static void unload_otherpatch(void)
{
	int err = write_file(OTHERPATCH "/enabled", "0");

	if (err)
		ksft_exit_fail_msg(OTHERPATCH ": %s\n", strerror(err));
	wait_for(OTHERPATCH "/enabled", NULL);
	for (int i = 0; syscall(SYS_delete_module, "otherpatch", O_NONBLOCK); i++) {
		if (i == WAITS)
			ksft_exit_fail_msg("otherpatch does not unload: %s\n", strerror(errno));
		usleep(WAIT_US);
	}
}

static void unload_module(void)
{
	double start = now();
	int err = write_file(LIVEPATCH "/enabled", "0");

	if (err)
		ksft_exit_fail_msg(LIVEPATCH ": %s\n", strerror(err));
	wait_for(LIVEPATCH "/enabled", NULL);
	sample_add(&disabled, now() - start);
	start = now();
	/* Programs that have just gone hold it until a grace period is over. */
	for (int i = 0; (err = module_remove()); i++) {
		if (err != EWOULDBLOCK || i == WAITS)
			ksft_exit_fail_msg("the module does not unload: %s\n", strerror(err));
		usleep(WAIT_US);
	}
	sample_add(&removed, now() - start);
}

/* Verified in every round. */
static bool is_whole(const struct program *p)
{
	int rounds = p->cost[WITH_C].count;

	return rounds && p->cost[WITH_RUST].count == rounds &&
	       p->cost[BEHIND_PATCH].count == rounds;
}

static void report_programs(const char *path)
{
	FILE *json = samples_open(path, "programs", "thousand instructions to verify");
	struct samples all[SIDES] = {};
	double mean[SIDES];
	int reported = 0;

	for (int i = 0; i < count; i++) {
		struct program *p = &programs[i];

		if (!is_whole(p))
			continue;
		samples_result(json, !reported++, p->name, NULL, &p->cost[WITH_C],
			       &p->cost[WITH_RUST]);
		for (int side = 0; side < SIDES; side++)
			samples_sum(&all[side], &p->cost[side]);
	}
	samples_result(json, !reported, "all programs", NULL, &all[WITH_C], &all[WITH_RUST]);
	samples_result(json, false, "all programs, C behind one too", "C behind a livepatch",
		       &all[BEHIND_PATCH], &all[WITH_RUST]);
	samples_close(json);
	for (int side = 0; side < SIDES; side++)
		mean[side] = sample_mean(&all[side]);
	ksft_test_result(reported && reported * 2 > count,
			 "loadcost: %d of %d programs are verified: C %.0f, Rust %.0f thousand instructions\n",
			 reported, count, mean[WITH_C], mean[WITH_RUST]);
	ksft_print_msg("C behind a livepatch of the same functions: %.0f, Rust by that %.4f\n",
		       mean[BEHIND_PATCH], mean[WITH_RUST] / mean[BEHIND_PATCH]);
}

static void report_module(const char *path)
{
	FILE *json = samples_open(path, "module", "microseconds of a clock of instructions");
	const struct {
		const char *name;
		const struct samples *samples;
	} parts[] = {
		{ "load: until insmod returns", &loaded },
		{ "switch: until every task is with Rust", &switched },
		{ "disable: until every task is with C", &disabled },
		{ "remove: until rmmod returns", &removed },
	};

	for (size_t i = 0; i < COUNT(parts); i++) {
		samples_result(json, !i, parts[i].name, NULL, NULL, parts[i].samples);
		ksft_print_msg("%s: %.0f us\n", parts[i].name, sample_mean(parts[i].samples));
	}
	samples_close(json);
	ksft_test_result(loaded.count, "loadcost: the module was loaded and unloaded %d times\n",
			 loaded.count);
}

/* C, Rust, Rust, C; around the latter, C behind a livepatch. */
static void turn(char **argv, char **objects)
{
	static const int sides[] = {
		WITH_C, WITH_RUST, WITH_RUST, BEHIND_PATCH, WITH_C, BEHIND_PATCH
	};

	for (size_t round = 0; round < COUNT(sides); round++) {
		if (round == 1)
			load_module(argv[1]);
		if (sides[round] == BEHIND_PATCH)
			load_otherpatch(argv[2]);
		for (char **object = objects; *object; object++)
			measure(*object, sides[round]);
		if (sides[round] == BEHIND_PATCH)
			unload_otherpatch();
		if (round == 2)
			unload_module();
	}
}

int main(int argc, char **argv)
{
	int turns = argc > 6 ? atoi(argv[5]) : 0;

	if (turns < 1) {
		fprintf(stderr, "usage: loadcost KO OTHERPATCH PROGRAMS MODULE TURNS OBJECT…\n");
		return 2;
	}
	ksft_print_header();
	libbpf_set_print(NULL);
	for (int i = 0; i < turns; i++)
		turn(argv, argv + 6);
	report_programs(argv[3]);
	report_module(argv[4]);
	ksft_finished();
}
