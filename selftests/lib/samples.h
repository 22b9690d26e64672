/* SPDX-License-Identifier: GPL-2.0 */
/* Figures of a benchmark, as JSON: a group of results, in the form of scripts/bench/run. */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ksft.h"

#define MAX_SAMPLES 16

/* Of one thing: what each round of measurements came to. */
struct samples {
	double value[MAX_SAMPLES];
	int count;
};

static inline void sample_add(struct samples *s, double value)
{
	if (s->count < MAX_SAMPLES)
		s->value[s->count++] = value;
}

static inline double sample_least(const struct samples *s)
{
	double least = s->count ? s->value[0] : 0;

	for (int i = 1; i < s->count; i++)
		if (s->value[i] < least)
			least = s->value[i];
	return least;
}

static inline double sample_most(const struct samples *s)
{
	double most = 0;

	for (int i = 0; i < s->count; i++)
		if (s->value[i] > most)
			most = s->value[i];
	return most;
}

static inline double sample_mean(const struct samples *s)
{
	double sum = 0;

	for (int i = 0; i < s->count; i++)
		sum += s->value[i];
	return s->count ? sum / s->count : 0;
}

/* Adds @s to @sum, round by round. */
static inline void samples_sum(struct samples *sum, const struct samples *s)
{
	for (int i = 0; i < s->count; i++)
		sum->value[i] = (i < sum->count ? sum->value[i] : 0) + s->value[i];
	if (s->count > sum->count)
		sum->count = s->count;
}

static inline void samples_print(FILE *json, const char *name, const struct samples *s)
{
	fprintf(json, ", \"%s\": [", name);
	for (int i = 0; i < s->count; i++)
		fprintf(json, "%s%.2f", i ? ", " : "", s->value[i]);
	fprintf(json, "]");
}

static inline FILE *samples_open(const char *path, const char *group, const char *unit)
{
	FILE *json = fopen(path, "w");

	if (!json)
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	fprintf(json, "{\"group\": \"%s\", \"unit\": \"%s\", \"results\": [", group, unit);
	return json;
}

/* A result; without @c, what is not compared. @first: of its group. */
static inline void samples_result(FILE *json, bool first, const char *name, const char *against,
				  const struct samples *c, const struct samples *rust)
{
	fprintf(json, "%s\n  {\"name\": \"%s\"", first ? "" : ",", name);
	if (against)
		fprintf(json, ", \"against\": \"%s\"", against);
	if (c) {
		samples_print(json, "c", c);
		fprintf(json, ", \"ratio\": %.4f, \"low\": %.4f, \"high\": %.4f",
			sample_mean(rust) / sample_mean(c), sample_least(rust) / sample_most(c),
			sample_most(rust) / sample_least(c));
	}
	samples_print(json, "rust", rust);
	fprintf(json, "}");
}

static inline void samples_close(FILE *json)
{
	fprintf(json, "\n]}\n");
	fclose(json);
}

#endif
