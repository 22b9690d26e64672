// SPDX-License-Identifier: GPL-2.0
/*
 * argv [-x TEXT]... -- CMD...: runs CMD, and kills each program that it or its children start
 * with an argument that contains TEXT; see bpf/argv.bpf.c. Needs the module.
 *
 * One line a program: "run" or "killed", the number of arguments and their bytes, and the first
 * one or that for which it was killed, with its number and the TEXT. Status: CMD's, 3 if an event
 * was lost, 2 for a wrong use, 1 for other errors.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "argv.skel.h"
#include "argv.h"
#include "traced.h"

static struct argv_rule rules[ARGV_RULES];
static unsigned int rule_count;

static int fail(const char *what)
{
	fprintf(stderr, "argv: %s: %s\n", what, strerror(errno));
	return 1;
}

static int on_event(void *context, void *data, size_t size)
{
	const struct argv_event *e = data;

	if (e->error)
		printf("killed: %u arguments cannot be read (%s)\n", e->count, strerror(-e->error));
	else if (e->rule >= 0)
		printf("killed: argument %u of %u, %s: has %s\n", e->index, e->count, e->text,
		       rules[e->rule].text);
	else
		printf("run: %u arguments of %u bytes, %s\n", e->count, e->bytes, e->text);
	fflush(stdout);
	return 0;
}

static int show_usage(void)
{
	fprintf(stderr, "Usage: argv [-x TEXT]... -- CMD...: up to %d texts of 1 to %d bytes\n",
		ARGV_RULES, ARGV_RULE - 1);
	return 2;
}

static int run(struct argv_bpf *skel, char **command)
{
	struct ring_buffer *ring;
	int status = 0, err;
	pid_t pid;

	ring = ring_buffer__new(bpf_map__fd(skel->maps.events), on_event, NULL, NULL);
	if (!ring)
		return fail("ring buffer");
	pid = traced_start(command);
	if (pid < 0)
		return fail(command[0]);
	err = traced_consume(ring, pid, &status);
	ring_buffer__free(ring);
	if (err < 0)
		return fail("events");
	if (skel->bss->lost) {
		fprintf(stderr, "argv: %llu events lost\n", skel->bss->lost);
		return 3;
	}
	return traced_status(status);
}

int main(int argc, char **argv)
{
	struct argv_bpf *skel;
	int option, status;

	while ((option = getopt(argc, argv, "+x:")) != -1) {
		size_t len = option == 'x' ? strlen(optarg) : 0;

		if (!len || len >= ARGV_RULE || rule_count == ARGV_RULES)
			return show_usage();
		memcpy(rules[rule_count].text, optarg, len);
		rules[rule_count++].len = len;
	}
	if (optind >= argc)
		return show_usage();
	skel = argv_bpf__open();
	if (!skel)
		return fail("argv.bpf.o");
	skel->rodata->cgroup = traced_make_cgroup();
	skel->rodata->rule_count = rule_count;
	if (!skel->rodata->cgroup)
		return fail("cgroup");
	if (argv_bpf__load(skel))
		return fail("loading argv.bpf.o (is the module loaded?)");
	for (unsigned int i = 0; i < rule_count; i++)
		if (bpf_map__update_elem(skel->maps.rules, &i, sizeof(i), &rules[i],
					 sizeof(rules[i]), BPF_ANY))
			return fail("rules");
	if (argv_bpf__attach(skel))
		return fail("attaching argv.bpf.o");
	status = run(skel, argv + optind);
	argv_bpf__destroy(skel);
	return status;
}
