/* SPDX-License-Identifier: GPL-2.0 */
/* What heap.bpf.c and heap.c share. */
#ifndef HEAP_H
#define HEAP_H

/* Bytes that the programs look at, at most, in one call. */
#define HEAP_BYTES 256
/* Entries of the maps that hold objects. */
#define HEAP_ENTRIES 2048
/* Exchanges of a run of "exchange". */
#define HEAP_EXCHANGES 1000

/* References that "hoard" tries to get. */
#define HEAP_HOARD 8

enum heap_map {
	HEAP_ARRAY,
	HEAP_HASH,
	HEAP_LRU,
	HEAP_RESIZABLE,
	HEAP_ALLOCATED,		/* a hash that allocates its entries one by one */
	HEAP_PERCPU,
	HEAP_PERCPU_HASH,
	HEAP_PERCPU_LRU,
	HEAP_TASK,
	HEAP_CGROUP,
	HEAP_MAPS,
};

/* What a program is asked to do. */
struct heap_request {
	unsigned int size;
	unsigned int key;
	unsigned long long flags;
	unsigned int map;
	unsigned int offset;
	unsigned long long cgroup;	/* its number */
	unsigned char fill;
};

/* What came of it. */
struct heap_result {
	int alloc;
	int is_null;
	int is_rdonly;
	unsigned int size;
	int write;
	int read;
	int beyond;
	/* Bytes of a new block that were not zero. */
	unsigned int dirty;
	/* Bytes that were not what was written. */
	unsigned int wrong;
	int slice;
	int data;
	int empty_data;
	int adjusted;
	int cloned;
	int copied;
	int probed;
	int user;
	int crypted;
	unsigned int object_size;
	int found;
	int old;
};

/* What concurrent exchanges saw, per processor. */
struct heap_exchanges {
	unsigned long long done;
	unsigned long long torn;
	unsigned long long failed;
};

#endif
