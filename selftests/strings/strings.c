// SPDX-License-Identifier: GPL-2.0
/*
 * strings KO CASES: the kfuncs of strings and memory in dynptrs
 * (include/rust_dynptr_strings.bpf.h) on random bytes, views and packets of random parts, against
 * a model (strings_model.h): CASES on packets and frames, some on other dynptrs; and what the
 * verifier refuses.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "strings.h"
#include "control.h"
#include "events.h"
#include "heapstat.h"
#include "kfuncs.h"
#include "packets.h"
#include "loader.h"
#include "strings.skel.h"
#include "strings_model.h"
#include "ksft.h"

/* With one set of constants. */
#define CASES_OF_A_LOAD (STRINGS_BATCH * 20)
#define PACKET_MAX 9000
#define ETHERNET 14
#define IP_HEADER 20
#define USER_BYTES 20000

/* Which program, and how it gets its bytes. */
struct class {
	const char *name;
	enum {
		ON_SKB, ON_XDP, ON_MEMORY, ON_FILE, ON_METADATA,
		IN_SYSCALL, IN_CLOCK, IN_BREAKPOINT,
	} on;
	/* Bytes in front of what it sees. */
	unsigned int hidden;
};

static const struct class packets[] = {
	{ "skb", ON_SKB, 0 }, { "skb_rdonly", ON_SKB, ETHERNET }, { "xdp", ON_XDP, 0 },
};

static const struct class others[] = {
	{ "local", ON_MEMORY }, { "heap", ON_MEMORY }, { "ringbuf", ON_MEMORY },
	{ "file", ON_FILE }, { "file_sleepable", ON_FILE }, { "skb_meta", ON_METADATA },
	{ "on_syscall", IN_SYSCALL }, { "on_clock", IN_CLOCK },
	{ "on_breakpoint", IN_BREAKPOINT },
};

static struct strings_bpf *skel;
static unsigned char shown[STRINGS_BYTES], second[STRINGS_BYTES];
static char constants[STRINGS_CONSTANTS][STRINGS_CONSTANT];
static unsigned int shown_len, linear;
static unsigned long long state = 88172645463325252ULL;
static int file;

static unsigned int random_below(unsigned int limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 20) % limit;
}

static bool one_in(unsigned int n)
{
	return !random_below(n);
}

/* Few different ones, so that much is equal. */
static unsigned char random_byte(void)
{
	static const unsigned char usual[] = "aAbB ,0x1-zZ\300\340\327\367\200\377";

	if (one_in(60))
		return 0;
	return one_in(40) ? random_below(256) : usual[random_below(sizeof(usual) - 1)];
}

static void fill_constants(void)
{
	memset(constants, 0, sizeof(constants));
	for (int i = 0; i < STRINGS_CONSTANTS; i++) {
		unsigned int len = random_below(i == 2 ? STRINGS_CONSTANT - 1 : 5);

		for (unsigned int j = 0; j < len; j++)
			constants[i][j] = random_byte() ?: 'a';
	}
}

static struct strings_bpf *load(void)
{
	struct strings_bpf *loaded = strings_bpf__open();

	if (!loaded)
		ksft_exit_fail_msg("strings.bpf.o: %s\n", strerror(errno));
	memcpy((void *)loaded->rodata->constants, constants, sizeof(constants));
	if (strings_bpf__load(loaded))
		ksft_exit_fail_msg("strings.bpf.o cannot be loaded: %s\n", strerror(errno));
	loaded->bss->monitored = getpid();
	return loaded;
}

/* The bytes of a run, and what of them is in the first part of a packet. */
static void fill_bytes(const struct class *class)
{
	unsigned int i;

	linear = ETHERNET + (class->hidden ? IP_HEADER : 0) + random_below(300);
	shown_len = linear + random_below(300) + (one_in(6) ? 4096 : 0);
	if (class->on == ON_FILE)
		shown_len = 4000 + random_below(200);
	if (class->on == ON_METADATA) {
		shown_len = STRINGS_META;
		linear = random_below(STRINGS_META);
	}
	for (i = 0; i < shown_len; i++)
		shown[i] = random_byte();
	for (i = 0; i < sizeof(second); i++)
		second[i] = i < shown_len && !one_in(100) ? shown[i] : random_byte();
	/* IPv4 where the packet must pass for one; else of no protocol, and cut anywhere. */
	shown[12] = class->hidden ? 8 : 0x88;
	shown[13] = class->hidden ? 0 : 0xb5;
}

/* What @c compares with or looks for: often what is in the view. */
static void fill_mem(struct strings_case *c, struct bytes view)
{
	unsigned int from = c->offset + (c->op == MEMMEM_MEM ? random_below(20) : 0);

	c->mem_len = random_below(one_in(2) ? 6 : STRINGS_MEM);
	for (unsigned int i = 0; i < c->mem_len; i++)
		c->mem[i] = from + i < view.len && !one_in(80) ? view.at[from + i] : random_byte();
}

/* A case on @whole, whose parts meet at @boundary: mostly around there. */
static struct strings_case random_case(struct bytes whole, unsigned int boundary, bool is_fixed)
{
	static const unsigned char bases[] = { 0, 8, 10, 16, 10, 3 };
	struct strings_case c = { .op = random_below(STRINGS_OPS) };
	unsigned int near = boundary > 40 ? boundary - 40 : 0, left;
	struct bytes view;

	c.constant = random_below(STRINGS_CONSTANTS);
	c.c = random_byte();
	c.end = whole.len;
	if (!is_fixed) {
		c.start = random_below((near < whole.len ? near : whole.len) + 1);
		if (one_in(3))
			c.end = c.start + random_below(whole.len - c.start + 1);
	}
	view = (struct bytes){ whole.at + c.start, c.end - c.start };
	left = near > c.start ? near - c.start : 0;
	c.offset = one_in(4) ? random_below(view.len + 2) : left + random_below(50);
	c.count = one_in(2) ? ~0ULL : random_below(120);
	c.base = bases[random_below(COUNT(bases))];
	c.same = !is_fixed && one_in(2);
	/* The same place of the other memory, or any. */
	c.end2 = c.same ? whole.len : STRINGS_BYTES;
	c.start2 = one_in(2) ? c.start : random_below(whole.len + 1);
	if (one_in(3))
		c.end2 = c.start2 + random_below(c.end2 - c.start2 + 1);
	c.offset2 = one_in(2) ? c.offset : random_below(60);
	if (c.op == MEMMEM && !one_in(10)) {
		c.start2 = c.start + left + random_below(30);
		if (c.start2 > whole.len)
			c.start2 = whole.len;
		c.end2 = c.start2 + random_below(whole.len - c.start2 < 6 ?
						 whole.len - c.start2 + 1 : 6);
	}
	if (c.op >= MEMCMP && c.count == ~0ULL && c.offset <= view.len && !one_in(20))
		c.count = view.len - c.offset;
	fill_mem(&c, view);
	return c;
}

static void run_packet(const struct class *class, int prog)
{
	if (packet_run(prog, class->on == ON_XDP, shown, shown_len, linear))
		ksft_exit_fail_msg("packet of %s, %u of %u bytes: %s\n", class->name, linear,
				   shown_len, strerror(errno));
}

static struct bpf_link *linked(struct bpf_program *prog)
{
	struct bpf_link *link = bpf_program__expected_attach_type(prog) == BPF_TCX_INGRESS ?
		bpf_program__attach_tcx(prog, if_nametoindex("lo"), NULL) :
		bpf_program__attach(prog);

	if (!link)
		ksft_exit_fail_msg("cannot attach %s: %s\n", bpf_program__name(prog),
				   strerror(errno));
	return link;
}

static void run_file(struct bpf_program *prog)
{
	struct bpf_link *link = linked(prog);

	if (ftruncate(file, 0) || pwrite(file, shown, shown_len, 0) != shown_len)
		ksft_exit_fail_msg("file: %s\n", strerror(errno));
	if (flock(file, LOCK_SH))
		ksft_exit_fail_msg("flock: %s\n", strerror(errno));
	flock(file, LOCK_UN);
	bpf_link__destroy(link);
}

/* The packet has as many bytes behind its metadata. */
static void run_metadata(struct bpf_program *prog)
{
	unsigned char packet[2 * STRINGS_META] = {};
	struct bpf_link *link = linked(prog);

	memcpy(packet, shown, STRINGS_META);
	if (packet_with_metadata(bpf_program__fd(skel->progs.pass), packet, sizeof(packet),
				 STRINGS_META))
		ksft_exit_fail_msg("live frame: %s\n", strerror(errno));
	bpf_link__destroy(link);
}

/* Where somebody else than the runner calls the program: waits for it, a second at most. */
static void run_event(const struct class *class, struct bpf_program *prog)
{
	struct bpf_link *link = NULL;
	int fds[EVENT_CPUS];

	skel->bss->ran = 0;
	skel->bss->armed = 1;
	if (class->on == IN_SYSCALL)
		link = linked(prog);
	else if (class->on == IN_CLOCK)
		fds[0] = open_clock(0, prog);
	else
		open_breakpoints(fds, "__x64_sys_getppid", prog);
	for (int i = 0; i < 1000 && !*(volatile unsigned int *)&skel->bss->ran; i++) {
		syscall(SYS_getppid);
		usleep(1000);
	}
	bpf_link__destroy(link);
	if (class->on == IN_CLOCK)
		close(fds[0]);
	else if (class->on == IN_BREAKPOINT)
		close_events(fds);
}

static void run_batch(const struct class *class)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(skel->obj, class->name);

	LIBBPF_OPTS(bpf_test_run_opts, opts);

	for (unsigned int key = 0; key < 2; key++)
		if (bpf_map__update_elem(skel->maps.memories, &key, sizeof(key),
					 key ? second : shown, STRINGS_BYTES, BPF_ANY))
			ksft_exit_fail_msg("memories: %s\n", strerror(errno));
	skel->bss->count = STRINGS_BATCH;
	skel->bss->size = shown_len;
	switch (class->on) {
	case ON_SKB:
	case ON_XDP:
		run_packet(class, bpf_program__fd(prog));
		break;
	case ON_MEMORY:
		if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
			ksft_exit_fail_msg("program %s: %s\n", class->name, strerror(errno));
		break;
	case ON_FILE:
		run_file(prog);
		break;
	case ON_METADATA:
		run_metadata(prog);
		break;
	default:
		run_event(class, prog);
	}
}

static bool has_number(const struct strings_result *r)
{
	return r->value > 0;
}

/* Whether the result is the model's. */
static bool is_right(const struct strings_case *c, const struct strings_result *r,
		     struct bytes whole)
{
	struct bytes a = { whole.at + c->start, c->end - c->start };
	struct bytes b = { (c->same ? whole.at : second) + c->start2, c->end2 - c->start2 };
	struct strings_result wanted = {};

	wanted.value = model(a, b, c, constants[c->constant], &wanted);
	if (r->made || r->value != wanted.value)
		goto wrong;
	if ((c->op == STRNTOL || c->op == STRNTOUL) && has_number(r) && r->number != wanted.number)
		goto wrong;
	if ((c->op == STRNTOK || c->op == STRNSEP) && !r->value &&
	    (r->offset != wanted.offset || r->len != wanted.len || r->next != wanted.next))
		goto wrong;
	if (c->op == READ_UPTO && r->value > 0 && memcmp(r->bytes, wanted.bytes, r->value))
		goto wrong;
	return true;
wrong:
	ksft_print_msg("op %u, view %u-%u of %zu (%u), offset %llu, count %llu\n", c->op, c->start,
		       c->end, whole.len, linear, c->offset, c->count);
	ksft_print_msg("  other %u-%u +%llu (%u), constant '%s', byte %u, base %llu, mem %u\n",
		       c->start2, c->end2, c->offset2, c->same, constants[c->constant], c->c,
		       c->base, c->mem_len);
	ksft_print_msg("  made %d: %d (%lld, %llu+%llu, %llu), not %d (%lld, %llu+%llu, %llu)\n",
		       r->made, r->value, r->number, r->offset, r->len, r->next, wanted.value,
		       wanted.number, wanted.offset, wanted.len, wanted.next);
	return false;
}

/* A batch of cases; how many were wrong. */
static unsigned int batch(const struct class *class)
{
	unsigned int wrong = 0;
	struct bytes whole;

	fill_bytes(class);
	memset(skel->bss->results, 0, sizeof(skel->bss->results));
	whole = (struct bytes){ shown + class->hidden, shown_len - class->hidden };
	for (unsigned int i = 0; i < STRINGS_BATCH; i++) {
		unsigned int boundary = linear - class->hidden;

		if (shown_len > linear + 4096 && one_in(2))
			boundary += 4096;
		skel->bss->cases[i] = random_case(whole, boundary, class->on == ON_FILE);
		skel->bss->results[i].made = 1;
	}
	run_batch(class);
	for (unsigned int i = 0; i < STRINGS_BATCH; i++)
		wrong += !is_right(&skel->bss->cases[i], &skel->bss->results[i], whole);
	return wrong;
}

/* @number cases of each class. */
static void try_cases(const struct class *classes, size_t count, unsigned int number)
{
	unsigned int wrong[COUNT(others)] = {}, done[COUNT(others)] = {};

	for (unsigned int i = 0; i * STRINGS_BATCH < number; i++) {
		if (i * STRINGS_BATCH % CASES_OF_A_LOAD == 0) {
			if (skel)
				strings_bpf__destroy(skel);
			fill_constants();
			skel = load();
		}
		for (size_t j = 0; j < count && wrong[j] < 20; j++) {
			wrong[j] += batch(&classes[j]);
			done[j] += STRINGS_BATCH;
		}
	}
	for (size_t j = 0; j < count; j++)
		ksft_test_result(!wrong[j],
				 "strings: %s: %u cases are as the model's, %u are not\n",
				 classes[j].name, done[j] - wrong[j], wrong[j]);
}

static void users(void)
{
	static unsigned char text[2 * USER_BYTES];

	LIBBPF_OPTS(bpf_test_run_opts, opts);
	const int *r = skel->bss->user_results;

	for (unsigned int i = 0; i < USER_BYTES; i++)
		text[i] = random_below(256);
	skel->bss->size = USER_BYTES;
	skel->bss->user_address = (unsigned long long)text;
	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.user), &opts))
		ksft_exit_fail_msg("user: %s\n", strerror(errno));
	ksft_test_result(!r[0] && !r[1] && !memcmp(text + 1, text + USER_BYTES, USER_BYTES - 1) &&
			 !text[2 * USER_BYTES - 1],
			 "strings: %u bytes from user memory to the heap and back\n", USER_BYTES);
	ksft_test_result(r[2] == -E2BIG && r[3] == -EFAULT,
			 "strings: more than there is, and a bad address, are refused (%d, %d)\n",
			 r[2], r[3]);
	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.null), &opts))
		ksft_exit_fail_msg("null: %s\n", strerror(errno));
	for (size_t i = 0; i < COUNT(skel->bss->null_results); i++)
		ksft_test_result(skel->bss->null_results[i] == -EINVAL,
				 "strings: null dynptr, %zu: -EINVAL\n", i);
}

static void in_thread(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	volatile int *result = &skel->bss->thread_result;

	*result = 1;
	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.thread), &opts) || opts.retval)
		ksft_exit_fail_msg("thread: %s, %u\n", strerror(errno), opts.retval);
	for (int i = 0; i < 1000 && *result == 1; i++)
		usleep(10000);
	ksft_test_result(*result == -EPERM,
			 "strings: a kernel thread has no user memory to write to (%d)\n", *result);
}

/* Its second page is a hole. */
static void in_rcu(void)
{
	const int *r = skel->bss->rcu_results;
	int fd = open("/tmp/strings.hole", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct flock lock = { .l_type = F_RDLCK };
	struct bpf_link *link;

	if (fd < 0 || ftruncate(fd, 3 * 4096))
		ksft_exit_fail_msg("/tmp/strings.hole: %s\n", strerror(errno));
	link = bpf_program__attach(skel->progs.file_in_rcu);
	if (!link || fcntl(fd, F_SETLK, &lock))
		ksft_exit_fail_msg("file in RCU: %s\n", strerror(errno));
	bpf_link__destroy(link);
	close(fd);
	ksft_test_result(r[0] == -EFAULT && r[1] == 64,
			 "strings: a file's bytes that are not in memory are read where one may sleep (%d, %d)\n",
			 r[0], r[1]);
}

int main(int argc, char **argv)
{
	unsigned int number = argc > 2 ? atoi(argv[2]) : 0;

	if (argc != 3 || !number) {
		fprintf(stderr, "usage: strings KO CASES\n");
		return 2;
	}
	ksft_print_header();
	file = open("/tmp/strings.file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (file < 0)
		ksft_exit_fail_msg("/tmp/strings.file: %s\n", strerror(errno));
	if (control_load(argv[1], "count=1"))
		ksft_exit_fail_msg("the module cannot be loaded\n");
	try_cases(packets, COUNT(packets), number / COUNT(packets) + 1);
	try_cases(others, COUNT(others), number / COUNT(others) / 4 + 1);
	users();
	in_thread();
	in_rcu();
	loader_run("strings_refused.bpf.o", "");
	ksft_test_result(kfuncs_called("strings", 20), "strings: each kfunc was served\n");
	strings_bpf__destroy(skel);
	ksft_test_result(heap_is_empty(), "strings: no block is left\n");
	ksft_test_result(!control_unload(), "strings: the module can be unloaded\n");
	ksft_finished();
}
