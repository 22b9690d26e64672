// SPDX-License-Identifier: GPL-2.0
/*
 * userrings KO: rings that user space produces into, over rings of all kinds and garbage: what a
 * drain returns, the samples that its callback gets, the consumer's position, wake-ups, what poll
 * says and the bytes afterwards must be the same with C and with Rust. The sides are those of
 * rings.c.
 *
 * Then what no two runs do alike: B17, a producer that changes headers and positions while they
 * are read; and two who drain at once.
 */
#include <bpf/libbpf.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "userrings.h"
#include "events.h"
#include "ringuser.h"
#include "userrings.skel.h"
#include "wakeups.skel.h"

enum { WITH_C, WITH_RUST, WITH_BOTH, WITH_C_AGAIN, SIDES };
static const char *const side_names[SIDES] = {
	"C", "Rust", "C's map, both in turns", "Rust's map, C when it is gone",
};

static const struct config {
	const char *name;
	unsigned long long size;
	unsigned int cases;
} configs[] = {
	{ "4 KiB", 4096, 8000 },
	{ "64 KiB", 65536, 4000 },
	{ "32 MiB", 32 << 20, 2000 },
};

#define MAX_CASES 8000
#define MAX_SAMPLES (128 * 1024)	/* that one drain takes */

static struct userrings_result *results[SIDES][COUNT(configs)];
static unsigned char *contents[SIDES][COUNT(configs)];
static int rust_maps[COUNT(configs)];	/* made by Rust, kept until it is gone */

static const unsigned long long all_flags[] = { 0, 1, 2, 3, 4, 1ULL << 32, ~0ULL };

static unsigned int some_size(struct numbers *numbers, unsigned long long ring_size)
{
	const unsigned int odd[] = {
		ring_size - 17, ring_size - 16, ring_size - 15, ring_size - 9, ring_size - 8,
		ring_size - 7, ring_size, ring_size + 1, (1 << 24) - 1, 1 << 24, (1 << 24) + 1,
		1 << 29, (1 << 30) - 9, (1 << 30) - 8, (1 << 30) - 1,
	};
	unsigned long long n = next_number(numbers);

	return n % 16 ? n / 16 % 40 : odd[n / 16 % COUNT(odd)] & ~(RING_BUSY | RING_DISCARD);
}

static void write_header(struct ring *ring, unsigned long long pos, unsigned int header)
{
	*(volatile unsigned int *)(ring->data + (pos & (ring->size - 1))) = header;
}

/* Some samples, and a producer's position that fits them or not. */
static void produce(struct numbers *numbers, struct ring *ring)
{
	unsigned long long start = *ring->consumer, pos = start, n = next_number(numbers);
	int samples = n % 6;

	for (int i = 0; i < samples; i++) {
		unsigned int header = some_size(numbers, ring->size), stride;
		unsigned long long kind = next_number(numbers);

		stride = ring_stride(header);
		header |= kind % 7 == 0 ? RING_DISCARD : 0;
		header |= kind % 11 == 0 ? RING_BUSY : 0;
		write_header(ring, pos, header);
		if (stride <= ring->size && stride > 8)
			ring->data[(pos + 8) & (ring->size - 1)] = kind;
		pos += stride;
	}
	/* What comes then is busy, or garbage. */
	write_header(ring, pos, n / 64 % 4 ? RING_BUSY : next_number(numbers));
	switch (n / 1024 % 24) {
	case 0:
		pos += n / 65536 % 8;
		break;
	case 1:
		pos -= 8;
		break;
	case 2:
		pos += 8;
		break;
	case 3:
		pos = start;
		break;
	case 4:
		pos = start - 8;
		break;
	case 5:
		pos = start + ring->size;
		break;
	case 6:
		pos = start + ring->size + 8;
		break;
	case 7:
		pos = ~7ULL;
		break;
	case 8:
		pos = next_number(numbers);
		break;
	case 9:
		pos = 0;
		break;
	case 10:
		pos = start + (1ULL << 32);
		break;
	}
	__atomic_store_n((unsigned long long *)&ring->producer[0], pos, __ATOMIC_RELEASE);
}

static struct userrings_case some_case(struct numbers *numbers)
{
	unsigned long long n = next_number(numbers);

	return (struct userrings_case){
		.flags = n % 8 ? n / 8 % 4 : all_flags[n / 8 % COUNT(all_flags)],
		.callback = n / 256 % USERRINGS_CALLBACKS,
		.stop_after = n / 4096 % 4 ? 0 : n / 65536 % 3 + 1,
	};
}

static void run_case(struct userrings_bpf *skel, const struct userrings_case *c, struct ring *ring,
		     struct userrings_result *r)
{
	struct pollfd poll_fd = { .fd = ring->fd, .events = -1 };

	LIBBPF_OPTS(bpf_test_run_opts, opts);

	skel->bss->request = *c;
	memset(&skel->bss->result, 0, sizeof(skel->bss->result));
	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.drain), &opts))
		ksft_exit_fail_msg("test run: %s\n", strerror(errno));
	*r = skel->bss->result;
	r->consumer_pos = *ring->consumer;
	poll(&poll_fd, 1, 0);
	r->poll = poll_fd.revents;
}

static struct userrings_bpf *load_for(unsigned long long size, int reuse)
{
	struct userrings_bpf *skel = userrings_bpf__open();

	if (!skel)
		ksft_exit_fail_msg("userrings.bpf.o: %s\n", strerror(errno));
	bpf_map__set_max_entries(skel->maps.ring, size);
	if (reuse >= 0 && bpf_map__reuse_fd(skel->maps.ring, reuse))
		ksft_exit_fail_msg("reuse of a map: %s\n", strerror(errno));
	if (userrings_bpf__load(skel))
		ksft_exit_fail_msg("cannot load userrings.bpf.o: %s\n", strerror(errno));
	return skel;
}

static void round_of(int side, size_t i, struct userrings_bpf *skel, struct userrings_bpf *other,
		     struct wakeups_bpf *counter)
{
	const struct config *config = &configs[i];
	struct numbers numbers = { .state = i };
	struct ring ring;

	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.locate), &opts))
		ksft_exit_fail_msg("test run: %s\n", strerror(errno));
	counter->bss->watched = skel->bss->address;
	ring_map(&ring, bpf_map__fd(skel->maps.ring), config->size, true);
	for (unsigned int n = 0; n < config->cases; n++) {
		struct userrings_case c = some_case(&numbers);
		struct userrings_result *r = &results[side][i][n];

		counter->bss->wakeups = 0;
		produce(&numbers, &ring);
		run_case(n & 1 ? other : skel, &c, &ring, r);
		r->wakeups = counter->bss->wakeups;
	}
	contents[side][i] = malloc(config->size);
	if (!contents[side][i])
		ksft_exit_fail_msg("no memory\n");
	memcpy(contents[side][i], (void *)ring.data, config->size);
	ring_unmap(&ring);
}

static void show(const char *side, const struct userrings_result *r)
{
	ksft_print_msg("  %-4s ret %lld samples %llu bytes %llu hash %llx nested %lld wrote %lld\n",
		       side, r->ret, r->samples, r->bytes, r->hash, r->nested, r->written);
	ksft_print_msg("       consumer %llx wakeups %u poll %x\n", r->consumer_pos, r->wakeups,
		       r->poll);
}

static void compare(int side)
{
	for (size_t i = 0; i < COUNT(configs); i++) {
		size_t differences = 0, drained = 0, failed = 0;
		bool same;

		for (unsigned int n = 0; n < configs[i].cases; n++) {
			const struct userrings_result *c = &results[WITH_C][i][n];
			const struct userrings_result *r = &results[side][i][n];

			drained += c->ret > 0;
			failed += c->ret < 0;
			if (!memcmp(c, r, sizeof(*c)))
				continue;
			if (differences++ >= 3)
				continue;
			ksft_print_msg("%s, case %u:\n", configs[i].name, n);
			show("C", c);
			show("Rust", r);
		}
		same = !memcmp(contents[WITH_C][i], contents[side][i], configs[i].size);
		ksft_test_result(drained > 200 && failed > 200 && !differences && same,
				 "userrings: %s: %s: %u drains, %zu with samples, %zu failed, %zu differences\n",
				 configs[i].name, side_names[side], configs[i].cases, drained,
				 failed, differences);
	}
}

/* More samples than one call takes. */
static void check_maximum(const char *name, struct userrings_bpf *skel)
{
	struct userrings_result first, second;
	struct userrings_case c = { .callback = USERRINGS_NOTHING };
	struct ring ring;

	ring_map(&ring, bpf_map__fd(skel->maps.ring), 2 << 20, true);
	memset((void *)ring.data, 0, ring.size);
	ring.producer[0] = 8 * (MAX_SAMPLES + 1000ULL);
	run_case(skel, &c, &ring, &first);
	run_case(skel, &c, &ring, &second);
	ring_unmap(&ring);
	ksft_test_result(first.ret == MAX_SAMPLES && second.ret == 1000,
			 "userrings: %s: of %d samples a drain takes %lld, the next %lld\n", name,
			 MAX_SAMPLES + 1000, first.ret, second.ret);
}

static atomic_bool stop;

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

/* Writes headers and positions that are read at the same time; none says "discarded". */
static void *disturb(void *argument)
{
	struct numbers numbers = { .state = 99 };
	struct ring *ring = argument;

	on_cpu(1);
	while (!stop) {
		unsigned long long n = next_number(&numbers), at = *ring->consumer;

		for (int i = 0; i < 64; i++) {
			write_header(ring, at + 8 * (n % 64), some_size(&numbers, ring->size));
			n = next_number(&numbers);
			ring->producer[0] = at + n / 64 % 16 * 8 + (n % 32 ? 0 : n % 8);
		}
	}
	return NULL;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* B17: each header counts as it was when it was read, once. */
static void check_racing_producer(const char *name, struct userrings_bpf *skel)
{
	unsigned long long drains = 0, samples = 0, errors = 0, wrong = 0;
	struct userrings_case c = { .callback = USERRINGS_READ };
	double end = seconds() + 1;
	struct userrings_result r;
	struct ring ring;
	pthread_t thread;

	ring_map(&ring, bpf_map__fd(skel->maps.ring), 4096, true);
	stop = false;
	if (pthread_create(&thread, NULL, disturb, &ring))
		ksft_exit_fail_msg("pthread_create: %s\n", strerror(errno));
	on_cpu(0);
	while (seconds() < end) {
		unsigned long long before = *ring.consumer, moved;

		run_case(skel, &c, &ring, &r);
		moved = r.consumer_pos - before;
		drains++;
		samples += r.samples;
		errors += r.ret < 0;
		wrong += r.ret < 0 && r.ret != -EINVAL && r.ret != -E2BIG;
		wrong += r.ret >= 0 && (unsigned long long)r.ret != r.samples;
		/* A header of 8 bytes each, and up to 7 of padding. */
		wrong += moved < r.bytes + 8 * r.samples || moved > r.bytes + 15 * r.samples;
	}
	stop = true;
	pthread_join(thread, NULL);
	ring_unmap(&ring);
	ksft_test_result(samples && errors && !wrong,
			 "userrings: B17: %s: %llu drains of a racing producer: %llu samples, %llu errors, %llu wrong\n",
			 name, drains, samples, errors, wrong);
}

struct drainer {
	struct userrings_bpf *skel;
	int cpu;
	unsigned long long samples, busy, wrong;
};

static void *drain(void *argument)
{
	struct drainer *drainer = argument;

	LIBBPF_OPTS(bpf_test_run_opts, opts);

	on_cpu(drainer->cpu);
	drainer->skel->bss->request = (struct userrings_case){ .callback = USERRINGS_READ };
	while (!stop) {
		long long ret;

		if (bpf_prog_test_run_opts(bpf_program__fd(drainer->skel->progs.drain), &opts))
			break;
		ret = drainer->skel->bss->result.ret;
		if (ret == -EBUSY)
			drainer->busy++;
		else if (ret < 0)
			drainer->wrong++;
		else
			drainer->samples += ret;
	}
	return NULL;
}

/* Each sample goes to one of two who drain at once. */
static void check_two_drainers(const char *name, struct userrings_bpf *a, struct userrings_bpf *b)
{
	struct drainer drainers[2] = { { .skel = a, .cpu = 0 }, { .skel = b, .cpu = 1 } };
	unsigned long long pos, made = 0;
	pthread_t threads[2];
	struct ring ring;

	ring_map(&ring, bpf_map__fd(a->maps.ring), 4096, true);
	pos = *ring.consumer;
	ring.producer[0] = pos;
	stop = false;
	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, drain, &drainers[i]))
			ksft_exit_fail_msg("pthread_create: %s\n", strerror(errno));
	for (double end = seconds() + 1; seconds() < end;) {
		if (pos - __atomic_load_n(ring.consumer, __ATOMIC_ACQUIRE) > 4096 - 32) {
			sched_yield();
			continue;
		}
		write_header(&ring, pos, 8);
		pos += 16;
		made++;
		__atomic_store_n(ring.producer, pos, __ATOMIC_RELEASE);
	}
	for (int i = 0; i < 500 && *ring.consumer != pos; i++)
		usleep(10000);
	stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ring_unmap(&ring);
	ksft_test_result(made && drainers[0].samples + drainers[1].samples == made &&
			 drainers[0].busy + drainers[1].busy && !drainers[0].wrong &&
			 !drainers[1].wrong,
			 "userrings: %s: two drain %llu samples: %llu and %llu, busy %llu and %llu times\n",
			 name, made, drainers[0].samples, drainers[1].samples, drainers[0].busy,
			 drainers[1].busy);
}

static const char *const mine[] = {
	"bpf_user_ringbuf_drain", "ringbuf_map_alloc", "ringbuf_map_free", "ringbuf_map_mmap_user",
	"bpf_map_poll",
};

static void rounds_with_rust(struct userrings_bpf **old, struct wakeups_bpf *counter)
{
	struct userrings_bpf *skel, *second;
	unsigned long long freed;

	for (size_t i = 0; i < COUNT(configs); i++) {
		skel = load_for(configs[i].size, -1);
		round_of(WITH_RUST, i, skel, skel, counter);
		userrings_bpf__destroy(skel);
		skel = load_for(configs[i].size, bpf_map__fd(old[i]->maps.ring));
		round_of(WITH_BOTH, i, old[i], skel, counter);
		/* Of both sides, while a program of each lives. */
		if (!i) {
			second = load_for(configs[i].size, bpf_map__fd(old[i]->maps.ring));
			check_racing_producer("Rust", skel);
			check_two_drainers("Rust and Rust", skel, second);
			check_two_drainers("Rust and C", skel, old[i]);
			userrings_bpf__destroy(second);
		}
		userrings_bpf__destroy(skel);
		rust_maps[i] = ring_create(BPF_MAP_TYPE_USER_RINGBUF, configs[i].size, 0);
		if (rust_maps[i] < 0)
			ksft_exit_fail_msg("cannot create a map: %s\n", strerror(errno));
	}
	skel = load_for(2 << 20, -1);
	check_maximum("Rust", skel);
	userrings_bpf__destroy(skel);
	compare(WITH_RUST);
	compare(WITH_BOTH);
	freed = hits_of("ringbuf_map_free");
	for (size_t i = 0; i < COUNT(configs); i++)
		userrings_bpf__destroy(old[i]);
	for (int i = 0; i < 500 && hits_of("ringbuf_map_free") < freed + COUNT(configs); i++)
		usleep(10000);
	ksft_test_result(hits_of("ringbuf_map_free") >= freed + COUNT(configs),
			 "userrings: Rust freed maps that C made\n");
	check_rows("userrings", mine, COUNT(mine));
}

static void rounds_with_c(struct userrings_bpf **old, struct wakeups_bpf *counter)
{
	struct userrings_bpf *skel;

	for (size_t i = 0; i < COUNT(configs); i++) {
		skel = load_for(configs[i].size, -1);
		round_of(WITH_C, i, skel, skel, counter);
		if (!i)
			check_racing_producer("C", skel);
		userrings_bpf__destroy(skel);
		old[i] = load_for(configs[i].size, -1);
	}
	skel = load_for(2 << 20, -1);
	check_maximum("C", skel);
	userrings_bpf__destroy(skel);
}

int main(int argc, char **argv)
{
	struct userrings_bpf *old[COUNT(configs)];
	int breakpoints[EVENT_CPUS];
	struct wakeups_bpf *counter;

	if (argc != 2) {
		fprintf(stderr, "usage: userrings KO\n");
		return 2;
	}
	ksft_print_header();
	for (int side = 0; side < SIDES; side++)
		for (size_t i = 0; i < COUNT(configs); i++) {
			results[side][i] = calloc(MAX_CASES, sizeof(*results[side][i]));
			if (!results[side][i])
				ksft_exit_fail_msg("no memory\n");
		}
	counter = wakeups_bpf__open_and_load();
	if (!counter)
		ksft_exit_fail_msg("cannot load wakeups.bpf.o: %s\n", strerror(errno));
	open_breakpoints(breakpoints, "__wake_up", counter->progs.count_wakeups);
	rounds_with_c(old, counter);
	if (!ksft_test_result(!control_load(argv[1], "count=1"), "userrings: the module loads\n"))
		ksft_finished();
	rounds_with_rust(old, counter);
	ksft_test_result(!control_unload(),
			 "userrings: the module unloads while maps that it made live\n");
	for (size_t i = 0; i < COUNT(configs); i++) {
		struct userrings_bpf *skel = load_for(configs[i].size, rust_maps[i]);
		__u32 id = map_id(rust_maps[i]);

		round_of(WITH_C_AGAIN, i, skel, skel, counter);
		userrings_bpf__destroy(skel);
		close(rust_maps[i]);
		ksft_test_result(id && map_goes(id),
				 "userrings: %s: C frees the map that Rust made\n",
				 configs[i].name);
	}
	compare(WITH_C_AGAIN);
	close_events(breakpoints);
	wakeups_bpf__destroy(counter);
	ksft_finished();
}
