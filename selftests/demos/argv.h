/* SPDX-License-Identifier: GPL-2.0 */
/* What argv.bpf.c and argv.c share. */
#ifndef ARGV_H
#define ARGV_H

/* Rules, and bytes of one with its NUL. */
#define ARGV_RULES 8
#define ARGV_RULE 64
/* Bytes of arguments and environment that are looked at, and arguments. */
#define ARGV_BYTES 1048576
#define ARGV_COUNT 4096
/* Bytes of an argument that are reported. */
#define ARGV_SHOWN 128

/* What is not allowed. */
struct argv_rule {
	unsigned int len;
	char text[ARGV_RULE];
};

/* A program that was started. */
struct argv_event {
	int pid;
	int rule;		/* what it was ended for; -1 if it was not */
	unsigned int count;	/* arguments */
	unsigned int bytes;	/* of all of them, with the NULs */
	unsigned int index;	/* the argument that the rule is about */
	int error;
	char text[ARGV_SHOWN];	/* it, or the first */
};

#endif
