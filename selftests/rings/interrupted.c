// SPDX-License-Identifier: GPL-2.0
/*
 * interrupted KO [some|all]: a producer is interrupted at each single instruction of the ring
 * buffer functions, those of C and those of Rust, by another producer into the same ring, of C or
 * of Rust. A hardware breakpoint does it: its exception is of the kind of an NMI, and knows no
 * lock. (B12)
 *
 * While the outer one holds the ring's lock the inner one must be refused, at once; else it must
 * get its record. The consumer sees every record that was made, whole and once. `some`: no rings
 * in overwrite mode.
 */
#include <bpf/libbpf.h>
#include <sched.h>
#include <string.h>
#include <stdlib.h>

#include "interrupted.h"
#include "events.h"
#include "interrupted.skel.h"
#include "ringuser.h"

#define MAX_SYMBOLS 400000

/* A function of the kernel. */
struct function {
	unsigned long long start, end;
	char name[96];
};

static const char *const c_functions[] = {
	"bpf_ringbuf_output", "bpf_ringbuf_reserve", "bpf_ringbuf_submit", "bpf_ringbuf_discard",
	"bpf_ringbuf_reserve_dynptr", "bpf_ringbuf_submit_dynptr", "__bpf_ringbuf_reserve",
	"bpf_ringbuf_commit", "bpf_user_ringbuf_drain",
};

static const char *const rust_functions[] = {
	"rust_bpf_ringbuf_output", "rust_bpf_ringbuf_reserve", "rust_bpf_ringbuf_submit",
	"rust_bpf_ringbuf_discard", "rust_bpf_ringbuf_reserve_dynptr",
	"rust_bpf_ringbuf_submit_dynptr", "rust_bpf_user_ringbuf_drain",
	"rust_dynptr_lock_irqsave", "rust_dynptr_unlock_irqrestore",
	"5logic4ring9overwrite",	/* a part of its name */
};

static const char *const op_names[INTERRUPTED_OPS] = {
	"output", "reserve and submit", "reserve and discard", "dynptr", "drain",
};

/* A pair of programs: who is interrupted, by whom. */
struct pair {
	struct interrupted_bpf *outer, *inner;
	struct ring ring, user;
	unsigned long long seen[3], expected[3], wrong;
};

static int by_start(const void *a, const void *b)
{
	const struct function *f = a, *g = b;

	return f->start < g->start ? -1 : f->start > g->start;
}

/* Finds @count functions by name; those that the compiler inlined away have no end. */
static void find_functions(const char *const *names, size_t count, struct function *found)
{
	struct function *all = calloc(MAX_SYMBOLS, sizeof(*all));
	FILE *file = fopen("/proc/kallsyms", "r");
	size_t n = 0;

	if (!all || !file)
		ksft_exit_fail_msg("/proc/kallsyms: %s\n", strerror(errno));
	while (n < MAX_SYMBOLS &&
	       fscanf(file, "%llx %*c %95[^ \t\n]%*[^\n]", &all[n].start, all[n].name) == 2)
		n++;
	fclose(file);
	qsort(all, n, sizeof(*all), by_start);
	for (size_t i = 0; i < count; i++) {
		memset(&found[i], 0, sizeof(found[i]));
		for (size_t j = 0; j < n; j++) {
			size_t next = j + 1;

			if (strcmp(all[j].name, names[i]) &&
			    (names[i][0] != '5' || !strstr(all[j].name, names[i])))
				continue;
			while (next < n && all[next].start == all[j].start)
				next++;
			found[i] = all[j];
			found[i].end = next < n ? all[next].start : all[j].start;
			break;
		}
	}
	free(all);
}

static void see(struct pair *pair, const struct interrupted_record *record, size_t size)
{
	if (size != sizeof(*record) || record->who < 1 || record->who > 2 ||
	    record->check != INTERRUPTED_CHECK(record->who, record->seq) ||
	    record->seq < pair->expected[record->who]) {
		pair->wrong++;
		return;
	}
	pair->expected[record->who] = record->seq + 1;
	pair->seen[record->who]++;
}

/* All records since the last time; none is being written now. Also of a ring that overwrites. */
static void consume(struct pair *pair)
{
	struct ring *ring = &pair->ring;
	unsigned long long pos = *ring->consumer;

	for (; pos != ring->producer[0]; pos += ring_stride(ring_header(ring, pos))) {
		unsigned int header = ring_header(ring, pos);
		unsigned long long at = (pos + 8) & (ring->size - 1);

		if (header & RING_BUSY)
			pair->wrong++;
		else if (!(header & RING_DISCARD))
			see(pair, (void *)(ring->data + at), header);
	}
	*ring->consumer = pos;
}

/* One sample for the drains. */
static void produce_sample(struct ring *ring)
{
	unsigned long long pos = ring->producer[0];

	*(volatile unsigned int *)(ring->data + (pos & (ring->size - 1))) = 8;
	__atomic_store_n((unsigned long long *)&ring->producer[0], pos + 16, __ATOMIC_RELEASE);
}

/* All instructions of a function; how many of its bytes were the start of one. */
static unsigned long long sweep(struct pair *pair, const struct function *function, unsigned int op)
{
	const struct interrupted_tally *inner = &pair->inner->bss->inner_tally;
	unsigned long long before = inner->runs;

	LIBBPF_OPTS(bpf_test_run_opts, opts);

	for (unsigned long long at = function->start; at < function->end; at++) {
		int fd = open_breakpoint(at, 0, -1, pair->inner->progs.inner);

		if (op == INTERRUPTED_DRAIN)
			produce_sample(&pair->user);
		if (bpf_prog_test_run_opts(bpf_program__fd(pair->outer->progs.outer), &opts))
			ksft_exit_fail_msg("test run: %s\n", strerror(errno));
		close(fd);
		consume(pair);
	}
	return inner->runs - before;
}

/* With rings of their own, or with those of @others. */
static struct interrupted_bpf *load_programs(__u32 flags, struct interrupted_bpf *others)
{
	struct interrupted_bpf *skel = interrupted_bpf__open();

	if (!skel)
		ksft_exit_fail_msg("interrupted.bpf.o: %s\n", strerror(errno));
	bpf_map__set_map_flags(skel->maps.ring, flags);
	if (others &&
	    (bpf_map__reuse_fd(skel->maps.ring, bpf_map__fd(others->maps.ring)) ||
	     bpf_map__reuse_fd(skel->maps.user_ring, bpf_map__fd(others->maps.user_ring))))
		ksft_exit_fail_msg("reuse of a map: %s\n", strerror(errno));
	if (interrupted_bpf__load(skel))
		ksft_exit_fail_msg("cannot load interrupted.bpf.o: %s\n", strerror(errno));
	return skel;
}

/* All functions of the outer program's side, for one operation. */
static void sweep_all(struct pair *pair, const char *name, const struct function *functions,
		      size_t count, unsigned int op)
{
	const struct interrupted_tally *outer = &pair->outer->bss->outer_tally;
	const struct interrupted_tally *inner = &pair->inner->bss->inner_tally;
	unsigned long long hits = 0, made, seen;

	memset(&pair->outer->bss->outer_tally, 0, sizeof(*outer));
	memset(&pair->inner->bss->inner_tally, 0, sizeof(*inner));
	memset(pair->seen, 0, sizeof(pair->seen));
	memset(pair->expected, 0, sizeof(pair->expected));
	pair->outer->bss->op = op;
	pair->inner->bss->op = op;
	for (size_t i = 0; i < count; i++)
		hits += sweep(pair, &functions[i], op);
	made = outer->made + inner->made;
	seen = pair->seen[1] + pair->seen[2];
	if (op == INTERRUPTED_DRAIN) {
		made = pair->user.producer[0] / 16;
		seen = *pair->user.consumer / 16;
	}
	ksft_test_result(hits > 20 && inner->refused && inner->made + (op == INTERRUPTED_DISCARD) &&
			 !outer->strange && !inner->strange && !pair->wrong && made == seen &&
			 (op == INTERRUPTED_DRAIN || !outer->refused) &&
			 inner->slow * 100 <= inner->runs,
			 "interrupted: %s: %s: at %llu instructions, %llu refused, %llu of %llu records seen\n",
			 name, op_names[op], hits, inner->refused, seen, made);
	ksft_print_msg("longest: %llu us outer, %llu us inner; %llu and %llu strange, %llu wrong\n",
		       outer->longest / 1000, inner->longest / 1000, outer->strange, inner->strange,
		       pair->wrong);
}

static void run_pair(const char *name, struct interrupted_bpf *outer, struct interrupted_bpf *inner,
		     bool outer_rust, unsigned int ops)
{
	const char *const *names = outer_rust ? rust_functions : c_functions;
	size_t count = outer_rust ? COUNT(rust_functions) : COUNT(c_functions);
	struct pair pair = { .outer = outer, .inner = inner };
	struct function functions[16];

	find_functions(names, count, functions);
	ring_map(&pair.ring, bpf_map__fd(outer->maps.ring), 4096, false);
	ring_map(&pair.user, bpf_map__fd(outer->maps.user_ring), 4096, true);
	for (unsigned int op = 0; op < ops; op++)
		sweep_all(&pair, name, functions, count, op);
	ring_unmap(&pair.user);
	ring_unmap(&pair.ring);
}

/* What there is to a kind of ring: programs of C, and, with the module, of Rust. */
static struct kind {
	const char *c_by_c, *c_by_rust, *rust_by_c, *rust_by_rust;
	__u32 flags;
	unsigned int ops;
	struct interrupted_bpf *c, *c_inner;
} kinds[] = {
	{ "C, by C", "C, by Rust", "Rust, by C", "Rust, by Rust", 0, INTERRUPTED_OPS },
	{ "C, by C, overwriting", "C, by Rust, overwriting", "Rust, by C, overwriting",
	  "Rust, by Rust, overwriting", BPF_F_RB_OVERWRITE, INTERRUPTED_OUTPUT + 1 },
};

static void run_with_c(struct kind *kind)
{
	kind->c = load_programs(kind->flags, NULL);
	kind->c_inner = load_programs(kind->flags, kind->c);
	run_pair(kind->c_by_c, kind->c, kind->c_inner, false, kind->ops);
}

static void run_with_rust(struct kind *kind)
{
	struct interrupted_bpf *rust = load_programs(kind->flags, kind->c);
	struct interrupted_bpf *inner = load_programs(kind->flags, kind->c);

	run_pair(kind->c_by_rust, kind->c, inner, false, kind->ops);
	run_pair(kind->rust_by_c, rust, kind->c_inner, true, kind->ops);
	run_pair(kind->rust_by_rust, rust, inner, true, kind->ops);
	interrupted_bpf__destroy(rust);
	interrupted_bpf__destroy(inner);
}

int main(int argc, char **argv)
{
	size_t count = COUNT(kinds);
	cpu_set_t set;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: interrupted KO [some|all]\n");
		return 2;
	}
	if (argc == 3 && !strcmp(argv[2], "some"))
		count = 1;
	ksft_print_header();
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (size_t i = 0; i < count; i++)
		run_with_c(&kinds[i]);
	if (!ksft_test_result(!control_load(argv[1], ""), "interrupted: the module loads\n"))
		ksft_finished();
	for (size_t i = 0; i < count; i++)
		run_with_rust(&kinds[i]);
	ksft_test_result(!control_unload(), "interrupted: the module unloads\n");
	for (size_t i = 0; i < count; i++) {
		interrupted_bpf__destroy(kinds[i].c);
		interrupted_bpf__destroy(kinds[i].c_inner);
	}
	ksft_finished();
}
