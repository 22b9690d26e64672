// SPDX-License-Identifier: GPL-2.0
/*
 * lines [-d DIR] -- CMD...: runs CMD and prints every line that it and its children write, whole;
 * see bpf/lines.bpf.c. Needs the module.
 *
 * One line a line: process, file descriptor, name of the program, text. -d DIR: nothing is printed;
 * the lines alone go to DIR/THREAD.FD, which has in the end what the thread has written there.
 * A summary goes to stderr. Status: 3 if text was lost, 1 for other errors, also of CMD.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lines.h"
#include "lines.skel.h"
#include "traced.h"

/* What the consumer has seen. */
struct seen {
	const char *dir;	/* NULL: lines are printed */
	unsigned long long lines;
	unsigned long long bytes;
	unsigned long long cut;
	unsigned long long unfinished;
	unsigned long long wrong;
};

static int fail(const char *what, int err)
{
	fprintf(stderr, "lines: %s: %s\n", what, strerror(err < 0 ? -err : err));
	return 1;
}

/* Where the line goes; the last file is kept open. */
static FILE *file_of(const char *dir, const struct lines_key *key)
{
	static struct lines_key last;
	static FILE *file;
	char path[4096];

	if (file && !memcmp(&last, key, sizeof(last)))
		return file;
	if (file)
		fclose(file);
	snprintf(path, sizeof(path), "%s/%u.%u", dir, key->tid, key->fd);
	file = fopen(path, "a");
	last = *key;
	return file;
}

static int on_record(void *context, void *data, size_t size)
{
	const struct lines_record *record = data;
	size_t bytes = size - sizeof(*record);
	struct seen *seen = context;
	FILE *out;

	if (size < sizeof(*record) || bytes > LINES_MAX) {
		seen->wrong++;
		return 0;
	}
	seen->lines++;
	seen->bytes += bytes;
	seen->cut += !!(record->flags & LINES_CUT);
	seen->unfinished += !!(record->flags & LINES_UNFINISHED);
	out = seen->dir ? file_of(seen->dir, &record->key) : stdout;
	if (!out)
		return -errno;
	if (!seen->dir)
		fprintf(out, "%u %u %.*s: ", record->pid, record->key.fd,
			(int)sizeof(record->comm), record->comm);
	fwrite(record + 1, 1, bytes, out);
	if (!(record->flags & LINES_UNFINISHED) || !seen->dir)
		putc('\n', out);
	return 0;
}

/* Calls of a program, or returns of the functions that it is on, which the kernel has left out. */
static unsigned long long missed(const struct bpf_program *prog, const struct bpf_link *link)
{
	struct bpf_prog_info info = {};
	struct bpf_link_info where = {};
	__u32 size = sizeof(info), where_size = sizeof(where);

	if (bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info, &size) ||
	    bpf_link_get_info_by_fd(bpf_link__fd(link), &where, &where_size))
		return 1;
	if (where.type == BPF_LINK_TYPE_KPROBE_MULTI)
		return info.recursion_misses + where.kprobe_multi.missed;
	return info.recursion_misses + where.perf_event.kprobe.missed;
}

static int report(const struct seen *seen, const struct lines_bpf *skel)
{
	const struct lines_stats *stats = &skel->bss->stats;
	unsigned long long misses = missed(skel->progs.on_write, skel->links.on_write) +
				    missed(skel->progs.on_exit, skel->links.on_exit);

	fprintf(stderr, "%llu lines of %llu bytes in %llu writes; %llu cut, %llu unfinished; ",
		seen->lines, seen->bytes, stats->writes, seen->cut, seen->unfinished);
	fprintf(stderr, "%llu lost, %llu wrong, %llu missed; %llu blocks allocated\n",
		stats->lost, seen->wrong, misses, stats->blocks);
	return stats->lost || seen->wrong || misses ? 3 : 0;
}

static int trace(struct lines_bpf *skel, struct seen *seen, char **argv)
{
	struct ring_buffer *ring;
	int status = 0, err;
	pid_t pid;

	ring = ring_buffer__new(bpf_map__fd(skel->maps.records), on_record, seen, NULL);
	if (!ring)
		return fail("ring_buffer", errno);
	err = lines_bpf__attach(skel);
	if (err)
		return fail("attach", err);
	pid = traced_start(argv);
	if (pid < 0)
		return fail("start", errno);
	err = traced_consume(ring, pid, &status);
	ring_buffer__free(ring);
	if (err)
		return fail("poll", err);
	fflush(NULL);
	err = report(seen, skel);
	if (!status)
		return err;
	fprintf(stderr, "lines: %s ended with status %d\n", argv[0], traced_status(status));
	return 1;
}

int main(int argc, char **argv)
{
	struct seen seen = {};
	struct lines_bpf *skel;
	int opt, err;

	while ((opt = getopt(argc, argv, "+d:")) != -1) {
		if (opt != 'd')
			return 2;
		seen.dir = optarg;
	}
	if (optind == argc) {
		fprintf(stderr, "usage: lines [-d DIR] -- CMD...\n");
		return 2;
	}
	skel = lines_bpf__open();
	if (!skel)
		return fail("open", errno);
	skel->rodata->cgroup = traced_make_cgroup();
	if (!skel->rodata->cgroup)
		return fail("cgroup", errno);
	err = lines_bpf__load(skel);
	if (err)
		return fail("load (is the module rust_dynptr loaded?)", err);
	err = trace(skel, &seen, argv + optind);
	lines_bpf__destroy(skel);
	return err;
}
