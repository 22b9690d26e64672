// SPDX-License-Identifier: GPL-2.0
/* Running an accepted program on known input, and a hash of all that it left. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "rng.h"
#include "ksft.h"

#define PAGE 4096
#define FILE_NAME "/dev/shm/fuzz-file"

/* Only one program at a time may be attached to the hook: it runs for every process. */
static pthread_mutex_t *hook_lock;

__u64 hash_bytes(__u64 hash, const void *data, size_t size)
{
	const unsigned char *bytes = data;
	__u64 word;

	for (; size >= 8; size -= 8, bytes += 8) {
		memcpy(&word, bytes, 8);
		hash = (hash ^ word) * 0x9fb21c651e98df25ULL;
		hash ^= hash >> 32;
	}
	word = size;
	memcpy(&word, bytes, size);
	hash = (hash ^ word ^ (__u64)size << 56) * 0x9fb21c651e98df25ULL;
	return hash ^ hash >> 29;
}

static void fill(void *memory, size_t size, unsigned int first)
{
	for (size_t i = 0; i < size; i++)
		((unsigned char *)memory)[i] = first + i * 7 + (i >> 5);
}

/* Before the processes of a run are made: the file, the page that programs read, the lock. */
void run_share(void)
{
	pthread_mutexattr_t attr;
	unsigned char bytes[8192];
	void *page;
	int fd;

	page = mmap((void *)USER_PAGE, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	hook_lock = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || hook_lock == MAP_FAILED)
		ksft_exit_fail_msg("mmap: %s\n", strerror(errno));
	fill(page, PAGE, 1);
	memset(page + 100, 0, 4);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(hook_lock, &attr);
	fill(bytes, sizeof(bytes), 3);
	fd = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, bytes, sizeof(bytes)) != sizeof(bytes))
		ksft_exit_fail_msg("%s: %s\n", FILE_NAME, strerror(errno));
	close(fd);
}

/* Samples for the user ring: some good, one to be skipped, one empty. */
static void produce(__u64 seed)
{
	int map = world_map(MAP_USER_RING);
	unsigned long *position;
	unsigned char *data;
	struct rng rng;
	__u32 at = 0;

	position = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, map, PAGE);
	if (position == MAP_FAILED)
		ksft_exit_fail_msg("cannot map the user ring: %s\n", strerror(errno));
	data = (unsigned char *)position + PAGE;
	rng_seed(&rng, seed);
	for (int i = 0; i < 4; i++) {
		__u32 size = i == 2 ? 0 : 1 + rng_below(&rng, 64);
		__u32 header = size | (i == 1 ? BPF_RINGBUF_DISCARD_BIT : 0);

		memcpy(data + at, &header, sizeof(header));
		fill(data + at + BPF_RINGBUF_HDR_SZ, size, i);
		at += (size + BPF_RINGBUF_HDR_SZ + 7) & ~7u;
	}
	if (rng_below(&rng, 16) == 0)
		at -= 8 * rng_below(&rng, 4) + 1;
	__atomic_store_n(position, at, __ATOMIC_RELEASE);
	munmap(position, 3 * PAGE);
}

/* Records and positions of a ring. */
static __u64 hash_ring(__u64 hash, enum map_index map)
{
	unsigned long *position;

	/* Of a user ring, the kernel's position is that of the consumer. */
	if (map == MAP_USER_RING) {
		position = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, world_map(map), 0);
		if (position == MAP_FAILED)
			ksft_exit_fail_msg("cannot map a ring: %s\n", strerror(errno));
		hash = hash_bytes(hash, position, sizeof(*position));
		munmap(position, PAGE);
		return hash;
	}
	position = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, world_map(map), PAGE);
	if (position == MAP_FAILED)
		ksft_exit_fail_msg("cannot map a ring: %s\n", strerror(errno));
	hash = hash_bytes(hash, position, sizeof(*position));
	if (*position)
		hash = hash_bytes(hash, (char *)position + PAGE,
				  *position < PAGE ? *position : PAGE);
	munmap(position, 2 * PAGE);
	return hash;
}

/* Runs with a packet or without one; what came back is hashed. Of a thread of its own. */
static __u64 test_run(const struct program *p, int fd, __u64 hash)
{
	static __thread unsigned char packet[PAGE], out[2 * PAGE];
	__u64 arguments[2] = { p->seed, 5 };
	struct __sk_buff skb = {};
	struct xdp_md xdp = {};
	int result;

	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (p->kind == PROG_RAW_TP) {
		opts.ctx_in = arguments;
		opts.ctx_size_in = sizeof(arguments);
	} else if (p->kind != PROG_SYSCALL) {
		fill(packet, p->packet, p->seed);
		opts.data_in = packet;
		opts.data_size_in = p->packet;
		opts.data_out = out;
		opts.data_size_out = sizeof(out);
		opts.repeat = 1;
		skb.data_end = p->packet < 20 ? p->packet : 14 + p->packet % 7;
		xdp.data_end = skb.data_end;
		if (p->frags) {
			opts.ctx_in = p->kind == PROG_XDP ? (void *)&xdp : (void *)&skb;
			opts.ctx_size_in = p->kind == PROG_XDP ? sizeof(xdp) : sizeof(skb);
		}
	}
	result = bpf_prog_test_run_opts(fd, &opts);
	hash = hash_bytes(hash, &result, sizeof(result));
	hash = hash_bytes(hash, &opts.retval, sizeof(opts.retval));
	hash = hash_bytes(hash, &opts.data_size_out, sizeof(opts.data_size_out));
	if (opts.data_out && !result)
		hash = hash_bytes(hash, out, opts.data_size_out);
	return hash;
}

/* Attaches, calls the hook once, detaches. */
static __u64 hook_run(int fd, __u64 hash)
{
	static int file = -1;
	int link, result;

	if (file < 0)
		file = open(FILE_NAME, O_RDONLY);
	pthread_mutex_lock(hook_lock);
	link = bpf_raw_tracepoint_open(NULL, fd);
	result = link < 0 ? link : flock(file, LOCK_SH);
	close(link);
	pthread_mutex_unlock(hook_lock);
	return hash_bytes(hash, &result, sizeof(result));
}

/* Runs the program at @fd once more, on whatever is there. */
void run_again(const struct program *p, int fd)
{
	test_run(p, fd, 0);
}

/* Runs the program at @fd, unless it must not be, and adds to @out. */
void run_program(const struct program *p, const struct image *image, int fd, struct outcome *out)
{
	unsigned char *val = world_memory(MAP_VAL), *arr = world_memory(MAP_ARR);
	__u64 hash = 1;
	__u32 first = p->seed;

	bool hooked = p->kind == PROG_LSM || p->kind == PROG_LSM_SLEEP;

	/* Attaching takes long: one in four will do. */
	if (image->no_run || p->kind == PROG_QDISC || (hooked && p->seed % 4))
		return;
	fill(val, VAL_SIZE, 5);
	memcpy(val, &first, sizeof(first));
	fill(arr, ARR_ENTRIES * 16, 9);
	if (image->user_ring)
		produce(p->seed);
	if (hooked)
		hash = hook_run(fd, hash);
	else
		hash = test_run(p, fd, hash);
	hash = hash_bytes(hash, val, VAL_SIZE);
	hash = hash_bytes(hash, arr, ARR_ENTRIES * 16);
	if (image->rings) {
		hash = hash_ring(hash, MAP_RING);
		hash = hash_ring(hash, MAP_RING_OVERWRITE);
	}
	if (image->user_ring)
		hash = hash_ring(hash, MAP_USER_RING);
	if (image->rings || image->user_ring)
		world_renew_rings();
	out->flags |= OUTCOME_RAN;
	if (!image->leaky) {
		out->flags |= OUTCOME_COMPARED;
		out->run = hash;
	}
}
