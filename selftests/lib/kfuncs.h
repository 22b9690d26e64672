/* SPDX-License-Identifier: GPL-2.0 */
/* What debugfs says of calls of the module's own kfuncs. */
#ifndef KFUNCS_H
#define KFUNCS_H

#include <stdbool.h>
#include <stdio.h>

#include "ksft.h"

/*
 * Whether Rust served each kfunc in the module's debugfs file @name, which has @least of them at
 * least. Prints how often.
 */
static inline bool kfuncs_called(const char *name, unsigned int least)
{
	unsigned int called = 0, names = 0;
	unsigned long long calls;
	char path[128], kfunc[64];
	FILE *list;

	snprintf(path, sizeof(path), "/sys/kernel/debug/rust_dynptr/%s", name);
	list = fopen(path, "r");
	if (!list)
		return false;
	while (fscanf(list, "%63s %llu", kfunc, &calls) == 2) {
		ksft_print_msg("%s: %llu calls\n", kfunc, calls);
		names++;
		called += calls > 0;
	}
	fclose(list);
	return names >= least && called == names;
}

#endif
