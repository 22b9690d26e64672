/* SPDX-License-Identifier: GPL-2.0 */
/* Loading and removing the module by this very thread, and whether the kernel is as before. */
#ifndef INSERT_H
#define INSERT_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control.h"
#include "ksft.h"

#define STATE_SIZE 0x10000
#define LIVEPATCH "/sys/kernel/livepatch/rust_dynptr"

/* Writes @text to a file: 0 or an errno. */
static inline int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

/* finit_module(): 0 or an errno. */
static inline int module_insert(const char *ko, const char *parameters)
{
	int fd = open(ko, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		ksft_exit_fail_msg("%s: %s\n", ko, strerror(errno));
	if (syscall(SYS_finit_module, fd, parameters, 0))
		err = errno;
	close(fd);
	return err;
}

/* delete_module() without waiting: 0 or an errno. */
static inline int module_remove(void)
{
	return syscall(SYS_delete_module, "rust_dynptr", O_NONBLOCK) ? errno : 0;
}

static inline int module_references(void)
{
	FILE *file = fopen("/sys/module/rust_dynptr/refcnt", "r");
	int count = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%d", &count) != 1)
		count = -1;
	fclose(file);
	return count;
}

/* Whether the module has @count references within some seconds: programs and maps go late. */
static inline bool module_references_become(int count)
{
	for (int i = 0; i < 500; i++) {
		if (module_references() == count)
			return true;
		usleep(10000);
	}
	return false;
}

/* Ends the module's livepatch and waits for it, a minute at most. Whether it is gone. */
static inline bool livepatch_end(void)
{
	for (int i = 0; i < 600 && !access(LIVEPATCH, F_OK); i++) {
		/* Refused while it is on its way. */
		write_file(LIVEPATCH "/enabled", "0");
		usleep(100000);
	}
	return access(LIVEPATCH, F_OK);
}

/* Whether the stack of a task that does not run now has @text. */
static inline bool task_stack_has(int tid, const char *text)
{
	char path[64], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stack", tid);
	file = fopen(path, "r");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		found |= !!strstr(line, text);
	fclose(file);
	return found;
}

/* Whether a task sleeps in the module now. */
static inline bool task_is_in_module_now(int tid)
{
	return task_stack_has(tid, "[rust_dynptr]");
}

/* The same, soon. */
static inline bool task_is_in_module(int tid)
{
	for (int i = 0; i < 200; i++) {
		if (task_is_in_module_now(tid))
			return true;
		usleep(10000);
	}
	return false;
}

/* Loads @ko with @parameters, or unloads the module if it is NULL, in a process of its own. */
static inline pid_t change_start(const char *ko, const char *parameters)
{
	pid_t pid = fork();

	if (!pid)
		_exit((ko ? control_load(ko, parameters) : control_unload()) ? 1 : 0);
	return pid;
}

/* How long it takes when nobody has to be waited for, in microseconds: a test may measure it. */
static useconds_t change_takes;

/* Whether it is still at it when it should be through. */
static inline bool change_waits(pid_t pid)
{
	usleep(1000000 + 2 * change_takes);
	return waitpid(pid, NULL, WNOHANG) == 0 && !access("/sys/module/rust_dynptr", F_OK);
}

/* Whether it ends well, and the module is there if it was to be loaded. */
static inline bool change_ends(pid_t pid, const char *ko)
{
	int status = -1;

	return waitpid(pid, &status, 0) == pid && !status &&
	       !access("/sys/module/rust_dynptr", F_OK) == !!ko;
}

/* What state.sh says into @text, STATE_SIZE long. */
static inline void state_read(char *text)
{
	char command[1024];
	size_t length;
	FILE *tool;

	snprintf(command, sizeof(command), "'%s'", control_beside("scripts/lib/state.sh"));
	tool = popen(command, "r");
	length = tool ? fread(text, 1, STATE_SIZE - 1, tool) : 0;
	text[length] = 0;
	if (!tool || pclose(tool) || !length)
		ksft_exit_fail_msg("state.sh fails\n");
}

/* Whether the kernel is as @before; the first line that is not is a comment otherwise. */
static inline bool state_is(const char *before)
{
	static char now[STATE_SIZE];
	size_t i = 0, line = 0;

	state_read(now);
	if (!strcmp(before, now))
		return true;
	for (; before[i] && before[i] == now[i]; i++)
		if (before[i] == '\n')
			line = i + 1;
	ksft_print_msg("before: %.*s\n", (int)strcspn(before + line, "\n"), before + line);
	ksft_print_msg("now: %.*s\n", (int)strcspn(now + line, "\n"), now + line);
	return false;
}

#endif
