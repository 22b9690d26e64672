/* SPDX-License-Identifier: GPL-2.0 */
/* What execs.bpf.c and execs.c share. */
#ifndef EXECS_H
#define EXECS_H

#define EXECS_STRINGS 4096	/* bytes of file name and arguments in a record, at most */
#define EXECS_STRING 1024	/* bytes of one of them, at most */
#define EXECS_ARGS 24		/* arguments, at most */

/* A record of the ring "events": this, then file name and arguments, each with its NUL. */
struct execs_event {
	unsigned long long seq;
	unsigned int pid;
	unsigned int argc;	/* arguments in the record */
	unsigned int bytes;	/* of the strings */
	unsigned char truncated;	/* there was more than a record may hold */
	unsigned char complete;	/* set last, through bpf_dynptr_data() */
	unsigned short pad;
};

/* A record of the ring "notes": what became of event @seq. */
struct execs_note {
	unsigned long long seq;
	unsigned long long backlog;	/* bytes that the consumer had before it */
	unsigned int size;		/* of the record; 0 if it could not be reserved */
	unsigned int pad;
};

#endif
