/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file system of one file, "file", whose reads are answered when the test wants: readers sleep
 * in the kernel until then. Speaks /dev/fuse itself. The file is endless; each 8 bytes say where
 * they are.
 */
#ifndef FUSE_TEST_H
#define FUSE_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ksft.h"

#define FUSE_TEST_SIZE 0x10000000000ULL
#define FUSE_TEST_HELD 64

static struct {
	int fd;
	pthread_t thread;
	pthread_mutex_t lock;
	bool holding;
	struct fuse_in_header held[FUSE_TEST_HELD];
	struct fuse_read_in reads[FUSE_TEST_HELD];
	atomic_int count;	/* of those that are held */
} fuse_test = { .lock = PTHREAD_MUTEX_INITIALIZER };

static inline void fuse_reply(unsigned long long unique, int error, const void *data, size_t size)
{
	struct fuse_out_header out = { .len = sizeof(out) + size, .error = error,
				       .unique = unique };
	struct iovec parts[] = { { &out, sizeof(out) }, { (void *)data, size } };

	/* A request that was given up has no one to answer to. */
	if (writev(fuse_test.fd, parts, size ? 2 : 1) < 0 && errno != ENOENT)
		ksft_print_msg("fuse: %s\n", strerror(errno));
}

static inline void fuse_reply_read(const struct fuse_in_header *in, const struct fuse_read_in *read)
{
	unsigned long long words[128 * 1024 / 8];
	size_t size = read->size < sizeof(words) ? read->size : sizeof(words);

	for (size_t i = 0; i < size / 8; i++)
		words[i] = read->offset + 8 * i;
	fuse_reply(in->unique, 0, words, size);
}

static inline void fuse_fill_attr(struct fuse_attr *attr, unsigned long long node)
{
	attr->ino = node;
	attr->mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644;
	attr->nlink = 1;
	attr->size = node == FUSE_ROOT_ID ? 0 : FUSE_TEST_SIZE;
	attr->blksize = 4096;
}

static inline void fuse_hold(const struct fuse_in_header *in, const struct fuse_read_in *read)
{
	int n;

	pthread_mutex_lock(&fuse_test.lock);
	/* Who is answered asks again at once: only now is it known who still waits. */
	n = fuse_test.count;
	if (fuse_test.holding && n < FUSE_TEST_HELD) {
		fuse_test.held[n] = *in;
		fuse_test.reads[n] = *read;
		fuse_test.count++;
	} else {
		fuse_reply_read(in, read);
	}
	pthread_mutex_unlock(&fuse_test.lock);
}

static inline void fuse_answer(const struct fuse_in_header *in, const void *body)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION, .minor = 31,
				      .max_write = 4096 };
	struct fuse_entry_out entry = { .nodeid = 2, .attr_valid = 1000, .entry_valid = 1000 };
	struct fuse_open_out open = { .open_flags = FOPEN_DIRECT_IO };
	struct fuse_attr_out attr = { .attr_valid = 1000 };

	switch (in->opcode) {
	case FUSE_INIT:
		fuse_reply(in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		fuse_fill_attr(&entry.attr, 2);
		fuse_reply(in->unique, strcmp(body, "file") ? -ENOENT : 0, &entry,
			   strcmp(body, "file") ? 0 : sizeof(entry));
		break;
	case FUSE_GETATTR:
		fuse_fill_attr(&attr.attr, in->nodeid);
		fuse_reply(in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		fuse_reply(in->unique, 0, &open, sizeof(open));
		break;
	case FUSE_READ:
		fuse_hold(in, body);
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		fuse_reply(in->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		fuse_reply(in->unique, -EOPNOTSUPP, NULL, 0);
		break;
	}
}

static void *fuse_serve(void *argument)
{
	static unsigned long long buffer[FUSE_MIN_READ_BUFFER / 8 + 1024];

	for (;;) {
		ssize_t size = read(fuse_test.fd, buffer, sizeof(buffer));

		if (size < 0 && errno == EINTR)
			continue;
		if (size < (ssize_t)sizeof(struct fuse_in_header))
			return NULL;
		fuse_answer((void *)buffer, (char *)buffer + sizeof(struct fuse_in_header));
	}
}

/* Mounts it at @where, a directory that is made. */
static inline void fuse_mount(const char *where)
{
	char options[128];

	fuse_test.fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse_test.fd < 0 || (mkdir(where, 0755) && errno != EEXIST))
		ksft_exit_fail_msg("/dev/fuse: %s\n", strerror(errno));
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0",
		 fuse_test.fd);
	if (mount("test", where, "fuse", MS_NOSUID | MS_NODEV, options))
		ksft_exit_fail_msg("mount of a fuse file system: %s\n", strerror(errno));
	if (pthread_create(&fuse_test.thread, NULL, fuse_serve, NULL))
		ksft_exit_fail_msg("pthread_create: %s\n", strerror(errno));
}

/* From now on reads are kept waiting, until fuse_release(). */
static inline void fuse_keep(void)
{
	pthread_mutex_lock(&fuse_test.lock);
	fuse_test.holding = true;
	pthread_mutex_unlock(&fuse_test.lock);
}

static inline void fuse_release(void)
{
	pthread_mutex_lock(&fuse_test.lock);
	fuse_test.holding = false;
	for (int i = 0; i < fuse_test.count; i++)
		fuse_reply_read(&fuse_test.held[i], &fuse_test.reads[i]);
	fuse_test.count = 0;
	pthread_mutex_unlock(&fuse_test.lock);
}

#endif
