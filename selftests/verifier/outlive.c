// SPDX-License-Identifier: GPL-2.0
/*
 * outlive KO [FAULTS]: slices that outlive the frame of their dynptr (outlive.h) are judged as the
 * programs say; the log of those that are accepted is the one of C, or, of programs that C cannot
 * judge, of soundness=c, byte for byte; so is every log with soundness=c. FAULTS, a module with
 * faults: without the rule those that are to be refused are not all.
 */
#include <stdio.h>

#include "control.h"
#include "loader.h"
#include "ringuser.h"
#include "ksft.h"

#define PROGRAMS 64
#define OBJECTS 2

/* What came of a program: the verifier's verdict and log, without its times. */
struct judged {
	char *log;
	int err;
};

static const struct {
	const char *file;
	bool c_can;	/* judge them */
} objects[OBJECTS] = { { "outlive.bpf.o", true }, { "outlive_heap.bpf.o", false } };

static struct judged before[OBJECTS][PROGRAMS];

/* What is done with each program. */
struct task {
	struct judged *judged;
	const char *side;
	int number, different, refused;
	bool keep, accepted_only;
};

/* What differs from one time to the next: the time that it took, and the kernel's addresses. */
static void cut_what_varies(char *log)
{
	char *at = strstr(log, "verification time ");

	if (at)
		memmove(at, at + strcspn(at, "\n"), strlen(at + strcspn(at, "\n")) + 1);
	for (at = log; (at = strstr(at, "0xffff")); at++)
		memset(at, '-', strspn(at, "0123456789abcdefx"));
}

/* The first lines that differ. */
static void show_difference(const char *was, const char *is)
{
	const char *line = is;

	for (; *is && *is == *was; is++, was++)
		if (*is == '\n')
			line = is + 1;
	ksft_print_msg("%.*s\n", (int)strcspn(line, "\n"), line);
}

static void judge(const struct loader_spec *spec, void *context)
{
	struct task *task = context;
	struct judged *judged = &task->judged[task->number++];
	struct bpf_object *obj = loader_open(spec->object);
	struct bpf_program *prog = loader_only(obj, spec->name);
	int err;

	if (task->number > PROGRAMS)
		ksft_exit_fail_msg("more than %d programs\n", PROGRAMS);
	loader_log[0] = '\0';
	err = loader_load(obj, prog, 2, CAP_ALL);
	bpf_object__close(obj);
	task->refused += err != 0;
	cut_what_varies(loader_log);
	if (task->keep) {
		free(judged->log);
		judged->log = strdup(loader_log);
		judged->err = err;
		return;
	}
	if (task->accepted_only && !spec->verdicts[LOADER_PRIV].success)
		return;
	if (err == judged->err && !strcmp(loader_log, judged->log))
		return;
	task->different++;
	ksft_print_msg("%s: %d, was %d\n", spec->name, err, judged->err);
	show_difference(judged->log, loader_log);
}

static void keep(int i)
{
	struct task task = { .judged = before[i], .keep = true };

	loader_each(objects[i].file, judge, &task);
}

/* The logs are those of before: of all programs, or of those that are accepted. */
static void compare(int i, const char *what, bool accepted_only)
{
	struct task task = { .judged = before[i], .accepted_only = accepted_only };

	loader_each(objects[i].file, judge, &task);
	ksft_test_result(!task.different, "outlive: %s: %s: %d programs, no log differs\n",
			 objects[i].file, what, task.number);
}

/* Without the rule: as many are refused as with soundness=c. */
static void try_without(const char *faults)
{
	if (control_load(faults, "heap_fault=7"))
		ksft_exit_fail_msg("the module with faults cannot be loaded\n");
	for (int i = 0; i < OBJECTS; i++)
		compare(i, "control: without owners all are as with soundness=c", false);
	ksft_test_result(!control_unload(), "outlive: it can be unloaded\n");
}

int main(int argc, char **argv)
{
	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: outlive KO [FAULTS]\n");
		return 2;
	}
	ksft_print_header();
	for (int i = 0; i < OBJECTS; i++)
		if (objects[i].c_can)
			keep(i);
	if (control_load(argv[1], "soundness=c"))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	for (int i = 0; i < OBJECTS; i++) {
		if (objects[i].c_can)
			compare(i, "soundness=c is as C", false);
		else
			keep(i);
	}
	ksft_test_result(!control_unload(), "outlive: the module can be unloaded\n");
	if (control_load(argv[1], "count=1"))
		ksft_exit_fail_msg("the module cannot be loaded again\n");
	for (int i = 0; i < OBJECTS; i++) {
		loader_run(objects[i].file, i ? "outlive: heap: " : "outlive: ring: ");
		compare(i, "what is accepted is judged as before", true);
	}
	ksft_test_result(hits_of("prepare_func_exit") > 0,
			 "outlive: the ends of frames were seen\n");
	control_save_hits();
	ksft_test_result(!control_unload(), "outlive: the module can be unloaded again\n");
	if (argc == 3)
		try_without(argv[2]);
	ksft_finished();
}
