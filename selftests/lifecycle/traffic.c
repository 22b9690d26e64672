// SPDX-License-Identifier: GPL-2.0
/*
 * traffic [RUNS]: loads and runs programs with dynptrs and rings, and makes a ring; status 0 if all
 * is right. With C or with Rust: whoever starts it looks at the hits.
 */
#include "ringuser.h"
#include "stream.h"

int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 50, fd;
	struct stream stream;
	bool right;

	open_stream(&stream);
	produce(&stream, runs);
	right = stream_is_right(&stream);
	close_stream(&stream);
	fd = ring_create(BPF_MAP_TYPE_RINGBUF, PAGE, 0);
	return right && fd >= 0 ? 0 : 1;
}
