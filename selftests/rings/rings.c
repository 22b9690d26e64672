// SPDX-License-Identifier: GPL-2.0
/*
 * rings KO: every helper of rings that the kernel produces into, over a grid of arguments, first
 * with C, then with the module loaded: what they return, the records, all positions, wake-ups, what
 * poll says and in the end every byte of the ring must be the same.
 *
 * The sides, for each kind of ring: a map that C made and programs of C; map and programs of Rust;
 * a map that C made, used by programs of C and of Rust in turns and freed by Rust; and a map that
 * Rust made, used by programs of C, and freed by C, after the module is gone.
 */
#include <bpf/libbpf.h>
#include <poll.h>
#include <stdlib.h>

#include "rings.h"
#include "events.h"
#include "ringuser.h"
#include "rings.skel.h"
#include "wakeups.skel.h"

enum { WITH_C, WITH_RUST, WITH_BOTH, WITH_C_AGAIN, SIDES };
static const char *const side_names[SIDES] = {
	"C", "Rust", "C's map, both in turns", "Rust's map, C when it is gone",
};

static const struct config {
	const char *name;
	unsigned long long size;
	__u32 flags;
	unsigned int cases;
} configs[] = {
	{ "4 KiB", 4096, 0, 5000 },
	{ "4 KiB, overwriting", 4096, BPF_F_RB_OVERWRITE, 5000 },
	{ "64 KiB", 65536, 0, 4000 },
	{ "64 KiB, overwriting", 65536, BPF_F_RB_OVERWRITE, 4000 },
	{ "8 KiB, on node 0", 8192, BPF_F_NUMA_NODE, 1500 },
	{ "32 MiB", 32 << 20, 0, 2500 },
	{ "32 MiB, overwriting", 32 << 20, BPF_F_RB_OVERWRITE, 2500 },
};

#define MAX_CASES 5000

static struct rings_result *results[SIDES][COUNT(configs)];
static unsigned char *contents[SIDES][COUNT(configs)];
static int rust_maps[COUNT(configs)];	/* made by Rust, kept until it is gone */

static const unsigned long long sizes[] = {
	0, 1, 7, 8, 9, 15, 16, 17, 24, 4071, 4072, 4080, 4087, 4088, 4089, (1ULL << 24) - 9,
	(1ULL << 24) - 8, (1ULL << 24) - 1, 1ULL << 24, (1ULL << 30) - 1, 1ULL << 30, 1ULL << 31,
	0xffffffffULL - 7, 0xffffffffULL, 1ULL << 32, (1ULL << 32) + 8, (1ULL << 32) + 1000,
	~0ULL - 7, ~0ULL,
};

static const int around[] = { -4096, -17, -16, -15, -9, -8, -7, -1, 0, 1, 8 };

static const unsigned long long all_flags[] = { 0, 1, 2, 3, 4, 5, 6, 7, 1ULL << 32, ~0ULL };

static unsigned long long some_size(struct numbers *numbers, const struct config *config)
{
	unsigned long long n = next_number(numbers);

	switch (n % 8) {
	case 0:
		return sizes[n / 8 % COUNT(sizes)];
	case 1:
		return config->size + around[n / 8 % COUNT(around)];
	case 2:
		return n / 8 % config->size;
	default:
		return n / 8 % 600;
	}
}

static struct rings_case some_case(struct numbers *numbers, const struct config *config)
{
	unsigned long long n = next_number(numbers);
	struct rings_case c = {
		.op = n % RINGS_OPS,
		.constant = n / 16 % 4 ? n / 64 % 11 : n / 64 % RINGS_CONSTANTS,
		.flags = n / 4096 % 8 ? n / 32768 % 4 : all_flags[n / 32768 % COUNT(all_flags)],
		.reserve_flags = n / (1 << 20) % 16 ? 0 : all_flags[n % COUNT(all_flags)],
		.stamp = next_number(numbers),
		.size = some_size(numbers, config),
	};

	if (c.op == RINGS_OUTPUT)
		c.size %= RINGS_PAYLOAD + 1;
	if (c.op == RINGS_QUERY)
		c.size = n / 16 % 4 ? n / 64 % 8 : c.stamp;
	return c;
}

/* What the consumer does before a case: user space may write anything there. */
static void consume(struct ring *ring, unsigned long long n)
{
	unsigned long long producer = ring->producer[0], consumer = *ring->consumer;
	const unsigned long long anything[] = {
		0, ~0ULL, producer + 8, producer - ring->size, producer - ring->size + 1,
		producer - ring->size - 8, producer ^ (1ULL << 63), n, producer + (1ULL << 32),
		producer - ring->size / 4 * 3,
	};

	switch (n % 16) {
	case 0:
		*ring->consumer = anything[n / 16 % COUNT(anything)];
		break;
	case 1:
	case 2:
	case 3:
		*ring->consumer = producer;
		break;
	case 4:
	case 5:
	case 6:
		/* One record, if it stands at one. */
		if (producer - consumer - 1 < ring->size)
			*ring->consumer = consumer + ring_stride(ring_header(ring, consumer));
		break;
	}
}

static void run_case(struct rings_bpf *skel, const struct rings_case *c, struct ring *ring,
		     struct rings_result *r)
{
	struct pollfd poll_fd = { .fd = ring->fd, .events = -1 };
	unsigned long long place = ring->producer[0] & (ring->size - 1);

	LIBBPF_OPTS(bpf_test_run_opts, opts);

	skel->bss->request = *c;
	memset(&skel->bss->result, 0, sizeof(skel->bss->result));
	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.rings), &opts))
		ksft_exit_fail_msg("test run: %s\n", strerror(errno));
	*r = skel->bss->result;
	r->producer_pos = ring->producer[0];
	r->pending_pos = ring->producer[1];
	r->overwrite_pos = ring->producer[2];
	r->consumer_pos = *ring->consumer;
	memcpy(&r->header, (void *)(ring->data + place), 8);
	memcpy(&r->word, (void *)(ring->data + place + 8), 8);
	poll(&poll_fd, 1, 0);
	r->poll = poll_fd.revents;
}

static struct rings_bpf *load_for(const struct config *config, int reuse)
{
	struct rings_bpf *skel = rings_bpf__open();

	if (!skel)
		ksft_exit_fail_msg("rings.bpf.o: %s\n", strerror(errno));
	bpf_map__set_max_entries(skel->maps.ring, config->size);
	bpf_map__set_map_flags(skel->maps.ring, config->flags);
	if (config->flags & BPF_F_NUMA_NODE)
		bpf_map__set_numa_node(skel->maps.ring, 0);
	if (reuse >= 0 && bpf_map__reuse_fd(skel->maps.ring, reuse))
		ksft_exit_fail_msg("reuse of a map: %s\n", strerror(errno));
	if (rings_bpf__load(skel))
		ksft_exit_fail_msg("cannot load rings.bpf.o: %s\n", strerror(errno));
	return skel;
}

/* The same bytes for output each time. */
static void fill(struct rings_bpf *skel)
{
	static unsigned char bytes[RINGS_PAYLOAD];
	__u32 key = 0;

	for (int i = 0; i < RINGS_PAYLOAD; i++)
		bytes[i] = i * 7 + i / 251;
	bpf_map__update_elem(skel->maps.payloads, &key, sizeof(key), bytes, sizeof(bytes), BPF_ANY);
}

/* All cases of a kind of ring, by the programs of @skel and, in turns, of @other. */
static void round_of(int side, size_t i, struct rings_bpf *skel, struct rings_bpf *other,
		     struct wakeups_bpf *counter)
{
	const struct config *config = &configs[i];
	struct numbers numbers = { .state = i };
	struct ring ring;

	LIBBPF_OPTS(bpf_test_run_opts, opts);

	fill(skel);
	fill(other);
	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.locate), &opts))
		ksft_exit_fail_msg("test run: %s\n", strerror(errno));
	counter->bss->watched = skel->bss->address;
	ring_map(&ring, bpf_map__fd(skel->maps.ring), config->size, false);
	for (unsigned int n = 0; n < config->cases; n++) {
		struct rings_case c = some_case(&numbers, config);
		struct rings_result *r = &results[side][i][n];

		counter->bss->wakeups = 0;
		consume(&ring, next_number(&numbers));
		run_case(n & 1 ? other : skel, &c, &ring, r);
		r->wakeups = counter->bss->wakeups;
	}
	contents[side][i] = malloc(config->size);
	if (!contents[side][i])
		ksft_exit_fail_msg("no memory\n");
	memcpy(contents[side][i], (void *)ring.data, config->size);
	ring_unmap(&ring);
}

static void show(const char *side, const struct rings_result *r)
{
	ksft_print_msg("  %-4s made %lld ret %lld more %lld size %llu wakeups %u poll %x\n", side,
		       r->made, r->ret, r->more, r->size, r->wakeups, r->poll);
	ksft_print_msg("       query %llx %llx %llx %llx %llx\n", r->seen[0], r->seen[1],
		       r->seen[2], r->seen[3], r->seen[4]);
	ksft_print_msg("  producer %llx pending %llx over %llx consumer %llx header %llx %llx\n",
		       r->producer_pos, r->pending_pos, r->overwrite_pos, r->consumer_pos,
		       r->header, r->word);
}

static size_t compare_cases(int side, size_t i)
{
	const struct config *config = &configs[i];
	struct numbers numbers = { .state = i };
	size_t differences = 0;

	for (unsigned int n = 0; n < config->cases; n++) {
		const struct rings_result *c = &results[WITH_C][i][n], *r = &results[side][i][n];
		struct rings_case request = some_case(&numbers, config);

		next_number(&numbers);
		if (!memcmp(c, r, sizeof(*c)))
			continue;
		if (differences++ >= 3)
			continue;
		ksft_print_msg("%s, case %u: op %u size %llx constant %u flags %llx reserve %llx\n",
			       config->name, n, request.op, request.size, request.constant,
			       request.flags, request.reserve_flags);
		show("C", c);
		show("Rust", r);
	}
	return differences;
}

static void compare(int side)
{
	for (size_t i = 0; i < COUNT(configs); i++) {
		size_t differences = compare_cases(side, i);
		bool same = !memcmp(contents[WITH_C][i], contents[side][i], configs[i].size);

		ksft_test_result(!differences && same,
				 "rings: %s: %s: %u cases, %zu differences from C, contents the same: %d\n",
				 configs[i].name, side_names[side], configs[i].cases, differences,
				 same);
	}
}

/* The grid must reach what it is for. */
static void check_grid(void)
{
	size_t made = 0, refused = 0, wakeups = 0, overwritten = 0, wrapped = 0, held = 0;

	for (size_t i = 0; i < COUNT(configs); i++)
		for (unsigned int n = 0; n < configs[i].cases; n++) {
			const struct rings_result *r = &results[WITH_C][i][n];
			const struct rings_result *last = n ? r - 1 : r;

			made += r->producer_pos != last->producer_pos;
			refused += r->producer_pos == last->producer_pos;
			wakeups += r->wakeups;
			overwritten += r->overwrite_pos != last->overwrite_pos;
			wrapped += (r->producer_pos ^ last->producer_pos) >= configs[i].size;
			held += r->pending_pos != r->producer_pos;
		}
	ksft_test_result(made > 5000 && refused > 2000 && wakeups > 500 && overwritten > 1000 &&
			 wrapped > 500 && held > 1000,
			 "rings: %zu cases with records, %zu without, %zu wake-ups, %zu overwritten, %zu turns\n",
			 made, refused, wakeups, overwritten, wrapped);
}

static const char *const mine[] = {
	"bpf_ringbuf_reserve", "bpf_ringbuf_submit", "bpf_ringbuf_discard", "bpf_ringbuf_output",
	"bpf_ringbuf_query", "bpf_ringbuf_reserve_dynptr", "bpf_ringbuf_submit_dynptr",
	"bpf_ringbuf_discard_dynptr", "ringbuf_map_alloc", "ringbuf_map_free",
	"ringbuf_map_mmap_kern", "bpf_map_poll",
};

/* With the module: Rust's own maps and programs, then both on C's maps, which Rust frees. */
static void rounds_with_rust(struct rings_bpf **old, struct wakeups_bpf *counter)
{
	unsigned long long freed;
	__u32 id;

	for (size_t i = 0; i < COUNT(configs); i++) {
		struct rings_bpf *skel = load_for(&configs[i], -1);

		round_of(WITH_RUST, i, skel, skel, counter);
		rings_bpf__destroy(skel);
		skel = load_for(&configs[i], bpf_map__fd(old[i]->maps.ring));
		round_of(WITH_BOTH, i, old[i], skel, counter);
		rings_bpf__destroy(skel);
		/* An empty one, to be used when the module is gone. */
		rust_maps[i] = ring_create(BPF_MAP_TYPE_RINGBUF, configs[i].size, configs[i].flags);
		if (rust_maps[i] < 0)
			ksft_exit_fail_msg("cannot create a map: %s\n", strerror(errno));
	}
	compare(WITH_RUST);
	compare(WITH_BOTH);
	freed = hits_of("ringbuf_map_free");
	id = map_id(bpf_map__fd(old[0]->maps.ring));
	for (size_t i = 0; i < COUNT(configs); i++)
		rings_bpf__destroy(old[i]);
	ksft_test_result(id && map_goes(id), "rings: maps that C made go\n");
	for (int i = 0; i < 500 && hits_of("ringbuf_map_free") < freed + COUNT(configs); i++)
		usleep(10000);
	ksft_test_result(hits_of("ringbuf_map_free") >= freed + COUNT(configs),
			 "rings: Rust freed maps that C made\n");
	check_rows("rings", mine, COUNT(mine));
}

int main(int argc, char **argv)
{
	struct rings_bpf *old[COUNT(configs)];
	int breakpoints[EVENT_CPUS];
	struct wakeups_bpf *counter;

	if (argc != 2) {
		fprintf(stderr, "usage: rings KO\n");
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
	for (size_t i = 0; i < COUNT(configs); i++) {
		struct rings_bpf *skel = load_for(&configs[i], -1);

		round_of(WITH_C, i, skel, skel, counter);
		rings_bpf__destroy(skel);
		old[i] = load_for(&configs[i], -1);
	}
	check_grid();
	if (!ksft_test_result(!control_load(argv[1], "count=1"), "rings: the module loads\n"))
		ksft_finished();
	rounds_with_rust(old, counter);
	ksft_test_result(!control_unload(),
			 "rings: the module unloads while maps that it made live\n");
	for (size_t i = 0; i < COUNT(configs); i++) {
		struct rings_bpf *skel = load_for(&configs[i], rust_maps[i]);
		__u32 id = map_id(rust_maps[i]);

		round_of(WITH_C_AGAIN, i, skel, skel, counter);
		rings_bpf__destroy(skel);
		close(rust_maps[i]);
		ksft_test_result(id && map_goes(id), "rings: %s: C frees the map that Rust made\n",
				 configs[i].name);
	}
	compare(WITH_C_AGAIN);
	close_events(breakpoints);
	wakeups_bpf__destroy(counter);
	ksft_finished();
}
