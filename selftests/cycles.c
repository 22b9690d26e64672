// SPDX-License-Identifier: GPL-2.0
/*
 * cycles KO N: N times load and unload the module while the other CPU runs programs that use every
 * row of the table, and while programs are being verified. No record may be lost, doubled or torn.
 *
 * Three kinds of traffic: "old" was loaded with C and runs through all cycles, so the jump rows
 * change under it; "new" is loaded in each cycle after the module, so it is bound to Rust; a third
 * thread loads programs all the time, so the livepatch changes under the verifier.
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

#include "bpf/rows.h"
#include "control.h"
#include "rows.skel.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One program with its ring: who produces, what the consumer expects next. */
struct stream {
	struct rows_bpf *skel;
	struct ring_buffer *ring;
	unsigned long long expected;
	unsigned long long wrong;
	long long failed;
};

static atomic_bool stop;
static atomic_ullong loads;
static atomic_ullong load_failures;

static int consume(void *context, void *data, size_t size)
{
	struct stream *stream = context;
	unsigned long long number;

	memcpy(&number, data, sizeof(number));
	if (size != sizeof(number) || number != stream->expected)
		stream->wrong++;
	stream->expected = number + 1;
	return 0;
}

static void open_stream(struct stream *stream)
{
	memset(stream, 0, sizeof(*stream));
	stream->skel = rows_bpf__open_and_load();
	if (!stream->skel)
		tap_bail("cannot load rows.bpf.o: %s", strerror(errno));
	stream->ring = ring_buffer__new(bpf_map__fd(stream->skel->maps.stream), consume, stream,
					NULL);
	if (!stream->ring)
		tap_bail("ring_buffer__new: %s", strerror(errno));
}

static void close_stream(struct stream *stream)
{
	ring_buffer__free(stream->ring);
	rows_bpf__destroy(stream->skel);
}

/* @count runs of the program, then everything is consumed. */
static void produce(struct stream *stream, int count)
{
	unsigned char packet[64] = {};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = count);

	if (bpf_prog_test_run_opts(bpf_program__fd(stream->skel->progs.traffic), &opts)) {
		/* The livepatch core signals tasks to hurry them: the run ends early. */
		if (errno != EINTR)
			stream->failed = -errno;
	} else if (opts.retval) {
		stream->failed = opts.retval;
	}
	ring_buffer__consume(stream->ring);
}

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
	while (!stop)
		produce(stream, 500);
	return NULL;
}

static void *run_loads(void *argument)
{
	on_cpu(1);
	while (!stop) {
		/* Only until verified: a loaded one would be bound and pin the module. */
		struct rows_bpf *skel = rows_bpf__open();

		if (!skel)
			break;
		bpf_program__set_autoload(skel->progs.rows, false);
		bpf_program__set_autoload(skel->progs.traffic, false);
		bpf_program__set_autoload(skel->progs.unbound, true);
		if (rows_bpf__load(skel))
			load_failures++;
		rows_bpf__destroy(skel);
		loads++;
	}
	return NULL;
}

static void check_stream(const char *name, const struct stream *stream)
{
	unsigned long long made = stream->skel->bss->stream_next;

	tap_ok(made > 0 && stream->expected == made && !stream->wrong && !stream->failed &&
	       !stream->skel->bss->stream_refused,
	       "cycles: %s program: %llu records, %llu consumed, %llu wrong, %llu refused, status %lld",
	       name, made, stream->expected, stream->wrong, stream->skel->bss->stream_refused,
	       stream->failed);
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

int main(int argc, char **argv)
{
	unsigned long long bound_records = 0, bound_wrong = 0, hits[MAX_ROWS] = {};
	pthread_t old_thread, load_thread;
	int wanted, done = 0, count = 0;
	struct row rows[MAX_ROWS];
	struct stream old;

	if (argc != 3) {
		fprintf(stderr, "usage: cycles KO N\n");
		return 2;
	}
	wanted = atoi(argv[2]);
	open_stream(&old);
	on_cpu(0);
	if (pthread_create(&old_thread, NULL, run_old, &old) ||
	    pthread_create(&load_thread, NULL, run_loads, NULL))
		tap_bail("pthread_create: %s", strerror(errno));

	for (; done < wanted; done++) {
		struct stream bound;

		if (control_load(argv[1], "count=1"))
			break;
		open_stream(&bound);
		for (int i = 0; i < 20; i++)
			produce(&bound, 100);
		bound_records += bound.expected;
		bound_wrong += bound.wrong + !!bound.failed +
			       (bound.expected != bound.skel->bss->stream_next);
		close_stream(&bound);
		count = control_rows(rows);
		for (int i = 0; i < count; i++)
			hits[i] += rows[i].hits;
		if (control_unload())
			break;
		if (done % 10 == 9)
			tap_note("%d cycles", done + 1);
	}
	stop = true;
	pthread_join(old_thread, NULL);
	pthread_join(load_thread, NULL);

	tap_ok(done == wanted, "cycles: %d of %d load/unload cycles", done, wanted);
	check_stream("old", &old);
	tap_ok(bound_records && !bound_wrong, "cycles: bound programs: %llu records, %llu wrong",
	       bound_records, bound_wrong);
	tap_ok(loads && !load_failures, "cycles: %llu programs verified meanwhile, %llu failed",
	       (unsigned long long)loads, (unsigned long long)load_failures);
	for (int i = 0; i < count; i++)
		if (hits[i])
			tap_note("%s: %llu hits", rows[i].name, hits[i]);
	tap_ok(count > 0 && served_all(rows, hits, count),
	       "cycles: every function of the traffic was served by Rust");
	close_stream(&old);
	return tap_done();
}
