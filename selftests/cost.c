// SPDX-License-Identifier: GPL-2.0
/*
 * cost KO JSON: instructions for a call of each function, with C and with Rust, in one boot that
 * counts them (scripts/vm -i), in turns: C, Rust, Rust, C. "both" is Rust under the C bodies that
 * programs loaded before the module call. A call may cost no more with Rust than with C.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/cost.h"
#include "control.h"
#include "cost.skel.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define REPEATS 7	/* the least of these counts: interrupts only add */
#define NOISE 0.5	/* instructions a call: what two runs of the same code may differ by */

enum { WITH_C, WITH_RUST, WITH_BOTH, SIDES };

static const struct program {
	const char *name;
	const char *label;
	bool packet, file;
} programs[] = {
	{ "local", "local", .packet = true },
	{ "skb", "skb", .packet = true },
	{ "frame", "xdp", .packet = true },
	{ "skb_meta", "skb metadata", .packet = true },
	{ "skb_rdonly", "read-only skb", .packet = true },
	{ "sleepable", "local, sleepable" },
	{ "file", "file", .file = true },
	{ "file_sleepable", "file, sleepable", .file = true },
};

static const struct operation {
	const char *name;
	const char *row;	/* of the take-over table; NULL: by class */
	bool sized;
} operations[COST_OPS] = {
	[COST_FROM_MEM] = { "from_mem", "bpf_dynptr_from_mem" },
	[COST_READ] = { "read", "bpf_dynptr_read", true },
	[COST_WRITE] = { "write", "bpf_dynptr_write", true },
	[COST_DATA] = { "data", "bpf_dynptr_data" },
	[COST_SLICE] = { "slice", "bpf_dynptr_slice" },
	[COST_SLICE_BUFFER] = { "slice, buffer", "bpf_dynptr_slice" },
	[COST_SLICE_RDWR] = { "slice_rdwr", "bpf_dynptr_slice_rdwr" },
	[COST_ADJUST] = { "adjust", "bpf_dynptr_adjust" },
	[COST_IS_NULL] = { "is_null", "bpf_dynptr_is_null" },
	[COST_IS_RDONLY] = { "is_rdonly", "bpf_dynptr_is_rdonly" },
	[COST_SIZE] = { "size", "bpf_dynptr_size" },
	[COST_CLONE] = { "clone", "bpf_dynptr_clone" },
	[COST_COPY] = { "copy", "bpf_dynptr_copy", true },
	[COST_MEMSET] = { "memset", "bpf_dynptr_memset", true },
	[COST_PROBE_KERNEL] = { "probe_read_kernel", "bpf_probe_read_kernel_dynptr", true },
	[COST_PROBE_KERNEL_STR] = { "probe_read_kernel_str", "bpf_probe_read_kernel_str_dynptr",
				    true },
	[COST_PROBE_USER] = { "probe_read_user", "bpf_probe_read_user_dynptr", true },
	[COST_PROBE_USER_STR] = { "probe_read_user_str", "bpf_probe_read_user_str_dynptr", true },
	[COST_CONSTRUCT] = { "construct", NULL },
	[COST_RINGBUF_OUTPUT] = { "ringbuf_output", "bpf_ringbuf_output", true },
	[COST_RINGBUF_QUERY] = { "ringbuf_query", "bpf_ringbuf_query" },
	[COST_COPY_USER] = { "copy_from_user", "bpf_copy_from_user_dynptr", true },
	[COST_COPY_USER_STR] = { "copy_from_user_str", "bpf_copy_from_user_str_dynptr", true },
	[COST_COPY_TASK] = { "copy_from_user_task", "bpf_copy_from_user_task_dynptr", true },
	[COST_COPY_TASK_STR] = { "copy_from_user_task_str", "bpf_copy_from_user_task_str_dynptr",
				 true },
	[COST_FILE_READ] = { "read", "bpf_dynptr_read", true },
	[COST_FILE_DISCARD] = { "from_file + discard", "bpf_dynptr_file_discard" },
};

static const unsigned int sizes[] = { 8, 64, 256 };

/* Instructions of a call, the least of all repeats; 0: not of this program. */
static double cost[SIDES][COUNT(programs)][COST_OPS][COUNT(sizes)];
static char *user;
static const char path[] = "/tmp/cost.file";

static int drop(void *context, void *data, size_t size)
{
	return 0;
}

static void run_once(struct cost_bpf *skel, const struct program *program, int prog)
{
	unsigned char packet[1024] = { [12] = 8 };
	int fd;

	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (program->file) {
		skel->bss->monitored = getpid();
		fd = open(path, O_RDONLY);
		skel->bss->monitored = 0;
		if (fd < 0)
			tap_bail("%s: %s", path, strerror(errno));
		close(fd);
		return;
	}
	if (program->packet) {
		opts.data_in = packet;
		opts.data_size_in = sizeof(packet);
	}
	if (bpf_prog_test_run_opts(prog, &opts))
		tap_bail("test run (%s): %s", program->name, strerror(errno));
}

/* The least time of a call, with the loop. */
static double measure(struct cost_bpf *skel, const struct program *program, int prog)
{
	double least = 0;

	for (int i = 0; i < REPEATS; i++) {
		double spent;

		run_once(skel, program, prog);
		spent = (double)skel->bss->spent / COST_CALLS;
		if (!i || spent < least)
			least = spent;
	}
	return least;
}

static void measure_op(struct cost_bpf *skel, size_t p, int op, int prog, int side)
{
	for (size_t size = 0; size < COUNT(sizes); size++) {
		double *known = &cost[side][p][op][size], now;

		if (size && !operations[op].sized)
			break;
		skel->bss->op = op;
		skel->bss->size = sizes[size];
		now = measure(skel, &programs[p], prog);
		if (now && (!*known || now < *known))
			*known = now;
	}
}

/* All operations with these programs, which are ended. */
static void round_of(struct cost_bpf *skel, int side)
{
	struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(skel->maps.ring), drop, NULL, NULL);

	if (!ring)
		tap_bail("ring_buffer__new: %s", strerror(errno));
	skel->bss->user = (unsigned long)user;
	memset(skel->bss->string, 'x', sizeof(skel->bss->string) - 1);
	for (size_t p = 0; p < COUNT(programs); p++) {
		struct bpf_program *prog;
		struct bpf_link *link;

		prog = bpf_object__find_program_by_name(skel->obj, programs[p].name);
		link = programs[p].file ? bpf_program__attach(prog) : NULL;
		if (programs[p].file && !link)
			tap_bail("cannot attach %s: %s", programs[p].name, strerror(errno));
		for (int op = 0; op < COST_OPS; op++) {
			measure_op(skel, p, op, bpf_program__fd(prog), side);
			ring_buffer__consume(ring);
		}
		bpf_link__destroy(link);
	}
	ring_buffer__free(ring);
	cost_bpf__destroy(skel);
}

static struct cost_bpf *load_programs(void)
{
	struct cost_bpf *skel = cost_bpf__open_and_load();

	if (!skel)
		tap_bail("cannot load cost.bpf.o: %s", strerror(errno));
	return skel;
}

static void load_module(const char *ko, const char *parameters)
{
	if (control_load(ko, parameters))
		tap_bail("the module does not load");
}

static void unload_module(void)
{
	if (control_unload())
		tap_bail("the module does not unload");
}

/* A call alone: without the loop. */
static double call_of(int side, size_t p, int op, size_t size)
{
	return cost[side][p][op][size] - cost[side][p][COST_NOTHING][0];
}

static void report_one(FILE *json, size_t p, int op, size_t size)
{
	double c = call_of(WITH_C, p, op, size), rust = call_of(WITH_RUST, p, op, size);
	double both = call_of(WITH_BOTH, p, op, size);
	char name[64];

	if (operations[op].sized)
		snprintf(name, sizeof(name), "%s %u B", operations[op].name, sizes[size]);
	else
		snprintf(name, sizeof(name), "%s", operations[op].name);
	tap_ok(rust <= c + NOISE && both <= c + NOISE,
	       "cost: %s, %s: C %.1f, Rust %.1f, ratio %.2f; old programs %.1f", programs[p].label,
	       name, c, rust, rust / c, both);
	fprintf(json, "%s\n  {\"class\": \"%s\", \"operation\": \"%s\",",
		ftell(json) > 2 ? "," : "", programs[p].label, name);
	fprintf(json, " \"c\": %.2f, \"rust\": %.2f, \"old\": %.2f}", c, rust, both);
}

static void report(FILE *json)
{
	double sum = 0;
	int n = 0;

	fprintf(json, "[");
	for (size_t p = 0; p < COUNT(programs); p++)
		for (int op = COST_NOTHING + 1; op < COST_OPS; op++)
			for (size_t size = 0; size < COUNT(sizes); size++)
				if (cost[WITH_C][p][op][size]) {
					report_one(json, p, op, size);
					sum += call_of(WITH_RUST, p, op, size) /
					       call_of(WITH_C, p, op, size);
					n++;
				}
	fprintf(json, "\n]\n");
	tap_note("%d operations, mean ratio %.3f", n, sum / n);
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
			tap_note("not measured: %s", rows[row].name);
	tap_ok(count > 0 && !missed, "cost: Rust served what is measured");
}

int main(int argc, char **argv)
{
	struct cost_bpf *old;
	FILE *json;
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: cost KO JSON\n");
		return 2;
	}
	json = fopen(argv[2], "w");
	user = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (!json || user == MAP_FAILED || fd < 0)
		tap_bail("%s: %s", argv[2], strerror(errno));
	memset(user, 'u', COST_MAX_SIZE - 1);
	if (write(fd, user, 4096) != 4096)
		tap_bail("%s: %s", path, strerror(errno));
	close(fd);

	round_of(load_programs(), WITH_C);
	old = load_programs();
	load_module(argv[1], "");
	round_of(load_programs(), WITH_RUST);
	round_of(load_programs(), WITH_RUST);
	round_of(old, WITH_BOTH);
	unload_module();
	round_of(load_programs(), WITH_C);
	report(json);
	fclose(json);

	load_module(argv[1], "count=1");
	round_of(load_programs(), SIDES - 1);
	check_hits();
	unload_module();
	unlink(path);
	return tap_done();
}
