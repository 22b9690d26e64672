// SPDX-License-Identifier: GPL-2.0
/*
 * removal KO: the module comes and goes while somebody has what it serves in hand: a ring that is
 * mapped and waited for by epoll_wait(), and a program that is being verified, whose task sleeps in
 * the module as it writes the log to memory that is not there.
 */
#include <pthread.h>
#include <sys/epoll.h>

#include "absent.h"
#include "insert.h"
#include "insns.h"
#include "ringuser.h"

#define RING_BYTES 4096
#define LOG_BYTES 4096
/* The page that is not there, behind one that is. */
#define ABSENT 1
/* The debug kernel unloads in half a minute. */
#define WAIT_MS 120000L

static struct ring ring;

/* Waits for a record; the argument is the time it may take, ms. */
static void *wait_for_record(void *limit)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	long got = -1;

	/* The livepatch core wakes tasks up to hurry them. */
	if (epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, ring.fd, &event))
		do
			got = epoll_wait(epoll, &event, 1, (long)limit);
		while (got < 0 && errno == EINTR);
	close(epoll);
	return (void *)got;
}

/* A program that is loaded now writes a record. Whether it is bound to Rust as it should. */
static bool produce(bool rust)
{
	struct insns insns = insns_of(BY_OUTPUT, ring.fd, -1);
	int fd = insns_load(&insns, BPF_PROG_TYPE_SOCKET_FILTER, 0, NULL, 0);
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	char packet[64] = {};
	bool right;

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	if (fd < 0 || bpf_prog_get_info_by_fd(fd, &info, &len))
		ksft_exit_fail_msg("a program cannot be loaded: %d\n", fd);
	right = control_is_bound(info.id) == rust && !bpf_prog_test_run_opts(fd, &opts);
	close(fd);
	return right;
}

/* Whether the next record is there, as the mapping shows it; takes it. */
static bool take(void)
{
	unsigned long long at = *ring.consumer;
	bool right = *ring.producer == at + 16 && ring_header(&ring, at) == 8 &&
		     ring.data[(at & (RING_BYTES - 1)) + 8] == 7;

	*ring.consumer = at + 16;
	return right;
}

/* One who waits while the module comes or goes, and is woken by the other side's program. */
static void wait_through(const char *ko, bool load)
{
	bool right, woken;
	pthread_t waiter;
	void *got;

	if (pthread_create(&waiter, NULL, wait_for_record, (void *)WAIT_MS))
		ksft_exit_fail_msg("no thread\n");
	usleep(500000);
	right = load ? !control_load(ko, "count=1") : !control_unload();
	right = right && produce(load);
	pthread_join(waiter, &got);
	woken = (long)got == 1;
	ksft_test_result(right && woken && take(),
			 "removal: %s while a ring is mapped and waited for: woken %d, the record is there\n",
			 load ? "loaded" : "unloaded", woken);
}

static void rings(const char *ko)
{
	__u32 id;

	for (int rust = 0; rust < 2; rust++) {
		if (rust && control_load(ko, "count=1"))
			ksft_exit_fail_msg("the module does not load\n");
		ring_map(&ring, ring_create(BPF_MAP_TYPE_RINGBUF, RING_BYTES, 0), RING_BYTES,
			 false);
		id = map_id(ring.fd);
		if (!rust)
			wait_through(ko, true);
		else
			ksft_test_result(hits_of("ringbuf_map_alloc") &&
					 hits_of("ringbuf_map_mmap_kern"),
					 "removal: a ring that Rust has made and mapped\n");
		wait_through(ko, false);
		close(ring.fd);
		ring_unmap(&ring);
		ksft_test_result(map_goes(id), "removal: the ring goes when the module is gone\n");
	}
}

/* Somebody who loads a program. */
struct load {
	pthread_t thread;
	volatile int tid;
	char *log;
	int err;
};

/* A program that our part of the verifier refuses: it gives back a dynptr that it has not got. */
static void *load_refused(void *argument)
{
	struct load *load = argument;
	struct insns insns = { .name = "refused" };

	put_stack(&insns, 1, -16);
	put_imm(&insns, 2, 0);
	put_call(&insns, BPF_FUNC_ringbuf_submit_dynptr);
	put_return(&insns, 0);
	load->tid = syscall(SYS_gettid);
	load->err = -insns_load(&insns, BPF_PROG_TYPE_SOCKET_FILTER, 0, load->log, LOG_BYTES);
	return NULL;
}

/* The last line but the statistics: what the program is refused for. */
static size_t reason_in(const char *log)
{
	const char *reason = strstr(log, "Expected an initialized dynptr");

	if (!reason)
		ksft_exit_fail_msg("the program is refused otherwise: %s\n", log);
	return reason - log;
}

static bool is_changing(void)
{
	FILE *file = fopen(LIVEPATCH "/transition", "r");
	int changing = 0;

	if (!file)
		return false;
	if (fscanf(file, "%d", &changing) != 1)
		changing = 0;
	fclose(file);
	return changing;
}

/* Whether the livepatch begins to change, and is still at it after some time. */
static bool waits(pid_t pid)
{
	for (int i = 0; i < 300 && !is_changing(); i++)
		usleep(100000);
	return change_waits(pid) && is_changing();
}

/*
 * A task sleeps in the verifier, in C or in Rust, until the page comes that its log goes to; @load
 * says what happens meanwhile.
 */
static void verify_through(const char *ko, bool load, const char *log)
{
	/* In the midst of the reason: the byte behind what comes before it is written as well. */
	size_t written = reason_in(log) + 8;
	struct load sleeper = { .log = (char *)absent.pages + ABSENT * PAGE - written };
	bool asleep, in_rust, waited;
	pid_t pid;

	absent_bring(0, 0);
	/* insns_load() clears the first byte, which must be there. */
	pthread_create(&sleeper.thread, NULL, load_refused, &sleeper);
	asleep = absent_wait(1) == 1;
	in_rust = task_is_in_module(sleeper.tid);
	pid = change_start(load ? ko : NULL, "count=1");
	waited = waits(pid);
	ksft_print_msg("asleep %d, in Rust %d, waited for %d\n", asleep, in_rust, waited);
	ksft_test_result(asleep && in_rust == !load && waited,
			 "removal: a task sleeps in the verifier, in %s: the module waits for it to be %s\n",
			 load ? "C" : "Rust", load ? "loaded" : "unloaded");
	absent_bring(ABSENT, 0);
	pthread_join(sleeper.thread, NULL);
	ksft_test_result(sleeper.err == EINVAL && change_ends(pid, load ? ko : NULL),
			 "removal: it goes on, refuses the program, and then the module is %s\n",
			 load ? "loaded" : "unloaded");
	madvise(absent.pages, 2 * PAGE, MADV_DONTNEED);
}

int main(int argc, char **argv)
{
	static char before[STATE_SIZE], log[LOG_BYTES];
	struct load plain = { .log = log };

	if (argc != 2) {
		fprintf(stderr, "usage: removal KO\n");
		return 2;
	}
	ksft_print_header();
	state_read(before);
	rings(argv[1]);
	absent_make(2);
	load_refused(&plain);
	verify_through(argv[1], true, log);
	verify_through(argv[1], false, log);
	ksft_test_result(state_is(before), "removal: the kernel is as before\n");
	ksft_finished();
}
