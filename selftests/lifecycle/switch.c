// SPDX-License-Identifier: GPL-2.0
/*
 * switch KO TURNS: a program that is being verified while the livepatch is enabled or disabled is
 * judged by one side from its beginning to its end. The task that verifies it must not switch
 * meanwhile: see rust/takeover/patch.rs for how. Without that, this test finds some 60 % of the
 * calls on the wrong side.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "switch.h"
#include "control.h"
#include "insert.h"
#include "switch.skel.h"
#include "ksft.h"

#define PATCH "/sys/kernel/livepatch/rust_dynptr/"

static atomic_int tid;
static atomic_bool ended;
static int load_error;
static unsigned int turns = SWITCH_TURNS;
/*
 * How often the verifying thread was looked at, was in the verifier as its stack says, and was
 * there and not on the side where it should be.
 */
static int seen, inside, wrong;

/* Only a task that is not running can switch: the verifying one has to share its processor. */
static void share_processor(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		ksft_exit_fail_msg("cannot pin a thread: %s\n", strerror(errno));
}

static void *burn(void *unused)
{
	share_processor();
	while (!atomic_load(&ended))
		;
	return NULL;
}

/*
 * The verifier gives up with EAGAIN when a signal comes. libbpf would try again, and what is then
 * judged need not be judged by the same side.
 */
static int once(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	opts->attempts = 1;
	return 0;
}

/* No signals here, such as that of another thread's child that ended. */
static void *verify(void *unused)
{
	struct switch_bpf *skel = switch_bpf__open();
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	share_processor();

	if (!skel)
		ksft_exit_fail_msg("cannot open switch.bpf.o: %s\n", strerror(errno));
	skel->rodata->count = turns;
	/* Statistics alone; without a log libbpf would load once more, for one. */
	bpf_program__set_log_level(skel->progs.turns, 4);
	atomic_store(&tid, syscall(SYS_gettid));
	load_error = switch_bpf__load(skel);
	atomic_store(&ended, true);
	switch_bpf__destroy(skel);
	return NULL;
}

/* The number in a file; @missing if there is no such file. */
static int number_in(const char *path, int missing)
{
	FILE *file = fopen(path, "r");
	int number = missing;

	if (!file)
		return missing;
	if (fscanf(file, "%d", &number) != 1)
		number = missing;
	fclose(file);
	return number;
}

/* 1 if the verifying task runs livepatched functions, 0 if C's, -1 if nothing is changing. */
static int verifier_side(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/patch_state", atomic_load(&tid));
	return number_in(path, -2);
}

static void begin(pthread_t threads[2])
{
	atomic_store(&tid, 0);
	atomic_store(&ended, false);
	if (pthread_create(&threads[0], NULL, verify, NULL) ||
	    pthread_create(&threads[1], NULL, burn, NULL))
		ksft_exit_fail_msg("no thread\n");
	while (!atomic_load(&tid))
		usleep(1000);
	/* Into the loop. */
	usleep(200 * 1000);
}

static void end(pthread_t threads[2])
{
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

static unsigned long long hits(void)
{
	struct row rows[MAX_ROWS];
	int count = control_rows(rows);

	for (int i = 0; i < count; i++)
		if (!strcmp(rows[i].name, "process_dynptr_func"))
			return rows[i].hits;
	return -1;
}

/* While the livepatch changes to @side, the thread that verifies must stay on the other one. */
static void look(int side)
{
	seen = 0;
	inside = 0;
	wrong = 0;
	while (!atomic_load(&ended)) {
		bool changing = number_in(PATCH "transition", 0) == 1;
		int now = verifier_side();

		changing = changing && number_in(PATCH "transition", 0) == 1;
		if (changing && !atomic_load(&ended)) {
			seen++;
			/* Between the verification's end and the system call's it may switch. */
			if (task_stack_has(atomic_load(&tid), " bpf_check+")) {
				inside++;
				wrong += now != !side;
			}
		}
		usleep(10 * 1000);
	}
}

static void report(const char *what)
{
	ksft_test_result(seen > 0 && inside > 0,
			 "switch: the program was still being verified, %s (%d looks, %d in the verifier)\n",
			 what, seen, inside);
	ksft_test_result(!wrong, "switch: its task stayed on its side, %s (%d of %d looks)\n", what,
			 wrong, seen);
	ksft_test_result(!load_error, "switch: it was accepted, %s (%d)\n", what, load_error);
}

/*
 * The livepatch core signals who is still on the wrong side after 15 s (SIGNALS_TIMEOUT in
 * kernel/livepatch/transition.c), and no mask keeps that off. A machine on which verifying takes so
 * long has to do with fewer turns.
 */
static bool was_signalled(void)
{
	if (load_error != -EAGAIN || turns < 1000)
		return false;
	turns /= 2;
	ksft_print_msg("switch: signalled while it was verified; again with %u turns\n", turns);
	return true;
}

static void enable_once(const char *ko)
{
	pthread_t threads[2];
	char arguments[512];
	FILE *tool;

	begin(threads);
	snprintf(arguments, sizeof(arguments), "load '%s' count=1", ko);
	tool = popen(control_command(arguments), "r");
	if (!tool)
		ksft_exit_fail_msg("cannot start the tool\n");
	while (number_in(PATCH "enabled", 0) != 1 && !atomic_load(&ended))
		usleep(1000);
	look(1);
	end(threads);
	ksft_test_result(!pclose(tool), "switch: the module loads\n");
}

static void enable(const char *ko)
{
	enable_once(ko);
	while (was_signalled()) {
		ksft_test_result(!control_unload(),
				 "switch: the module unloads, for another attempt\n");
		enable_once(ko);
	}
	report("enabling");
	ksft_test_result(hits() == 0, "switch: no part of it was judged by Rust (%llu calls)\n",
			 hits());
}

/* 0, or an errno. */
static int disable_patch(void)
{
	FILE *file = fopen(PATCH "enabled", "w");

	if (!file)
		return errno;
	fputs("0", file);
	return fclose(file) ? errno : 0;
}

static void disable_once(void)
{
	pthread_t threads[2];

	begin(threads);
	ksft_test_result(!disable_patch(), "switch: the livepatch is disabled\n");
	look(0);
	end(threads);
}

static void disable(const char *ko)
{
	disable_once();
	while (was_signalled()) {
		ksft_test_result(!control_unload() && !control_load(ko, "count=1"),
				 "switch: the module comes anew, for another attempt\n");
		disable_once();
	}
	report("disabling");
	ksft_test_result(hits() == turns,
			 "switch: all of it was judged by Rust (%llu of %u calls)\n", hits(),
			 turns);
	ksft_test_result(!control_unload(), "switch: the module unloads\n");
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = once);

	if (argc == 3)
		turns = strtoul(argv[2], NULL, 0);
	if (argc != 3 || !turns) {
		fprintf(stderr, "usage: switch KO TURNS\n");
		return 2;
	}
	ksft_print_header();
	if (libbpf_register_prog_handler("tc", BPF_PROG_TYPE_SCHED_CLS, 0, &opts) < 0)
		ksft_exit_fail_msg("cannot register a section's handler\n");
	enable(argv[1]);
	disable(argv[1]);
	ksft_finished();
}
