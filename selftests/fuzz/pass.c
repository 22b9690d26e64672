// SPDX-License-Identifier: GPL-2.0
/* Many programs on one side, by processes that end with it: nothing of theirs holds the module. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap.h"
#include "ksft.h"

bool outcome_same(const struct outcome *a, const struct outcome *b)
{
	return a->verdict == b->verdict && a->flags == b->flags && a->log == b->log &&
	       a->run == b->run;
}

/* The logs differ where C prints what is not there (log.c); nothing else does. */
bool outcome_misprint(const struct outcome *a, const struct outcome *b)
{
	struct outcome c = *b;

	c.log = a->log;
	return a->log != b->log && a->log_but_slots == b->log_but_slots && outcome_same(a, &c) &&
	       (a->flags & OUTCOME_REACHES);
}

/*
 * Loads and, if it is accepted, runs one program. The name of the process and of the program have
 * its number: that is how an oops names it.
 */
void process_program(const struct program *p, struct outcome *out, char *log, bool count)
{
	static struct image image;
	char name[16];
	bool cut;
	int fd;

	snprintf(name, sizeof(name), "fz-%llu", (unsigned long long)p->seed);
	prctl(PR_SET_NAME, name);
	emit(p, &image);
	fd = load_image(p, &image, log, &cut);
	clean_log(log);
	*out = (struct outcome){
		.verdict = fd < 0 ? -fd : 0, .log = hash_log(log, false),
		.log_but_slots = hash_log(log, true),
		.flags = OUTCOME_DONE | (cut ? OUTCOME_CUT : 0) |
			 (image.reaches ? OUTCOME_REACHES : 0),
	};
	if (heap_mode)
		out->wrong = heap_check_verdict(p, out->verdict, log);
	if (fd >= 0) {
		if (heap_mode)
			heap_run(p, &image, fd, out);
		else
			run_program(p, &image, fd, out);
		close(fd);
	}
	if (count)
		stats_add(p, out, log);
}

void process_alone(const struct program *p, struct outcome *out, char *log)
{
	process_program(p, out, log, false);
	if (heap_mode && heap_damaged())
		out->wrong |= 1u << WRONG_DAMAGE;
}

/* Programs after which damage is looked for. */
#define WINDOW 32

/* What the processes of a pass have to do. */
struct work {
	const struct program *programs;	/* or NULL: made from seeds */
	__u64 first;
	size_t count;
	struct outcome *out;
	const struct outcome *expected;	/* what the other side gave, or NULL: the first one */
	const char *dir;
};

/* A log that is not as expected, as it is now: a second time it may be another. */
static void keep_log(const struct work *work, __u64 seed, const char *log)
{
	static int kept;
	char name[256];
	FILE *file;

	if (kept++ >= 5)
		return;
	snprintf(name, sizeof(name), "%s/%llu.found.log", work->dir, (unsigned long long)seed);
	file = fopen(name, "w");
	if (!file)
		return;
	fputs(log, file);
	fclose(file);
}

static void get_program(const struct work *work, size_t index, struct program *p)
{
	if (work->programs)
		*p = work->programs[index];
	else
		generate(work->first + index, p);
}

/* Which of the programs @from to @to - 1 damaged a block: each once more, and looks. */
static void find_damage(const struct work *work, size_t from, size_t to, char *log)
{
	struct outcome out;
	struct program p;

	for (size_t i = from; i < to; i++) {
		get_program(work, i, &p);
		process_alone(&p, &out, log);
		work->out[i].wrong |= out.wrong;
	}
}

static void worker(const struct work *work, int index, int workers)
{
	char *log = malloc(LOG_SIZE);
	struct program p;
	cpu_set_t cpus;

	if (!log)
		_exit(3);
	CPU_ZERO(&cpus);
	CPU_SET(index, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	world_open();
	for (size_t i = index; i < work->count; i += workers) {
		get_program(work, i, &p);
		process_program(&p, &work->out[i], log, work->dir && !work->expected);
		if (work->expected && work->expected[i].log != work->out[i].log)
			keep_log(work, p.seed, log);
		/* Others wait for this process to do so (RCU tasks). */
		sched_yield();
		if (heap_mode && (i % WINDOW == WINDOW - 1 || i == work->count - 1) &&
		    heap_damaged())
			find_damage(work, i - i % WINDOW, i + 1, log);
	}
	_exit(0);
}

/* Runs the work in processes, one a processor, and waits for them. */
static void pass(struct work *work)
{
	size_t size = work->count * sizeof(struct outcome);
	struct outcome *out = work->out;
	int workers = sysconf(_SC_NPROCESSORS_ONLN), status;
	pid_t pids[64];

	/* The module counts the blocks of all. */
	if (workers > 64 || work->count < 8 || heap_mode)
		workers = 1;
	work->out = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (work->out == MAP_FAILED)
		ksft_exit_fail_msg("mmap: %s\n", strerror(errno));
	fflush(stdout);
	for (int i = 0; i < workers; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			ksft_exit_fail_msg("fork: %s\n", strerror(errno));
		if (!pids[i])
			worker(work, i, workers);
	}
	for (int i = 0; i < workers; i++)
		if (waitpid(pids[i], &status, 0) != pids[i] || status)
			ksft_exit_fail_msg("a process ended with status %x\n", status);
	memcpy(out, work->out, size);
	munmap(work->out, size);
	work->out = out;
}

void pass_batch(const struct program *programs, size_t count, struct outcome *out)
{
	struct work work = { .programs = programs, .count = count, .out = out };

	pass(&work);
}

/* Makes and runs the programs of @count seeds; the first side's count for the statistics. */
void pass_seeds(__u64 first, size_t count, struct outcome *out, const struct outcome *expected,
		const char *dir)
{
	struct work work = {
		.first = first, .count = count, .out = out, .expected = expected, .dir = dir,
	};

	pass(&work);
}
