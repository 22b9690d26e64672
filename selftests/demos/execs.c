// SPDX-License-Identifier: GPL-2.0
/*
 * execs [-o FILE] -- CMD...: runs CMD and prints every execve() of it and its children.
 *
 * One line an event: sequence number, process, number of arguments, file name and arguments (in
 * quotes, with escapes). -o writes them to FILE instead of stdout. A summary goes to stderr.
 * Status: 3 if an event was lost, doubled or incomplete; 1 for other errors, also of CMD.
 */
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "execs.h"
#include "execs.skel.h"
#include "traced.h"

#define MAX_EVENTS 1000000

/* What the consumer has seen. */
struct seen {
	FILE *out;
	unsigned char *events;	/* by sequence number: times seen */
	unsigned char *notes;
	unsigned long long count;
	unsigned long long bytes;
	unsigned long long wrong;
	unsigned long long backlog;
};

static int fail(const char *what, int err)
{
	fprintf(stderr, "execs: %s: %s\n", what, strerror(err < 0 ? -err : err));
	return 1;
}

static void print_string(FILE *out, const char *string)
{
	fputs(" \"", out);
	for (; *string; string++) {
		unsigned char c = *string;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (isprint(c))
			fputc(c, out);
		else
			fprintf(out, "\\x%02x", c);
	}
	fputc('"', out);
}

static int on_event(void *context, void *data, size_t size)
{
	const struct execs_event *event = data;
	const char *string = (const char *)(event + 1);
	const char *end = (const char *)data + size;
	struct seen *seen = context;

	if (size < sizeof(*event) || size != sizeof(*event) + event->bytes || !event->complete ||
	    event->seq >= MAX_EVENTS || (event->bytes && end[-1])) {
		seen->wrong++;
		return 0;
	}
	seen->events[event->seq]++;
	seen->count++;
	seen->bytes += size;
	fprintf(seen->out, "%llu %u %u", event->seq, event->pid, event->argc);
	for (; string < end; string += strlen(string) + 1)
		print_string(seen->out, string);
	fputs(event->truncated ? " ...\n" : "\n", seen->out);
	return 0;
}

static int on_note(void *context, void *data, size_t size)
{
	const struct execs_note *note = data;
	struct seen *seen = context;

	if (size != sizeof(*note) || note->seq >= MAX_EVENTS) {
		seen->wrong++;
		return 0;
	}
	seen->notes[note->seq]++;
	if (note->backlog > seen->backlog)
		seen->backlog = note->backlog;
	return 0;
}

static int report(const struct seen *seen, const struct execs_bpf *skel)
{
	unsigned long long bad = seen->wrong, total = skel->bss->next_seq;

	for (unsigned long long i = 0; i < total && i < MAX_EVENTS; i++)
		bad += seen->events[i] != 1 || seen->notes[i] != 1;
	fprintf(stderr, "%llu events, %llu lost, %llu wrong, %llu strings unreadable; ",
		seen->count, skel->bss->lost, bad, skel->bss->faults);
	fprintf(stderr, "%llu bytes, backlog up to %llu\n", seen->bytes, seen->backlog);
	return bad || skel->bss->lost ? 3 : 0;
}

static int trace(struct execs_bpf *skel, struct seen *seen, char **argv)
{
	struct ring_buffer *rings;
	int status = 0, err;
	pid_t pid;

	rings = ring_buffer__new(bpf_map__fd(skel->maps.events), on_event, seen, NULL);
	if (!rings || ring_buffer__add(rings, bpf_map__fd(skel->maps.notes), on_note, seen))
		return fail("ring_buffer", errno);
	err = execs_bpf__attach(skel);
	if (err)
		return fail("attach", err);
	pid = traced_start(argv);
	if (pid < 0)
		return fail("start", errno);
	err = traced_consume(rings, pid, &status);
	ring_buffer__free(rings);
	if (err)
		return fail("poll", err);
	fflush(seen->out);
	err = report(seen, skel);
	if (!status)
		return err;
	fprintf(stderr, "execs: %s ended with status %d\n", argv[0], traced_status(status));
	return 1;
}

int main(int argc, char **argv)
{
	struct seen seen = { .out = stdout };
	struct execs_bpf *skel;
	int opt, err;

	while ((opt = getopt(argc, argv, "+o:")) != -1) {
		if (opt != 'o')
			return 2;
		seen.out = fopen(optarg, "w");
		if (!seen.out)
			return fail(optarg, errno);
	}
	if (optind == argc) {
		fprintf(stderr, "usage: execs [-o FILE] -- CMD...\n");
		return 2;
	}
	seen.events = calloc(MAX_EVENTS, 1);
	seen.notes = calloc(MAX_EVENTS, 1);
	skel = execs_bpf__open();
	if (!seen.events || !seen.notes || !skel)
		return fail("open", errno);
	skel->rodata->cgroup = traced_make_cgroup();
	if (!skel->rodata->cgroup)
		return fail("cgroup", errno);
	err = execs_bpf__load(skel);
	if (err)
		return fail("load", err);
	err = trace(skel, &seen, argv + optind);
	execs_bpf__destroy(skel);
	return err;
}
