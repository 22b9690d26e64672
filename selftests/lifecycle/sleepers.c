// SPDX-License-Identifier: GPL-2.0
/*
 * sleepers KO PART [CYCLES [PARAMETER]]: the module is unloaded while tasks sleep in its functions.
 *
 *   file  BPF programs that no one holds the module for, in bpf_dynptr_read(), _slice() and
 *         _copy() of a file that does not answer: rmmod must not end before they do.
 *   user  bound programs, in bpf_copy_from_user_dynptr() of memory that is not there: the module
 *         must be held, even when the program is detached and closed while it sleeps.
 *   refused  the same in bpf_dynptr_read(), while a load that is refused tries one function after
 *         the other: it must not end before they do.
 *   maps  system calls, in the map operations, which sleep there as a module that was built for
 *         tests lets them: for longer than the module takes to go.
 *
 * With PARAMETER nowait=1, which such a module has, it does not wait: then the kernel oopses. That
 * is the negative control.
 */
#include <bpf/libbpf.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "absent.h"
#include "sleepers.h"
#include "fuse.h"
#include "insert.h"
#include "ringuser.h"
#include "sleepers.skel.h"

#define MOUNT "/tmp/sleepers"
#define THREADS 3

/* A thread that calls something that sleeps. */
struct sleeper {
	pthread_t thread;
	atomic_int tid;
	int fd;
	unsigned int command;
	unsigned long argument;
	struct sleepers_copy copy;
	bool failed;
};

static struct sleepers_bpf *skel;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/*
 * Loads the module and ends its livepatch: else that would wait for who has a BPF program on the
 * stack, and what is to be tested would not be reached.
 */
static void load_without_livepatch(const char *ko, const char *parameters)
{
	if (control_load(ko, parameters))
		ksft_exit_fail_msg("the module does not load\n");
	if (!livepatch_end() || !module_references_become(0))
		ksft_exit_fail_msg("the livepatch does not end\n");
}

static void *read_file(void *argument)
{
	struct sleeper *sleeper = argument;

	sleeper->tid = syscall(SYS_gettid);
	/* The program does its work before the call fails. */
	ioctl(sleeper->fd, sleeper->command, sleeper->argument);
	return NULL;
}

/* Sleepers in a file, by programs that do not hold the module; waits until they sleep in Rust. */
static int start_readers(struct sleeper *sleepers, int fd, int cycle)
{
	int in_module = 0;

	fuse_keep();
	for (int i = 0; i < THREADS; i++) {
		memset(&skel->bss->results[i], 0, sizeof(skel->bss->results[i]));
		sleepers[i] = (struct sleeper){
			.fd = fd,
			.command = SLEEPERS_READ + i % 3,
			.argument = (cycle * THREADS + i + 1) * 4096UL | i,
		};
		if (pthread_create(&sleepers[i].thread, NULL, read_file, &sleepers[i]))
			ksft_exit_fail_msg("pthread_create: %s\n", strerror(errno));
	}
	for (int i = 0; i < 500 && fuse_test.count < THREADS; i++)
		usleep(10000);
	for (int i = 0; i < THREADS; i++)
		in_module += task_is_in_module(sleepers[i].tid);
	return in_module;
}

static void file_cycle(const char *ko, const char *parameters, int fd, int cycle)
{
	struct sleeper sleepers[THREADS];
	int in_module, right = 0;
	bool waited, gone;
	pid_t pid;

	load_without_livepatch(ko, parameters);
	in_module = start_readers(sleepers, fd, cycle);
	pid = change_start(NULL, NULL);
	waited = change_waits(pid);
	fuse_release();
	for (int i = 0; i < THREADS; i++) {
		const struct sleepers_result *result = &skel->bss->results[i];

		pthread_join(sleepers[i].thread, NULL);
		right += result->done == 1 && !result->ret &&
			 result->value == (sleepers[i].argument & ~0xfffUL);
	}
	gone = change_ends(pid, NULL);
	ksft_test_result(in_module == THREADS && waited && right == THREADS && gone,
			 "sleepers: file: %d of %d asleep in Rust; rmmod waited: %d; %d read what is there\n",
			 in_module, THREADS, waited, right);
}

/* Seconds on a kernel with many checks. */
static void measure_change(const char *ko, const char *parameters)
{
	double start;

	load_without_livepatch(ko, parameters);
	start = seconds();
	if (!change_ends(change_start(NULL, NULL), NULL))
		ksft_exit_fail_msg("the module cannot be unloaded\n");
	change_takes = (seconds() - start) * 1e6;
}

static void part_file(const char *ko, const char *parameters, int cycles)
{
	struct bpf_link *link;
	int fd;

	measure_change(ko, parameters);
	fuse_mount(MOUNT);
	link = bpf_program__attach(skel->progs.read_file);
	fd = open(MOUNT "/file", O_RDONLY);
	if (!link || fd < 0)
		ksft_exit_fail_msg("reader: %s\n", strerror(errno));
	for (int i = 0; i < cycles; i++)
		file_cycle(ko, parameters, fd, i);
	bpf_link__destroy(link);
	close(fd);
	umount2(MOUNT, MNT_DETACH);
}

/* Somebody on a function of ours, so that the module is refused. */
static pid_t start_fentry(void)
{
	int link[2];
	char said;
	pid_t pid;

	if (pipe(link))
		ksft_exit_fail_msg("pipe: %s\n", strerror(errno));
	pid = fork();
	if (!pid) {
		dup2(link[1], 1);
		execl(control_beside("fentry"), "fentry", "600", "bpf_dynptr_is_null", NULL);
		_exit(1);
	}
	/* It says that it is attached. */
	if (read(link[0], &said, 1) != 1)
		ksft_exit_fail_msg("no fentry program\n");
	return pid;
}

/* Whether the load was refused. */
static bool was_refused(pid_t pid)
{
	int status = 0;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1 &&
	       access("/sys/module/rust_dynptr", F_OK);
}

static atomic_bool enough;

static void *read_on(void *argument)
{
	struct sleeper *sleeper = argument;

	sleeper->tid = syscall(SYS_gettid);
	for (unsigned long i = 1; !atomic_load(&enough); i++)
		ioctl(sleeper->fd, SLEEPERS_READ, i * 4096UL);
	return NULL;
}

/* Lets the reader go on until it sleeps in Rust, while @load goes on. */
static bool catch_in_module(const struct sleeper *reader, pid_t load)
{
	while (!waitpid(load, NULL, WNOHANG)) {
		fuse_keep();
		for (int i = 0; i < 50 && !fuse_test.count; i++)
			usleep(200);
		if (fuse_test.count && task_is_in_module_now(reader->tid))
			return true;
		fuse_release();
	}
	return false;
}

/* One load in ten at least lasts long enough in the right function. */
static void refused_cycle(const char *ko, const char *parameters, struct sleeper *reader)
{
	bool caught = false, waits, refused;
	pid_t load = -1;

	for (int i = 0; i < 10 && !caught; i++) {
		load = change_start(ko, parameters);
		caught = catch_in_module(reader, load);
	}
	waits = caught && change_waits(load);
	fuse_release();
	refused = caught && was_refused(load);
	ksft_test_result(caught && waits && refused,
			 "sleepers: refused: asleep in Rust: %d; the load waited: %d; and was refused: %d\n",
			 caught, waits, refused);
}

static void part_refused(const char *ko, const char *parameters, int cycles)
{
	struct sleeper reader = {};
	pid_t fentry = start_fentry();
	struct bpf_link *link;
	double start = seconds();

	if (!was_refused(change_start(ko, parameters)))
		ksft_exit_fail_msg("the module is not refused\n");
	change_takes = (seconds() - start) * 1e6;
	fuse_mount(MOUNT);
	link = bpf_program__attach(skel->progs.read_file);
	reader.fd = open(MOUNT "/file", O_RDONLY);
	if (!link || reader.fd < 0 || pthread_create(&reader.thread, NULL, read_on, &reader))
		ksft_exit_fail_msg("reader: %s\n", strerror(errno));
	for (int i = 0; i < cycles; i++)
		refused_cycle(ko, parameters, &reader);
	atomic_store(&enough, true);
	pthread_join(reader.thread, NULL);
	bpf_link__destroy(link);
	close(reader.fd);
	umount2(MOUNT, MNT_DETACH);
	kill(fentry, SIGKILL);
	waitpid(fentry, NULL, 0);
}

static void *copy_user(void *argument)
{
	struct sleeper *sleeper = argument;

	/* What the program writes comes back there, too. */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &sleeper->copy,
		    .ctx_size_in = sizeof(sleeper->copy));

	sleeper->tid = syscall(SYS_gettid);
	sleeper->failed = bpf_prog_test_run_opts(sleeper->fd, &opts);
	return NULL;
}

static void *call_getpgid(void *argument)
{
	struct sleeper *sleeper = argument;

	sleeper->tid = syscall(SYS_gettid);
	syscall(SYS_getpgid, 0);
	return NULL;
}

static struct sleepers_bpf *load_programs(void)
{
	struct sleepers_bpf *new = sleepers_bpf__open_and_load();

	if (!new)
		ksft_exit_fail_msg("cannot load sleepers.bpf.o: %s\n", strerror(errno));
	new->bss->monitored = getpid();
	return new;
}

/* Asleep in a program run by system call, and in one that is attached: that goes meanwhile. */
static void user_cycle(const char *ko, const char *parameters)
{
	struct sleeper sleepers[THREADS] = {};
	struct sleepers_bpf *bound;
	int faults, in_module = 0, held, right = 0;
	struct bpf_link *link;

	madvise(absent.pages, THREADS * PAGE, MADV_DONTNEED);
	load_without_livepatch(ko, parameters);
	bound = load_programs();
	bound->bss->attached_address = (unsigned long)absent.pages;
	link = bpf_program__attach(bound->progs.copy_attached);
	if (!link)
		ksft_exit_fail_msg("attach: %s\n", strerror(errno));
	for (int i = 0; i < THREADS; i++) {
		sleepers[i].fd = bpf_program__fd(bound->progs.copy_user);
		sleepers[i].copy.address = (unsigned long)absent.pages + i * PAGE;
		if (pthread_create(&sleepers[i].thread, NULL, i ? copy_user : call_getpgid,
				   &sleepers[i]))
			ksft_exit_fail_msg("pthread_create: %s\n", strerror(errno));
	}
	faults = absent_wait(THREADS);
	for (int i = 0; i < THREADS; i++)
		in_module += task_is_in_module(sleepers[i].tid);
	/* Nobody but those who sleep know the programs now. */
	bpf_link__destroy(link);
	sleepers_bpf__destroy(bound);
	usleep(1000000);
	held = module_references();
	ksft_test_result(faults == THREADS && in_module == THREADS && held == 2,
			 "sleepers: user: %d of %d asleep in Rust; 2 programs hold %d references\n",
			 in_module, THREADS, held);
	for (int i = 0; i < THREADS; i++)
		absent_bring(i, 1000 + i);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(sleepers[i].thread, NULL);
		right += i && !sleepers[i].failed && !sleepers[i].copy.ret &&
			 sleepers[i].copy.value == 1000ULL + i;
	}
	/* At once, while the programs are on their way out. */
	module_references_become(0);
	ksft_test_result(right == THREADS - 1 && !control_unload(),
			 "sleepers: user: %d copied what is there; then the module goes\n", right);
}

static void part_user(const char *ko, const char *parameters, int cycles)
{
	absent_make(THREADS);
	for (int i = 0; i < cycles; i++)
		user_cycle(ko, parameters);
}

/* What the children do until they are killed: each a map operation, over and over. */
static void create_maps(void)
{
	close(ring_create(BPF_MAP_TYPE_RINGBUF, 4096, 0));
}

static void poll_map(void)
{
	static struct pollfd poll_fd = { .events = POLLIN };

	if (!poll_fd.fd)
		poll_fd.fd = ring_create(BPF_MAP_TYPE_RINGBUF, 4096, 0);
	poll(&poll_fd, 1, 0);
}

static void poll_user_map(void)
{
	static struct pollfd poll_fd = { .events = POLLOUT };

	if (!poll_fd.fd)
		poll_fd.fd = ring_create(BPF_MAP_TYPE_USER_RINGBUF, 4096, 0);
	poll(&poll_fd, 1, 0);
}

static void map_map(void)
{
	static int fd;

	if (!fd)
		fd = ring_create(BPF_MAP_TYPE_RINGBUF, 4096, 0);
	munmap(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0), PAGE);
}

static void map_user_map(void)
{
	static int fd;

	if (!fd)
		fd = ring_create(BPF_MAP_TYPE_USER_RINGBUF, 4096, 0);
	munmap(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0), PAGE);
}

static void show_map(void)
{
	static int fd;

	if (!fd)
		fd = ring_create(BPF_MAP_TYPE_RINGBUF, 4096, 0);
	mem_usage(fd);
}

static void (*const doings[])(void) = {
	create_maps, poll_map, poll_user_map, map_map, map_user_map, show_map,
};

static void maps_cycle(const char *ko, const char *parameters, const pid_t *pids, useconds_t rest)
{
	int in_module = 0;
	double start;
	int status;

	if (control_load(ko, parameters))
		ksft_exit_fail_msg("the module does not load\n");
	usleep(700000);
	for (size_t i = 0; i < COUNT(doings); i++)
		in_module += task_is_in_module(pids[i]);
	start = seconds();
	status = control_unload();
	ksft_test_result(in_module >= (int)COUNT(doings) - 2 && !status,
			 "sleepers: maps: %d of %zu asleep in Rust; rmmod took %.1f s\n", in_module,
			 COUNT(doings), seconds() - start);
	/* Long enough for those who would have woken up in what is no more. */
	usleep(rest);
}

static void part_maps(const char *ko, const char *parameters, int cycles)
{
	pid_t pids[COUNT(doings)];
	useconds_t linger;
	char with[256];
	int alive = 0;

	measure_change(ko, parameters);
	linger = 300000 + 2 * change_takes;
	snprintf(with, sizeof(with), "%s linger=%u", parameters, linger / 1000);
	for (size_t i = 0; i < COUNT(doings); i++) {
		pids[i] = fork();
		while (!pids[i]) {
			doings[i]();
			usleep(1000);
		}
	}
	for (int i = 0; i < cycles; i++)
		maps_cycle(ko, with, pids, linger + 400000);
	for (size_t i = 0; i < COUNT(doings); i++) {
		alive += !waitpid(pids[i], NULL, WNOHANG);
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	ksft_test_result(alive == COUNT(doings), "sleepers: maps: %d of %zu go on with C\n", alive,
			 COUNT(doings));
}

int main(int argc, char **argv)
{
	const char *parameters = argc > 4 ? argv[4] : "";
	int cycles = argc > 3 ? atoi(argv[3]) : 2;

	if (argc < 3) {
		fprintf(stderr, "usage: sleepers KO file|refused|user|maps [CYCLES [PARAMETER]]\n");
		return 2;
	}
	ksft_print_header();
	skel = load_programs();
	if (!strcmp(argv[2], "file"))
		part_file(argv[1], parameters, cycles);
	else if (!strcmp(argv[2], "refused"))
		part_refused(argv[1], parameters, cycles);
	else if (!strcmp(argv[2], "user"))
		part_user(argv[1], parameters, cycles);
	else if (!strcmp(argv[2], "maps"))
		part_maps(argv[1], parameters, cycles);
	sleepers_bpf__destroy(skel);
	ksft_finished();
}
