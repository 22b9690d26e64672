/* SPDX-License-Identifier: GPL-2.0 */
/* Numbered records of the program "traffic" of bpf/rows.bpf.c: none may be lost or doubled. */
#ifndef STREAM_H
#define STREAM_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <string.h>

#include "rows.h"
#include "rows.skel.h"
#include "ksft.h"

/* One program with its ring: who produces, what the consumer expects next. */
struct stream {
	struct rows_bpf *skel;
	struct ring_buffer *ring;
	unsigned long long expected;
	unsigned long long wrong;
	long long failed;
};

static int stream_consume(void *context, void *data, size_t size)
{
	struct stream *stream = context;
	unsigned long long number;

	memcpy(&number, data, sizeof(number));
	if (size != sizeof(number) || number != stream->expected)
		stream->wrong++;
	stream->expected = number + 1;
	return 0;
}

static inline void open_stream(struct stream *stream)
{
	memset(stream, 0, sizeof(*stream));
	stream->skel = rows_bpf__open_and_load();
	if (!stream->skel)
		ksft_exit_fail_msg("cannot load rows.bpf.o: %s\n", strerror(errno));
	stream->ring = ring_buffer__new(bpf_map__fd(stream->skel->maps.stream), stream_consume,
					stream, NULL);
	if (!stream->ring)
		ksft_exit_fail_msg("ring_buffer__new: %s\n", strerror(errno));
}

static inline void close_stream(struct stream *stream)
{
	ring_buffer__free(stream->ring);
	rows_bpf__destroy(stream->skel);
}

/* @count runs of the program, then everything is consumed. */
static inline void produce(struct stream *stream, int count)
{
	unsigned char packet[64] = {};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = count);

	if (bpf_prog_test_run_opts(bpf_program__fd(stream->skel->progs.traffic), &opts)) {
		/* The livepatch core signals tasks to hurry them: the run ends early. */
		if (errno != EINTR)
			stream->failed = -errno;
	} else if (opts.retval) {
		stream->failed = opts.retval;
	}
	ring_buffer__consume(stream->ring);
}

/* Whether all that was produced came, right and in order. */
static inline bool stream_is_right(const struct stream *stream)
{
	unsigned long long made = stream->skel->bss->stream_next;

	return made && stream->expected == made && !stream->wrong && !stream->failed &&
	       !stream->skel->bss->stream_refused;
}

#endif
