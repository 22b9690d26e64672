// SPDX-License-Identifier: GPL-2.0
/*
 * grid KO: every dynptr operation on every class of memory over a grid of arguments, first with C,
 * then with the module loaded. Return values, bytes read, memory and the dynptr afterwards must be
 * the same.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "grid.h"
#include "control.h"
#include "grid.skel.h"
#include "packets.h"
#include "ksft.h"

#define LINEAR 100	/* bytes of the first part of a packet with fragments */
#define SHORT 3456	/* of a packet without: fits a page with all around it */

/* Offsets and lengths: chunks of 256, ends of parts and of the memory, 24, 32 and 64 bits. */
static const unsigned long long numbers[] = {
	0, 1, 8, 64, LINEAR - 1, LINEAR, 255, 256, 257, 640, 2047, 2048, LINEAR + 4096,
	(1ULL << 24) - 1, 1ULL << 24, (1ULL << 32) + 8, ~0ULL,
};

/* Views, as shares of the size: start and end. */
static const struct view {
	int start, end;	/* of 64; 65 is beyond the end */
} views[] = { { 0, 64 }, { 1, 64 }, { 5, 63 }, { 32, 32 }, { 1, 65 } };

/* How a class is run. */
static const struct class {
	const char *name;
	const char *program;
	unsigned int size;	/* of its memory */
	unsigned int linear;	/* of a packet's first part; 0: no packet */
	int first_op, last_op;
	unsigned int batch;	/* cases a run, for operations that write */
	bool xdp, file, meta;
} classes[GRID_CLASSES] = {
	[GRID_LOCAL] = { "local", "local", GRID_BYTES, SHORT, 0, GRID_PROBE_USER_STR, 512 },
	[GRID_RINGBUF] = { "ringbuf", "ringbuf", GRID_BYTES, SHORT, 0, GRID_PROBE_USER_STR, 512 },
	[GRID_NULL] = { "null", "null", GRID_BYTES, SHORT, 0, GRID_PROBE_USER_STR, 512 },
	[GRID_SKB] = { "skb", "skb", SHORT, SHORT, 0, GRID_PROBE_USER_STR, 512 },
	/* A write makes the packet linear up to there: few writes to each. */
	[GRID_SKB_FRAGS] = { "skb with fragments", "skb", GRID_PACKET, LINEAR, 0,
			     GRID_PROBE_USER_STR, 4 },
	[GRID_SKB_META] = { "skb metadata", "skb_meta", GRID_META, 0, 0, GRID_PROBE_USER_STR, 512,
			    .meta = true },
	[GRID_SKB_RDONLY] = { "read-only skb", "skb_rdonly", SHORT, SHORT, 0,
			      GRID_PROBE_USER_STR, 512 },
	[GRID_XDP] = { "xdp", "xdp", SHORT, SHORT, 0, GRID_PROBE_USER_STR, 512, .xdp = true },
	[GRID_XDP_FRAGS] = { "xdp with fragments", "xdp", GRID_PACKET, LINEAR, 0,
			     GRID_PROBE_USER_STR, 512, .xdp = true },
	[GRID_FILE] = { "file", "file", 8192, 0, 0, GRID_PROBE_USER_STR, 512, .file = true },
	[GRID_FILE_SLEEPABLE] = { "file, sleepable", "file_sleepable", 8192, 0, 0,
				  GRID_COPY_TASK_STR, 512, .file = true },
	[GRID_LOCAL_SLEEPABLE] = { "local, sleepable", "local_sleepable", GRID_BYTES, 0,
				   GRID_PROBE_KERNEL, GRID_COPY_TASK_STR, 512 },
	[GRID_RINGBUF_SLEEPABLE] = { "ringbuf, sleepable", "ringbuf_sleepable", GRID_BYTES, 0,
				     GRID_PROBE_KERNEL, GRID_COPY_TASK_STR, 512 },
};

static const char *const op_names[GRID_OPS] = {
	"read", "write", "data 0", "data 300", "slice 16", "slice 300", "slice NULL", "adjust",
	"clone", "copy self", "copy in", "copy out", "memset", "slice_rdwr 16", "slice_rdwr 300",
	"slice_rdwr NULL", "probe_read_kernel", "probe_read_kernel_str", "probe_read_user",
	"probe_read_user_str", "copy_from_user", "copy_from_user_str", "copy_from_user_task",
	"copy_from_user_task_str",
};

/* What this test must reach. */
static const char *const mine[] = {
	"bpf_dynptr_from_mem", "bpf_dynptr_read", "bpf_dynptr_write", "bpf_dynptr_data",
	"bpf_dynptr_slice", "bpf_dynptr_slice_rdwr", "bpf_dynptr_adjust", "bpf_dynptr_is_null",
	"bpf_dynptr_is_rdonly", "bpf_dynptr_size", "bpf_dynptr_clone", "bpf_dynptr_copy",
	"bpf_dynptr_memset", "bpf_dynptr_from_file", "bpf_dynptr_from_file_sleepable",
	"bpf_dynptr_file_discard", "bpf_dynptr_from_skb", "bpf_dynptr_from_skb_rdonly",
	"bpf_dynptr_from_skb_meta", "bpf_dynptr_from_xdp", "bpf_probe_read_user_dynptr",
	"bpf_probe_read_kernel_dynptr", "bpf_probe_read_user_str_dynptr",
	"bpf_probe_read_kernel_str_dynptr", "bpf_copy_from_user_dynptr",
	"bpf_copy_from_user_str_dynptr", "bpf_copy_from_user_task_dynptr",
	"bpf_copy_from_user_task_str_dynptr",
	/* By the C bodies that old programs call. */
	"__bpf_dynptr_write", "__bpf_dynptr_size",
};

/* All cases of a run, in order, and what came of them with C and with Rust. */
struct place {
	struct grid_case request;
	unsigned int class;
};

/* Who serves: C; Rust; Rust what jumps, C what is bound, as the programs were loaded with C. */
enum { WITH_C, WITH_RUST, WITH_BOTH, SIDES };
static const char *const side_names[SIDES] = { "C", "Rust", "both" };

/* What is not of the grid. */
struct special {
	/* Suspect L8. */
	long long made;
	unsigned long long size;
	/* Frames in one part and with fragments. */
	struct grid_cut cut[2];
};

static struct place *places;
static struct grid_result *results[SIDES];
static size_t total;
static unsigned char *user;	/* two pages; the third is not there */
static int file;
static const char path[] = "/tmp/grid.file";

static bool uses_len(unsigned int op)
{
	return op != GRID_DATA_0 && op != GRID_DATA_300 &&
	       !(op >= GRID_SLICE_16 && op <= GRID_SLICE_NULL) &&
	       !(op >= GRID_SLICE_RDWR_16 && op <= GRID_SLICE_RDWR_NULL);
}

static bool writes(unsigned int op)
{
	return op == GRID_WRITE || (op >= GRID_COPY_SELF && op != GRID_COPY_OUT);
}

static void add_case(unsigned int class, unsigned int op, const struct view *view, size_t offset,
		     size_t len)
{
	unsigned int size = classes[class].size, n = total;
	struct place *place = &places[total++];

	place->class = class;
	place->request = (struct grid_case){
		.start = size * view->start / 64,
		.end = size * view->end / 64,
		.offset = numbers[offset],
		.len = numbers[len],
		.op = op,
		/* Mostly none; those of the constructor are above bit 8. */
		.flags = n % 11 == 7 ? n % 4 : n % 97 == 5 ? 1 << 8 : 0,
	};
	if (op >= GRID_PROBE_KERNEL)
		place->request.other = n * 7 % GRID_ADDRESSES;
	else
		place->request.other = numbers[n * 5 % COUNT(numbers)];
}

static void add_cases(unsigned int class, unsigned int op, const struct view *view)
{
	for (size_t offset = 0; offset < COUNT(numbers); offset++)
		for (size_t len = 0; len < COUNT(numbers); len++)
			if (!len || uses_len(op))
				add_case(class, op, view, offset, len);
}

static void make_cases(void)
{
	size_t room = (size_t)GRID_CLASSES * GRID_OPS * COUNT(views) * COUNT(numbers) *
		      COUNT(numbers);

	places = calloc(room, sizeof(*places));
	if (!places)
		ksft_exit_fail_msg("no memory\n");
	for (unsigned int class = 0; class < GRID_CLASSES; class++)
		for (int op = classes[class].first_op; op <= classes[class].last_op; op++)
			for (size_t view = 0; view < COUNT(views); view++)
				add_cases(class, op, &views[view]);
	for (int side = 0; side < SIDES; side++) {
		results[side] = calloc(total, sizeof(*results[side]));
		if (!results[side])
			ksft_exit_fail_msg("no memory\n");
	}
}

static void fill(unsigned char *bytes, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = i * 7 + i / 251 + seed;
}

/* Strings of several lengths around the chunk, and what cannot be read. */
static void make_addresses(struct grid_bpf *skel)
{
	unsigned long long base = (unsigned long)user;
	const unsigned long long list[GRID_ADDRESSES] = {
		/* For the user variants; where small also in "text" for the kernel's. */
		0, 1, 8, 100, 300, 500, 700, 1023,
		base, base + 1, base + 10, base + 4096 - 100, base + 4096 - 256,
		base + 8192 - 1, base + 8192 - 16, base + 8192 - 256, base + 8192 - 300,
		base + 8192 - 700, base + 8192, 1ULL << 63, ~0ULL, 0xffff800000000000ULL,
		0xffffffffff600000ULL, 1ULL << 47,
	};

	memcpy(skel->bss->addresses, list, sizeof(list));
}

/* The same memory before each round. */
static void reset(struct grid_bpf *skel)
{
	unsigned char bytes[GRID_BYTES];

	for (__u32 key = 0; key < 2; key++) {
		fill(bytes, sizeof(bytes), key);
		bpf_map__update_elem(skel->maps.memory, &key, sizeof(key), bytes, sizeof(bytes),
				     BPF_ANY);
	}
	fill((unsigned char *)skel->bss->text, sizeof(skel->bss->text), 3);
	/* Strings: they end at 90, at 255 and 256 bytes after one another, and at the very end. */
	for (size_t i = 0; i < sizeof(skel->bss->text); i++)
		if (!skel->bss->text[i])
			skel->bss->text[i] = 'x';
	skel->bss->text[90] = 0;
	skel->bss->text[90 + 255] = 0;
	skel->bss->text[90 + 255 + 256] = 0;
	fill(user, 8192, 5);
	for (size_t i = 0; i < 8192; i++)
		if (!user[i] && i % 512)
			user[i] = 'y';
	user[8192 - 50] = 0;
	make_addresses(skel);
}

static void run_file(struct grid_bpf *skel)
{
	skel->bss->monitored = getpid();
	if (flock(file, LOCK_SH))
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	skel->bss->monitored = 0;
}

/* The program is attached where the packet comes in. */
static void send_metadata(struct grid_bpf *skel)
{
	unsigned char packet[GRID_META + 1024];

	fill(packet, sizeof(packet), 9);
	if (packet_with_metadata(bpf_program__fd(skel->progs.pass), packet, sizeof(packet),
				 GRID_META))
		ksft_exit_fail_msg("live frame: %s\n", strerror(errno));
}

static void run_packet(const struct class *class, int prog)
{
	static unsigned char packet[GRID_PACKET];
	bool in_parts = class->linear == LINEAR;

	fill(packet, sizeof(packet), 9);
	/* IPv4, so that the packet passes for one. */
	packet[12] = 8;
	packet[13] = 0;
	if (packet_run(prog, class->xdp, packet, in_parts ? GRID_PACKET : SHORT,
		       in_parts ? LINEAR : 0))
		ksft_exit_fail_msg("test run (%s): %s\n", class->name, strerror(errno));
}

static void run_batch(struct grid_bpf *skel, const struct class *class, int prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	skel->bss->packet_len = class->linear == LINEAR ? GRID_PACKET : SHORT;
	if (class->file)
		run_file(skel);
	else if (class->meta)
		send_metadata(skel);
	else if (class->linear)
		run_packet(class, prog);
	else if (bpf_prog_test_run_opts(prog, &opts))
		ksft_exit_fail_msg("test run (%s): %s\n", class->name, strerror(errno));
}

/* The cases from @first on that go together: of one class and operation. */
static unsigned int batch_at(size_t first)
{
	const struct place *start = &places[first];
	unsigned int max = writes(start->request.op) ? classes[start->class].batch : GRID_BATCH;
	unsigned int n = 0;

	while (n < max && first + n < total && places[first + n].class == start->class &&
	       places[first + n].request.op == start->request.op)
		n++;
	return n;
}

/* Empties the ring: discarded records too take room until they are passed by. */
static int drop(void *context, void *data, size_t size)
{
	return 0;
}

static void run_oversized(struct grid_bpf *skel, struct special *out)
{
	unsigned char packet[64] = {};

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.oversized), &opts))
		ksft_exit_fail_msg("test run (oversized): %s\n", strerror(errno));
	out->made = skel->bss->oversized_made;
	out->size = skel->bss->oversized_size;
}

static void run_shortened(struct grid_bpf *skel, struct special *out)
{
	static const unsigned int of[] = { GRID_XDP, GRID_XDP_FRAGS };

	for (size_t i = 0; i < COUNT(of); i++) {
		run_batch(skel, &classes[of[i]], bpf_program__fd(skel->progs.shortened));
		out->cut[i] = skel->bss->cut;
	}
}

static struct grid_bpf *load_programs(void)
{
	struct grid_bpf *skel = grid_bpf__open_and_load();

	if (!skel)
		ksft_exit_fail_msg("cannot load grid.bpf.o: %s\n", strerror(errno));
	return skel;
}

/* Keeps the program where its packets or files come by. */
static struct bpf_link *link_of(const struct class *class, struct bpf_program *prog)
{
	struct bpf_link *link = NULL;

	if (class->meta)
		link = bpf_program__attach_tcx(prog, if_nametoindex("lo"), NULL);
	else if (class->file)
		link = bpf_program__attach(prog);
	else
		return NULL;
	if (!link)
		ksft_exit_fail_msg("cannot attach %s: %s\n", class->program, strerror(errno));
	return link;
}

/* All cases with these programs, which are ended. */
static void round_of(struct grid_bpf *skel, struct grid_result *out, struct special *special)
{
	struct bpf_link *link = NULL;
	const struct class *class = NULL;
	struct bpf_program *prog = NULL;
	struct ring_buffer *ring;

	ring = ring_buffer__new(bpf_map__fd(skel->maps.ring), drop, NULL, NULL);
	if (!ring)
		ksft_exit_fail_msg("ring_buffer__new: %s\n", strerror(errno));
	reset(skel);
	run_oversized(skel, special);
	run_shortened(skel, special);
	for (size_t i = 0; i < total; i += skel->bss->count) {
		if (class != &classes[places[i].class]) {
			class = &classes[places[i].class];
			bpf_link__destroy(link);
			prog = bpf_object__find_program_by_name(skel->obj, class->program);
			link = link_of(class, prog);
		}
		skel->bss->count = batch_at(i);
		memset(skel->bss->results, 0, sizeof(skel->bss->results));
		for (unsigned int n = 0; n < skel->bss->count; n++)
			skel->bss->cases[n] = places[i + n].request;
		run_batch(skel, class, bpf_program__fd(prog));
		memcpy(&out[i], skel->bss->results, skel->bss->count * sizeof(*out));
		ring_buffer__consume(ring);
	}
	bpf_link__destroy(link);
	ring_buffer__free(ring);
	grid_bpf__destroy(skel);
}

static void show(const char *side, const struct grid_result *r)
{
	ksft_print_msg("  %-4s made %lld view %lld ret %lld more %lld size %llu null %u ro %u\n",
		       side, r->made, r->view, r->ret, r->more, r->size, r->is_null, r->is_rdonly);
	ksft_print_msg("       bytes read %016llx, memory %016llx\n", r->buffer, r->memory);
}

static void show_difference(size_t i, int side)
{
	const struct grid_case *r = &places[i].request;

	ksft_print_msg("%s, %s: view %llu-%llu offset %llx len %llx other %llx flags %x\n",
		       classes[places[i].class].name, op_names[r->op], r->start, r->end, r->offset,
		       r->len, r->other, r->flags);
	show(side_names[WITH_C], &results[WITH_C][i]);
	show(side_names[side], &results[side][i]);
}

/*
 * C copies from where a packet's head was when the copy itself moves it: moves.c shows that. What
 * was there is still there, but on the debug kernel, which poisons what is freed.
 */
static bool c_copies_poison(const struct grid_case *r, unsigned int class)
{
	struct utsname kernel;

	return class == GRID_SKB_FRAGS && r->op == GRID_COPY_SELF && !uname(&kernel) &&
	       strstr(kernel.release, "-rust-dynptr-debug");
}

static void compare(int side)
{
	size_t differences[GRID_CLASSES] = {}, cases[GRID_CLASSES] = {}, good[GRID_CLASSES] = {};
	size_t poisoned = 0;

	for (size_t i = 0; i < total; i++) {
		unsigned int class = places[i].class;

		cases[class]++;
		good[class] += results[WITH_C][i].ret >= 0;
		if (!memcmp(&results[WITH_C][i], &results[side][i], sizeof(results[side][i])))
			continue;
		if (c_copies_poison(&places[i].request, class))
			poisoned++;
		else if (differences[class]++ < 3)
			show_difference(i, side);
	}
	if (poisoned)
		ksft_print_msg("%zu copies in which C reads freed memory are not compared\n",
			       poisoned);
	for (int class = 0; class < GRID_CLASSES; class++)
		ksft_test_result(cases[class] && !differences[class],
				 "grid: %s, %s: %zu cases (%zu without error), %zu differences from C\n",
				 side_names[side], classes[class].name, cases[class], good[class],
				 differences[class]);
}

static void check_hits(void)
{
	struct row rows[MAX_ROWS];
	int count = control_rows(rows);

	for (size_t i = 0; i < COUNT(mine); i++) {
		unsigned long long hits = 0;

		for (int row = 0; row < count; row++)
			if (!strcmp(rows[row].name, mine[i]))
				hits = rows[row].hits;
		ksft_test_result(hits > 0, "grid: %s was served by Rust (%llu)\n", mine[i], hits);
	}
	ksft_test_result(!control_save_hits(), "grid: the hits are kept\n");
}

/* Every class but null must have been read from: else nothing was compared. */
static void check_reads(void)
{
	size_t reads[GRID_CLASSES] = {};

	for (size_t i = 0; i < total; i++) {
		const struct grid_case *r = &places[i].request;

		if (r->op == GRID_READ && r->len && r->len <= GRID_BUFFER)
			reads[places[i].class] += !results[WITH_C][i].ret;
	}
	for (int class = 0; class < GRID_CLASSES; class++)
		if (class != GRID_NULL && classes[class].first_op <= GRID_READ)
			ksft_test_result(reads[class] > 0, "grid: %s is read (%zu)\n",
					 classes[class].name, reads[class]);
}

/* A packet "with fragments" must have some: no direct pointer across them. */
static void check_fragments(void)
{
	size_t direct[GRID_CLASSES] = {}, copied[GRID_CLASSES] = {};

	for (size_t i = 0; i < total; i++)
		if (places[i].request.op == GRID_SLICE_300) {
			direct[places[i].class] += results[0][i].ret == 1;
			copied[places[i].class] += results[0][i].ret == 2;
		}
	ksft_test_result(!copied[GRID_SKB] && copied[GRID_SKB_FRAGS] > 10,
			 "grid: packets with fragments\n");
	ksft_test_result(!copied[GRID_XDP] && copied[GRID_XDP_FRAGS] > 0 &&
			 direct[GRID_XDP_FRAGS] > 0, "grid: frames with fragments\n");
}

/* What reviewers suspected in C; Rust does the same where it is safe (docs/differences.md). */
static void check_suspects(const struct special *special)
{
	size_t moved[2] = {}, forward = 0;

	for (size_t i = 0; i < total; i++) {
		const struct grid_case *r = &places[i].request;
		unsigned int class = places[i].class;

		/* The size is the view's, unless the clone's adjust() changed it. */
		if (r->op == GRID_CLONE && class == GRID_FILE)
			for (int side = 0; side < 2; side++)
				moved[side] += !results[side][i].view &&
					       results[side][i].size != r->end - r->start;
		if (r->op == GRID_COPY_SELF && class == GRID_XDP_FRAGS && !results[0][i].ret &&
		    r->offset > r->other && r->offset < r->other + r->len && r->len > 256)
			forward += results[0][i].memory == results[1][i].memory;
	}
	ksft_test_result(moved[0] && moved[0] == moved[1],
			 "grid: L2: adjusting a clone moves the original's view of a file, in C and in Rust\n");
	ksft_test_result(forward > 0,
			 "grid: L3: overlapping copies over fragments go front to back, in C and in Rust\n");
	ksft_test_result(!special[0].made && special[0].size == 16 && !special[1].made &&
			 special[1].size == 16,
			 "grid: L8: a record of 4 GiB and 16 bytes is one of 16 bytes, in C and in Rust\n");
}

/* A test run clears what C takes for fragments, so that it may be compared with. */
static void check_shortened(const struct special *special)
{
	for (int i = 0; i < 2; i++) {
		const struct grid_cut *c = &special[WITH_C].cut[i];

		ksft_test_result(c->slice[0] == 2 && c->bytes[1] == 2 && c->read[0] < 0 &&
				 !memcmp(c, &special[WITH_RUST].cut[i], sizeof(*c)),
				 "grid: a frame %s that has become shorter than its dynptr\n",
				 i ? "with fragments" : "in one part");
	}
}

static void make_memory(void)
{
	unsigned char bytes[8192];

	user = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (user == MAP_FAILED || munmap(user + 8192, 4096))
		ksft_exit_fail_msg("mmap: %s\n", strerror(errno));
	fill(bytes, sizeof(bytes), 7);
	file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (file < 0 || write(file, bytes, sizeof(bytes)) != sizeof(bytes))
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
}

int main(int argc, char **argv)
{
	struct special special[SIDES] = {};
	struct grid_bpf *old;

	if (argc != 2) {
		fprintf(stderr, "usage: grid KO\n");
		return 2;
	}
	ksft_print_header();
	make_memory();
	make_cases();
	ksft_test_result(total >= 100000, "grid: %zu cases\n", total);
	round_of(load_programs(), results[WITH_C], &special[WITH_C]);
	old = load_programs();
	if (!ksft_test_result(!control_load(argv[1], "count=1"), "grid: the module loads\n"))
		ksft_finished();
	round_of(load_programs(), results[WITH_RUST], &special[WITH_RUST]);
	round_of(old, results[WITH_BOTH], &special[WITH_BOTH]);
	compare(WITH_RUST);
	compare(WITH_BOTH);
	check_reads();
	check_fragments();
	check_suspects(special);
	check_shortened(special);
	check_hits();
	ksft_test_result(!control_unload(), "grid: the module unloads\n");
	unlink(path);
	ksft_finished();
}
