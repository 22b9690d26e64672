/* SPDX-License-Identifier: GPL-2.0 */
/* Allocations that fail on demand: kmod/failnth.c, which says what the parameters mean. */
#ifndef FAILNTH_H
#define FAILNTH_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "insert.h"
#include "ksft.h"

#define FAILNTH_WHERE 4096

static inline void failnth_set(const char *name, int number)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), "/sys/module/failnth/parameters/%s", name);
	snprintf(text, sizeof(text), "%d", number);
	if (write_file(path, text))
		ksft_exit_fail_msg("cannot set %s of failnth\n", name);
}

/* A parameter's text into @text, @size long; its length. */
static inline size_t failnth_get(const char *name, char *text, size_t size)
{
	char path[128];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/sys/module/failnth/parameters/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, text, size - 1);
	if (length < 0)
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	close(fd);
	text[length] = 0;
	return length;
}

/* The call stack of what failed into @text, FAILNTH_WHERE long. Whether anything did. */
static inline bool failnth_where(char *text)
{
	return failnth_get("where", text, FAILNTH_WHERE) > 0;
}

/* How many failed. */
static inline unsigned int failnth_failed(void)
{
	char text[16];

	failnth_get("failed", text, sizeof(text));
	return strtoul(text, NULL, 10);
}

/* Loads the module @ko, for this thread, with parameters. */
__printf(2, 3) static inline void failnth_start(const char *ko, const char *format, ...)
{
	char command[512];
	va_list args;
	int at;

	at = snprintf(command, sizeof(command), "insmod %s task=%d ", ko,
		      (int)syscall(SYS_gettid));
	va_start(args, format);
	vsnprintf(command + at, sizeof(command) - at, format, args);
	va_end(args);
	if (system(command))
		ksft_exit_fail_msg("%s does not load\n", ko);
}

static inline void failnth_stop(void)
{
	if (system("rmmod failnth"))
		ksft_exit_fail_msg("failnth does not unload\n");
}

#endif
