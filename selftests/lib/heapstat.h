/* SPDX-License-Identifier: GPL-2.0 */
/* What debugfs says of heap dynptrs. */
#ifndef HEAPSTAT_H
#define HEAPSTAT_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ksft.h"

/* A line of debugfs rust_dynptr/heap. */
static inline unsigned long long heap_stat(const char *name)
{
	FILE *file = fopen("/sys/kernel/debug/rust_dynptr/heap", "r");
	unsigned long long value;
	char line[32];

	if (!file)
		ksft_exit_fail_msg("no rust_dynptr/heap in debugfs\n");
	while (fscanf(file, "%31s %llu", line, &value) == 2) {
		if (!strcmp(line, name)) {
			fclose(file);
			return value;
		}
	}
	ksft_exit_fail_msg("rust_dynptr/heap has no %s\n", name);
}

/* Whether all memory is given back, soon: maps and programs are freed after a grace period. */
static inline bool heap_is_empty(void)
{
	for (int i = 0; i < 200 && heap_stat("live"); i++)
		usleep(50000);
	return !heap_stat("live") && !heap_stat("live_bytes");
}

#endif
