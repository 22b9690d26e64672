// SPDX-License-Identifier: GPL-2.0
/*
 * Heap dynptrs misused, as the tests of the series that this project starts from do it: its names,
 * and what the verifier says today. Each function is a program that must be refused.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"
#include "rust_dynptr.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct test_info {
	int x;
	struct bpf_dynptr ptr;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct bpf_dynptr);
} array_map1 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct test_info);
} array_map2 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} array_map3 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ringbuf SEC(".maps");

int err, val;

/* A dynptr must be put. */
SEC("?syscall")
__failure __msg("Unreleased reference id=1")
int missing_put(void *ctx)
{
	struct bpf_dynptr mem;

	bpf_dynptr_alloc(8, 0, &mem);
	return 0;
}

static int missing_put_callback_fn(u32 index, void *data)
{
	struct bpf_dynptr mem;

	bpf_dynptr_alloc(8, 0, &mem);
	return 0;
}

/* Also in a callback. */
SEC("?syscall")
__failure __msg("Unreleased reference id")
int missing_put_callback(void *ctx)
{
	bpf_loop(10, missing_put_callback_fn, NULL, 0);
	return 0;
}

/* A dynptr of another type cannot be put. */
SEC("?syscall")
__failure __msg("Expected a dynptr of type malloc as R1")
int put_nonalloc(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ringbuf, val, 0, &ptr);
	bpf_dynptr_put(&ptr);
	return 0;
}

/* Nor can a slice. */
SEC("?syscall")
__failure __msg("R1 expected pointer to stack or const struct bpf_dynptr")
int put_data_slice(void *ctx)
{
	struct bpf_dynptr ptr;
	u32 *data;

	bpf_dynptr_alloc(8, 0, &ptr);
	data = bpf_dynptr_data(&ptr, 0, sizeof(*data));
	if (data)
		bpf_dynptr_put((void *)data);
	bpf_dynptr_put(&ptr);
	return 0;
}

/* Nor what was never made. */
SEC("?syscall")
__failure __msg("Expected an initialized dynptr as R1")
int put_uninit_dynptr(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_put(&ptr);
	return 0;
}

SEC("?syscall")
__failure __msg("Expected an initialized dynptr as R1")
int put_twice(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(8, 0, &ptr);
	bpf_dynptr_put(&ptr);
	bpf_dynptr_put(&ptr);
	return 0;
}

static int put_twice_callback_fn(u32 index, void *data)
{
	bpf_dynptr_put(data);
	return 0;
}

/* The callback may run again. */
SEC("?syscall")
__failure __msg("Expected an initialized dynptr as R1")
int put_twice_callback(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(8, 0, &ptr);
	bpf_loop(10, put_twice_callback_fn, &ptr, 0);
	bpf_dynptr_put(&ptr);
	return 0;
}

SEC("?syscall")
__failure __msg("Expected an initialized dynptr as R3")
int use_after_put(void *ctx)
{
	char read_data[64] = {};
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(8, 0, &ptr);
	bpf_dynptr_put(&ptr);
	bpf_dynptr_read(read_data, sizeof(read_data), &ptr, 0, 0);
	return 0;
}

/* Memory of the first call would be lost. */
SEC("?syscall")
__failure __msg("cannot overwrite referenced dynptr")
int alloc_twice(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(8, 0, &ptr);
	bpf_dynptr_alloc(8, 0, &ptr);
	bpf_dynptr_put(&ptr);
	return 0;
}

/* Maps hold heap objects (see heap.bpf.c), not dynptrs. */
SEC("?syscall")
__failure __msg("invalid read from stack")
int add_dynptr_to_map1(void *ctx)
{
	struct bpf_dynptr ptr;
	u32 key = 0;

	bpf_dynptr_alloc(8, 0, &ptr);
	bpf_map_update_elem(&array_map1, &key, &ptr, 0);
	bpf_dynptr_put(&ptr);
	return 0;
}

SEC("?syscall")
__failure __msg("invalid read from stack")
int add_dynptr_to_map2(void *ctx)
{
	struct test_info x = {};
	u32 key = 0;

	bpf_dynptr_alloc(8, 0, &x.ptr);
	bpf_map_update_elem(&array_map2, &key, &x, 0);
	bpf_dynptr_put(&x.ptr);
	return 0;
}

/* A helper that reads memory cannot be given a dynptr. */
SEC("?syscall")
__failure __msg("invalid read from stack")
int invalid_helper1(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(8, 0, &ptr);
	bpf_strncmp((const char *)&ptr, sizeof(ptr), "hello!");
	bpf_dynptr_put(&ptr);
	return 0;
}

/* A pointer into the middle of one is none. */
SEC("?syscall")
__failure __msg("Expected an initialized dynptr as R3")
int invalid_helper2(void *ctx)
{
	char read_data[64] = {};
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(8, 0, &ptr);
	bpf_dynptr_read(read_data, sizeof(read_data), (void *)&ptr + 8, 0, 0);
	bpf_dynptr_put(&ptr);
	return 0;
}

/* A dynptr may be overwritten only if another has its reference. */
SEC("?syscall")
__failure __msg("cannot overwrite referenced dynptr")
int invalid_write1(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(8, 0, &ptr);
	__builtin_memset(&ptr, 0, 4);
	bpf_dynptr_put(&ptr);
	return 0;
}

SEC("?syscall")
__failure __msg("cannot overwrite referenced dynptr")
int invalid_write2(void *ctx)
{
	char read_data[64] = {};
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	__builtin_memcpy((void *)&ptr + 8, (char *)&val, sizeof(val));
	bpf_dynptr_read(read_data, sizeof(read_data), &ptr, 0, 0);
	bpf_dynptr_put(&ptr);
	return 0;
}

/* By a number that is known at run time only. */
SEC("?syscall")
__failure __msg("cannot overwrite referenced dynptr")
int invalid_write3(void *ctx)
{
	char stack_buf[16];
	unsigned long len;
	struct bpf_dynptr ptr;
	u8 x = 0;

	bpf_dynptr_alloc(8, 0, &ptr);
	__builtin_memcpy(stack_buf, &val, sizeof(val));
	len = stack_buf[0] & 0xf;
	__builtin_memcpy((void *)&ptr + len, &x, sizeof(x));
	bpf_dynptr_put(&ptr);
	return 0;
}

static int invalid_write4_callback(u32 index, void *data)
{
	*(u32 *)data = 123;
	return 0;
}

SEC("?syscall")
__failure __msg("cannot overwrite referenced dynptr")
int invalid_write4(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	bpf_loop(10, invalid_write4_callback, &ptr, 0);
	bpf_dynptr_put(&ptr);
	return 0;
}

/* What is in a dynptr cannot be read. */
SEC("?syscall")
__failure __msg("invalid read from stack")
int invalid_read1(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	val = *(int *)&ptr;
	bpf_dynptr_put(&ptr);
	return 0;
}

/* Nor a pointer beside it be taken for one. */
SEC("?syscall")
__failure __msg("cannot pass in dynptr at an offset")
int invalid_read2(void *ctx)
{
	char read_data[64] = {};
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr);
	bpf_dynptr_read(read_data, sizeof(read_data), (void *)&ptr + 1, 0, 0);
	bpf_dynptr_put(&ptr);
	return 0;
}

SEC("?syscall")
__failure __msg("invalid read from stack")
int invalid_read3(void *ctx)
{
	struct bpf_dynptr ptr1, ptr2;

	bpf_dynptr_alloc(16, 0, &ptr1);
	bpf_dynptr_alloc(16, 0, &ptr2);
	val = *(int *)((void *)&ptr1 + 8);
	bpf_dynptr_put(&ptr1);
	bpf_dynptr_put(&ptr2);
	return 0;
}

/* The stack must have room for it. */
SEC("?syscall")
__failure __msg("cannot pass in dynptr at an offset=0")
int invalid_offset(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(64, 0, &ptr + 1);
	bpf_dynptr_put(&ptr);
	return 0;
}

struct bpf_dynptr global_dynptr;

/* It must be on the stack at all. */
SEC("?syscall")
__failure __msg("R3 expected pointer to stack or const struct bpf_dynptr")
int global(void *ctx)
{
	bpf_dynptr_alloc(4, 0, &global_dynptr);
	return 0;
}

/* Slices of no bytes have none. */
SEC("?syscall")
__failure __msg("invalid access to memory, mem_size=0 off=0 size=1")
int zero_slice_access(void *ctx)
{
	struct bpf_dynptr ptr;
	void *data;

	bpf_dynptr_alloc(0, 0, &ptr);
	data = bpf_dynptr_data(&ptr, 0, 0);
	if (data)
		*(u8 *)data = 23;
	bpf_dynptr_put(&ptr);
	return 0;
}

SEC("?syscall")
__failure __msg("value is outside of the allowed memory range")
int data_slice_out_of_bounds(void *ctx)
{
	struct bpf_dynptr ptr;
	void *data;

	bpf_dynptr_alloc(8, 0, &ptr);
	data = bpf_dynptr_data(&ptr, 0, 8);
	if (data)
		val = *((char *)data + 8);
	bpf_dynptr_put(&ptr);
	return 0;
}

SEC("?syscall")
__failure __msg("invalid mem access 'scalar'")
int data_slice_use_after_put(void *ctx)
{
	struct bpf_dynptr ptr;
	int *data;

	bpf_dynptr_alloc(8, 0, &ptr);
	data = bpf_dynptr_data(&ptr, 0, 8);
	bpf_dynptr_put(&ptr);
	if (data)
		val = *data;
	return 0;
}

/* A slice of a ring buffer's record is no record of bpf_ringbuf_reserve(). */
SEC("?syscall")
__failure __msg("type=mem expected=ringbuf_mem")
int ringbuf_invalid_api(void *ctx)
{
	struct bpf_dynptr ptr;
	int *sample;

	err = bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	sample = bpf_dynptr_data(&ptr, 0, sizeof(*sample));
	if (sample) {
		*sample = 123;
		bpf_ringbuf_submit(sample, 0);
	}
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	return 0;
}

SEC("?syscall")
__failure __msg("value is outside of the allowed memory range")
int ringbuf_out_of_bounds(void *ctx)
{
	struct bpf_dynptr ptr;
	char *sample;

	err = bpf_ringbuf_reserve_dynptr(&ringbuf, 8, 0, &ptr);
	sample = bpf_dynptr_data(&ptr, 0, 8);
	if (sample)
		sample[8] = 123;
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return 0;
}

SEC("?syscall")
__failure __msg("invalid mem access 'scalar'")
int ringbuf_invalid_access(void *ctx)
{
	struct bpf_dynptr ptr;
	int *sample;

	err = bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	sample = bpf_dynptr_data(&ptr, 0, sizeof(*sample));
	if (sample) {
		bpf_ringbuf_submit_dynptr(&ptr, 0);
		*sample = 123;
	} else {
		bpf_ringbuf_submit_dynptr(&ptr, 0);
	}
	return 0;
}
