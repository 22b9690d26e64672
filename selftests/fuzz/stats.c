// SPDX-License-Identifier: GPL-2.0
/*
 * What the programs reached: operations in accepted and in rejected programs, and why the verifier
 * rejected. In memory that all processes share, under one lock.
 */
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz.h"
#include "stats.h"
#include "ksft.h"

#define MAX_REASONS 8192

static struct stats {
	pthread_mutex_t lock;
	struct tally tally;
	unsigned int programs[PROG_KINDS][2];	/* rejected, accepted */
	unsigned int ops[OPS][2], funcs[FUNC_KINDS][2];
	unsigned int ran, compared, cut, tweaked, no_perfmon, frags;
	unsigned long long log_bytes;
	unsigned int errnos[1024];
	unsigned int reasons, lost;
	struct reason reason[MAX_REASONS];
} *stats;

/* Reads what an earlier run has left; that of another build is no state. */
static void restore(const char *state)
{
	FILE *file = state ? fopen(state, "r") : NULL;

	if (!file)
		return;
	if (fread(stats, sizeof(*stats), 1, file) != 1 || fgetc(file) != EOF) {
		ksft_print_msg("%s is of another build: starting anew\n", state);
		memset(stats, 0, sizeof(*stats));
	}
	fclose(file);
}

struct tally *stats_share(const char *state)
{
	pthread_mutexattr_t attr;

	stats = mmap(NULL, sizeof(*stats), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (stats == MAP_FAILED)
		ksft_exit_fail_msg("mmap: %s\n", strerror(errno));
	restore(state);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&stats->lock, &attr);
	return &stats->tally;
}

void stats_save(const char *state)
{
	FILE *file = fopen(state, "w");

	if (!file || fwrite(stats, sizeof(*stats), 1, file) != 1)
		ksft_print_msg("%s: %s\n", state, strerror(errno));
	if (file)
		fclose(file);
}

/* The part of @log after the last instruction that was looked at. */
static const char *verdict_part(const char *log)
{
	size_t length = strlen(log);
	const char *diag = strstr(log, "\nVerification failed: "), *at;

	/* The report repeats instructions: look before it. */
	for (at = diag ? diag : log + length; at > log; at--) {
		const char *p = at;

		if (at[-1] != '\n' || !isdigit((unsigned char)*at))
			continue;
		while (isdigit((unsigned char)*p))
			p++;
		if (!strncmp(p, ": (", 3))
			break;
	}
	at = strchr(at, '\n');
	return at ? at + 1 : log;
}

/* Copies @text with spaces and lines as one space each; the report is long, its start will do. */
static void squeeze(char *to, size_t size, const char *text)
{
	char *start = to;

	for (; *text && to < start + size - 1; text++) {
		if (!isspace((unsigned char)*text))
			*to++ = *text;
		else if (to > start && to[-1] != ' ')
			*to++ = ' ';
	}
	*to = 0;
}

/* The last line before the count of instructions, if it is a message: it comes after the report. */
static void last_line(char *to, size_t size, const char *text)
{
	const char *end = strstr(text, "processed "), *start;

	*to = 0;
	while (end > text && end[-1] == '\n')
		end--;
	for (start = end; start > text && start[-1] != '\n';)
		start--;
	if (end > start && isalpha((unsigned char)*start) && end - start < (ptrdiff_t)size &&
	    strncmp(start, "from ", 5) && strncmp(start, "mark_precise", 12))
		snprintf(to, size, "%.*s", (int)(end - start), start);
}

/*
 * The lines before the report that are no state and no instruction, and the report's title, with
 * numbers left out.
 */
static void name_reason(char *to, size_t size, const char *text)
{
	char *start = to;

	while (*text && to < start + size - 2) {
		const char *end = strchrnul(text, '\n');
		bool title = !strncmp(text, "Verification failed: ", 21);

		if (!strncmp(text, "processed ", 10))
			break;
		if (end == text || *text == ' ' || isdigit((unsigned char)*text) ||
		    !strncmp(text, "from ", 5) || !strncmp(text, "mark_precise", 12)) {
			text = *end ? end + 1 : end;
			continue;
		}
		if (title)
			text += 21;
		for (; text < end && to < start + size - 4; text++) {
			if (!isdigit((unsigned char)*text) || (to > start && to[-1] == 'R'))
				*to++ = *text;
			else if (to == start || to[-1] != '#')
				*to++ = '#';
		}
		*to++ = ' ';
		if (title)
			break;
		*to++ = '|';
		*to++ = ' ';
		text = *end ? end + 1 : end;
	}
	*to = 0;
}

static void add_reason(__u64 seed, int verdict, const char *log)
{
	struct reason found = { .seed = seed, .verdict = verdict, .count = 1 };
	const char *part = verdict_part(log);
	unsigned int i;
	char last[120];

	name_reason(found.name, sizeof(found.name), part);
	last_line(last, sizeof(last), part);
	if (!strstr(found.name, last))
		strncat(found.name, last, sizeof(found.name) - strlen(found.name) - 1);
	found.hash = hash_bytes(verdict, found.name, strlen(found.name));
	for (i = 0; i < stats->reasons; i++)
		if (stats->reason[i].hash == found.hash) {
			stats->reason[i].count++;
			return;
		}
	if (i == MAX_REASONS) {
		stats->lost++;
		return;
	}
	squeeze(found.text, sizeof(found.text) - sizeof(last), part);
	strcat(found.text, last);
	stats->reason[i] = found;
	stats->reasons++;
}

void stats_add(const struct program *p, const struct outcome *out, const char *log)
{
	bool good = !out->verdict;

	pthread_mutex_lock(&stats->lock);
	stats->programs[p->kind][good]++;
	stats->log_bytes += strlen(log);
	stats->ran += !!(out->flags & OUTCOME_RAN);
	stats->compared += !!(out->flags & OUTCOME_COMPARED);
	stats->cut += !!(out->flags & OUTCOME_CUT);
	stats->tweaked += !!p->tweak;
	stats->no_perfmon += p->no_perfmon;
	stats->frags += p->frags;
	stats->errnos[out->verdict & 1023]++;
	for (int i = 0; i < p->funcs; i++) {
		stats->funcs[p->func[i].kind][good]++;
		for (int j = 0; j < p->func[i].count; j++)
			stats->ops[p->func[i].ops[j].kind][good]++;
	}
	if (!good)
		add_reason(p->seed, out->verdict, log);
	pthread_mutex_unlock(&stats->lock);
}

static int by_count(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	return x->count < y->count ? 1 : x->count > y->count ? -1 : 0;
}

static void report_reasons(unsigned int rejected)
{
	qsort(stats->reason, stats->reasons, sizeof(stats->reason[0]), by_count);
	ksft_print_msg("%u rejected programs, %u reasons; the most frequent, with an example:\n",
		       rejected, stats->reasons);
	for (unsigned int i = 0; i < stats->reasons; i++) {
		const struct reason *r = &stats->reason[i];

		if (i >= 60 && (r->verdict == EINVAL || r->verdict == EACCES))
			continue;
		ksft_print_msg("%6u  %3d  seed %llu: %.150s\n", r->count, r->verdict,
			       (unsigned long long)r->seed, r->name);
	}
	if (stats->lost)
		ksft_print_msg("%u reasons had no room in the table\n", stats->lost);
}

/* How often each operation was used; how many are in no accepted program. */
static unsigned int report_ops(void)
{
	unsigned int missing = 0;

	ksft_print_msg("operations, in accepted and in rejected programs:\n");
	for (int i = 0; i < (heap_mode ? OPS : OP_HEAP); i++) {
		ksft_print_msg("  %-24s %8u %8u\n", op_info[i].name, stats->ops[i][1],
			       stats->ops[i][0]);
		missing += !stats->ops[i][1];
	}
	for (int i = 0; i < FUNC_KINDS; i++)
		ksft_print_msg("  function %-15s %8u %8u\n", func_names[i], stats->funcs[i][1],
			       stats->funcs[i][0]);
	return missing;
}

/* Prints everything. */
struct summary stats_report(void)
{
	struct summary summary = {};

	ksft_print_msg("kinds of programs:\n");
	for (int i = 0; i < PROG_KINDS; i++) {
		ksft_print_msg("  %-24s %8u %8u\n", prog_names[i], stats->programs[i][1],
			       stats->programs[i][0]);
		summary.accepted += stats->programs[i][1];
		summary.programs += stats->programs[i][0] + stats->programs[i][1];
	}
	ksft_print_msg("%u were run, results of %u compared; %u logs were longer than %d bytes\n",
		       stats->ran, stats->compared, stats->cut, LOG_SIZE);
	ksft_print_msg("%u have a changed instruction, %u no CAP_PERFMON, %u fragmented packets\n",
		       stats->tweaked, stats->no_perfmon, stats->frags);
	ksft_print_msg("a log has %llu bytes on average\n",
		       stats->log_bytes / (summary.programs ? summary.programs : 1));
	for (size_t i = 1; i < COUNT(stats->errnos); i++)
		if (stats->errnos[i])
			ksft_print_msg("  errno %zu: %u\n", i, stats->errnos[i]);
	report_reasons(summary.programs - summary.accepted);
	summary.ops_missing = report_ops();
	report_coverage(stats->reason, stats->reasons, &summary);
	return summary;
}
