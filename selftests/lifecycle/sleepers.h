/* SPDX-License-Identifier: GPL-2.0 */
/* What sleepers.bpf.c and its runner share. */
#ifndef SLEEPERS_H
#define SLEEPERS_H

#define SLEEPERS_SLOTS 16

/* Commands for ioctl(): how a file is read. The low bits of the argument are the slot. */
enum sleepers_command {
	SLEEPERS_READ = 0x5a00,
	SLEEPERS_SLICE,
	SLEEPERS_COPY,
};

/* The argument of the copying program, and its answer. */
struct sleepers_copy {
	unsigned long long address;
	unsigned long long value;
	long long ret;
};

struct sleepers_result {
	unsigned long long value;
	long long ret;
	unsigned long long done;
};

#endif
