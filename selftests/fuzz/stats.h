/* SPDX-License-Identifier: GPL-2.0 */
/* Why programs were rejected. */
#ifndef STATS_H
#define STATS_H

#include <linux/types.h>
#include <stddef.h>

/* A reason to reject that was seen. */
struct reason {
	__u64 hash, seed;	/* the first program that had it */
	int verdict;
	unsigned int count;
	char name[360];		/* its lines, without numbers */
	char text[1800];	/* what the log says, spaces squeezed */
};

struct summary;

void report_coverage(const struct reason *reasons, size_t count, struct summary *summary);

#endif
