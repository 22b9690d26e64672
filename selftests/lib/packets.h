/* SPDX-License-Identifier: GPL-2.0 */
/* Test runs of programs on packets and frames, in one part or in several. */
#ifndef PACKETS_H
#define PACKETS_H

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdbool.h>

/*
 * Runs @prog on a packet, or a frame, of these bytes, of which the first part has @linear: all if
 * that is 0 or @size. 0 or a negative errno.
 */
static inline int packet_run(int prog, bool frame, const void *bytes, unsigned int size,
			     unsigned int linear)
{
	struct __sk_buff skb = { .data_end = linear };
	struct xdp_md xdp = { .data_end = linear };

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes, .data_size_in = size);

	if (linear && linear < size) {
		opts.ctx_in = frame ? (void *)&xdp : (void *)&skb;
		opts.ctx_size_in = frame ? sizeof(xdp) : sizeof(skb);
	}
	return bpf_prog_test_run_opts(prog, &opts);
}

/*
 * Lets a frame come in on the loopback device whose first @meta bytes are metadata: @pass is an XDP
 * program that lets it become a packet. 0 or a negative errno.
 */
static inline int packet_with_metadata(int pass, const void *bytes, unsigned int size,
				       unsigned int meta)
{
	struct xdp_md frame = { .data = meta, .data_end = size };

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes, .data_size_in = size,
		    .ctx_in = &frame, .ctx_size_in = sizeof(frame), .repeat = 1,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	return bpf_prog_test_run_opts(pass, &opts);
}

#endif
