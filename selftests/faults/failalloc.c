// SPDX-License-Identifier: GPL-2.0
/*
 * failalloc KO FAILNTH_KO: each allocation fails in turn that making a ring buffer map takes, with
 * C and with Rust, and that a program with heap dynptrs makes, its own among them
 * (kmod/failnth.c). Nothing may be left, and errno be what it is with C.
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "control.h"
#include "failnth.h"
#include "heaprun.h"
#include "heapstat.h"
#include "insert.h"
#include "ringuser.h"

#define MAX_FAILURES 512

/* A map that is made once for each allocation that this takes. */
static const struct kind {
	const char *name;
	enum bpf_map_type type;
	unsigned long long size;
	__u32 flags;
} kinds[] = {
	{ "ring buffer, a page", BPF_MAP_TYPE_RINGBUF, 4096, 0 },
	{ "ring buffer, 16 pages", BPF_MAP_TYPE_RINGBUF, 65536, 0 },
	/* The array of pages is larger than a page. */
	{ "ring buffer, 1024 pages", BPF_MAP_TYPE_RINGBUF, 1024 * 4096, 0 },
	{ "user ring buffer, 16 pages", BPF_MAP_TYPE_USER_RINGBUF, 65536, 0 },
};

/* What came of it: how many allocations failed, and in how many cases that was the map's end. */
struct sweep {
	unsigned int failures, refused, other_errno, at_map_alloc;
};

static struct sweep sweeps[2][COUNT(kinds)];

static unsigned int count_maps(void)
{
	unsigned int count = 0;
	__u32 id = 0;

	while (!bpf_map_get_next_id(id, &id))
		count++;
	return count;
}

/* Whether there are @count maps soon: they are freed by a worker. */
static bool maps_become(unsigned int count)
{
	for (int i = 0; i < 500 && count_maps() != count; i++)
		usleep(10000);
	return count_maps() == count;
}

/* One map with allocation @nth failing. Whether there was one. */
static bool make_map(const struct kind *kind, int nth, struct sweep *sweep)
{
	char where[FAILNTH_WHERE];
	int fd, err;

	failnth_set("nth", nth);
	fd = ring_create(kind->type, kind->size, kind->flags);
	err = fd < 0 ? errno : 0;
	failnth_set("nth", 0);
	if (fd >= 0)
		close(fd);
	if (!failnth_where(where))
		return false;
	sweep->failures++;
	sweep->refused += !!err;
	sweep->other_errno += err && err != ENOMEM;
	sweep->at_map_alloc += !!strstr(where, "ringbuf_map_alloc");
	return true;
}

/* Of the many pages of a large map not each fails. */
static void sweep_maps(int side)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		int step = kinds[i].size > 1 << 20 ? 97 : 1;

		make_map(&kinds[i], 0, &sweeps[side][i]);
		for (int nth = 1; make_map(&kinds[i], nth, &sweeps[side][i]); nth += step)
			;
	}
}

static void compare_maps(void)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		const struct sweep *c = &sweeps[0][i], *rust = &sweeps[1][i];

		ksft_print_msg("%s: C %u failures, %u refused, %u in the map; Rust %u, %u, %u\n",
			       kinds[i].name, c->failures, c->refused, c->at_map_alloc,
			       rust->failures, rust->refused, rust->at_map_alloc);
		/* One more or less: the tables of what the kernel numbers grow at times. */
		ksft_test_result(rust->at_map_alloc > 4 && !rust->other_errno && !c->other_errno &&
				 abs((int)(rust->failures - c->failures)) <= 1 &&
				 abs((int)(rust->refused - c->refused)) <= 1,
				 "failalloc: %s: %u failures one at a time, ENOMEM for %u, as with C\n",
				 kinds[i].name, rust->failures, rust->refused);
	}
}

/*
 * Whether only allocations fail that the module makes itself. For programs that run on packets: the
 * kernel's own code makes one for them, and crashes if it can have no memory for it.
 */
static void fail_ours_only(struct bpf_program *prog)
{
	failnth_set("ours", bpf_program__type(prog) == BPF_PROG_TYPE_SCHED_CLS);
}

/* What a program with heap dynptrs is run for. */
static unsigned int heap_failures, heap_refused, heap_wrong, heap_left;

/* One run with allocation @nth failing. Whether there was one. */
static bool run_program(struct heap_bpf *skel, struct bpf_program *prog,
			struct heap_request request, int nth)
{
	const struct heap_result *r = &skel->bss->result;
	unsigned long long failed = heap_stat("failed");
	char where[FAILNTH_WHERE];
	bool in_ours;
	int err;

	failnth_set("nth", nth);
	err = heap_run(skel, prog, request);
	failnth_set("nth", 0);
	heap_left += heap_stat("live");
	if (!failnth_where(where))
		return false;
	in_ours = strstr(where, "rust_bpf_dynptr_alloc");
	heap_failures++;
	heap_refused += heap_stat("failed") != failed;
	/* The system call's own allocations, or ours, for which vmalloc() may do without some. */
	if (!err && !heap_is_right(r, request.size, r->alloc))
		heap_wrong++;
	else if (!err && r->alloc && (r->alloc != -ENOMEM || !in_ours))
		heap_wrong++;
	else if (err && (err != ENOMEM || in_ours))
		heap_wrong++;
	else
		return true;
	ksft_print_msg("size %u, allocation %d: errno %d, %d: %.200s\n", request.size, nth, err,
		       r->alloc, where);
	return true;
}

static void sweep_heap(struct heap_bpf *skel)
{
	static const unsigned int sizes[] = { 0, 64, SLAB_MAX, SLAB_MAX + 1, PAGES_MAX, 1 << 20 };
	struct bpf_program *progs[] = {
		skel->progs.alloc_sleepable, skel->progs.alloc_atomic, skel->progs.alloc_in_rcu,
	};

	for (size_t i = 0; i < COUNT(progs); i++) {
		fail_ours_only(progs[i]);
		heap_failures = 0;
		heap_refused = 0;
		heap_wrong = 0;
		heap_left = 0;
		for (size_t j = 0; j < COUNT(sizes) - !!i; j++) {
			struct heap_request request = { .size = sizes[j] };

			for (int nth = 1; nth < MAX_FAILURES; nth++)
				if (!run_program(skel, progs[i], request, nth))
					break;
		}
		ksft_test_result(heap_refused >= COUNT(sizes) - !!i && !heap_wrong && !heap_left,
				 "failalloc: %s: %u failures, %u of them -ENOMEM and a null dynptr; put\n",
				 bpf_program__name(progs[i]), heap_failures, heap_refused);
	}
}

/* Into maps and out again: what an operation cannot do, it has undone. */
static void sweep_objects(struct heap_bpf *skel)
{
	struct bpf_program *progs[] = { skel->progs.store, skel->progs.share, skel->progs.take };
	unsigned int failures = 0, wrong = 0;
	char where[FAILNTH_WHERE];

	for (int map = 0; map < HEAP_MAPS; map++) {
		for (size_t i = 0; i < COUNT(progs); i++) {
			struct heap_request request = { .size = 300, .map = map, .key = i };

			fail_ours_only(progs[i]);
			for (int nth = 1; nth < MAX_FAILURES; nth++, failures++) {
				failnth_set("nth", nth);
				heap_run(skel, progs[i], request);
				failnth_set("nth", 0);
				if (!failnth_where(where))
					break;
				wrong += heap_stat("live") > HEAP_MAPS * 4;
			}
		}
	}
	heap_bpf__destroy(skel);
	ksft_test_result(failures >= 10 && !wrong && heap_is_empty(),
			 "failalloc: objects in maps: %u failures, nothing left\n", failures);
}

int main(int argc, char **argv)
{
	unsigned int maps = count_maps();
	struct heap_bpf *skel;

	if (argc != 3) {
		fprintf(stderr, "usage: failalloc KO FAILNTH_KO\n");
		return 2;
	}
	ksft_print_header();
	libbpf_set_print(NULL);
	failnth_start(argv[2], "all=1");
	sweep_maps(0);
	ksft_test_result(maps_become(maps), "failalloc: no map is left (C)\n");
	if (control_load(argv[1], "count=1"))
		ksft_exit_fail_msg("the module does not load\n");
	sweep_maps(1);
	ksft_test_result(maps_become(maps), "failalloc: no map is left (Rust)\n");
	compare_maps();
	ksft_test_result(hits_of("ringbuf_map_alloc"), "failalloc: Rust made the maps (%llu)\n",
			 hits_of("ringbuf_map_alloc"));
	skel = heap_load();
	sweep_heap(skel);
	sweep_objects(skel);
	ksft_test_result(!control_save_hits() && !control_unload(),
			 "failalloc: the module unloads\n");
	failnth_stop();
	ksft_finished();
}
