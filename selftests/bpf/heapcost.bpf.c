// SPDX-License-Identifier: GPL-2.0
/* The cost of a heap dynptr of 64 bytes, against an object of a type of that size. */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "rust_dynptr.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define ROUNDS 2000

struct object {
	char bytes[64];
};

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
	int i;

	bpf_for(i, 0, ROUNDS) {
		bpf_dynptr_alloc(64, 0, &ptr);
		bpf_dynptr_put(&ptr);
	}
	spent = (bpf_ktime_get_ns() - start) / ROUNDS;
	return 0;
}

SEC("syscall")
int object(void *ctx)
{
	u64 start = bpf_ktime_get_ns();
	struct object *object;
	int i;

	bpf_for(i, 0, ROUNDS) {
		object = bpf_obj_new(bpf_core_type_id_local(struct object));
		if (object)
			bpf_obj_drop(object);
	}
	spent = (bpf_ktime_get_ns() - start) / ROUNDS;
	return 0;
}
