// SPDX-License-Identifier: GPL-2.0
/*
 * kills KO [KILLS]: processes that run a program which produces into a ring, that consume it, and
 * that load programs, are killed at random and started again, while the others go on. No record
 * may be lost, torn or come twice (but the one whose consumer was killed before it said so), and
 * nothing be left: programs, references of the module, memory.
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "kills.h"
#include "heapstat.h"
#include "insert.h"
#include "kills.skel.h"
#include "ringuser.h"
#include "stream.h"

enum child { PRODUCER, CONSUMER = KILLS_PRODUCERS, LOADER, CHILDREN };

/* What survives who is killed. */
struct seen {
	unsigned long long next[KILLS_PRODUCERS];
	unsigned long long again, wrong, programs;
};

static struct seen *seen;
static struct kills_bpf *skel;
static pid_t children[CHILDREN];
static unsigned int killed[CHILDREN];

static bool is_whole(const struct kills_record *record, size_t size)
{
	if (size < KILLS_SIZE(0) || record->producer >= KILLS_PRODUCERS ||
	    record->words > KILLS_WORDS || size != KILLS_SIZE(record->words))
		return false;
	for (unsigned int i = 0; i < record->words; i++)
		if (record->payload[i] != KILLS_WORD(record->producer, record->seq, i))
			return false;
	return true;
}

static int on_record(void *context, void *data, size_t size)
{
	const struct kills_record *record = data;
	unsigned long long *next;

	if (!is_whole(record, size)) {
		seen->wrong++;
		return 0;
	}
	next = &seen->next[record->producer];
	if (record->seq == *next)
		(*next)++;
	else if (record->seq + 1 == *next)
		seen->again++;
	else
		seen->wrong++;
	return 0;
}

static struct ring_buffer *consumer(void)
{
	struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(skel->maps.ring), on_record, NULL,
						    NULL);

	if (!ring)
		_exit(3);
	return ring;
}

static void produce_for(__u32 producer)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &producer, .ctx_size_in = sizeof(producer));

	while (!bpf_prog_test_run_opts(bpf_program__fd(skel->progs.produce), &opts))
		;
	_exit(4);
}

static void consume_all(void)
{
	struct ring_buffer *ring = consumer();

	while (ring_buffer__poll(ring, 50) >= 0)
		;
	_exit(5);
}

static void load_all(void)
{
	struct stream stream;

	for (;;) {
		open_stream(&stream);
		close_stream(&stream);
		seen->programs++;
	}
}

static void start(int child)
{
	pid_t pid = fork();

	if (pid < 0)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
	children[child] = pid;
	if (pid)
		return;
	if (child < CONSUMER)
		produce_for(child);
	else if (child == CONSUMER)
		consume_all();
	else
		load_all();
}

/* Kills it. Whether it had not ended by itself. */
static bool end(int child)
{
	int status = 0;

	kill(children[child], SIGKILL);
	waitpid(children[child], &status, 0);
	killed[child]++;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static unsigned int kill_at_random(unsigned int kills)
{
	struct numbers numbers = { .state = 7 };
	unsigned int ended = 0;

	for (int i = 0; i < CHILDREN; i++)
		start(i);
	for (unsigned int i = 0; i < kills; i++) {
		int child = next_number(&numbers) % CHILDREN;

		usleep(next_number(&numbers) % 60000);
		ended += !end(child);
		start(child);
		if (i % 100 == 99)
			ksft_print_msg("%u kills\n", i + 1);
	}
	for (int i = 0; i < CHILDREN; i++)
		ended += !end(i);
	return ended;
}

static void report(void)
{
	unsigned long long made = 0, came = 0, blocks = 0, refused = 0;

	for (int i = 0; i < KILLS_PRODUCERS; i++) {
		made += skel->bss->states[i].made;
		refused += skel->bss->states[i].refused;
		blocks += skel->bss->states[i].blocks;
		came += seen->next[i];
	}
	ksft_print_msg("%llu refused by the full ring, %llu came again, %llu loads of programs\n",
		       refused, seen->again, seen->programs);
	ksft_test_result(made > 1000 && came == made && !seen->wrong &&
			 seen->again <= killed[CONSUMER],
			 "kills: %llu records made, %llu came, %llu wrong\n", made, came,
			 seen->wrong);
	ksft_test_result(blocks > 1000 && heap_stat("live") <= KILLS_ENTRIES,
			 "kills: of %llu blocks in a map %llu live\n", blocks, heap_stat("live"));
}

int main(int argc, char **argv)
{
	unsigned int kills = argc > 2 ? strtoul(argv[2], NULL, 0) : 200, ended;
	struct ring_buffer *ring;

	if (argc < 2) {
		fprintf(stderr, "usage: kills KO [KILLS]\n");
		return 2;
	}
	ksft_print_header();
	ksft_set_plan(5);
	if (control_load(argv[1], "count=1"))
		ksft_exit_fail_msg("the module does not load\n");
	module_references_become(1);
	skel = kills_bpf__open_and_load();
	if (!skel)
		ksft_exit_fail_msg("kills.bpf.o cannot be had: %s\n", strerror(errno));
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED)
		ksft_exit_fail_msg("mmap: %s\n", strerror(errno));
	ended = kill_at_random(kills);
	ring = consumer();
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	ksft_test_result(!ended,
			 "kills: %u producers, %u consumers, %u loaders killed; %u ended before\n",
			 killed[0] + killed[1] + killed[2], killed[CONSUMER], killed[LOADER],
			 ended);
	report();
	kills_bpf__destroy(skel);
	ksft_test_result(heap_is_empty() && module_references_become(1),
			 "kills: no memory and no reference is left\n");
	ksft_test_result(!control_save_hits() && !control_unload(), "kills: the module unloads\n");
	ksft_finished();
}
