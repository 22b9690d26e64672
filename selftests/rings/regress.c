// SPDX-License-Identifier: GPL-2.0
/*
 * regress KO: bugs that the C code once had, see selftests/rings/regressions.md: with C, and with
 * the module loaded, where the programs of C go on beside those of Rust.
 */
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

#include "regress.h"
#include "events.h"
#include "loader.h"
#include "regress.skel.h"
#include "ringuser.h"

#define SIDES 3	/* loads of the programs at most */
#define TASKS 2	/* of each side that produce */
#define SECONDS 1
#define EDGES 20000	/* records for the edge-triggered consumer */
#define EDGE_WAKEUPS 1000 /* it must be woken more often, */
#define EDGE_SECONDS 120 /* for which more are made, for so long */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

/* The programs of the list, and those that are always there. */
static struct regress_bpf *load_programs(const char *const *names, size_t count, int ring,
					 __u32 size)
{
	struct regress_bpf *skel = regress_bpf__open();

	if (!skel)
		ksft_exit_fail_msg("regress.bpf.o: %s\n", strerror(errno));
	for (size_t i = 0; i < count; i++)
		bpf_program__set_autoload(bpf_object__find_program_by_name(skel->obj, names[i]),
					  true);
	if (size)
		bpf_map__set_max_entries(skel->maps.ring, size);
	if (ring >= 0 && bpf_map__reuse_fd(skel->maps.ring, ring))
		ksft_exit_fail_msg("reuse of the ring: %s\n", strerror(errno));
	if (regress_bpf__load(skel))
		ksft_exit_fail_msg("cannot load regress.bpf.o: %s\n", strerror(errno));
	return skel;
}

static void run_once(struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) && errno != EINTR)
		ksft_exit_fail_msg("test run: %s\n", strerror(errno));
}

/* B1, B9: with the consumer's position set by user space. */
static void check_overlap(const char *name)
{
	static const char *const programs[] = { "take_twice", "take_too_much" };
	struct regress_bpf *skel = load_programs(programs, COUNT(programs), -1, 0x4000);
	bool good = true;
	struct ring ring;

	ring_map(&ring, bpf_map__fd(skel->maps.ring), 0x4000, false);
	for (unsigned long long pos = 0; pos < 0x10000; pos += 0x1000) {
		*ring.consumer = pos;
		run_once(skel->progs.take_too_much);
		good = good && !skel->bss->taken[0] && !skel->bss->taken[1] && !ring.producer[0];
	}
	ksft_test_result(good,
			 "regress: B1: %s: no record is larger than the ring, wherever the consumer is\n",
			 name);
	*ring.consumer = 0x3000;
	run_once(skel->progs.take_twice);
	ksft_test_result(skel->bss->taken[0] && !skel->bss->taken[1] && ring.producer[0] == 0x3008,
			 "regress: B9: %s: no record overlaps one that is not committed\n", name);
	ring_unmap(&ring);
	regress_bpf__destroy(skel);
}

/* Of each program of regress_verdicts.bpf.c with C, to compare. */
static char *logs[16];

struct verdicts {
	const char *side;
	size_t count;
};

/* Addresses and durations are not the same each time. */
static void neutralise(char *log)
{
	char *time = strstr(log, "verification time");

	for (char *at = log; (at = strstr(at, "0xffff"));)
		for (at += 2; *at && strchr("0123456789abcdef", *at); at++)
			*at = 'x';
	if (time)
		for (; *time && *time != '\n'; time++)
			*time = '-';
}

/* B3 to B6: as it says of itself, and with the same log on each side. */
static void check_verdict(const struct loader_spec *spec, void *context)
{
	bool right = loader_judge(spec, LOADER_PRIV), same;
	struct verdicts *verdicts = context;
	char **log = &logs[verdicts->count++];

	if (verdicts->count > COUNT(logs))
		ksft_exit_fail_msg("%s has more than %zu programs\n", spec->object, COUNT(logs));
	neutralise(loader_log);
	if (!*log)
		*log = strdup(loader_log);
	same = *log && !strcmp(loader_log, *log);
	if (!same)
		ksft_print_msg("logs differ: %.600s\n", loader_log);
	ksft_test_result(right && same, "regress: %s: %s: %s is %s, with the same log\n",
			 spec->description, verdicts->side, spec->name,
			 spec->verdicts[LOADER_PRIV].failure ? "refused" : "accepted");
	if (!right)
		loader_show();
}

/* B8: who frees a ring waits for its irq_work, each time: seen by a breakpoint. */
static void check_sync(const char *name)
{
	static const char *const programs[] = { "on_sync" };
	struct regress_bpf *watcher = load_programs(programs, 1, -1, 0);
	int fds[EVENT_CPUS], good = 0;

	open_breakpoints(fds, "irq_work_sync", watcher->progs.on_sync);
	for (int i = 0; i < 10; i++) {
		struct regress_bpf *skel = load_programs(NULL, 0, -1, 0);
		__u32 id = map_id(bpf_map__fd(skel->maps.ring));

		run_once(skel->progs.locate);
		watcher->bss->synced = 0;
		watcher->bss->watched = skel->bss->address;
		regress_bpf__destroy(skel);
		map_goes(id);
		for (int n = 0; n < 500 && !watcher->bss->synced; n++)
			usleep(10000);
		good += watcher->bss->synced == 1;
	}
	close_events(fds);
	regress_bpf__destroy(watcher);
	ksft_test_result(good == 10,
			 "regress: B8: %s: %d of 10 rings wait for their irq_work when freed\n",
			 name, good);
}

/* B8: rings that go while each context switch commits into them and asks for a wake-up. */
static void check_free_while_committing(const char *name)
{
	static const char *const programs[] = { "commit_to_inner" };
	struct regress_bpf *skel = load_programs(programs, 1, -1, 0);
	struct bpf_link *link = bpf_program__attach(skel->progs.commit_to_inner);
	double end = seconds() + SECONDS;
	unsigned int rings = 0;
	__u32 key = 0;

	if (!link)
		ksft_exit_fail_msg("attach: %s\n", strerror(errno));
	for (; rings <= 100 || seconds() < end; rings++) {
		int fd = ring_create(BPF_MAP_TYPE_RINGBUF, 4096, 0);

		if (fd < 0 || bpf_map_update_elem(bpf_map__fd(skel->maps.outer), &key, &fd, 0))
			ksft_exit_fail_msg("inner ring: %s\n", strerror(errno));
		close(fd);
		usleep(50);
	}
	bpf_link__destroy(link);
	regress_bpf__destroy(skel);
	ksft_test_result(rings > 100, "regress: B8: %s: %u rings go while they are written to\n",
			 name, rings);
}

/* What the consumer has seen of each side, context and CPU. */
struct seen {
	unsigned long long expected, gaps, count;
};

static struct seen seen[SIDES][REGRESS_CONTEXTS][REGRESS_CPUS];
static unsigned long long wrong;
static atomic_bool stop;

static int on_record(void *context, void *data, size_t size)
{
	const struct regress_record *record = data;
	struct seen *stream;

	if (size != sizeof(*record) || record->side >= SIDES ||
	    record->context >= REGRESS_CONTEXTS || record->cpu >= REGRESS_CPUS ||
	    record->check != regress_check(record)) {
		wrong++;
		return 0;
	}
	stream = &seen[record->side][record->context][record->cpu];
	/* A context that is interrupted by itself may make a later record first. */
	stream->count++;
	if (record->seq + 1 > stream->expected)
		stream->expected = record->seq + 1;
	return 0;
}

static void *run_task(void *argument)
{
	struct regress_bpf *skel = argument;

	while (!stop)
		run_once(skel->progs.task);
	return NULL;
}

/* Makes tasks wait for locks. */
static void *contend(void *argument)
{
	while (!stop) {
		void *at = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		munmap(at, 64 * PAGE);
	}
	return NULL;
}

static void *consume(void *argument)
{
	while (!stop)
		ring_buffer__poll(argument, 10);
	return NULL;
}

/* Attaches all programs of @skel that make records; clocks of 4000 Hz on each CPU. */
static void attach_contexts(struct regress_bpf *skel, int *clocks)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.freq = 1,
		.sample_freq = 4000,
	};

	skel->bss->records = 200;
	run_once(skel->progs.locate);
	skel->links.on_switch = bpf_program__attach(skel->progs.on_switch);
	skel->links.on_contention = bpf_program__attach(skel->progs.on_contention);
	if (!skel->links.on_switch || !skel->links.on_contention)
		ksft_exit_fail_msg("attach: %s\n", strerror(errno));
	for (int cpu = 0; cpu < event_cpus(); cpu++)
		clocks[cpu] = open_event(&attr, -1, cpu, skel->progs.on_clock);
}

static void detach_contexts(struct regress_bpf *skel, const int *clocks)
{
	close_events(clocks);
	bpf_link__destroy(skel->links.on_switch);
	bpf_link__destroy(skel->links.on_contention);
	skel->links.on_switch = NULL;
	skel->links.on_contention = NULL;
	/* Whoever is in one of them leaves it. */
	usleep(100000);
}

/* Sums of a side: every record was seen once, but those that were refused. */
static void check_streams(const char *name, const struct regress_bpf *skel)
{
	static const char *const names[] = { "tasks", "context switches", "contention", "clocks" };
	unsigned long long lost = 0, slow = 0, longest = 0, total = 0;
	bool all = true;

	for (int context = 0; context < REGRESS_CONTEXTS; context++) {
		unsigned long long count = 0, failed = 0;

		for (int cpu = 0; cpu < REGRESS_CPUS; cpu++) {
			const struct regress_stream *stream = &skel->bss->streams[context][cpu];
			const struct seen *got = &seen[skel->bss->side][context][cpu];

			count += got->count;
			failed += stream->failed;
			lost += stream->seq - stream->failed - got->count;
			slow += stream->slow;
			if (stream->longest > longest)
				longest = stream->longest;
		}
		ksft_print_msg("%s: side %u, %s: %llu records, %llu refused\n", name,
			       skel->bss->side, names[context], count, failed);
		all = all && count;
		total += count;
	}
	/* Under a hypervisor the kernel's locks are simpler and have no such event. */
	if (event_cpus() > 2 && system("grep -qw hypervisor /proc/cpuinfo"))
		all = all && skel->bss->own_contention;
	/* As long as a lock is waited for in vain, before it was seen that it cannot be had. */
	ksft_test_result(all && !lost && !wrong && slow * 1000 <= total,
			 "regress: B11, B12: %s: side %u: all contexts, %lld lost, %llu wrong, longest %llu us\n",
			 name, skel->bss->side, (long long)lost, wrong, longest / 1000);
	ksft_print_msg("%s: %llu took longer than 100 ms; %u waits for the ring's own lock\n", name,
		       slow, skel->bss->own_contention);
}

/*
 * B11, B12: any context produces into one ring, and interrupts those who do. Programs of @count
 * sides take part.
 */
static void check_contexts(const char *name, struct regress_bpf **sides, int count)
{
	int clocks[SIDES][EVENT_CPUS];
	struct ring_buffer *ring;
	pthread_t threads[SIDES * TASKS + 3];
	int n = 0;

	ring = ring_buffer__new(bpf_map__fd(sides[0]->maps.ring), on_record, NULL, NULL);
	if (!ring)
		ksft_exit_fail_msg("ring_buffer__new: %s\n", strerror(errno));
	ring_buffer__consume(ring);
	memset(seen, 0, sizeof(seen));
	wrong = 0;
	stop = false;
	for (int i = 0; i < count; i++) {
		memset(sides[i]->bss->streams, 0, sizeof(sides[i]->bss->streams));
		sides[i]->bss->side = i;
		attach_contexts(sides[i], clocks[i]);
	}
	if (pthread_create(&threads[n++], NULL, consume, ring) ||
	    pthread_create(&threads[n++], NULL, contend, NULL) ||
	    pthread_create(&threads[n++], NULL, contend, NULL))
		ksft_exit_fail_msg("pthread_create: %s\n", strerror(errno));
	for (int i = 0; i < count * TASKS; i++)
		if (pthread_create(&threads[n++], NULL, run_task, sides[i % count]))
			ksft_exit_fail_msg("pthread_create: %s\n", strerror(errno));
	usleep(SECONDS * 1000000);
	stop = true;
	while (n)
		pthread_join(threads[--n], NULL);
	for (int i = 0; i < count; i++)
		detach_contexts(sides[i], clocks[i]);
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	for (int i = 0; i < count; i++)
		check_streams(name, sides[i]);
}

struct edges {
	atomic_ullong wakeups;
	unsigned long long lost;
};

struct edge_producer {
	struct regress_bpf *skel;
	struct edges *edges;
};

/* An edge-triggered consumer that does not miss the producer by its own fault, as libbpf's may. */
static unsigned long long consume_edges(struct ring *ring, int epoll, struct edges *edges)
{
	unsigned long long pos = *ring->consumer, end, count = 0;
	struct epoll_event event;

	for (;;) {
		bool last = stop;

		if (epoll_wait(epoll, &event, 1, last ? 0 : 1000) > 0)
			edges->wakeups++;
		else if (__atomic_load_n(ring->producer, __ATOMIC_SEQ_CST) != pos)
			edges->lost++;
		else if (last)
			break;
		while ((end = __atomic_load_n(ring->producer, __ATOMIC_SEQ_CST)) != pos) {
			unsigned int header = ring_header(ring, pos);

			if (header & RING_BUSY)
				break;
			pos += ring_stride(header);
			count++;
			__atomic_store_n(ring->consumer, pos, __ATOMIC_SEQ_CST);
		}
	}
	return count;
}

/* Where all is slow, many records share a wake-up. */
static bool seldom_woken(const struct edges *edges, time_t end)
{
	return edges->wakeups <= EDGE_WAKEUPS && time(NULL) < end;
}

static void *produce_edges(void *argument)
{
	struct edge_producer *producer = argument;
	struct regress_bpf *skel = producer->skel;
	struct numbers numbers = { .state = 3 };
	time_t end = time(NULL) + EDGE_SECONDS;

	on_cpu(1);
	for (int i = 0; i < EDGES / 4 || seldom_woken(producer->edges, end); i++) {
		skel->bss->records = 4;
		skel->bss->pause = next_number(&numbers) % 300;
		run_once(skel->progs.task);
		/* Mostly the consumer goes to sleep meanwhile. */
		if (i % 4)
			usleep(10);
	}
	skel->bss->pause = 0;
	stop = true;
	return NULL;
}

/* B13: no wake-up is lost. */
static void check_edges(const char *name, struct regress_bpf *skel)
{
	int fd = bpf_map__fd(skel->maps.ring), epoll = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	unsigned long long count, made = 0;
	struct edges edges = {};
	struct edge_producer producer = { .skel = skel, .edges = &edges };
	pthread_t thread;
	struct ring ring;

	memset(skel->bss->streams, 0, sizeof(skel->bss->streams));
	ring_map(&ring, fd, 65536, false);
	*ring.consumer = ring.producer[0];
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		ksft_exit_fail_msg("epoll: %s\n", strerror(errno));
	stop = false;
	on_cpu(0);
	if (pthread_create(&thread, NULL, produce_edges, &producer))
		ksft_exit_fail_msg("pthread_create: %s\n", strerror(errno));
	count = consume_edges(&ring, epoll, &edges);
	pthread_join(thread, NULL);
	close(epoll);
	ring_unmap(&ring);
	for (int cpu = 0; cpu < REGRESS_CPUS; cpu++) {
		const struct regress_stream *stream = &skel->bss->streams[REGRESS_TASK][cpu];

		made += stream->seq - stream->failed;
	}
	ksft_test_result(count && count == made && edges.wakeups > EDGE_WAKEUPS && !edges.lost,
			 "regress: B13: %s: edge-triggered epoll: %llu of %llu records, %llu wake-ups, %llu lost\n",
			 name, count, made, edges.wakeups, edges.lost);
}

/* A task that waits in poll() when its ring's operations change hands. */
static void *wait_in_poll(void *argument)
{
	struct pollfd poll_fd = { .fd = *(int *)argument, .events = POLLIN };

	return (void *)(long)poll(&poll_fd, 1, 120000);
}

static void check_waiter(const char *name, pthread_t thread, struct regress_bpf *skel)
{
	double start = seconds();
	void *result;

	skel->bss->records = 1;
	run_once(skel->progs.task);
	pthread_join(thread, &result);
	ksft_test_result((long)result == 1 && seconds() - start < 5,
			 "regress: a waiter in poll(): %s\n", name);
}

static void empty(struct regress_bpf *skel)
{
	struct ring ring;

	ring_map(&ring, bpf_map__fd(skel->maps.ring), 65536, false);
	*ring.consumer = ring.producer[0];
	ring_unmap(&ring);
}

static const char *const contexts[] = { "on_switch", "on_contention", "on_clock" };

static void all_of(const char *name)
{
	struct verdicts verdicts = { .side = name };

	check_overlap(name);
	loader_each("regress_verdicts.bpf.o", check_verdict, &verdicts);
	check_sync(name);
	check_free_while_committing(name);
}

int main(int argc, char **argv)
{
	struct regress_bpf *sides[SIDES];
	pthread_t thread;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: regress KO\n");
		return 2;
	}
	ksft_print_header();
	all_of("C");
	sides[0] = load_programs(contexts, COUNT(contexts), -1, 0);
	fd = bpf_map__fd(sides[0]->maps.ring);
	check_contexts("C", sides, 1);
	check_edges("C", sides[0]);
	empty(sides[0]);
	if (pthread_create(&thread, NULL, wait_in_poll, &fd))
		ksft_exit_fail_msg("pthread_create: %s\n", strerror(errno));
	usleep(100000);
	if (!ksft_test_result(!control_load(argv[1], "count=1"), "regress: the module loads\n"))
		ksft_finished();
	sides[1] = load_programs(contexts, COUNT(contexts), fd, 0);
	check_waiter("C put it to sleep, Rust wakes it", thread, sides[1]);
	all_of("Rust");
	check_contexts("C and Rust", sides, 2);
	check_edges("Rust", sides[1]);
	empty(sides[0]);
	if (pthread_create(&thread, NULL, wait_in_poll, &fd))
		ksft_exit_fail_msg("pthread_create: %s\n", strerror(errno));
	usleep(100000);
	regress_bpf__destroy(sides[1]);
	ksft_test_result(!control_save_hits() && !control_unload(),
			 "regress: the module unloads\n");
	check_waiter("Rust put it to sleep, C wakes it", thread, sides[0]);
	regress_bpf__destroy(sides[0]);
	ksft_finished();
}
