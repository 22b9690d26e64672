// SPDX-License-Identifier: GPL-2.0
/*
 * iter KO [WALKS]: iterators over dynptrs (include/rust_dynptr_iter.bpf.h) on every class of
 * memory, over random contents, views and arguments, against a model; and what must be refused.
 *
 * iter KO untied: KO has a verifier that lets what an iterator reads be released before it
 * (rust/glue/faults.rs): programs that do so must be loaded then.
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
#include <unistd.h>

#include "iter.h"
#include "control.h"
#include "heapstat.h"
#include "iter.skel.h"
#include "itermodel.h"
#include "kfuncs.h"
#include "packets.h"
#include "loader.h"
#include "ksft.h"

#define REFUSED "iter_refused.bpf.o"
#define MAX_PACKET 4608	/* more than a page */
#define ETHERNET 14

/* How a class of memory is run. */
enum how { ALONE, PACKET, FRAME, METADATA, LOCKED };

static const struct class {
	const char *name;
	const char *program;
	enum how how;
	unsigned int max;	/* bytes of a dynptr */
	unsigned int min;
	bool fragments;
	unsigned int skipped;	/* of a packet, which the dynptr does not have */
	unsigned int view;	/* how much is looked at, if not all */
	unsigned int seldom;	/* so many times fewer walks */
} classes[] = {
	{ "map value", "local", ALONE, ITER_BYTES, ITER_BYTES, .view = 8192 },
	{ "large map value", "local", ALONE, ITER_BYTES, ITER_BYTES, .seldom = 16 },
	{ "record", "ringbuf", ALONE, 8192 },
	{ "heap", "heap", ALONE, 8192 },
	{ "heap, atomic", "heap_atomic", ALONE, 8192 },
	{ "skb", "skb", PACKET, 3000, 64 },
	{ "skb with fragments", "skb", PACKET, MAX_PACKET, 64, true },
	{ "read-only skb", "skb_rdonly", PACKET, 3000, 64, .skipped = ETHERNET },
	{ "skb metadata", "skb_meta", METADATA, ITER_META, ITER_META },
	{ "xdp", "xdp", FRAME, 3000, 64 },
	{ "xdp with fragments", "xdp", FRAME, MAX_PACKET, 64, true },
	{ "file", "file", LOCKED, 12000 },
	{ "file, sleepable", "file_sleepable", LOCKED, 12000 },
};

static struct iter_bpf *skel;
static struct ring_buffer *ring;	/* where records are */
static unsigned char *memory;	/* the map value */
static int file;
static const char path[] = "/tmp/iter.file";

static unsigned int below(unsigned int limit)
{
	return limit ? random() % limit : 0;
}

/* Few different bytes and many; runs of one, in much memory some longer than a call looks. */
static void fill(unsigned char *bytes, size_t size)
{
	unsigned int run = size > MAX_PACKET * 10 && below(2) ? 60000 : 200;
	static const unsigned char some[] = "\n\n ,;ab\1\2\37\77";
	unsigned int style = below(8);

	for (size_t i = 0; i < size; i++) {
		if (style < 4)
			bytes[i] = below(style + 2) ? 'a' + below(26) :
							      some[below(sizeof(some))];
		else if (style < 6)
			bytes[i] = some[below(sizeof(some))];
		else if (style < 7)
			bytes[i] = random();
		else
			bytes[i] = i && below(run) ? bytes[i - 1] : some[below(sizeof(some))];
	}
}

static void some_view(struct iter_request *c, unsigned int size)
{
	c->end = size;
	switch (below(8)) {
	case 0:
		c->start = below(size + 2);
		c->end = below(size + 2);
		break;
	case 1:
		c->start = below(size + 1);
		c->end = c->start;
		break;
	case 2:
	case 3:
		c->start = below(size + 1);
		c->end -= below(size - c->start + 1);
		break;
	}
}

static void some_flags(struct iter_request *c)
{
	static const unsigned int kinds[] = { 0, MODEL_EMPTY, MODEL_LINES };
	static const unsigned char some[] = "\n a,";

	if (c->kind <= ITER_ADVANCE) {
		c->flags = below(50) ? 0 : random();
		return;
	}
	c->flags = kinds[below(3)];
	if (c->kind == ITER_BYTE || !below(4))
		c->flags |= MODEL_BYTE | (below(3) ? some[below(sizeof(some))] : below(256));
	if (!below(50))
		c->flags ^= 1ULL << below(64);
}

static struct iter_request some_request(unsigned int size)
{
	struct iter_request c = { .kind = below(ITER_KINDS) };

	some_view(&c, size);
	some_flags(&c);
	c.step = 1 + below(below(2) ? 70 : size + 10);
	/* Bounds on all of the memory, not for as long as it takes. */
	if (size > 1 << 16 && c.end - c.start > 1 << 16)
		c.step += 1000;
	if (!below(40))
		c.step = below(2) ? 0 : MODEL_MAX_SIZE + below(2);
	return c;
}

static void run_alone(struct bpf_program *prog)
{
	unsigned char packet[64] = {};

	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_program__type(prog) == BPF_PROG_TYPE_SCHED_CLS) {
		opts.data_in = packet;
		opts.data_size_in = sizeof(packet);
	}
	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
		ksft_exit_fail_msg("%s: %s\n", bpf_program__name(prog), strerror(errno));
}

static void run_packet(struct bpf_program *prog, unsigned char *bytes, unsigned int size,
		       const struct class *class)
{
	unsigned int linear = class->fragments ? ETHERNET + below(size - ETHERNET) : size;

	if (packet_run(bpf_program__fd(prog), class->how == FRAME, bytes, size, linear))
		ksft_exit_fail_msg("%s: %s\n", bpf_program__name(prog), strerror(errno));
}

/* The program is attached where the packet comes in. */
static void run_metadata(unsigned char *metadata)
{
	unsigned char packet[ITER_META + 64] = {};

	memcpy(packet, metadata, ITER_META);
	if (packet_with_metadata(bpf_program__fd(skel->progs.pass), packet, sizeof(packet),
				 ITER_META))
		ksft_exit_fail_msg("live frame: %s\n", strerror(errno));
}

static void run_locked(const unsigned char *bytes, unsigned int size)
{
	if (ftruncate(file, 0) || pwrite(file, bytes, size, 0) != size)
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	skel->bss->monitored = getpid();
	if (flock(file, LOCK_SH))
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	skel->bss->monitored = 0;
}

/* Empties the ring: discarded records too take room until they are passed by. */
static int drop(void *context, void *data, size_t size)
{
	return 0;
}

static void run_class(const struct class *class, struct bpf_program *prog, unsigned char *bytes,
		      unsigned int size)
{
	skel->bss->size = size;
	switch (class->how) {
	case ALONE:
		memcpy(memory, bytes, size);
		run_alone(prog);
		ring_buffer__consume(ring);
		break;
	case PACKET:
	case FRAME:
		run_packet(prog, bytes, size, class);
		break;
	case METADATA:
		run_metadata(bytes);
		break;
	case LOCKED:
		run_locked(bytes, size);
		break;
	}
}

static bool same(const struct iter_result *found, const struct iter_result *wanted)
{
	return found->view == wanted->view && found->made == wanted->made &&
	       found->advanced == wanted->advanced && found->count == wanted->count &&
	       found->hash == wanted->hash;
}

static void show(const struct class *class, unsigned int size, const struct iter_request *c,
		 const struct iter_result *found, const struct iter_result *wanted)
{
	ksft_print_msg("%s of %u: kind %u, view %llu-%llu, step %llu, flags %llx\n", class->name,
		       size, c->kind, c->start, c->end, c->step, c->flags);
	ksft_print_msg("  found  view %d, made %d, advanced %d, %u ranges, %llx\n", found->view,
		       found->made, found->advanced, found->count, found->hash);
	ksft_print_msg("  wanted view %d, made %d, advanced %d, %u ranges, %llx\n", wanted->view,
		       wanted->made, wanted->advanced, wanted->count, wanted->hash);
}

/* A program over what it is run with: how many of its walks found what the model did not. */
static unsigned int compare(const struct class *class, struct bpf_program *prog,
			    unsigned char *bytes, unsigned int size)
{
	struct iter_result wanted;
	unsigned int wrong = 0;

	memset(skel->bss->results, 0, sizeof(skel->bss->results));
	run_class(class, prog, bytes, size);
	for (unsigned int i = 0; i < skel->bss->count; i++) {
		const struct iter_request *c = &skel->bss->requests[i];

		model_walk(bytes + class->skipped, size - class->skipped, c, &wanted);
		/* A file's dynptr has no end: its iterator does not go beyond the file's. */
		if (class->how == LOCKED && wanted.view == -ERANGE)
			continue;
		if (same(&skel->bss->results[i], &wanted))
			continue;
		if (!wrong++)
			show(class, size, c, &skel->bss->results[i], &wanted);
	}
	return wrong;
}

static struct bpf_program *program(const struct class *class)
{
	return bpf_object__find_program_by_name(skel->obj, class->program);
}

static void attach_class(struct bpf_link **link, const struct class *class)
{
	if (class->how == LOCKED)
		*link = bpf_program__attach(program(class));
	else if (class->how == METADATA)
		*link = bpf_program__attach_tcx(program(class), if_nametoindex("lo"), NULL);
	else
		return;
	if (!*link)
		ksft_exit_fail_msg("no attachment of %s: %s\n", class->program, strerror(errno));
}

/* @walks random ones over memory of one class. */
static void walk_class(const struct class *class, unsigned int walks)
{
	static unsigned char bytes[ITER_BYTES];
	unsigned int wrong = 0, done = 0, size;
	unsigned long long ranges = 0;
	struct bpf_link *link = NULL;

	attach_class(&link, class);
	while (done < walks) {
		size = class->min + below(class->max - class->min + 1);
		fill(bytes, size);
		if (class->how == PACKET) {
			/* IPv4, where it has to pass for one; else what takes any first part. */
			bytes[12] = class->skipped ? 0x08 : 0x88;
			bytes[13] = class->skipped ? 0x00 : 0xb5;
		}
		skel->bss->count = ITER_BATCH;
		for (int i = 0; i < ITER_BATCH; i++) {
			struct iter_request *c = &skel->bss->requests[i];

			*c = some_request(size - class->skipped);
			if (class->view && c->end > c->start + class->view)
				c->end = c->start + class->view;
		}
		wrong += compare(class, program(class), bytes, size);
		for (int i = 0; i < ITER_BATCH; i++)
			ranges += skel->bss->results[i].count;
		done += ITER_BATCH;
	}
	bpf_link__destroy(link);
	ksft_test_result(!wrong && ranges > walks, "iter: %s: %u walks, %llu ranges\n", class->name,
			 done, ranges);
}

/* One walk over what a program has on loan, or in an RCU section; the rest of @bytes is 'x'. */
static void walk_lent(const struct class *class, struct bpf_program *prog, const char *text,
		      const char *what)
{
	static unsigned char bytes[ITER_BYTES];

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, text, strlen(text));
	skel->bss->count = 1;
	skel->bss->requests[0] = (struct iter_request){
		.end = class->max, .kind = ITER_LINE_FEED, .flags = MODEL_LINES,
	};
	ksft_test_result(!compare(class, prog, bytes, class->max) && skel->bss->results[0].count,
			 "iter: %s: %u lines\n", what, skel->bss->results[0].count);
}

/* A sample that user space wrote, for the callback that is lent it. */
static void produce_sample(const char *text)
{
	struct user_ring_buffer *to =
		user_ring_buffer__new(bpf_map__fd(skel->maps.samples), NULL);
	void *sample = to ? user_ring_buffer__reserve(to, strlen(text)) : NULL;

	if (!sample)
		ksft_exit_fail_msg("no sample: %s\n", strerror(errno));
	memcpy(sample, text, strlen(text));
	user_ring_buffer__submit(to, sample);
	user_ring_buffer__free(to);
}

static void walk_all_lent(void)
{
	static const char text[] = "one\ntwo\n\nfour";
	struct class of_sample = { "sample", "sample", ALONE, sizeof(text) - 1 };
	struct class of_value = { "lent map value", "lent", ALONE, ITER_BYTES };
	struct class of_file = { "file in RCU", "file_in_rcu", LOCKED, 12000 };
	struct bpf_link *link = NULL;

	produce_sample(text);
	walk_lent(&of_sample, skel->progs.sample, text, "a sample of a user ring buffer");
	walk_lent(&of_value, skel->progs.lent, text, "a dynptr lent to a global function");
	attach_class(&link, &of_file);
	walk_lent(&of_file, skel->progs.file_in_rcu, text,
		  "a sleepable program's file where it must not sleep");
	bpf_link__destroy(link);
}

/* Whether the program @name of iter_refused.bpf.o is loaded. */
static bool is_accepted(const char *name)
{
	struct bpf_object *obj = loader_open(REFUSED);
	bool accepted;

	loader_only(obj, name);
	accepted = !bpf_object__load(obj);
	bpf_object__close(obj);
	return accepted;
}

/* The control of what iter_refused.bpf.c expects to be refused. */
static void try_untied(const char *ko)
{
	static const char *const names[] = {
		"record_submitted", "record_discarded_by_clone", "block_put", "block_detached",
		"block_put_in_the_loop", "block_put_in_the_inner_loop", "file_discarded",
	};

	ksft_set_plan(COUNT(names) + 2);
	if (control_load(ko, "heap_fault=6"))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	for (size_t i = 0; i < COUNT(names); i++)
		ksft_test_result(is_accepted(names[i]), "iter: control: untied, %s is accepted\n",
				 names[i]);
	ksft_test_result(!is_accepted("leaked"),
			 "iter: control: untied, a leak is still refused\n");
	ksft_test_result(!control_unload(), "iter: control: the module can be unloaded\n");
	ksft_finished();
}

int main(int argc, char **argv)
{
	unsigned int walks = argc > 2 ? strtoul(argv[2], NULL, 0) : 50000;

	if (argc < 2) {
		fprintf(stderr, "usage: iter KO [WALKS]\n");
		return 2;
	}
	ksft_print_header();
	libbpf_set_print(NULL);
	if (argc > 2 && !strcmp(argv[2], "untied"))
		try_untied(argv[1]);
	if (control_load(argv[1], "count=1"))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	loader_run(REFUSED, "");
	skel = iter_bpf__open_and_load();
	if (!skel)
		ksft_exit_fail_msg("iter.bpf.o cannot be had: %s\n", strerror(errno));
	memory = mmap(NULL, ITER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(skel->maps.memory), 0);
	file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ring = ring_buffer__new(bpf_map__fd(skel->maps.ring), drop, NULL, NULL);
	if (memory == MAP_FAILED || file < 0 || !ring)
		ksft_exit_fail_msg("memory, file or ring: %s\n", strerror(errno));
	for (size_t i = 0; i < COUNT(classes); i++)
		walk_class(&classes[i], walks / (COUNT(classes) - 1) / (classes[i].seldom ?: 1));
	walk_all_lent();
	ring_buffer__free(ring);
	iter_bpf__destroy(skel);
	ksft_test_result(kfuncs_called("iterators", 7), "iter: Rust served each kfunc\n");
	ksft_test_result(heap_is_empty(), "iter: all blocks are freed\n");
	control_save_hits();
	ksft_test_result(!control_unload(), "iter: the module can be unloaded\n");
	ksft_finished();
}
