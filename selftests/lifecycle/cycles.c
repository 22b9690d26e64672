// SPDX-License-Identifier: GPL-2.0
/*
 * cycles KO N [REST]: N times load and unload the module while the other CPU runs programs that use
 * every row of the table, and while programs are being verified. No record may be lost, doubled or
 * torn.
 *
 * Three kinds of traffic: "old" was loaded with C and runs through all cycles, so the jump rows
 * change under it; "new" is loaded in each cycle after the module, so it is bound to Rust; a third
 * thread loads programs all the time, so the livepatch changes under the verifier. With REST, the
 * traffic rests so many microseconds between its bursts, for many cycles in less time.
 *
 * Nobody waits for the livepatch to be complete: it is turned back half-way at times.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "insert.h"
#include "stream.h"

static atomic_bool stop;
static unsigned int rest;
static atomic_ullong loads;
static atomic_ullong load_failures;

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *run_old(void *argument)
{
	struct stream *stream = argument;

	on_cpu(1);
	while (!stop) {
		produce(stream, 500);
		usleep(rest);
	}
	return NULL;
}

/* The same program again and again, without libbpf, which takes longer than the verifier. */
static void *run_loads(void *argument)
{
	struct rows_bpf *skel = rows_bpf__open();
	const struct bpf_program *prog;

	LIBBPF_OPTS(bpf_prog_load_opts, opts);

	if (!skel)
		ksft_exit_fail_msg("rows.bpf.o: %s\n", strerror(errno));
	prog = skel->progs.unbound;
	bpf_program__set_autoload(skel->progs.rows, false);
	bpf_program__set_autoload(skel->progs.traffic, false);
	bpf_program__set_autoload(skel->progs.unbound, true);
	if (rows_bpf__load(skel))
		ksft_exit_fail_msg("rows.bpf.o cannot be loaded: %s\n", strerror(errno));
	on_cpu(1);
	while (!stop) {
		/* Only until verified: a loaded one would be bound and pin the module. */
		int fd = bpf_prog_load(bpf_program__type(prog), "unbound", "GPL",
				       bpf_program__insns(prog), bpf_program__insn_cnt(prog),
				       &opts);

		if (fd < 0)
			load_failures++;
		else
			close(fd);
		loads++;
		usleep(rest);
	}
	rows_bpf__destroy(skel);
	return NULL;
}

static void check_stream(const char *name, const struct stream *stream)
{
	unsigned long long made = stream->skel->bss->stream_next;

	ksft_test_result(stream_is_right(stream),
			 "cycles: %s program: %llu records, %llu consumed, %llu wrong, %llu refused, status %lld\n",
			 name, made, stream->expected, stream->wrong,
			 stream->skel->bss->stream_refused, stream->failed);
}

/* What the program "traffic" and its verification use. */
static const char *const used[] = {
	"bpf_dynptr_from_mem", "bpf_dynptr_read", "bpf_dynptr_write", "bpf_dynptr_data",
	"bpf_dynptr_size", "bpf_ringbuf_output", "bpf_ringbuf_query",
	"destroy_if_dynptr_stack_slot",
};

static bool served_all(const struct row *rows, const unsigned long long *hits, int count)
{
	size_t served = 0;

	for (int i = 0; i < count; i++)
		for (size_t j = 0; j < COUNT(used); j++)
			served += hits[i] && !strcmp(rows[i].name, used[j]);
	return served == COUNT(used);
}

/* The kernel's own memory: kB. */
static unsigned long kernel_memory(void)
{
	static const char *const names[] = { "Slab:", "VmallocUsed:", "Percpu:", "PageTables:" };
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long sum = 0, value;
	char name[32];

	while (file && fscanf(file, "%31s %lu%*[^\n]", name, &value) == 2)
		for (size_t i = 0; i < COUNT(names); i++)
			sum += strcmp(name, names[i]) ? 0 : value;
	if (file)
		fclose(file);
	return sum;
}

/* What the programs saw that were loaded with the module. */
static unsigned long long bound_records, bound_wrong, hits[MAX_ROWS];
static struct row rows[MAX_ROWS];
static int row_count;

static void run_bound(void)
{
	struct stream bound;

	open_stream(&bound);
	for (int i = 0; i < 20; i++)
		produce(&bound, 100);
	bound_records += bound.expected;
	bound_wrong += !stream_is_right(&bound);
	close_stream(&bound);
}

/* Whether the module came and went. */
static bool cycle(const char *ko)
{
	if (module_insert(ko, "count=1"))
		return false;
	run_bound();
	row_count = control_rows(rows);
	for (int i = 0; i < row_count; i++)
		hits[i] += rows[i].hits;
	return livepatch_end() && module_references_become(0) && !module_remove();
}

static void report(unsigned long memory, int cycles)
{
	long growth = kernel_memory() - memory;

	ksft_test_result(bound_records && !bound_wrong,
			 "cycles: bound programs: %llu records, %llu wrong\n", bound_records,
			 bound_wrong);
	ksft_test_result(loads && !load_failures,
			 "cycles: %llu programs verified meanwhile, %llu failed\n",
			 (unsigned long long)loads, (unsigned long long)load_failures);
	for (int i = 0; i < row_count; i++)
		if (hits[i])
			ksft_print_msg("%s: %llu hits\n", rows[i].name, hits[i]);
	ksft_test_result(row_count > 0 && served_all(rows, hits, row_count),
			 "cycles: every function of the traffic was served by Rust\n");
	ksft_test_result(growth < 8192 + 4 * cycles, "cycles: the kernel's memory grew by %ld kB\n",
			 growth);
}

int main(int argc, char **argv)
{
	static char before[STATE_SIZE];
	pthread_t old_thread, load_thread;
	unsigned long memory = 0;
	int wanted, done = 0;
	struct stream old;

	if (argc < 3) {
		fprintf(stderr, "usage: cycles KO N [REST]\n");
		return 2;
	}
	ksft_print_header();
	wanted = atoi(argv[2]);
	rest = argc > 3 ? atoi(argv[3]) : 0;
	state_read(before);
	open_stream(&old);
	on_cpu(0);
	if (pthread_create(&old_thread, NULL, run_old, &old) ||
	    pthread_create(&load_thread, NULL, run_loads, NULL))
		ksft_exit_fail_msg("pthread_create: %s\n", strerror(errno));
	while (done < wanted && cycle(argv[1])) {
		done++;
		/* When all caches are warm; of few cycles, in the middle. */
		if (!memory && (done == 10 || 2 * done >= wanted))
			memory = kernel_memory();
		if (done % 10 == 0)
			ksft_print_msg("%d cycles\n", done);
	}
	stop = true;
	pthread_join(old_thread, NULL);
	pthread_join(load_thread, NULL);

	ksft_test_result(done == wanted, "cycles: %d of %d load/unload cycles\n", done, wanted);
	check_stream("old", &old);
	report(memory, done);
	ksft_test_result(state_is(before), "cycles: the kernel is as before\n");
	close_stream(&old);
	ksft_finished();
}
