// SPDX-License-Identifier: GPL-2.0
/*
 * mixed KO [RECORDS [CYCLES]]: two CPUs produce into one ring, by a program that is bound to C
 * (it was loaded before the module) and by one that is bound to Rust; libbpf consumes. Each
 * record has its producer's number and a payload that follows from it. None may be lost but those
 * whose reservation failed, none doubled, none torn.
 *
 * Then the same while the module is loaded and unloaded CYCLES times: the program of C goes on,
 * those of Rust come and go, and in between a second program of C takes their place. Once more
 * with a ring that Rust made. RECORDS or CYCLES of 0 leave a part out: the second changes code
 * under those who run it, see scripts/vm.
 */
#include <bpf/libbpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "mixed.h"
#include "mixed.skel.h"
#include "ringuser.h"

#define MAX_PRODUCERS 256
#define BATCH 1000
#define SOME 30000

/* A program that produces, and what the consumer has seen of it. */
struct producer {
	struct mixed_bpf *skel;	/* NULL when it has gone */
	struct mixed_state state;	/* as it was when it had gone */
	unsigned long long expected, consumed, gaps, wrong;
	bool rust;
};

static struct producer producers[MAX_PRODUCERS];
static unsigned int producer_count;
static atomic_ullong consumed;
static unsigned long long alien;
static atomic_bool stop_old, stop_consumer;

static bool is_whole(const struct mixed_record *record, size_t size)
{
	if (size != MIXED_SIZE(record->words))
		return false;
	for (unsigned int i = 0; i < record->words; i++)
		if (record->payload[i] != MIXED_WORD(record->producer, record->seq, i))
			return false;
	return true;
}

static int on_record(void *context, void *data, size_t size)
{
	const struct mixed_record *record = data;
	struct producer *producer;

	consumed++;
	if (size < MIXED_SIZE(0) || record->producer >= producer_count) {
		alien++;
		return 0;
	}
	producer = &producers[record->producer];
	producer->consumed++;
	if (record->seq < producer->expected || !is_whole(record, size)) {
		producer->wrong++;
		return 0;
	}
	producer->gaps += record->seq - producer->expected;
	producer->expected = record->seq + 1;
	return 0;
}

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *consume(void *argument)
{
	struct ring_buffer *ring = argument;

	while (!stop_consumer)
		ring_buffer__poll(ring, 10);
	return NULL;
}

/* A batch; gives way to the consumer when the ring is full. */
static void produce(struct producer *producer)
{
	unsigned long long failed = producer->skel->bss->state.failed;

	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(bpf_program__fd(producer->skel->progs.produce), &opts) &&
	    errno != EINTR)
		ksft_exit_fail_msg("test run: %s\n", strerror(errno));
	if (producer->skel->bss->state.failed != failed)
		sched_yield();
}

static void *run_old(void *argument)
{
	on_cpu(1);
	while (!stop_old)
		produce(argument);
	return NULL;
}

static unsigned int id_of(struct mixed_bpf *skel)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_prog_get_info_by_fd(bpf_program__fd(skel->progs.produce), &info, &len) ? 0 :
										info.id;
}

/* A new producer into the ring, or into one of its own if @ring is -1. */
static struct producer *add_producer(int ring, bool rust)
{
	struct producer *producer = &producers[producer_count];
	struct mixed_bpf *skel = mixed_bpf__open();

	if (!skel || producer_count == MAX_PRODUCERS)
		ksft_exit_fail_msg("mixed.bpf.o: %s\n", strerror(errno));
	if (ring >= 0 && bpf_map__reuse_fd(skel->maps.ring, ring))
		ksft_exit_fail_msg("reuse of the ring: %s\n", strerror(errno));
	if (mixed_bpf__load(skel))
		ksft_exit_fail_msg("cannot load mixed.bpf.o: %s\n", strerror(errno));
	skel->bss->producer = producer_count;
	skel->bss->batch = BATCH;
	skel->data->random = 88172645463325252ULL + producer_count;
	producer->skel = skel;
	producer->rust = rust;
	if (control_is_bound(id_of(skel)) != rust)
		ksft_exit_fail_msg("producer %u is bound to the other side\n", producer_count);
	producer_count++;
	return producer;
}

static void end_producer(struct producer *producer)
{
	producer->state = producer->skel->bss->state;
	mixed_bpf__destroy(producer->skel);
	producer->skel = NULL;
}

/* Adds up what one side's producers from @first on did; nothing may be missing. */
static void check_side(const char *name, bool rust, unsigned int first)
{
	unsigned long long made = 0, failed = 0, discarded = 0, lost = 0, wrong = 0;
	bool complete = true;

	for (unsigned int i = first; i < producer_count; i++) {
		const struct producer *producer = &producers[i];
		const struct mixed_state *state = &producer->state;

		if (producer->rust != rust)
			continue;
		made += state->made;
		failed += state->failed;
		discarded += state->discarded;
		wrong += producer->wrong;
		/* Numbers that were never seen must be those whose reservation failed. */
		lost += producer->gaps + state->seq - producer->expected - state->failed;
		complete = complete && producer->consumed == state->made;
		for (int method = 0; method < 8; method++)
			complete = complete && (state->by_method[method] || state->made < 1000);
	}
	ksft_test_result(made && complete && !lost && !wrong,
			 "mixed: %s: %s: %llu records, %llu refused, %llu discarded: %lld lost, %llu wrong\n",
			 name, rust ? "Rust" : "C", made, failed, discarded, (long long)lost,
			 wrong);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Consumes what is left once nobody produces. */
static void finish(struct ring_buffer *ring, pthread_t consumer)
{
	stop_consumer = true;
	pthread_join(consumer, NULL);
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
}

/* Both sides at once until @records were consumed. */
static void steady(const char *ko, unsigned long long records)
{
	struct producer *old = add_producer(-1, false), *new;
	int fd = bpf_map__fd(old->skel->maps.ring);
	struct ring_buffer *ring = ring_buffer__new(fd, on_record, NULL, NULL);
	pthread_t old_thread, consumer;
	double start, time;

	if (!ring)
		ksft_exit_fail_msg("ring_buffer__new: %s\n", strerror(errno));
	if (control_load(ko, "count=1"))
		ksft_exit_fail_msg("the module does not load\n");
	new = add_producer(fd, true);
	consumed = 0;
	stop_old = false;
	stop_consumer = false;
	start = seconds();
	if (pthread_create(&consumer, NULL, consume, ring) ||
	    pthread_create(&old_thread, NULL, run_old, old))
		ksft_exit_fail_msg("pthread_create: %s\n", strerror(errno));
	on_cpu(0);
	while (consumed < records)
		produce(new);
	stop_old = true;
	pthread_join(old_thread, NULL);
	time = seconds() - start;
	finish(ring, consumer);
	end_producer(new);
	end_producer(old);
	ksft_test_result(consumed >= records && !alien,
			 "mixed: %llu records of C and Rust at once in %.1f s, %.0f a second, %llu of nobody\n",
			 (unsigned long long)consumed, time, consumed / time, alien);
	check_side("at once", false, 0);
	check_side("at once", true, 0);
	ksft_test_result(!control_save_hits() && !control_unload(), "mixed: the module unloads\n");
}

/* What a program makes that comes and goes: at most for two seconds. */
static void produce_some(struct producer *producer)
{
	double end = seconds() + 2;

	while (producer->skel->bss->state.made < SOME && seconds() < end)
		produce(producer);
}

/* One load and unload, with @ring in use by an old program all the time. */
static void cycle(const char *ko, int ring)
{
	struct producer *producer;

	if (control_load(ko, ""))
		ksft_exit_fail_msg("the module does not load\n");
	producer = add_producer(ring, true);
	produce_some(producer);
	end_producer(producer);
	/* Goes in the middle of what C produces. */
	if (control_unload())
		ksft_exit_fail_msg("the module does not unload\n");
	producer = add_producer(ring, false);
	produce_some(producer);
	end_producer(producer);
}

static void go_through(const char *name, const char *ko, int count, int fd)
{
	unsigned int first = producer_count;
	struct producer *old = add_producer(fd, false);
	pthread_t old_thread, consumer;
	struct ring_buffer *ring;

	fd = bpf_map__fd(old->skel->maps.ring);
	ring = ring_buffer__new(fd, on_record, NULL, NULL);
	if (!ring)
		ksft_exit_fail_msg("ring_buffer__new: %s\n", strerror(errno));
	consumed = 0;
	stop_old = false;
	stop_consumer = false;
	if (pthread_create(&consumer, NULL, consume, ring) ||
	    pthread_create(&old_thread, NULL, run_old, old))
		ksft_exit_fail_msg("pthread_create: %s\n", strerror(errno));
	on_cpu(0);
	for (int i = 0; i < count; i++)
		cycle(ko, fd);
	stop_old = true;
	pthread_join(old_thread, NULL);
	finish(ring, consumer);
	end_producer(old);
	ksft_test_result(consumed && !alien,
			 "mixed: %s: %llu records in %d cycles, %llu of nobody\n", name,
			 (unsigned long long)consumed, count, alien);
	check_side(name, false, first);
	check_side(name, true, first);
}

int main(int argc, char **argv)
{
	unsigned long long records = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000000;
	int count = argc > 3 ? atoi(argv[3]) : 3;
	int fd;

	if (argc < 2 || count > 40) {
		fprintf(stderr, "usage: mixed KO [RECORDS [CYCLES]]; at most 40 cycles\n");
		return 2;
	}
	ksft_print_header();
	if (records)
		steady(argv[1], records);
	if (!count)
		ksft_finished();
	go_through("in cycles", argv[1], count, -1);
	if (control_load(argv[1], "count=1"))
		ksft_exit_fail_msg("the module does not load\n");
	fd = ring_create(BPF_MAP_TYPE_RINGBUF, 65536, 0);
	if (fd < 0 || !hits_of("ringbuf_map_alloc"))
		ksft_exit_fail_msg("cannot create a ring: %s\n", strerror(errno));
	if (control_unload())
		ksft_exit_fail_msg("the module does not unload\n");
	go_through("in a ring of Rust", argv[1], count, fd);
	close(fd);
	ksft_finished();
}
