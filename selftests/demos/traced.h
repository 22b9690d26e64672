/* SPDX-License-Identifier: GPL-2.0 */
/* A command whose processes are traced by their cgroup, and whose events come in ring buffers. */
#ifndef TRACED_H
#define TRACED_H

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char traced_cgroup[64];

static inline void traced_remove_cgroup(void)
{
	rmdir(traced_cgroup);
}

/* Makes a cgroup for the command. Returns its id as BPF programs see it, 0 for an error (errno). */
static inline unsigned long long traced_make_cgroup(void)
{
	struct stat st;

	snprintf(traced_cgroup, sizeof(traced_cgroup), "/sys/fs/cgroup/rust_dynptr.%d", getpid());
	if (mkdir(traced_cgroup, 0755) || stat(traced_cgroup, &st))
		return 0;
	atexit(traced_remove_cgroup);
	return st.st_ino;
}

/* Starts @argv in the cgroup. Returns its process, -1 for an error (errno). */
static inline pid_t traced_start(char **argv)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int fd = open(traced_cgroup, O_PATH | O_CLOEXEC);
	pid_t pid;

	if (fd < 0)
		return -1;
	args.cgroup = fd;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	close(fd);
	return pid;
}

/* Consumes until the process has ended and all rings are empty; 0 or a negative errno. */
static inline int traced_consume(struct ring_buffer *rings, pid_t pid, int *status)
{
	bool ended = false;
	int n;

	for (;;) {
		n = ring_buffer__poll(rings, ended ? 0 : 100);
		if (n < 0 && n != -EINTR)
			return n;
		if (ended && n <= 0)
			return 0;
		if (!ended && waitpid(pid, status, WNOHANG) == pid)
			ended = true;
	}
}

/* A wait status as a shell has it. */
static inline int traced_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

#endif
