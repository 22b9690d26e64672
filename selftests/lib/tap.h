/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TAP for the runners here: one line a test on stdout, the plan at the end, diagnostics as
 * comments.
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define __printf(a, b) __attribute__((format(printf, a, b)))
#define __noreturn __attribute__((noreturn))
/* Of elements. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int tap_count;
static int tap_failed;

/* A comment line. */
__printf(1, 2) static inline void tap_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("# ");
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
}

/* The result of one test, named by the format. Returns @ok. */
__printf(2, 3) static inline bool tap_ok(bool ok, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("%sok %d - ", ok ? "" : "not ", ++tap_count);
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
	tap_failed += !ok;
	return ok;
}

/* Ends the run when it cannot go on. */
__printf(1, 2) __noreturn static inline void tap_bail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("Bail out! ");
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
	exit(1);
}

/* The plan; returns the exit status. */
static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
