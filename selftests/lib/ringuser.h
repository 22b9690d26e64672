/* SPDX-License-Identifier: GPL-2.0 */
/* Ring buffer maps as the tests see them: made with any attributes, mapped, from outside. */
#ifndef RINGS_RUNNER_H
#define RINGS_RUNNER_H

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control.h"
#include "ksft.h"

#define PAGE 4096ULL
#define RING_BUSY 0x80000000U
#define RING_DISCARD 0x40000000U

/* Numbers that are the same in each run. */
struct numbers {
	unsigned long long state;
};

static inline unsigned long long next_number(struct numbers *numbers)
{
	unsigned long long x = numbers->state + 0x9e3779b97f4a7c15ULL;

	numbers->state = x;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* A ring, mapped: the consumer's page, the producer's page, the data twice. */
struct ring {
	int fd;
	unsigned long long size;
	volatile unsigned long long *consumer;
	volatile unsigned long long *producer;	/* with a kernel producer: pending, overwrite */
	volatile unsigned char *data;
};

static inline int ring_create(enum bpf_map_type type, unsigned long long size, __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);

	return bpf_map_create(type, "ring", 0, 0, size, &opts);
}

/* Maps @fd; a user-space producer may write what is the kernel's otherwise. */
static inline void ring_map(struct ring *ring, int fd, unsigned long long size, bool user)
{
	int consumer = user ? PROT_READ : PROT_READ | PROT_WRITE;
	int producer = user ? PROT_READ | PROT_WRITE : PROT_READ;
	unsigned char *rest;

	ring->fd = fd;
	ring->size = size;
	ring->consumer = mmap(NULL, PAGE, consumer, MAP_SHARED, fd, 0);
	rest = mmap(NULL, PAGE + 2 * size, producer, MAP_SHARED, fd, PAGE);
	if (ring->consumer == MAP_FAILED || rest == MAP_FAILED)
		ksft_exit_fail_msg("cannot map a ring of %llu bytes: %s\n", size, strerror(errno));
	ring->producer = (void *)rest;
	ring->data = rest + PAGE;
}

static inline void ring_unmap(struct ring *ring)
{
	munmap((void *)ring->consumer, PAGE);
	munmap((void *)ring->producer, PAGE + 2 * ring->size);
}

static inline unsigned int ring_header(const struct ring *ring, unsigned long long pos)
{
	return __atomic_load_n((unsigned int *)(ring->data + (pos & (ring->size - 1))),
			       __ATOMIC_ACQUIRE);
}

/* Bytes from a record with this header to the next. */
static inline unsigned long long ring_stride(unsigned int header)
{
	return ((header & ~(RING_BUSY | RING_DISCARD)) + 8ULL + 7) & ~7ULL;
}

/* The hits of one row since the module was loaded. */
static inline unsigned long long hits_of(const char *name)
{
	struct row rows[MAX_ROWS];
	int count = control_rows(rows);

	for (int i = 0; i < count; i++)
		if (!strcmp(rows[i].name, name))
			return rows[i].hits;
	return 0;
}

/* One test a row: Rust served it. */
static inline void check_rows(const char *test, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned long long hits = hits_of(names[i]);

		ksft_test_result(hits > 0, "%s: %s was served by Rust (%llu)\n", test, names[i],
				 hits);
	}
	ksft_test_result(!control_save_hits(), "%s: the hits are kept\n", test);
}

/* Whether the kernel forgets map @id within some seconds: it is freed by a worker. */
static inline bool map_goes(__u32 id)
{
	for (int i = 0; i < 1000; i++) {
		int fd = bpf_map_get_fd_by_id(id);

		if (fd < 0)
			return errno == ENOENT;
		close(fd);
		usleep(10000);
	}
	return false;
}

static inline __u32 map_id(int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return bpf_map_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

/* bpf_map_ops.map_mem_usage(), by way of /proc: -1 if it cannot be read. */
static inline long long mem_usage(int fd)
{
	long long usage = -1;
	char line[128];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", fd);
	file = fopen(line, "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %lld", &usage) == 1)
			break;
	fclose(file);
	return usage;
}

#endif
