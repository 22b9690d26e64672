// SPDX-License-Identifier: GPL-2.0
/*
 * nomemory KO FAILNTH_KO OBJECT...: loads every program of the BPF objects once for each allocation
 * that loading it makes, and lets that one fail (kmod/failnth.c); first with C, then with the
 * module KO. Each time both must say the same: errno, and the verifier's whole log. That also shows
 * that Rust allocates when C does. Nothing may be left, and no program be judged otherwise
 * afterwards.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <linux/types.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "failnth.h"
#include "ksft.h"

#define LOG_SIZE 0x100000
#define MAX_PROGRAMS 128
#define MAX_FAILURES 4096
#define MAX_SITES 64

/* What one load gave. */
struct outcome {
	int err;
	bool by_check;	/* bpf_check() itself asked for what failed */
	__u64 log;
};

/* A program's sweep; the last load is one without a failure. */
struct sweep {
	char name[64];
	int loads;
	struct outcome *outcome;
};

static struct sweep sweeps[2][MAX_PROGRAMS];
static int programs[2], side;
static char log_buffer[LOG_SIZE];

/* Where allocations failed below functions of the module: the innermost frames. */
static struct site {
	char frames[200];
	unsigned int count;
} sites[MAX_SITES];
static unsigned int site_count, below_rust, failures, refused;

/* Hash of the log without addresses of the kernel, which are others for every map. */
static __u64 hash_log(char *log)
{
	__u64 hash = 0xcbf29ce484222325ULL;

	for (char *at = strstr(log, "0xffff"); at; at = strstr(at, "0xffff"))
		for (at += 2; isxdigit((unsigned char)*at); at++)
			*at = '.';
	for (; *log; log++)
		hash = (hash ^ (unsigned char)*log) * 0x100000001b3ULL;
	return hash;
}

/* Counts the place of a failed allocation, from its call stack, if it is below the module. */
static void add_site(char *stack)
{
	char *start = strstr(stack, "_noprof"), *end;
	unsigned int i;

	if (!strstr(stack, "[rust_dynptr]"))
		return;
	below_rust++;
	start = start ? strchr(start, '\n') + 1 : stack;
	/* To the function that C calls. */
	end = strncmp(start, "rust_", 5) ? strstr(start, "\nrust_") : start;
	if (end)
		*strchrnul(end + 1, '\n') = 0;
	for (char *at = strchr(start, '\n'); at; at = strchr(at, '\n'))
		*at = '<';
	for (i = 0; i < site_count && strncmp(sites[i].frames, start, 199); i++)
		;
	if (i == MAX_SITES)
		return;
	if (i == site_count)
		snprintf(sites[site_count++].frames, sizeof(sites[0].frames), "%.199s", start);
	sites[i].count++;
}

/* One load of @prog with its @nth allocation failing. Whether there was one. */
static bool load_once(struct bpf_program *prog, const struct bpf_prog_load_opts *given, int nth,
		      struct outcome *out)
{
	struct bpf_prog_load_opts opts = *given;
	char text[FAILNTH_WHERE], *start;
	int fd;

	opts.log_level = 2 | 8;
	opts.log_size = LOG_SIZE;
	opts.log_buf = log_buffer;
	opts.attempts = 1;
	log_buffer[0] = 0;
	failnth_set("nth", nth);
	fd = bpf_prog_load(bpf_program__type(prog), bpf_program__name(prog), "GPL",
			   bpf_program__insns(prog), bpf_program__insn_cnt(prog), &opts);
	out->err = fd < 0 ? -fd : 0;
	out->log = hash_log(log_buffer);
	if (fd >= 0)
		close(fd);
	if (!failnth_where(text))
		return false;
	/* The innermost frames: the allocator, then who called it. */
	start = strstr(text, "_noprof\n");
	out->by_check = start && !strncmp(start, "_noprof\nbpf_check\n", 18);
	failures += side;
	refused += side && out->err == ENOMEM;
	add_site(text);
	return true;
}

/* libbpf calls it with a program that it is about to load: everything in it is resolved. */
static int sweep(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	struct sweep *s = &sweeps[side][programs[side]];
	struct outcome ignored;

	if (programs[side]++ >= MAX_PROGRAMS)
		ksft_exit_fail_msg("too many programs\n");
	snprintf(s->name, sizeof(s->name), "%s", bpf_program__name(prog));
	s->outcome = calloc(MAX_FAILURES, sizeof(*s->outcome));
	if (!s->outcome)
		ksft_exit_fail_msg("no memory\n");
	/* The first of all fills caches. */
	load_once(prog, opts, 0, &ignored);
	for (int i = 0; i < MAX_FAILURES; i++)
		if (!load_once(prog, opts, i + 1, &s->outcome[s->loads++]))
			break;
	failnth_set("nth", 0);
	return 0;
}

/*
 * Of an object's programs every @every-th, one after the other; one that is refused ends the
 * object's loading.
 */
static void sweep_object(const char *path, int every)
{
	struct bpf_program *prog, *each;
	struct bpf_object *object;
	int count = 0;

	object = bpf_object__open(path);
	if (!object)
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	bpf_object__for_each_program(prog, object)
		count++;
	bpf_object__close(object);
	for (int i = 0; i < count; i += every) {
		int n = 0;

		object = bpf_object__open(path);
		if (!object)
			ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
		bpf_object__for_each_program(each, object)
			bpf_program__set_autoload(each, n++ == i);
		bpf_object__load(object);
		bpf_object__close(object);
	}
}

static bool same(const struct outcome *a, const struct outcome *b)
{
	return a->err == b->err && a->log == b->log;
}

/*
 * The two sweeps of a program. With Rust a program that is bound to it holds vmlinux's BTF, so
 * bpf_check() allocates used_btfs for it: one more, that C does not make.
 */
static void compare_sweep(const struct sweep *c, const struct sweep *rust)
{
	int different = 0, pins = 0;

	for (int n = 0; n < c->loads && n + pins < rust->loads; n++) {
		const struct outcome *r = &rust->outcome[n + pins];

		if (!pins && rust->loads == c->loads + 1 && r->by_check && r->err == ENOMEM &&
		    !c->outcome[n].by_check)
			r = &rust->outcome[n + ++pins];
		if (same(&c->outcome[n], r))
			continue;
		if (different++ < 3)
			ksft_print_msg("%s, allocation %d: errno %d with C, %d with Rust%s\n",
				       c->name, n + 1, c->outcome[n].err, r->err,
				       c->outcome[n].log == r->log ? "" : ", another log");
	}
	ksft_test_result(!different && c->loads + pins == rust->loads,
			 "nomemory: %s: %d failures one at a time%s, errno and log as with C\n",
			 c->name, rust->loads - 1, pins ? ", one of them for the pin" : "");
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

/* Programs that the kernel has. */
static int count_programs(void)
{
	__u32 id = 0;
	int count = 0;

	while (!bpf_prog_get_next_id(id, &id))
		count++;
	return count;
}

/* Programs go some time after their last user. */
static bool programs_gone(int wanted)
{
	for (int i = 0; i < 100; i++) {
		if (count_programs() == wanted)
			return true;
		usleep(100000);
	}
	return false;
}

static void register_sections(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = sweep);

	if (libbpf_register_prog_handler("tc", BPF_PROG_TYPE_SCHED_CLS, 0, &opts) < 0 ||
	    libbpf_register_prog_handler("socket", BPF_PROG_TYPE_SOCKET_FILTER, 0, &opts) < 0)
		ksft_exit_fail_msg("cannot register section handlers\n");
}

static void report(void)
{
	bool ours = false;

	ksft_test_result(programs[0] == programs[1] && programs[0],
			 "nomemory: %d programs with both\n", programs[0]);
	for (int i = 0; i < programs[0] && i < programs[1]; i++)
		compare_sweep(&sweeps[0][i], &sweeps[1][i]);
	for (unsigned int i = 0; i < site_count; i++) {
		ksft_print_msg("%5u %s\n", sites[i].count, sites[i].frames);
		/* The one allocation that is the module's own: for a reference. */
		ours |= !strncmp(sites[i].frames, "rust_process_dynptr_func", 24);
	}
	ksft_test_result(ours,
			 "nomemory: %u failures, %u of them ENOMEM; %u below Rust, in %u ways\n",
			 failures, refused, below_rust, site_count);
}

int main(int argc, char **argv)
{
	int before = count_programs();

	if (argc < 5 || atoi(argv[3]) < 1) {
		fprintf(stderr, "usage: nomemory KO FAILNTH_KO EVERY OBJECT...\n");
		return 2;
	}
	ksft_print_header();
	libbpf_set_print(quiet);
	register_sections();
	failnth_start(argv[2], "nth=0");
	for (side = 0; side < 2; side++) {
		if (side && control_load(argv[1], "count=1"))
			ksft_exit_fail_msg("the module does not load\n");
		for (int i = 4; i < argc; i++)
			sweep_object(argv[i], atoi(argv[3]));
		ksft_test_result(programs_gone(before), "nomemory: no program is left (%s)\n",
				 side ? "Rust" : "C");
	}
	report();
	ksft_test_result(!control_save_hits(), "nomemory: the hits are kept\n");
	ksft_test_result(!control_unload(), "nomemory: the module unloads\n");
	failnth_stop();
	ksft_finished();
}
