// SPDX-License-Identifier: GPL-2.0
/*
 * observe KO: what the module tells of itself. Records that are lost are counted in their ring,
 * also in one that C made, and over unloading and loading; tracepoints tell of them, of heap
 * dynptrs and of programs that are refused, to tracefs and to BPF programs, which may do
 * themselves what they are told of.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "observed.h"
#include "control.h"
#include "observed.skel.h"
#include "observers.skel.h"
#include "ringuser.h"
#include "ksft.h"

#define TRACING "/sys/kernel/tracing/"

static const char *ko;

/* Loads the producer, on the ring @fd if that is one. */
static struct observed_bpf *producer(int fd)
{
	struct observed_bpf *skel = observed_bpf__open();

	if (!skel || (fd >= 0 && bpf_map__reuse_fd(skel->maps.ring, fd)) ||
	    observed_bpf__load(skel))
		ksft_exit_fail_msg("observed.bpf.o cannot be loaded: %s\n", strerror(errno));
	return skel;
}

/* Asks for @records records and returns what came of it. */
static const struct observed_result *ask(struct observed_bpf *skel, enum observed_how how,
					 unsigned int size, unsigned int records)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	skel->bss->request = (struct observed_request){ how, size, records };
	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.produce), &opts))
		ksft_exit_fail_msg("the program cannot be run: %s\n", strerror(errno));
	return &skel->bss->result;
}

/* The count that debugfs has of map @id; -1 if it has none. */
static long long shown(unsigned int id)
{
	FILE *file = fopen("/sys/kernel/debug/rust_dynptr/rings", "r");
	unsigned long long size, lost;
	long long found = -1;
	unsigned int number;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%u ring %llu %llu", &number, &size, &lost) == 3 &&
		    number == id && size == OBSERVED_RING)
			found = lost;
	if (file)
		fclose(file);
	return found;
}

static void write_to(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fclose(file))
		ksft_exit_fail_msg("cannot write to %s: %s\n", path, strerror(errno));
}

/* Lines of the trace that have both texts. */
static unsigned int traced(const char *event, const char *text)
{
	FILE *file = fopen(TRACING "trace", "r");
	unsigned int lines = 0;
	char line[1024];

	while (file && fgets(line, sizeof(line), file))
		lines += strstr(line, event) && strstr(line, text);
	if (file)
		fclose(file);
	return lines;
}

static void load(void)
{
	if (control_load(ko, "count=1"))
		ksft_exit_fail_msg("the module cannot be loaded\n");
}

/* Every way of losing a record, each of a number of its own. */
static void test_count(struct observed_bpf *skel, unsigned long long before)
{
	const struct observed_result *r = ask(skel, OBSERVED_RESERVE, 0, 5);
	unsigned long long lost = before;

	/* An empty ring has room for one of 2048 bytes, and this one may be full already. */
	lost += r->failed;
	ksft_test_result(r->failed >= 4 && r->lost == lost && r->counts == 1 && !r->unknown,
			 "observe: reserve: %u of 5 fail and are counted (%llu)\n", r->failed,
			 r->lost);
	r = ask(skel, OBSERVED_OUTPUT, 2500, 3);
	lost += 3;
	ksft_test_result(r->failed == 3 && r->lost == lost, "observe: output: 3 are counted\n");
	r = ask(skel, OBSERVED_DYNPTR, 2500, 7);
	lost += 7;
	ksft_test_result(r->failed == 7 && r->lost == lost,
			 "observe: reserve_dynptr: 7 are counted\n");
	r = ask(skel, OBSERVED_DYNPTR, OBSERVED_RING + 1, 11);
	lost += 11;
	ksft_test_result(r->failed == 11 && r->lost == lost,
			 "observe: larger than the ring: counted\n");
	r = ask(skel, OBSERVED_DYNPTR, 1 << 24, 13);
	lost += 13;
	ksft_test_result(r->failed == 13 && r->lost == lost,
			 "observe: larger than a dynptr: counted\n");
	r = ask(skel, OBSERVED_OUTPUT, 8, 1);
	ksft_test_result(!r->failed && r->lost == lost,
			 "observe: what is not lost is not counted\n");
	ksft_test_result(shown(map_id(bpf_map__fd(skel->maps.ring))) == (long long)lost,
			 "observe: debugfs says the same\n");
}

/* A ring that C made, and a program that C serves, beside those of Rust. */
static void test_rings_of_c(void)
{
	struct observed_bpf *old = producer(-1), *new;
	int ring = bpf_map__fd(old->maps.ring);
	const struct observed_result *r = ask(old, OBSERVED_RESERVE, 0, 9);
	unsigned long long lost;

	ksft_test_result(r->failed >= 8 && !r->lost && !r->counts && !r->unknown,
			 "observe: C counts nothing, and says 0 to flags that it does not know\n");
	load();
	new = producer(ring);
	r = ask(new, OBSERVED_OUTPUT, 2500, 0);
	ksft_test_result(!r->lost && r->counts == 1,
			 "observe: a ring of C has the count too, of 0\n");
	test_count(new, 0);
	lost = ask(new, OBSERVED_OUTPUT, 8, 0)->lost;
	r = ask(old, OBSERVED_RESERVE, 0, 9);
	ksft_test_result(r->failed == 9 && !r->lost &&
			 ask(new, OBSERVED_OUTPUT, 8, 0)->lost == lost,
			 "observe: what an older program loses is not counted\n");
	observed_bpf__destroy(new);
	ksft_test_result(!control_unload(), "observe: the module can be unloaded\n");
	load();
	new = producer(ring);
	r = ask(new, OBSERVED_OUTPUT, 2500, 2);
	ksft_test_result(r->failed == 2 && r->lost == lost + 2,
			 "observe: the count outlives the module (%llu)\n", r->lost);
	observed_bpf__destroy(new);
	observed_bpf__destroy(old);
	new = producer(-1);
	test_count(new, 0);
	observed_bpf__destroy(new);
}

/* A program that the verifier refuses; whether it did. Twice: libbpf tries again, for the log. */
static bool refuse(void)
{
	struct observed_bpf *skel = observed_bpf__open();
	bool refused;

	if (!skel)
		ksft_exit_fail_msg("observed.bpf.o cannot be opened\n");
	bpf_program__set_autoload(skel->progs.bad, true);
	libbpf_set_print(NULL);
	refused = observed_bpf__load(skel) != 0;
	observed_bpf__destroy(skel);
	return refused;
}

static void use_heap(struct observers_bpf *skel, unsigned int size)
{
	char packet[64] = "packet";

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	skel->bss->size = size;
	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.use), &opts))
		ksft_exit_fail_msg("heap dynptrs cannot be used: %s\n", strerror(errno));
}

static void test_tracefs(struct observed_bpf *skel, struct observers_bpf *other)
{
	unsigned int id = map_id(bpf_map__fd(skel->maps.ring));
	char text[128];

	write_to(TRACING "events/rust_dynptr/enable", "1");
	write_to(TRACING "trace", "");
	ask(skel, OBSERVED_OUTPUT, 2500, 2);
	ask(skel, OBSERVED_DYNPTR, 1 << 24, 3);
	use_heap(other, 100);
	use_heap(other, 9000);
	use_heap(other, 65536);
	ksft_test_result(refuse(), "observe: a program is refused\n");
	write_to(TRACING "events/rust_dynptr/enable", "0");

	snprintf(text, sizeof(text), "map_id=%u size=2500 why=full", id);
	ksft_test_result(traced("rust_dynptr_lost: ", text) == 2,
			 "observe: tracefs: records without room\n");
	snprintf(text, sizeof(text), "map_id=%u size=16777216 why=too large", id);
	ksft_test_result(traced("rust_dynptr_lost: ", text) == 3,
			 "observe: tracefs: records too large\n");
	ksft_test_result(traced("rust_dynptr_heap_alloc: ", "size=100 from=slab") == 1 &&
			 traced("rust_dynptr_heap_free: ", "size=100 from=slab") == 1 &&
			 traced("rust_dynptr_heap_alloc: ", "size=9000 from=pages") == 1 &&
			 traced("rust_dynptr_heap_free: ", "size=9000 from=pages") == 1,
			 "observe: tracefs: heap dynptrs\n");
	ksft_test_result(traced("rust_dynptr_heap_fail: ", "size=65536") == 1,
			 "observe: tracefs: no memory\n");
	ksft_test_result(traced("rust_dynptr_refused: ", "name=bad type=31 ") == 2 &&
			 traced("rust_dynptr_refused: ",
				"err=-22 reason=Expected an initialized") == 2,
			 "observe: tracefs: a program that is refused, and why\n");
	ask(skel, OBSERVED_OUTPUT, 2500, 2);
	ksft_test_result(traced("rust_dynptr_", "") == 12,
			 "observe: tracefs: nothing else, nothing when off\n");
}

static void test_programs(struct observed_bpf *skel, struct observers_bpf *other)
{
	struct observed_seen *seen = other->bss->seen;
	unsigned long long lost;
	int ring = bpf_map__fd(skel->maps.ring);
	bool refused;

	if (observers_bpf__attach(other))
		ksft_exit_fail_msg("programs cannot be attached to the tracepoints: %s\n",
				   strerror(errno));
	memset(seen, 0, sizeof(other->bss->seen));
	lost = ask(skel, OBSERVED_OUTPUT, 2500, 20)->lost;
	ksft_test_result(seen[0].lost == 20 && seen[1].lost == 20,
			 "observe: two programs on lost records, which lose some: 20 and 20 calls (%u, %u)\n",
			 seen[0].lost, seen[1].lost);
	ksft_test_result(seen[0].map_id == map_id(ring) && seen[0].size == 2500 && !seen[0].why &&
			 seen[0].total == lost,
			 "observe: they are told of which map, size, reason and count\n");
	ksft_test_result(shown(map_id(ring)) == (long long)lost,
			 "observe: what they lose is counted elsewhere\n");
	use_heap(other, 100);
	use_heap(other, 65536);
	ksft_test_result(seen[0].allocated == 1 && seen[1].allocated == 1 && seen[0].bytes == 100 &&
			 seen[0].freed == 1 && !seen[0].acquired && seen[0].failed == 1,
			 "observe: programs on heap dynptrs, which use some (%u, %u, %u, %u)\n",
			 seen[0].allocated, seen[1].allocated, seen[0].freed, seen[0].failed);
	refused = refuse();
	ksft_test_result(refused && seen[0].refused == 2 && seen[0].err == -EINVAL,
			 "observe: a program on refusals (%u)\n", seen[0].refused);
}

int main(int argc, char **argv)
{
	struct observed_bpf *skel;
	struct observers_bpf *other;

	if (argc != 2) {
		fprintf(stderr, "usage: observe KO\n");
		return 2;
	}
	ksft_print_header();
	ko = argv[1];
	test_rings_of_c();
	skel = producer(-1);
	other = observers_bpf__open_and_load();
	if (!other)
		ksft_exit_fail_msg("programs for the tracepoints cannot be loaded: %s\n",
				   strerror(errno));
	/* From now on the ring is full. */
	ask(skel, OBSERVED_RESERVE, 0, 9);
	test_tracefs(skel, other);
	test_programs(skel, other);
	ksft_test_result(control_unload() != 0,
			 "observe: the module stays while programs are on its tracepoints\n");
	observers_bpf__destroy(other);
	ksft_test_result(!control_save_hits(), "observe: the hits are kept\n");
	observed_bpf__destroy(skel);
	ksft_test_result(!control_unload(), "observe: the module can be unloaded afterwards\n");
	ksft_finished();
}
