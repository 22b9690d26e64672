// SPDX-License-Identifier: GPL-2.0
/* Running programs with heap dynptrs: several times, and what must be left after that. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heap.h"
#include "ksft.h"

#define COUNTS "/sys/kernel/debug/rust_dynptr/heap"
#define RACES 3	/* rounds on two processors at once */

const char *const wrong_names[WRONGS] = {
	[WRONG_ACCEPTED] = "is accepted, and is illegal",
	[WRONG_REFUSED] = "is refused, and is legal",
	[WRONG_LEAK] = "leaves blocks that live",
	[WRONG_DAMAGE] = "has damaged a block",
	[WRONG_FRESH] = "found new memory that is not zero",
	[WRONG_FREED] = "read freed memory",
	[WRONG_WRITE] = "did not find what it wrote",
	[WRONG_STAMP] = "did not find what it put into a map",
	[WRONG_REPEAT] = "does not leave the same again",
};

static int cleaner = -1, churner = -1;
static __u64 damage;

/* Reads debugfs; false if it cannot be read. */
bool heap_counts(struct heap_counts *counts)
{
	FILE *file = fopen(COUNTS, "r");
	bool good = file && fscanf(file, "live %llu live_bytes %llu allocated %llu",
				   &counts->live, &counts->bytes, &counts->allocated) == 3 &&
		    fscanf(file, " failed %llu damaged %llu", &counts->failed,
			   &counts->damaged) == 2;

	if (file)
		fclose(file);
	return good;
}

static struct heap_counts counts_now(void)
{
	struct heap_counts counts;

	if (!heap_counts(&counts))
		ksft_exit_fail_msg("cannot read " COUNTS "\n");
	return counts;
}

/* Whether no more than @live blocks live, within @ms milliseconds. */
static bool settles(unsigned long long live, int ms)
{
	struct heap_counts counts = counts_now();

	for (; counts.live > live && ms > 0; ms -= 2) {
		usleep(2000);
		counts = counts_now();
	}
	return counts.live <= live;
}

bool heap_settled(void)
{
	struct heap_counts counts;

	return settles(0, 10000) && heap_counts(&counts) && !counts.bytes;
}

static void add(struct program *p, int func, struct op op)
{
	p->func[func].ops[p->func[func].count++] = op;
}

static int load_own(const struct program *p)
{
	static struct image image;
	char *log = malloc(LOG_SIZE);
	bool cut;
	int fd;

	emit(p, &image);
	fd = load_image(p, &image, log, &cut);
	if (fd < 0)
		ksft_exit_fail_msg("a program of the tests does not load: %s\n", log);
	free(log);
	return fd;
}

/* A program that takes all objects out of the maps, but those of the other processor. */
static int load_cleaner(void)
{
	struct program p = { .kind = PROG_SYSCALL, .funcs = 1 + MAX_FUNCS / 2 };

	for (int i = 0; i < HEAP_MAPS; i++)
		add(&p, 0, (struct op){ .kind = OP_CALL, .a = 1, .size = 1 + i });
	p.func[1].kind = FUNC_EACH;
	p.funcs = 2;
	for (int i = 0; i < 2; i++) {
		struct opnd m = { .base = BASE_P0, .off = HEAP_FIELD(i) };

		add(&p, 1, (struct op){ .kind = OP_XCHG, .reg = 1, .c = 1, .m = m });
		add(&p, 1, (struct op){ .kind = OP_IF, .reg = 1, .a = IF_NOT_NULL });
		add(&p, 1, (struct op){ .kind = OP_HEAP_RELEASE, .reg = 1 });
		add(&p, 1, (struct op){ .kind = OP_END });
	}
	return load_own(&p);
}

/* A program that allocates and frees as many blocks as the module keeps back. */
static int load_churner(void)
{
	struct program p = { .kind = PROG_SYSCALL, .funcs = 2 };
	struct opnd d = { .base = BASE_FP, .off = SLOT_OFF(0) };

	add(&p, 0, (struct op){ .kind = OP_CALL, .a = 1, .b = 256, .m = { .base = BASE_FP } });
	p.func[1].kind = FUNC_LOOP;
	add(&p, 1, (struct op){ .kind = OP_ALLOC, .d = d });
	add(&p, 1, (struct op){ .kind = OP_PUT, .d = d });
	return load_own(&p);
}

void heap_world_open(void)
{
	cleaner = load_cleaner();
	churner = load_churner();
	damage = counts_now().damaged;
}

static void run_own(int fd)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(fd, &opts))
		ksft_exit_fail_msg("a program of the tests does not run: %s\n", strerror(errno));
}

bool heap_damaged(void)
{
	__u64 now;

	run_own(churner);
	now = counts_now().damaged;
	if (now == damage)
		return false;
	damage = now;
	return true;
}

static void use_processor(int number)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(number % sysconf(_SC_NPROCESSORS_ONLN), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

/* How much a program has to do with the maps of objects. */
enum reach { REACH_NONE, REACH_OBJECTS, REACH_PERCPU, REACH_ENTRIES };

static enum reach reach_of(const struct program *p)
{
	enum reach reach = REACH_NONE, found;

	for (int i = 0; i < p->funcs; i++)
		for (int k = 0; k < p->func[i].count; k++) {
			const struct op *op = &p->func[i].ops[k];

			found = REACH_NONE;
			if (op->kind == OP_XCHG || op->kind == OP_HEAP_LOOKUP)
				found = op->size % HEAP_MAPS == MAP_HEAP_PERCPU - MAP_HEAP ?
					REACH_PERCPU : REACH_OBJECTS;
			else if (op->kind == OP_CALL && op->size)
				found = REACH_PERCPU;
			else if (op->kind == OP_HEAP_UPDATE || op->kind == OP_HEAP_DELETE)
				found = REACH_ENTRIES;
			if (found > reach)
				reach = found;
		}
	return reach;
}

/* All objects out of the maps. */
static void clean(enum reach reach)
{
	if (reach == REACH_NONE)
		return;
	run_own(cleaner);
	if (reach < REACH_PERCPU)
		return;
	use_processor(1);
	run_own(cleaner);
	use_processor(0);
}

/* The maps as they are for each run. @own: the key that programs use besides 0. */
static void reset_maps(enum reach reach, __u32 own)
{
	__u64 value[3 * 64] = {};
	__u32 zero = 0;

	if (reach == REACH_NONE)
		return;
	for (int i = 0; i < 64; i++)
		value[3 * i] = 0x0123456789abcdefULL;
	bpf_map_update_elem(world_map(MAP_HEAP), &zero, value, 0);
	for (__u32 key = 0; key < ARR_ENTRIES; key++) {
		bpf_map_update_elem(world_map(MAP_HEAP_ARR), &key, value, 0);
		bpf_map_update_elem(world_map(MAP_HEAP_PERCPU), &key, value, 0);
	}
	for (int map = MAP_HEAP_HASH; map <= MAP_HEAP_LRU; map++) {
		if (own)
			bpf_map_delete_elem(world_map(map), &own);
		bpf_map_update_elem(world_map(map), &zero, value, 0);
	}
}

/* Bits of what the program has noted in MAP_FAIL, which is cleared. */
static __u32 failures(bool race)
{
	__u64 *fail = world_memory(MAP_FAIL);
	__u32 found = 0;

	for (int i = 0; i < FAILURES; i++) {
		/* Two at once write to one map of data. */
		if (fail[i] && !(race && i == FAIL_WRITE))
			found |= 1u << (WRONG_FRESH + i);
		fail[i] = 0;
	}
	return found;
}

struct race {
	const struct program *p;
	const struct image *image;
	int fd;
};

static void *racer(void *data)
{
	const struct race *race = data;

	use_processor(1);
	for (int i = 0; i < RACES; i++)
		run_again(race->p, race->fd);
	return NULL;
}

/* On both processors at once: exchanges meet. */
static __u32 run_race(const struct program *p, const struct image *image, int fd)
{
	struct race race = { .p = p, .image = image, .fd = fd };
	pthread_t thread;

	if (pthread_create(&thread, NULL, racer, &race))
		ksft_exit_fail_msg("no thread\n");
	for (int i = 0; i < RACES; i++)
		run_again(p, fd);
	pthread_join(thread, NULL);
	if (image->rings || image->user_ring)
		world_renew_rings();
	return failures(true);
}

/* Waits for what entries of maps free late; whether something is left that lives. */
static bool leaks(enum reach reach, const struct heap_counts *before)
{
	clean(reach);
	if (counts_now().live <= before->live)
		return false;
	if (reach == REACH_ENTRIES)
		world_renew_entries();
	return !settles(before->live, reach == REACH_ENTRIES ? 5000 : 20);
}

/* Runs the program at @fd as often as it takes, and adds to @out. */
void heap_run(const struct program *p, const struct image *image, int fd, struct outcome *out)
{
	struct heap_counts before = counts_now(), middle, after;
	enum reach reach = reach_of(p);
	struct outcome again = {};
	__u32 own = p->seed;

	use_processor(0);
	failures(false);
	reset_maps(reach, own);
	run_program(p, image, fd, out);
	if (!(out->flags & OUTCOME_RAN))
		return;
	middle = counts_now();
	if (reach != REACH_NONE) {
		/* What is in the maps comes out on another processor. */
		use_processor(1);
		run_program(p, image, fd, &again);
		use_processor(0);
		out->wrong |= failures(false);
		clean(reach);
		reset_maps(reach, own);
	}
	after = counts_now();
	again = (struct outcome){};
	/* The first run has used its rings up: the program is loaded with others. */
	if (image->rings || image->user_ring)
		fd = load_own(p);
	run_program(p, image, fd, &again);
	out->wrong |= failures(false);
	/* Memory may be short in one run, and not in another. */
	if (out->flags & OUTCOME_COMPARED && again.run != out->run &&
	    middle.failed - before.failed == counts_now().failed - after.failed)
		out->wrong |= 1u << WRONG_REPEAT;
	if (image->pure && reach != REACH_NONE && p->kind < PROG_LSM && p->seed % 2)
		out->wrong |= run_race(p, image, fd);
	if (image->rings || image->user_ring)
		close(fd);
	if (leaks(reach, &before))
		out->wrong |= 1u << WRONG_LEAK;
}
