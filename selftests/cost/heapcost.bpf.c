// SPDX-License-Identifier: GPL-2.0
/* The cost of heap dynptrs, against objects of types of their sizes. */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "rust_dynptr.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define ROUNDS 2000

/* Of alloc and put. */
unsigned int size;
/* Of the last run, with an empty loop. */
unsigned long long spent;

SEC("syscall")
int nothing(void *ctx)
{
	u64 start = bpf_ktime_get_ns();
	int i;

	bpf_for(i, 0, ROUNDS)
		barrier();
	spent = (bpf_ktime_get_ns() - start) / ROUNDS;
	return 0;
}

SEC("syscall")
int heap(void *ctx)
{
	u64 start = bpf_ktime_get_ns();
	struct bpf_dynptr ptr;
	u32 bytes = size;
	int i;

	bpf_for(i, 0, ROUNDS) {
		bpf_dynptr_alloc(bytes, 0, &ptr);
		bpf_dynptr_put(&ptr);
	}
	spent = (bpf_ktime_get_ns() - start) / ROUNDS;
	return 0;
}

static __always_inline void drop(void *object)
{
	if (object)
		bpf_obj_drop(object);
}

struct object_8 {
	char bytes[8];
};

SEC("syscall")
int object_8(void *ctx)
{
	u64 start = bpf_ktime_get_ns();
	int i;

	bpf_for(i, 0, ROUNDS)
		drop(bpf_obj_new(bpf_core_type_id_local(struct object_8)));
	spent = (bpf_ktime_get_ns() - start) / ROUNDS;
	return 0;
}

struct object_64 {
	char bytes[64];
};

SEC("syscall")
int object_64(void *ctx)
{
	u64 start = bpf_ktime_get_ns();
	int i;

	bpf_for(i, 0, ROUNDS)
		drop(bpf_obj_new(bpf_core_type_id_local(struct object_64)));
	spent = (bpf_ktime_get_ns() - start) / ROUNDS;
	return 0;
}

struct object_256 {
	char bytes[256];
};

SEC("syscall")
int object_256(void *ctx)
{
	u64 start = bpf_ktime_get_ns();
	int i;

	bpf_for(i, 0, ROUNDS)
		drop(bpf_obj_new(bpf_core_type_id_local(struct object_256)));
	spent = (bpf_ktime_get_ns() - start) / ROUNDS;
	return 0;
}

struct object_4000 {
	char bytes[4000];
};

SEC("syscall")
int object_4000(void *ctx)
{
	u64 start = bpf_ktime_get_ns();
	int i;

	bpf_for(i, 0, ROUNDS)
		drop(bpf_obj_new(bpf_core_type_id_local(struct object_4000)));
	spent = (bpf_ktime_get_ns() - start) / ROUNDS;
	return 0;
}
