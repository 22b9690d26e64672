// SPDX-License-Identifier: GPL-2.0
/*
 * heap KO [EXCHANGES [some|all]]: heap dynptrs (include/rust_dynptr.bpf.h), used and misused, in
 * one task. `some`: without red zones only.
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "heaprun.h"
#include "heapstat.h"
#include "loader.h"
#include "ksft.h"

/* Red zones, which one half is run with. */
#define ZONE 64
#define SIZE_MAX_24 ((1 << 24) - 1)
#define ZERO_FLAG 0x100
#define ROOT_CGROUP 1

static const unsigned int sizes[] = {
	0, 1, 63, 64, 65, 255, 4096, SLAB_MAX - ZONE, SLAB_MAX, SLAB_MAX + 1, PAGES_MAX - ZONE,
	PAGES_MAX, PAGES_MAX + 1, 65536, 1 << 20, SIZE_MAX_24, SIZE_MAX_24 + 1, ~0U,
};

static const unsigned long long all_flags[] = { 0, ZERO_FLAG, 1, ZERO_FLAG | 1, ~0ULL };

static struct heap_bpf *skel;
static unsigned int zone;

static void use_processor(long cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		ksft_exit_fail_msg("processor %ld: %s\n", cpu, strerror(errno));
}

/* Runs a program once with this request; what came of it is in skel->bss->result. */
static void run(struct bpf_program *prog, struct heap_request request)
{
	int err = heap_run(skel, prog, request);

	if (err)
		ksft_exit_fail_msg("%s: %s\n", bpf_program__name(prog), strerror(err));
}

/* What bpf_dynptr_alloc() must return. */
static int expected(unsigned int size, unsigned long long flags, unsigned int limit)
{
	if (size > SIZE_MAX_24)
		return -E2BIG;
	if (flags & ~(unsigned long long)ZERO_FLAG)
		return -EINVAL;
	return size > limit ? -ENOMEM : 0;
}

/* Every size with every flag; -ENOMEM above @limit bytes. */
static void try_sizes(struct bpf_program *prog, unsigned int limit, const char *where)
{
	unsigned int wrong = 0, cases = 0;
	struct heap_request request = {};

	for (size_t i = 0; i < COUNT(sizes); i++) {
		for (size_t j = 0; j < COUNT(all_flags); j++) {
			request.size = sizes[i];
			request.flags = all_flags[j];
			run(prog, request);
			cases++;
			if (heap_is_right(&skel->bss->result, sizes[i],
					  expected(sizes[i], all_flags[j], limit)))
				continue;
			wrong++;
			ksft_print_msg("%s: size %u, flags %llx: %d, size %u, %u dirty\n", where,
				       sizes[i], all_flags[j], skel->bss->result.alloc,
				       skel->bss->result.size, skel->bss->result.dirty);
		}
	}
	ksft_test_result(!wrong, "heap: %u allocations %s: errno, size, zeroes, bounds\n", cases,
			 where);
}

/* Every helper and kfunc on a heap dynptr. */
static void consumers(void)
{
	static char text[20000];
	struct heap_request request = {};
	struct heap_result *r = &skel->bss->result;

	run(skel->progs.consume, (struct heap_request){});
	ksft_test_result(!r->alloc && r->slice && !r->wrong && !r->cloned && !r->adjusted &&
			 r->size == 16 && r->data && !r->copied && !r->probed,
			 "heap: memset, slice, slice_rdwr, clone, adjust, data, copy, probe_read\n");
	memset(text, 'u', sizeof(text));
	skel->bss->user_address = (unsigned long long)text;
	request.size = sizeof(text);
	request.offset = sizeof(text) - HEAP_BYTES;
	request.fill = 'u';
	run(skel->progs.consume_user, request);
	ksft_test_result(!r->user && !r->wrong, "heap: copy_from_user of %zu bytes\n",
			 sizeof(text));
	run(skel->progs.lend, (struct heap_request){});
	ksft_test_result(!r->alloc && !r->wrong && r->size == 8 && r->data,
			 "heap: lent to a callback and a global function; overwritten while a clone lives\n");
}

static const char *const map_names[HEAP_MAPS] = {
	[HEAP_ARRAY] = "array",
	[HEAP_HASH] = "hash",
	[HEAP_LRU] = "LRU hash",
	[HEAP_RESIZABLE] = "resizable hash",
	[HEAP_ALLOCATED] = "hash without preallocation",
	[HEAP_PERCPU] = "per-CPU array",
	[HEAP_PERCPU_HASH] = "per-CPU hash",
	[HEAP_PERCPU_LRU] = "per-CPU LRU hash",
	[HEAP_TASK] = "task storage",
	[HEAP_CGROUP] = "cgroup storage",
};

/* In a map, out of it by another program, back, exchanged, and freed with the entry or the map. */
static void persistence(enum heap_map map, unsigned int size)
{
	struct heap_request request = {
		.size = size, .map = map, .key = 1, .fill = 0x5a, .cgroup = ROOT_CGROUP,
	};
	struct heap_result *r = &skel->bss->result;
	const char *name = map_names[map];
	int first;

	run(skel->progs.store, request);
	first = !r->alloc && r->object_size == size && !r->old;
	ksft_test_result(first && heap_stat("live") == 1, "heap: %u bytes are kept in a %s\n", size,
			 name);
	request.flags = 1;
	run(skel->progs.take, request);
	ksft_test_result(r->found && r->size == size && !r->wrong,
			 "heap: %s: another program takes them out, and puts them back\n", name);
	request.fill = 0xa5;
	run(skel->progs.store, request);
	ksft_test_result(r->old && heap_stat("live") == 1,
			 "heap: %s: an exchange frees the old ones\n", name);
	request.flags = 0;
	run(skel->progs.take, request);
	ksft_test_result(r->found && !r->wrong && !heap_stat("live"),
			 "heap: %s: taken out and put\n", name);
	run(skel->progs.take, request);
	ksft_test_result(!r->found, "heap: %s: the entry is empty then\n", name);
	run(skel->progs.store, request);
}

/*
 * What a program takes out before it deletes the entry is freed at once. What it leaves there stays
 * in the map's memory until that is freed or used again, as every kptr does: the kernel's maps only
 * cancel timers when an entry goes (bpf_obj_cancel_fields()).
 */
static void entries(void)
{
	struct heap_request request = { .size = 100, .map = HEAP_HASH, .key = 7 };
	struct { __u64 heap; __u32 length; } value = {};

	run(skel->progs.store, request);
	run(skel->progs.take, request);
	bpf_map__delete_elem(skel->maps.hash, &request.key, sizeof(request.key), 0);
	ksft_test_result(heap_is_empty(),
			 "heap: taken out of an entry that is deleted then: freed\n");
	run(skel->progs.store, request);
	bpf_map__update_elem(skel->maps.hash, &request.key, sizeof(request.key), &value,
			     sizeof(value), BPF_ANY);
	bpf_map__delete_elem(skel->maps.hash, &request.key, sizeof(request.key), 0);
	ksft_test_result(heap_stat("live") == 1,
			 "heap: left in a deleted entry: kept with the map's memory\n");
	heap_bpf__destroy(skel);
	ksft_test_result(heap_is_empty(), "heap: and freed with the map\n");
	skel = heap_load();
}

/* Two objects over one block. */
static void sharing(void)
{
	struct heap_request request = { .size = 300, .map = HEAP_ARRAY, .key = 3, .fill = 0x77 };
	struct heap_result *r = &skel->bss->result;

	run(skel->progs.share, request);
	ksft_test_result(heap_stat("live") == 1, "heap: two entries share a block\n");
	run(skel->progs.take, request);
	ksft_test_result(r->found && !r->wrong && heap_stat("live") == 1,
			 "heap: what is written through one is read through the other\n");
	request.key++;
	run(skel->progs.take, request);
	ksft_test_result(r->found && !r->wrong && !heap_stat("live"),
			 "heap: freed with the last\n");
}

static unsigned int runs;

static void *exchanger(void *cpu)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	use_processor((long)cpu);
	for (unsigned int i = 0; i < runs; i++)
		if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.exchange), &opts))
			ksft_exit_fail_msg("exchange: %s\n", strerror(errno));
	return NULL;
}

/* Two processors exchange blocks through one entry. */
static void exchange_blocks(unsigned int count)
{
	unsigned long long done = 0, torn = 0, failed = 0;
	pthread_t threads[2];

	runs = count / HEAP_EXCHANGES / 2 + 1;
	for (long cpu = 0; cpu < 2; cpu++)
		pthread_create(&threads[cpu], NULL, exchanger, (void *)cpu);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		done += skel->bss->exchanges[i].done;
		torn += skel->bss->exchanges[i].torn;
		failed += skel->bss->exchanges[i].failed;
	}
	ksft_print_msg("exchanges: %llu done, %llu torn, %llu allocations failed\n", done, torn,
		       failed);
	ksft_test_result(done >= count && !torn,
			 "heap: %u blocks exchanged by two processors, none torn\n", count);
}

/* A map that can hold objects holds the module. */
static void pinned(void)
{
	run(skel->progs.store, (struct heap_request){ .size = 64, .map = HEAP_ARRAY });
	ksft_test_result(system(control_command("unload >/dev/null 2>&1")),
			 "heap: the module stays while programs and maps use it\n");
	heap_bpf__destroy(skel);
	ksft_test_result(heap_is_empty(), "heap: all memory is freed with the programs and maps\n");
	ksft_test_result(!heap_stat("damaged"),
			 "heap: nobody wrote behind a block or to a freed one\n");
	control_save_hits();
	ksft_test_result(!control_unload(), "heap: the module can be unloaded then\n");
}

static void run_all(const char *ko, const char *parameters, unsigned int count)
{
	if (control_load(ko, parameters))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	skel = heap_load();
	try_sizes(skel->progs.alloc_sleepable, SIZE_MAX_24, "that may sleep");
	try_sizes(skel->progs.alloc_atomic, PAGES_MAX - zone, "that may not");
	try_sizes(skel->progs.alloc_in_rcu, PAGES_MAX - zone, "in an RCU section");
	ksft_test_result(heap_is_empty(), "heap: all of it was put\n");
	consumers();
	for (enum heap_map map = 0; map < HEAP_MAPS; map++) {
		persistence(map, 300);
		heap_bpf__destroy(skel);
		ksft_test_result(heap_is_empty(), "heap: %s: freed with the map\n", map_names[map]);
		skel = heap_load();
	}
	persistence(HEAP_HASH, 1 << 20);
	heap_bpf__destroy(skel);
	ksft_test_result(heap_is_empty(), "heap: a MiB: freed with the map\n");
	skel = heap_load();
	entries();
	sharing();
	exchange_blocks(count);
	pinned();
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 2 ? strtoul(argv[2], NULL, 0) : 100000;

	if (argc < 2) {
		fprintf(stderr, "usage: heap KO [EXCHANGES [some|all]]\n");
		return 2;
	}
	ksft_print_header();
	libbpf_set_print(NULL);
	/* What one run leaves in a per-CPU map, the next one finds. */
	use_processor(0);
	if (argc < 4 || strcmp(argv[3], "some")) {
		zone = ZONE;
		run_all(argv[1], "count=1 heap_red_zones=1", 20000);
		zone = 0;
	}
	run_all(argv[1], "", count);
	if (control_load(argv[1], "count=1"))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	loader_run("heap_refused.bpf.o", "");
	loader_run("heap_nested.bpf.o", "");
	control_save_hits();
	ksft_test_result(!control_unload(),
			 "heap: the module can be unloaded after the refusals\n");
	ksft_finished();
}
