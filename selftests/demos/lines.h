/* SPDX-License-Identifier: GPL-2.0 */
/* What lines.bpf.c and lines.c share. */
#ifndef LINES_H
#define LINES_H

#define LINES_MAX 16384		/* bytes of a line in a record, at most: the rest is cut off */
#define LINES_PIECE 4096	/* bytes that are read at a time */
#define LINES_WRITE 131072	/* bytes of one write that are read, at most: the rest is lost */
#define LINES_VECTORS 1024	/* elements of writev(), at most: UIO_MAXIOV */
#define LINES_OPEN 1024		/* unfinished lines at a time, at most: those of others are lost */

/* Who writes the line, and where to. */
struct lines_key {
	unsigned int tid;
	unsigned int fd;
};

#define LINES_CUT 1		/* the line was longer */
#define LINES_UNFINISHED 2	/* no newline came before the thread ended */

/* A record of the ring: this, then the line without its newline. */
struct lines_record {
	unsigned int pid;
	struct lines_key key;
	unsigned int flags;
	char comm[16];
};

/* What happened so far. */
struct lines_stats {
	unsigned long long writes;
	unsigned long long blocks;	/* allocated, also to make room for a longer line */
	unsigned long long lost;	/* pieces of text: lines, or several in a row */
};

#endif
