// SPDX-License-Identifier: GPL-2.0
/*
 * ringmaps KO: the operations of both ring buffer map types, first with C, then with the module
 * loaded: creation with every flag and many sizes, mmap of every range with every protection and
 * what mprotect and mremap make of it, mem_usage, failure without memory. Each outcome must be
 * the same.
 */
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "rings.h"
#include "ringuser.h"
#include "rings.skel.h"

#define CGROUP "/sys/fs/cgroup/ringmaps"
#define LIMIT (24 << 20)	/* bytes that the children of the cgroup may have */

enum { WITH_C, WITH_RUST, SIDES };

/* What was tried, and what came of it. */
struct outcome {
	char what[80];
	long long value;
};

static struct outcomes {
	struct outcome *list;
	size_t count, room;
} outcomes[SIDES];

static int side;

__printf(2, 3) static void note(long long value, const char *fmt, ...)
{
	struct outcomes *all = &outcomes[side];
	va_list args;

	if (all->count == all->room) {
		all->room = all->room ? 2 * all->room : 4096;
		all->list = realloc(all->list, all->room * sizeof(*all->list));
		if (!all->list)
			ksft_exit_fail_msg("no memory\n");
	}
	va_start(args, fmt);
	vsnprintf(all->list[all->count].what, sizeof(all->list[0].what), fmt, args);
	va_end(args);
	all->list[all->count++].value = value;
}

/* Ends of the parts: outcomes until there. */
enum { START, CREATED, MAPPED, POOR, PARTS };
static size_t marks[SIDES][PARTS];

/* In a part, from one mark to another, the sides must be equal. */
static void compare(int part, const char *what)
{
	const struct outcome *c = outcomes[WITH_C].list + marks[WITH_C][part - 1];
	const struct outcome *rust = outcomes[WITH_RUST].list + marks[WITH_RUST][part - 1];
	size_t n = marks[WITH_C][part] - marks[WITH_C][part - 1];
	size_t differences = n != marks[WITH_RUST][part] - marks[WITH_RUST][part - 1];
	size_t good = 0;

	for (size_t i = 0; i < n; i++) {
		good += c[i].value >= 0;
		if (c[i].value == rust[i].value && !strcmp(c[i].what, rust[i].what))
			continue;
		if (differences++ < 5)
			ksft_print_msg("C: %s: %lld; Rust: %s: %lld\n", c[i].what, c[i].value,
				       rust[i].what, rust[i].value);
	}
	ksft_test_result(n && good < n && !differences,
			 "ringmaps: %s: %zu outcomes, %zu without error, %zu differences between C and Rust\n",
			 what, n, good, differences);
}

static const __u32 entries[] = {
	0, 1, 2048, 4095, 4096, 4097, 6144, 8192, 12288, 65536, 1 << 20, (1 << 20) + 1,
	(1U << 31) + 4096,
};

static void create(enum bpf_map_type type, __u32 flags, int node, __u32 key, __u32 value,
		   __u32 size)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags, .numa_node = node);
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	int fd = bpf_map_create(type, "ring", key, value, size, &opts);

	note(fd < 0 ? -errno : 0, "type %u flags %x node %d key %u value %u size %u", type, flags,
	     node, key, value, size);
	if (fd < 0)
		return;
	note(mem_usage(fd), "mem_usage of %u bytes", size);
	if (bpf_map_get_info_by_fd(fd, &info, &len))
		note(-errno, "info of %u bytes", size);
	note(info.type | (long long)info.map_flags << 32, "type and flags of %u bytes", size);
	note(info.max_entries | (long long)info.key_size << 32 | (long long)info.value_size << 48,
	     "sizes of %u bytes", size);
	close(fd);
}

static void create_all(enum bpf_map_type type, __u32 flags, int node)
{
	for (size_t i = 0; i < COUNT(entries); i++)
		for (__u32 key = 0; key < 8; key += 4)
			for (__u32 value = 0; value < 16; value += 8)
				create(type, flags, node, key, value, entries[i]);
}

static void creations(void)
{
	static const enum bpf_map_type types[] = { BPF_MAP_TYPE_RINGBUF,
						   BPF_MAP_TYPE_USER_RINGBUF };
	static const int nodes[] = { 0, 1, 63, 1024, -1, -2 };

	for (size_t i = 0; i < COUNT(types); i++) {
		create_all(types[i], 0, 0);
		for (int bit = 0; bit < 32; bit++)
			create_all(types[i], 1U << bit, 0);
		create_all(types[i], BPF_F_NUMA_NODE | BPF_F_RB_OVERWRITE, 0);
		create_all(types[i], ~0U, 0);
		for (size_t n = 0; n < COUNT(nodes); n++) {
			create_all(types[i], BPF_F_NUMA_NODE, nodes[n]);
			create_all(types[i], 0, nodes[n]);
		}
	}
}

/* A map with something to see in each page, and the number of pages of its data. */
#define DATA_PAGES 2

static int map_to_see(bool user)
{
	struct rings_bpf *skel;
	struct ring ring;
	int fd;

	LIBBPF_OPTS(bpf_test_run_opts, opts);

	fd = ring_create(user ? BPF_MAP_TYPE_USER_RINGBUF : BPF_MAP_TYPE_RINGBUF,
			 DATA_PAGES * PAGE, 0);
	if (fd < 0)
		ksft_exit_fail_msg("cannot create a map: %s\n", strerror(errno));
	ring_map(&ring, fd, DATA_PAGES * PAGE, user);
	if (user) {
		ring.producer[0] = 0x1234;
		for (int i = 0; i < DATA_PAGES; i++)
			ring.data[i * PAGE] = i + 1;
	} else {
		*ring.consumer = 0x4321;
		skel = rings_bpf__open();
		if (!skel || bpf_map__reuse_fd(skel->maps.ring, fd))
			ksft_exit_fail_msg("rings.bpf.o: %s\n", strerror(errno));
		bpf_map__set_max_entries(skel->maps.ring, DATA_PAGES * PAGE);
		if (rings_bpf__load(skel))
			ksft_exit_fail_msg("cannot load rings.bpf.o: %s\n", strerror(errno));
		*ring.consumer = 0;
		for (int i = 0; i < 2 * DATA_PAGES - 1; i++) {
			skel->bss->request = (struct rings_case){
				.op = RINGS_OUTPUT, .size = 2040 + i,
			};
			bpf_prog_test_run_opts(bpf_program__fd(skel->progs.rings), &opts);
		}
		*ring.consumer = 0x4321;
		rings_bpf__destroy(skel);
	}
	ring_unmap(&ring);
	return fd;
}

/* What can be made of a mapping, which ends. */
static void change(unsigned char *at, size_t len, int prot, const char *name)
{
	static const int protections[] = { PROT_READ, PROT_READ | PROT_WRITE, PROT_WRITE,
					   PROT_READ | PROT_EXEC, PROT_EXEC, PROT_NONE };
	unsigned char *moved;

	if (prot & PROT_READ)
		for (size_t i = 0; i < len; i += PAGE)
			note(*(unsigned int *)(at + i), "%s: word at %zu", name, i);
	for (size_t i = 0; i < COUNT(protections); i++)
		note(mprotect(at, len, protections[i]) ? -errno : 0, "%s: mprotect %d", name,
		     protections[i]);
	if (len > PAGE)
		note(mprotect(at, PAGE, PROT_READ | PROT_WRITE) ? -errno : 0,
		     "%s: mprotect the first page", name);
	moved = mremap(at, len, len + PAGE, MREMAP_MAYMOVE);
	note(moved == MAP_FAILED ? -errno : 0, "%s: mremap, larger", name);
	if (moved != MAP_FAILED) {
		at = moved;
		len += PAGE;
	}
	moved = mremap(at, 0, len, MREMAP_MAYMOVE);
	note(moved == MAP_FAILED ? -errno : 0, "%s: mremap, twice", name);
	if (moved != MAP_FAILED)
		munmap(moved, len);
	moved = mremap(at, len, PAGE, 0);
	note(moved == MAP_FAILED ? -errno : 0, "%s: mremap, smaller", name);
	munmap(at, len);
}

static void map_one(int fd, bool user, size_t len, int prot, int flags, off_t pgoff)
{
	unsigned char *at = mmap(NULL, len, prot, flags, fd, pgoff * PAGE);
	char name[64];

	snprintf(name, sizeof(name), "%s: %zu at page %lld, prot %d, %s", user ? "user" : "kernel",
		 len, (long long)pgoff, prot, flags == MAP_SHARED ? "shared" : "private");
	note(at == MAP_FAILED ? -errno : 0, "%s", name);
	if (at != MAP_FAILED)
		change(at, (len + PAGE - 1) & ~(PAGE - 1), prot, name);
}

static void mappings(void)
{
	static const off_t far[] = { 1LL << 20, 1LL << 32, (1LL << 51) - 1, -1 };

	for (int user = 0; user < 2; user++) {
		int fd = map_to_see(user);

		for (int prot = 0; prot < 8; prot++)
			for (off_t pgoff = 0; pgoff < 2 * DATA_PAGES + 4; pgoff++) {
				for (size_t pages = 0; pages < 2 * DATA_PAGES + 4; pages++) {
					map_one(fd, user, pages * PAGE, prot, MAP_SHARED, pgoff);
					map_one(fd, user, pages * PAGE, prot, MAP_PRIVATE, pgoff);
				}
				map_one(fd, user, 100, prot, MAP_SHARED, pgoff);
				map_one(fd, user, PAGE + 1, prot, MAP_SHARED, pgoff);
			}
		for (size_t i = 0; i < COUNT(far); i++)
			map_one(fd, user, PAGE, PROT_READ, MAP_SHARED, far[i]);
		close(fd);
	}
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	close(fd);
}

static long long read_number(const char *path)
{
	long long number = -1;
	FILE *file = fopen(path, "r");

	if (!file || fscanf(file, "%lld", &number) != 1)
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	fclose(file);
	return number;
}

static void make_cgroup(void)
{
	char limit[32];

	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP, 0755))
		ksft_exit_fail_msg("%s: %s\n", CGROUP, strerror(errno));
	snprintf(limit, sizeof(limit), "%d", LIMIT);
	write_file(CGROUP "/memory.max", limit);
}

/* A child without memory tries, again and again: nothing of what it got may stay. */
static void poverty(void)
{
	static const __u32 sizes[] = { 1 << 25, 1 << 26, 1U << 31 };
	int channel[2];
	long long left;

	if (pipe(channel))
		ksft_exit_fail_msg("pipe: %s\n", strerror(errno));
	if (!fork()) {
		long long results[2 * COUNT(sizes)];

		write_file(CGROUP "/cgroup.procs", "0");
		for (size_t i = 0; i < 2 * COUNT(sizes); i++) {
			int fd = ring_create(i % 2 ? BPF_MAP_TYPE_USER_RINGBUF :
						     BPF_MAP_TYPE_RINGBUF, sizes[i / 2], 0);

			results[i] = fd < 0 ? -errno : 0;
		}
		_exit(write(channel[1], results, sizeof(results)) != sizeof(results));
	}
	close(channel[1]);
	for (size_t i = 0; i < 2 * COUNT(sizes); i++) {
		long long value = 1;

		if (read(channel[0], &value, sizeof(value)) != sizeof(value))
			value = 1;
		note(value, "%u bytes without memory", sizes[i / 2]);
		if (value != -ENOMEM)
			ksft_print_msg("%u bytes without memory: %lld\n", sizes[i / 2], value);
	}
	close(channel[0]);
	wait(NULL);
	for (int i = 0; i < 100; i++) {
		left = read_number(CGROUP "/memory.current");
		if (left < 3 << 20)
			break;
		usleep(50000);
	}
	ksft_test_result(left < 3 << 20, "ringmaps: after failures %lld bytes are left charged\n",
			 left);
}

/* B7: the memory of a ring is a vmap() for user space. */
static void check_vmap(const char *name)
{
	int fd = ring_create(BPF_MAP_TYPE_RINGBUF, 512 * 1024, 0);
	char line[256];
	bool found = false;
	FILE *file = fopen("/proc/vmallocinfo", "r");

	if (fd < 0 || !file)
		ksft_exit_fail_msg("vmallocinfo: %s\n", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		unsigned long bytes;

		/* Structure, positions, the data twice, a guard page. */
		if (sscanf(line, "%*s %lu", &bytes) == 1 && bytes == (3 + 256 + 1) * PAGE)
			found = strstr(line, "vmap") && strstr(line, "user");
	}
	fclose(file);
	close(fd);
	ksft_test_result(found, "ringmaps: B7: with %s a ring is a vmap for user space\n", name);
}

static void all_of(const char *name)
{
	marks[side][START] = outcomes[side].count;
	creations();
	marks[side][CREATED] = outcomes[side].count;
	mappings();
	marks[side][MAPPED] = outcomes[side].count;
	poverty();
	marks[side][POOR] = outcomes[side].count;
	check_vmap(name);
}

static const char *const mine[] = {
	"ringbuf_map_alloc", "ringbuf_map_free", "ringbuf_map_mmap_kern", "ringbuf_map_mmap_user",
	"ringbuf_map_mem_usage",
};

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: ringmaps KO\n");
		return 2;
	}
	ksft_print_header();
	make_cgroup();
	side = WITH_C;
	all_of("C");
	if (!ksft_test_result(!control_load(argv[1], "count=1"), "ringmaps: the module loads\n"))
		ksft_finished();
	side = WITH_RUST;
	all_of("Rust");
	compare(CREATED, "creation");
	compare(MAPPED, "mappings");
	compare(POOR, "no memory");
	check_rows("ringmaps", mine, COUNT(mine));
	ksft_test_result(!control_unload(), "ringmaps: the module unloads\n");
	rmdir(CGROUP);
	ksft_finished();
}
