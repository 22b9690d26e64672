// SPDX-License-Identifier: GPL-2.0
/*
 * iterlife KO: iterators over dynptrs while the dynptr, its memory or its packet changes, and where
 * they are used: see bpf/iter_life.bpf.c.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "iter.h"
#include "control.h"
#include "events.h"
#include "heapstat.h"
#include "iter_life.skel.h"
#include "packets.h"
#include "ksft.h"

#define END -1
#define EVERY 100	/* bytes: a comma */

static struct iter_life_bpf *skel;
static struct iter_life *life;
static unsigned char bytes[LIFE_BYTES];

/* A comma every 100 bytes, behind every tenth of them a semicolon. */
static void fill(void)
{
	__u32 zero = 0;

	for (unsigned int i = 0; i < LIFE_BYTES; i++)
		bytes[i] = i % 1000 == 999 ? ';' : i % EVERY == EVERY - 1 ? ',' : 'x';
	bpf_map__update_elem(skel->maps.memory, &zero, sizeof(zero), bytes, sizeof(bytes),
			     BPF_ANY);
}

static unsigned int count_of(unsigned char byte, unsigned int from, unsigned int to)
{
	unsigned int n = 0;

	for (unsigned int i = from; i < to; i++)
		n += bytes[i] == byte;
	return n;
}

/* Before a run: nothing is found, the memory is as ever. */
static void begin(void)
{
	memset(life, 0, sizeof(*life));
	fill();
}

static void run(struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	begin();
	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
		ksft_exit_fail_msg("%s: %s\n", bpf_program__name(prog), strerror(errno));
}

static void of_dynptrs(void)
{
	unsigned int fields;

	fill();
	fields = count_of(',', 1, LIFE_BYTES) + 1;
	run(skel->progs.adjusted);
	ksft_test_result(life->count == fields && life->end == END &&
			 life->size == LIFE_BYTES - 1 - fields,
			 "iterlife: bpf_dynptr_adjust() moves the dynptr's view, not the iterator's\n");
	run(skel->progs.many_delimiters);
	ksft_test_result(life->count == count_of(';', 0, LIFE_BYTES) + 1,
			 "iterlife: of a string of delimiters 65536 bytes count (%llu tokens)\n",
			 life->count);
	run(skel->progs.written_over);
	ksft_test_result(life->count == fields && life->end == END,
			 "iterlife: a dynptr that is written over meanwhile\n");
	run(skel->progs.changed);
	ksft_test_result(life->count == 2 && life->last == EVERY && life->end == END,
			 "iterlife: memory that is written to meanwhile\n");
	run(skel->progs.released);
	ksft_test_result(life->count == 2 * fields && heap_is_empty(),
			 "iterlife: a record and a block, released after the iterators\n");
	run(skel->progs.nested);
	ksft_test_result(life->size == 5 && life->count == count_of(',', 0, LIFE_BYTES) + 5,
			 "iterlife: lines, and the fields of each\n");
	run(skel->progs.called);
	ksft_test_result(life->count == 2 + 3 * fields,
			 "iterlife: in functions, and called back by bpf_loop()\n");
	run(skel->progs.ended);
	ksft_test_result(!life->made && !life->count && life->advanced[0] == -EINVAL &&
			 life->advanced[1] == -ERANGE && life->advanced[2] <= 0,
			 "iterlife: nothing to advance before and after, -ERANGE ends it\n");
	run(skel->progs.too_many);
	ksft_test_result(!life->advanced[0] && life->made == -E2BIG && !life->advanced[1] &&
			 life->count == 1 << 23 && life->last == (1 << 24) - 2 && life->end == END,
			 "iterlife: 2^23 ranges, and no more\n");
}

static void of_files(void)
{
	static const char path[] = "/tmp/iterlife.file";
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	unsigned int fields;
	struct bpf_link *link;

	fill();
	fields = count_of(',', 1, LIFE_BYTES) + 1;
	if (file < 0 || write(file, bytes, sizeof(bytes)) != sizeof(bytes))
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	link = bpf_program__attach(skel->progs.adjusted_file);
	if (!link)
		ksft_exit_fail_msg("lsm: %s\n", strerror(errno));
	memset(life, 0, sizeof(*life));
	skel->bss->monitored = getpid();
	flock(file, LOCK_SH);
	skel->bss->monitored = 0;
	bpf_link__destroy(link);
	close(file);
	ksft_test_result(life->count == fields && life->end == END &&
			 life->size == LIFE_BYTES - 1 - fields,
			 "iterlife: nor that over a file, which all its dynptrs share\n");
}

/* The packet's first part has @linear bytes. */
static void of_packet(struct bpf_program *prog, unsigned int linear, const char *what)
{
	bool frame = bpf_program__type(prog) == BPF_PROG_TYPE_XDP;

	begin();
	if (packet_run(bpf_program__fd(prog), frame, bytes, 3000, linear))
		ksft_exit_fail_msg("%s: %s\n", bpf_program__name(prog), strerror(errno));
	ksft_print_msg("%s: made %d, %llu fields, the last at %llu\n", what, life->made,
		       life->count, life->last);
	/* A field of which nothing can be read is not found, nor one of which a part is gone. */
	ksft_test_result(!life->made && life->count >= LIFE_SHORT / EVERY - 1 &&
			 life->count <= LIFE_SHORT / EVERY + 1,
			 "iterlife: %s that becomes shorter: what is gone is not read\n", what);
}

static void of_metadata(void)
{
	unsigned char packet[ITER_META + 64];
	struct bpf_link *link;

	memset(packet, ',', sizeof(packet));
	link = bpf_program__attach_tcx(skel->progs.moved_metadata, if_nametoindex("lo"), NULL);
	if (!link)
		ksft_exit_fail_msg("tcx: %s\n", strerror(errno));
	begin();
	if (packet_with_metadata(bpf_program__fd(skel->progs.pass), packet, sizeof(packet),
				 ITER_META))
		ksft_exit_fail_msg("live frame: %s\n", strerror(errno));
	bpf_link__destroy(link);
	ksft_test_result(life->count == ITER_META + 1 && life->size == ITER_META,
			 "iterlife: metadata that is moved with its packet meanwhile\n");
}

static void of_contexts(void)
{
	struct bpf_link *link = bpf_program__attach(skel->progs.traced);
	unsigned int fields;
	int clock;

	if (!link)
		ksft_exit_fail_msg("raw_tp: %s\n", strerror(errno));
	begin();
	fields = count_of(',', 0, LIFE_BYTES) + 1;
	skel->bss->monitored = getpid();
	syscall(SYS_getpid);
	skel->bss->monitored = 0;
	bpf_link__destroy(link);
	ksft_test_result(life->count && life->count % fields == 0,
			 "iterlife: in a raw tracepoint\n");
	memset(life, 0, sizeof(*life));
	clock = open_clock(0, skel->progs.on_clock);
	for (int i = 0; i < 100 && !life->count; i++)
		usleep(10000);
	close(clock);
	ksft_test_result(life->count && life->count % fields == 0, "iterlife: in an interrupt\n");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: iterlife KO\n");
		return 2;
	}
	ksft_print_header();
	libbpf_set_print(NULL);
	if (control_load(argv[1], "count=1 heap_red_zones=1"))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	skel = iter_life_bpf__open();
	if (skel) {
		memset((void *)skel->rodata->delimiters, ';', 65536);
		*(char *)&skel->rodata->delimiters[65536] = ',';
		if (iter_life_bpf__load(skel))
			ksft_exit_fail_msg("iter_life: %s\n", strerror(errno));
	}
	if (!skel)
		ksft_exit_fail_msg("iter_life.bpf.o cannot be had: %s\n", strerror(errno));
	life = &skel->bss->life;
	of_dynptrs();
	of_files();
	of_packet(skel->progs.shortened, 0, "a packet");
	of_packet(skel->progs.shortened, 300, "a packet with fragments");
	of_packet(skel->progs.shortened_frame, 0, "a frame");
	of_packet(skel->progs.shortened_frame, 300, "a frame with fragments");
	of_metadata();
	of_contexts();
	iter_life_bpf__destroy(skel);
	ksft_test_result(heap_is_empty() && !heap_stat("damaged"),
			 "iterlife: all blocks are freed, none damaged\n");
	control_save_hits();
	ksft_test_result(!control_unload(), "iterlife: the module can be unloaded\n");
	ksft_finished();
}
