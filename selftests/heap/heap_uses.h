/* SPDX-License-Identifier: GPL-2.0 */
/* What heap_uses.bpf.c and heapuses.c share. */
#ifndef HEAP_USES_H
#define HEAP_USES_H

#define USES_BYTES 64

/* What is to be done when the task opens a file or binds a socket. */
enum uses_action {
	USES_NONE,
	USES_STORE,	/* an object into its storage */
	USES_TAKE,	/* out of it */
	USES_DROP,	/* the storage is deleted */
	USES_XATTR,
	USES_SIGNATURE,
};

struct uses_request {
	unsigned int pid;
	unsigned int action;
	unsigned char signature[USES_BYTES];
};

struct uses_result {
	int err;
	int undone;	/* what decryption returned */
	unsigned char bytes[USES_BYTES];
	unsigned char back[USES_BYTES];
};

#endif
