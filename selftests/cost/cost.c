// SPDX-License-Identifier: GPL-2.0
/*
 * cost KO JSON [TURNS]: instructions for a call of each function, with C and with Rust, in one
 * boot that counts them (scripts/vm -i), in turns: C, Rust, Rust, C. "both" is Rust under the C
 * bodies that programs loaded before the module call. A call may cost no more with Rust than with
 * C. With TURNS, so many times, and with more sizes.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "cost.skel.h"
#include "cost_table.h"
#include "packets.h"
#include "samples.h"
#include "ksft.h"

#define REPEATS 5	/* the least of these counts: interrupts only add */
#define FDINFO_CALLS 256
#define NOISE 0.5	/* instructions a call: what two runs of the same code may differ by */
#define MOST_TURNS 3	/* while something exceeds C: more samples, of which the least counts */

enum { WITH_C, WITH_RUST, WITH_BOTH, SIDES };

/* Instructions of a call with the loop, a sample of each round; none: not of this program. Of the
 * last side only the hits are of interest.
 */
static struct samples cost[SIDES + 1][COUNT(programs)][COST_OPS][COUNT(sizes)];
static double fdinfo[SIDES + 1];	/* nanoseconds of a read of a ring's fdinfo */
static size_t sizes_used = SIZES_QUICK;
static char *user;
static int file;
static const char path[] = "/tmp/cost.file";

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

/* The rings of a round, which the runner empties and fills. */
struct rings {
	struct ring_buffer *kernel;
	struct user_ring_buffer *user;
};

static int drop(void *context, void *data, size_t size)
{
	return 0;
}

static void open_rings(struct cost_bpf *skel, struct rings *rings)
{
	rings->kernel = ring_buffer__new(bpf_map__fd(skel->maps.ring), drop, NULL, NULL);
	rings->user = user_ring_buffer__new(bpf_map__fd(skel->maps.user_ring), NULL);
	if (!rings->kernel || !rings->user)
		ksft_exit_fail_msg("rings: %s\n", strerror(errno));
}

static void close_rings(struct rings *rings)
{
	ring_buffer__free(rings->kernel);
	user_ring_buffer__free(rings->user);
}

/* A record for each call of COST_USER_RINGBUF_DRAIN. */
static void fill_user_ring(struct rings *rings)
{
	for (int i = 0; i < COST_CALLS; i++) {
		void *record = user_ring_buffer__reserve(rings->user, 8);

		if (!record)
			ksft_exit_fail_msg("user ring: %s\n", strerror(errno));
		memset(record, 0, 8);
		user_ring_buffer__submit(rings->user, record);
	}
}

static void run_alone(int prog, const char *name)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(prog, &opts) || opts.retval)
		ksft_exit_fail_msg("test run (%s): %d, %s\n", name, (int)opts.retval,
				   strerror(errno));
}

/* For what runs in a packet's or frame's context. */
static void run_on_packet(const struct program *program, int prog)
{
	unsigned char packet[PACKET] = { [12] = 8 };
	bool in_parts = program->how == ON_FRAGMENTS;

	if (packet_run(prog, !strcmp(program->name, "frame"), packet, in_parts ? PACKET : SHORT,
		       in_parts ? LINEAR : 0))
		ksft_exit_fail_msg("test run (%s): %s\n", program->label, strerror(errno));
}

/* The program is attached where the packet comes in. */
static void send_metadata(struct cost_bpf *skel)
{
	unsigned char packet[META + SHORT] = { [META + 12] = 8 };

	if (packet_with_metadata(bpf_program__fd(skel->progs.pass), packet, sizeof(packet), META))
		ksft_exit_fail_msg("live frame: %s\n", strerror(errno));
}

static void lock_file(struct cost_bpf *skel)
{
	skel->bss->monitored = getpid();
	if (flock(file, LOCK_SH))
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	skel->bss->monitored = 0;
}

static void run_once(struct cost_bpf *skel, const struct program *program, int prog)
{
	skel->bss->spent = 0;
	switch (program->how) {
	case ALONE:
		run_alone(prog, program->label);
		break;
	case ON_PACKET:
	case ON_FRAGMENTS:
		run_on_packet(program, prog);
		break;
	case ON_METADATA:
		send_metadata(skel);
		break;
	case ON_FILE:
		lock_file(skel);
		break;
	}
}

/* Keeps the program where its packets or files come by. */
static struct bpf_link *link_of(const struct program *program, struct bpf_program *prog)
{
	struct bpf_link *link = NULL;

	if (program->how == ON_METADATA)
		link = bpf_program__attach_tcx(prog, if_nametoindex("lo"), NULL);
	else if (program->how == ON_FILE)
		link = bpf_program__attach(prog);
	else
		return NULL;
	if (!link)
		ksft_exit_fail_msg("cannot attach %s: %s\n", program->name, strerror(errno));
	return link;
}

/* The least time of a call of operation @op, with the loop; 0: it is not of this program. */
static double measure(struct cost_bpf *skel, const struct program *program, int op, int prog,
		      struct rings *rings)
{
	double least = 0;

	for (int i = 0; i < REPEATS; i++) {
		double spent;

		if (op == COST_USER_RINGBUF_DRAIN && !strcmp(program->name, "rings"))
			fill_user_ring(rings);
		run_once(skel, program, prog);
		ring_buffer__consume(rings->kernel);
		spent = (double)skel->bss->spent / COST_CALLS;
		if (!spent)
			return 0;
		if (!i || spent < least)
			least = spent;
	}
	return least;
}

static void measure_op(struct cost_bpf *skel, size_t p, int op, int prog, struct rings *rings,
		       int side)
{
	for (size_t size = 0; size < sizes_used; size++) {
		double least;

		if (size && !operations[op].sized)
			break;
		if (programs[p].max_size && sizes[size] > programs[p].max_size)
			continue;
		skel->bss->op = op;
		skel->bss->size = sizes[size];
		skel->bss->offset = programs[p].offset;
		least = measure(skel, &programs[p], op, prog, rings);
		if (least)
			sample_add(&cost[side][p][op][size], least);
	}
}

/*
 * ringbuf_map_mem_usage() has one caller: who reads a map's fdinfo. That is measured, and not
 * held to what C costs: its row is a kprobe, which takes an exception by design (see
 * docs/takeover.md). The same for dynptr_type_str() would tell nothing: it is a switch that the
 * verifier asks in messages of programs that it refuses, of which a load makes one.
 */
static void measure_fdinfo(int map, int side)
{
	char path[64], text[1024];
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", map);
	info = open(path, O_RDONLY);
	for (int i = 0; i < REPEATS; i++) {
		double start = now(), spent;

		for (int call = 0; call < FDINFO_CALLS; call++)
			if (pread(info, text, sizeof(text), 0) <= 0)
				ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
		spent = (now() - start) / FDINFO_CALLS;
		if (!fdinfo[side] || spent < fdinfo[side])
			fdinfo[side] = spent;
	}
	close(info);
}

static void set_text(struct cost_bpf *skel)
{
	__u32 key = COST_TEXT;
	char text[COST_MEMORY] = {};

	memset(text, 'x', COST_MAX_SIZE - 1);
	if (bpf_map__update_elem(skel->maps.memory, &key, sizeof(key), text, sizeof(text), BPF_ANY))
		ksft_exit_fail_msg("map: %s\n", strerror(errno));
}

/* All operations with these programs, which are ended. */
static void round_of(struct cost_bpf *skel, int side)
{
	struct rings rings;

	open_rings(skel, &rings);
	measure_fdinfo(bpf_map__fd(skel->maps.ring), side);
	set_text(skel);
	run_alone(bpf_program__fd(skel->progs.make_crypto), "make_crypto");
	skel->bss->user = (unsigned long)user;
	for (size_t p = 0; p < COUNT(programs); p++) {
		struct bpf_program *prog;
		struct bpf_link *link;

		prog = bpf_object__find_program_by_name(skel->obj, programs[p].name);
		link = link_of(&programs[p], prog);
		for (int op = 0; op < COST_OPS; op++)
			measure_op(skel, p, op, bpf_program__fd(prog), &rings, side);
		if (!cost[side][p][COST_NOTHING][0].count)
			ksft_exit_fail_msg("%s did not run\n", programs[p].label);
		bpf_link__destroy(link);
	}
	close_rings(&rings);
	cost_bpf__destroy(skel);
}

static struct cost_bpf *load_programs(void)
{
	struct cost_bpf *skel = cost_bpf__open_and_load();

	if (!skel)
		ksft_exit_fail_msg("cannot load cost.bpf.o: %s\n", strerror(errno));
	return skel;
}

static void load_module(const char *ko, const char *parameters)
{
	if (control_load(ko, parameters))
		ksft_exit_fail_msg("the module does not load\n");
}

static void unload_module(void)
{
	if (control_unload())
		ksft_exit_fail_msg("the module does not unload\n");
}

/* Calls alone: without the loop. */
static struct samples calls_of(int side, size_t p, int op, size_t size)
{
	const struct samples *all = &cost[side][p][op][size];
	double loop = sample_least(&cost[side][p][COST_NOTHING][0]);
	struct samples alone = {};

	for (int i = 0; i < all->count; i++)
		sample_add(&alone, all->value[i] - loop);
	return alone;
}

/* That operation takes more with Rust than with C. */
static bool exceeds(size_t p, int op, size_t size)
{
	struct samples of_c = calls_of(WITH_C, p, op, size);
	struct samples of_rust = calls_of(WITH_RUST, p, op, size);
	struct samples of_both = calls_of(WITH_BOTH, p, op, size);
	double limit = sample_least(&of_c) + NOISE;

	return sample_least(&of_rust) > limit || sample_least(&of_both) > limit;
}

static bool any_exceeds(void)
{
	for (size_t p = 0; p < COUNT(programs); p++)
		for (int op = COST_NOTHING + 1; op < COST_OPS; op++)
			for (size_t size = 0; size < COUNT(sizes); size++)
				if (cost[WITH_C][p][op][size].count && exceeds(p, op, size))
					return true;
	return false;
}

/* Reports an operation; Rust's part of C's. */
static double report_one(FILE *json, bool first, size_t p, int op, size_t size)
{
	struct samples of_c = calls_of(WITH_C, p, op, size);
	struct samples of_rust = calls_of(WITH_RUST, p, op, size);
	struct samples of_both = calls_of(WITH_BOTH, p, op, size);
	double c = sample_least(&of_c), rust = sample_least(&of_rust);
	char name[96];
	int used = snprintf(name, sizeof(name), "%s, %s", programs[p].label, operations[op].name);

	if (operations[op].sized)
		snprintf(name + used, sizeof(name) - used, " %u B", sizes[size]);
	ksft_test_result(!exceeds(p, op, size),
			 "cost: %s: C %.1f, Rust %.1f, ratio %.2f; old programs %.1f\n", name, c,
			 rust, rust / c, sample_least(&of_both));
	samples_result(json, first, name, NULL, &of_c, &of_rust);
	return rust / c;
}

static void report(const char *path)
{
	FILE *json = samples_open(path, "operations", "instructions a call");
	double sum = 0;
	int n = 0;

	for (size_t p = 0; p < COUNT(programs); p++)
		for (int op = COST_NOTHING + 1; op < COST_OPS; op++)
			for (size_t i = 0; i < COUNT(sizes); i++)
				if (cost[WITH_C][p][op][i].count)
					sum += report_one(json, !n++, p, op, i);
	samples_close(json);
	ksft_print_msg("%d operations, mean ratio %.3f\n", n, sum / n);
	ksft_print_msg("fdinfo of a ring (mem_usage): C %.0f, Rust %.0f\n", fdinfo[WITH_C],
		       fdinfo[WITH_RUST]);
}

/* What no operation here measures. */
static void check_hits(void)
{
	struct row rows[MAX_ROWS];
	int count = control_rows(rows);
	size_t missed = 0;

	for (int op = 1; op < COST_OPS; op++)
		for (int row = 0; row < count; row++)
			if (operations[op].row && !strcmp(rows[row].name, operations[op].row))
				missed += !rows[row].hits;
	for (int row = 0; row < count; row++)
		if (!rows[row].hits)
			ksft_print_msg("not measured: %s\n", rows[row].name);
	ksft_test_result(count > 0 && !missed, "cost: Rust served what is measured\n");
}

static void make_memory(void)
{
	static char text[2 * COST_MAX_SIZE];

	user = mmap(NULL, sizeof(text), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	file = open(path, O_RDWR | O_CREAT, 0600);
	if (user == MAP_FAILED || file < 0)
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	memset(user, 'u', COST_MAX_SIZE - 1);
	if (write(file, text, sizeof(text)) != sizeof(text))
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
}

/* C, Rust, Rust, C. */
static void turn(const char *ko)
{
	struct cost_bpf *old;

	round_of(load_programs(), WITH_C);
	old = load_programs();
	load_module(ko, "");
	round_of(load_programs(), WITH_RUST);
	round_of(load_programs(), WITH_RUST);
	round_of(old, WITH_BOTH);
	unload_module();
	round_of(load_programs(), WITH_C);
}

int main(int argc, char **argv)
{
	int turns = argc > 3 ? atoi(argv[3]) : 1;
	struct cost_bpf *old;

	if (argc < 3 || turns < 1) {
		fprintf(stderr, "usage: cost KO JSON [TURNS]\n");
		return 2;
	}
	ksft_print_header();
	if (argc > 3)
		sizes_used = COUNT(sizes);
	make_memory();
	for (int i = 0; i < turns || (i < MOST_TURNS && any_exceeds()); i++)
		turn(argv[1]);
	report(argv[2]);

	old = load_programs();
	load_module(argv[1], "count=1");
	round_of(load_programs(), SIDES);
	round_of(old, SIDES);
	check_hits();
	unload_module();
	unlink(path);
	ksft_finished();
}
