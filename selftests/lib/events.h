/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events of perf that run a BPF program. Hardware breakpoints in the kernel: at any instruction,
 * also where no probe may be, and without changing code that runs. Their exception is of the kind
 * of an NMI. Clocks: in interrupts.
 */
#ifndef EVENTS_H
#define EVENTS_H

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ksft.h"

#define EVENT_CPUS 8

/*
 * While there are events of threads, and a second longer, the kernel's scheduler has code for them.
 * One that stays as long as the process keeps it from being changed with each: scripts/vm, -j.
 */
static inline void keep_scheduler(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
	};
	static int fd = -1;

	if (fd < 0)
		fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		ksft_exit_fail_msg("event of nothing: %s\n", strerror(errno));
}

/* Opens an event that runs @prog: for thread @pid or, if that is -1, for all on @cpu. */
static inline int open_event(struct perf_event_attr *attr, int pid, int cpu,
			     const struct bpf_program *prog)
{
	int fd;

	if (pid != -1)
		keep_scheduler();
	attr->size = sizeof(*attr);
	fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, bpf_program__fd(prog)))
		ksft_exit_fail_msg("event %u at %llx: %s\n", attr->type,
				   (unsigned long long)attr->bp_addr, strerror(errno));
	return fd;
}

static inline int open_breakpoint(unsigned long long address, int pid, int cpu,
				  const struct bpf_program *prog)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.sample_period = 1,
		.bp_type = HW_BREAKPOINT_X,
		.bp_addr = address,
		.bp_len = sizeof(long),
		.exclude_user = 1,
	};

	return open_event(&attr, pid, cpu, prog);
}

static inline int event_cpus(void)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return cpus < EVENT_CPUS ? cpus : EVENT_CPUS;
}

/* The address of a kernel function, 0 if there is none. */
static inline unsigned long long address_of(const char *name)
{
	unsigned long long address, found = 0;
	FILE *file = fopen("/proc/kallsyms", "r");
	char symbol[64];

	if (!file)
		ksft_exit_fail_msg("/proc/kallsyms: %s\n", strerror(errno));
	while (!found && fscanf(file, "%llx %*c %63[^ \t\n]%*[^\n]", &address, symbol) == 2)
		if (!strcmp(symbol, name))
			found = address;
	fclose(file);
	return found;
}

/* At the entry of a kernel function, on all CPUs. */
static inline void open_breakpoints(int *fds, const char *function, const struct bpf_program *prog)
{
	unsigned long long address = address_of(function);

	for (int cpu = 0; cpu < event_cpus(); cpu++)
		fds[cpu] = open_breakpoint(address, -1, cpu, prog);
}

/* A clock of 1000 Hz on @cpu. */
static inline int open_clock(int cpu, const struct bpf_program *prog)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = 1000000,
	};

	return open_event(&attr, -1, cpu, prog);
}

static inline void close_events(const int *fds)
{
	for (int cpu = 0; cpu < event_cpus(); cpu++)
		close(fds[cpu]);
}

#endif
