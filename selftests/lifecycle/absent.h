/* SPDX-License-Identifier: GPL-2.0 */
/* User memory whose pages come when the test says so: who touches one sleeps until then. */
#ifndef ABSENT_H
#define ABSENT_H

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ksft.h"

#define ABSENT_PAGE 4096

static struct {
	int fd;
	unsigned char *pages;
} absent;

/* Makes @count such pages. */
static inline void absent_make(int count)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range;

	absent.fd = syscall(SYS_userfaultfd, O_NONBLOCK | O_CLOEXEC);
	if (absent.fd < 0 || ioctl(absent.fd, UFFDIO_API, &api))
		ksft_exit_fail_msg("userfaultfd: %s\n", strerror(errno));
	absent.pages = mmap(NULL, count * ABSENT_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range = (struct uffdio_register){
		.range = { (unsigned long)absent.pages, count * ABSENT_PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	if (absent.pages == MAP_FAILED || ioctl(absent.fd, UFFDIO_REGISTER, &range))
		ksft_exit_fail_msg("absent pages: %s\n", strerror(errno));
}

/* Waits for @count faults, 5 s each at most. How many there were. */
static inline int absent_wait(int count)
{
	struct pollfd poll_fd = { .fd = absent.fd, .events = POLLIN };
	struct uffd_msg message;
	int seen = 0;

	while (seen < count && poll(&poll_fd, 1, 5000) > 0)
		while (read(absent.fd, &message, sizeof(message)) == sizeof(message))
			seen += message.event == UFFD_EVENT_PAGEFAULT;
	return seen;
}

/* Lets a page come, which starts with the number @first. */
static inline void absent_bring(int page, unsigned long long first)
{
	static unsigned long long content[ABSENT_PAGE / 8] __attribute__((aligned(ABSENT_PAGE)));
	struct uffdio_copy copy = {
		.dst = (unsigned long)absent.pages + page * ABSENT_PAGE,
		.src = (unsigned long)content,
		.len = ABSENT_PAGE,
	};

	content[0] = first;
	if (ioctl(absent.fd, UFFDIO_COPY, &copy))
		ksft_exit_fail_msg("UFFDIO_COPY: %s\n", strerror(errno));
}

#endif
