// SPDX-License-Identifier: GPL-2.0
/*
 * halfway FAULTS_KO: loading the module fails at each of its steps in turn (parameter load_fault of
 * a build for tests), while programs are loaded and run. Each time the kernel must be as before,
 * and the programs that were loaded meanwhile call C, and go on.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "control.h"
#include "insert.h"
#include "insns.h"
#include "ringuser.h"

/* Programs that live at a time, while they wait for their last run. */
#define KEPT 512
/* Milliseconds that loading stops at the step that fails: programs are loaded meanwhile. */
#define LINGER "400"
/* More than there are. */
#define MAX_STEPS 64

static atomic_bool stop, keep;
static int kept[KEPT], ring;
static unsigned int kept_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long long loaded, loaded_halfway, calls_in_c;

/* A program that calls bpf_ringbuf_output(). */
static int load_program(void)
{
	struct insns insns = insns_of(BY_OUTPUT, ring, -1);
	int fd = insns_load(&insns, BPF_PROG_TYPE_SOCKET_FILTER, 0, NULL, 0);

	if (fd < 0)
		ksft_exit_fail_msg("a program cannot be loaded: %d\n", fd);
	return fd;
}

/* Whether it runs to its end. */
static bool run_program(int fd)
{
	char packet[64] = {};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = 10);

	return !bpf_prog_test_run_opts(fd, &opts) && opts.retval == 1;
}

/* The program's calls, as they are after verification: a hash of their targets. */
static unsigned long long calls_of(int fd)
{
	struct bpf_insn insns[MAX_INSNS * 4];
	unsigned long long hash = 0;
	struct bpf_prog_info info = {
		.xlated_prog_insns = (unsigned long)insns, .xlated_prog_len = sizeof(insns),
	};
	__u32 size = sizeof(info);

	if (bpf_prog_get_info_by_fd(fd, &info, &size) || info.xlated_prog_len > sizeof(insns))
		ksft_exit_fail_msg("a program's instructions: %s\n", strerror(errno));
	for (unsigned int i = 0; i < info.xlated_prog_len / sizeof(insns[0]); i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL))
			hash = hash * 1000003 + (__u32)insns[i].imm;
	return hash;
}

/* Loads programs all the time; keeps those that are loaded while @keep. */
static void *load_programs(void *unused)
{
	while (!stop) {
		bool kept_now = keep;
		int fd = load_program();

		pthread_mutex_lock(&lock);
		loaded++;
		if (kept_now && kept_count < KEPT)
			kept[kept_count++] = fd;
		else
			close(fd);
		pthread_mutex_unlock(&lock);
		usleep(2000);
	}
	return NULL;
}

/* Of the programs that were loaded while the module was, those that call something else than C. */
static unsigned int run_kept(unsigned int *count)
{
	unsigned int wrong = 0;

	pthread_mutex_lock(&lock);
	keep = false;
	*count = kept_count;
	/* Who calls what is no more is not run: that might do anything. */
	for (unsigned int i = 0; i < kept_count; i++) {
		wrong += calls_of(kept[i]) != calls_in_c || !run_program(kept[i]);
		close(kept[i]);
	}
	loaded_halfway += kept_count;
	kept_count = 0;
	pthread_mutex_unlock(&lock);
	return wrong;
}

/* One load that fails at @step. Whether there is such a step. */
static bool fail_at(const char *ko, int step, const char *before)
{
	unsigned int count, wrong;
	char parameters[64];
	int err;

	snprintf(parameters, sizeof(parameters), "load_fault=%d linger=" LINGER " count=1", step);
	keep = true;
	err = module_insert(ko, parameters);
	if (!err)
		return false;
	wrong = run_kept(&count);
	ksft_test_result(err == ECANCELED && count && !wrong && state_is(before),
			 "halfway: step %d fails (%d): all as before; of %u programs of meanwhile %u wrong\n",
			 step, err, count, wrong);
	return true;
}

int main(int argc, char **argv)
{
	static char before[STATE_SIZE];
	pthread_t loader;
	unsigned int count;
	int step = 1, fd;

	if (argc != 2) {
		fprintf(stderr, "usage: halfway FAULTS_KO\n");
		return 2;
	}
	ksft_print_header();
	state_read(before);
	ring = ring_create(BPF_MAP_TYPE_RINGBUF, 4096, 0);
	fd = load_program();
	calls_in_c = calls_of(fd);
	close(fd);
	if (pthread_create(&loader, NULL, load_programs, NULL))
		ksft_exit_fail_msg("pthread_create: %s\n", strerror(errno));
	while (step < MAX_STEPS && fail_at(argv[1], step, before))
		step++;
	stop = true;
	pthread_join(loader, NULL);
	/* Those of the last load may be bound already: it has succeeded. */
	run_kept(&count);
	ksft_test_result(step > 10 && step < MAX_STEPS,
			 "halfway: %d steps fail one at a time, then it loads; %llu of %llu programs meanwhile\n",
			 step - 1, loaded_halfway, loaded);
	fd = load_program();
	ksft_test_result(calls_of(fd) != calls_in_c,
			 "halfway: a program that is loaded then calls Rust\n");
	close(fd);
	ksft_test_result(module_references_become(1) && !control_unload() && state_is(before),
			 "halfway: and unloads; all as before\n");
	ksft_finished();
}
