/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results in TAP for the runners here, by the names that the kernel's selftests have for it; as
 * there, the texts bring their own line ends. A program prints its header first, then its plan if
 * it knows how many results it will have; else ksft_finished() does.
 */
#ifndef KSFT_H
#define KSFT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define __printf(a, b) __attribute__((format(printf, a, b)))
#define __noreturn __attribute__((noreturn))
/* Of elements. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define KSFT_PASS 0
#define KSFT_FAIL 1
#define KSFT_SKIP 4

/* One for the whole program, which may be of several files. */
__attribute__((weak)) struct ksft_count {
	unsigned int planned, passed, failed, skipped;
} ksft_count;

static inline void ksft_print_header(void)
{
	printf("TAP version 13\n");
	fflush(stdout);
}

/* How many results there will be, before the first. */
static inline void ksft_set_plan(unsigned int count)
{
	ksft_count.planned = count;
	printf("1..%u\n", count);
	fflush(stdout);
}

/* The results so far. */
static inline unsigned int ksft_test_num(void)
{
	return ksft_count.passed + ksft_count.failed + ksft_count.skipped;
}

/* A comment. */
__printf(1, 2) static inline void ksft_print_msg(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("# ");
	vprintf(fmt, args);
	va_end(args);
	fflush(stdout);
}

/* The line of one more result, which one of the numbers has been raised for. */
__printf(2, 0) static inline void ksft_result_line(const char *verdict, const char *fmt,
						   va_list args)
{
	printf("%s %u - ", verdict, ksft_test_num());
	vprintf(fmt, args);
	fflush(stdout);
}

/* The result of one test, named by the format. Returns @ok. */
__printf(2, 3) static inline bool ksft_test_result(bool ok, const char *fmt, ...)
{
	va_list args;

	*(ok ? &ksft_count.passed : &ksft_count.failed) += 1;
	va_start(args, fmt);
	ksft_result_line(ok ? "ok" : "not ok", fmt, args);
	va_end(args);
	return ok;
}

#define ksft_test_result_pass(...) ksft_test_result(true, __VA_ARGS__)
#define ksft_test_result_fail(...) ksft_test_result(false, __VA_ARGS__)

/* What cannot be tested here, and why: "NAME # SKIP WHY" in the kernel's words is WHY alone. */
__printf(1, 2) static inline void ksft_test_result_skip(const char *fmt, ...)
{
	va_list args;

	ksft_count.skipped++;
	printf("ok %u # SKIP ", ksft_test_num());
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	fflush(stdout);
}

/* Ends the program when it cannot go on. */
__printf(1, 2) __noreturn static inline void ksft_exit_fail_msg(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("Bail out! ");
	vprintf(fmt, args);
	va_end(args);
	exit(KSFT_FAIL);
}

/* Ends the program, which cannot test anything here. */
__printf(1, 2) __noreturn static inline void ksft_exit_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("1..0 # SKIP ");
	vprintf(fmt, args);
	va_end(args);
	exit(KSFT_SKIP);
}

/* Ends the program: the plan if there was none, and whether all went well. */
__noreturn static inline void ksft_finished(void)
{
	unsigned int results = ksft_test_num();

	if (!ksft_count.planned)
		printf("1..%u\n", results);
	else if (ksft_count.planned != results)
		printf("# %u results, not %u as planned\n", results, ksft_count.planned);
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:%u error:0\n", ksft_count.passed,
	       ksft_count.failed, ksft_count.skipped);
	exit(ksft_count.failed || (ksft_count.planned && ksft_count.planned != results) ?
		     KSFT_FAIL : KSFT_PASS);
}

#endif
