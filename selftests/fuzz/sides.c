// SPDX-License-Identifier: GPL-2.0
/* C or Rust: loading and unloading the module between passes. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "sides.h"
#include "ksft.h"

const char *const side_names[SIDES] = { "C", "Rust" };

const char *side_parameters = "count=1";

/* NULL: no module, both sides are C. */
static const char *module;
static enum side now;
static struct row rows[MAX_ROWS];
static int row_count;

/* Hits do not survive the module: they are added up here before it goes. */
static unsigned long long total[MAX_ROWS];

void side_init(const char *ko)
{
	module = strcmp(ko, "-") ? ko : NULL;
}

enum side side_now(void)
{
	return now;
}

static void collect_hits(void)
{
	row_count = control_rows(rows);
	for (int i = 0; i < row_count; i++)
		total[i] += rows[i].hits;
}

/* Programs that were bound to Rust go some time after their last user. */
static void wait_for_programs(void)
{
	for (int i = 0; i < 100; i++) {
		FILE *file = fopen("/sys/kernel/debug/rust_dynptr/programs", "r");
		int first = file ? fgetc(file) : EOF;

		if (file)
			fclose(file);
		if (first == EOF)
			return;
		usleep(100000);
	}
}

/* From here on @side serves. */
void side_take(enum side side)
{
	if (side == now)
		return;
	now = side;
	if (!module)
		return;
	if (side == SIDE_RUST) {
		if (control_load(module, side_parameters))
			ksft_exit_fail_msg("the module does not load\n");
		return;
	}
	collect_hits();
	wait_for_programs();
	if (control_unload())
		ksft_exit_fail_msg("the module does not unload\n");
}

/* Hits of all rows in all passes, and how many rows had some; @save: for lib/guest.sh. */
unsigned long long side_hits(unsigned int *hit, bool save)
{
	const char *hits = getenv("RUST_DYNPTR_HITS");
	FILE *file = save && hits ? fopen(hits, "a") : NULL;
	unsigned long long sum = 0;

	*hit = 0;
	for (int i = 0; i < row_count; i++) {
		sum += total[i];
		*hit += !!total[i];
		if (file)
			fprintf(file, "%s %s %llu\n", rows[i].name, rows[i].kind, total[i]);
	}
	if (file)
		fclose(file);
	return sum;
}
