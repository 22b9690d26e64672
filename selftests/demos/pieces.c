// SPDX-License-Identifier: GPL-2.0
/*
 * pieces SEED: copies stdin to stdout with calls of write() and writev() of random sizes: from a
 * byte to some KiB, of one to eight parts, some of them empty.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#define PARTS 8

static char text[1 << 20];

static size_t up_to(size_t limit)
{
	size_t size = 1 + rand() % (rand() % 4 ? 64 : 6000);

	return size < limit ? size : limit;
}

/* Writes some of the @left bytes at @from; returns how many. */
static ssize_t write_some(char *from, size_t left)
{
	struct iovec parts[PARTS];
	int i, n = 1 + rand() % PARTS;

	if (rand() % 2)
		return write(STDOUT_FILENO, from, up_to(left));
	for (i = 0; i < n; i++) {
		parts[i].iov_base = from;
		parts[i].iov_len = rand() % 8 ? up_to(left) : 0;
		from += parts[i].iov_len;
		left -= parts[i].iov_len;
		if (!left)
			n = i + 1;
	}
	return writev(STDOUT_FILENO, parts, n);
}

int main(int argc, char **argv)
{
	size_t bytes = fread(text, 1, sizeof(text), stdin), done = 0;
	ssize_t n;

	if (argc != 2)
		return 2;
	srand(atoi(argv[1]));
	while (done < bytes) {
		n = write_some(text + done, bytes - done);
		if (n < 0) {
			perror("pieces");
			return 1;
		}
		done += n;
	}
	return 0;
}
