// SPDX-License-Identifier: GPL-2.0
/* Strings and memory in dynptrs misused: each function is a program that must be refused. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf_misc.h"
#include "rust_dynptr.bpf.h"
#include "rust_dynptr_strings.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

char bytes[64];
char written[8] = "written";
static const char constant[8] = "const";
u32 size = 8;
int err;

/* The dynptr. */

SEC("?tc")
__failure __msg("Expected an initialized dynptr as R1")
int uninitialized(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	err = bpf_dynptr_strnlen(&ptr, 0, 1);
	return 0;
}

SEC("?tc")
__failure __msg("Expected an initialized dynptr as R3")
int uninitialized_second(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr, other;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_strncmp(&ptr, 0, &other, 0, 1);
	return 0;
}

SEC("?tc")
__failure __msg("Expected an initialized dynptr as R4")
int uninitialized_needle(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr, other;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_memmem(&ptr, 0, 1, &other);
	return 0;
}

SEC("?tc")
__failure __msg("R1 expected pointer to stack or const struct bpf_dynptr")
int not_a_dynptr(struct __sk_buff *skb)
{
	err = bpf_dynptr_strnchr((struct bpf_dynptr *)bytes, 0, 1, 'c');
	return 0;
}

SEC("?syscall")
__failure __msg("Expected an initialized dynptr as R1")
int after_put(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(8, 0, &ptr);
	bpf_dynptr_put(&ptr);
	err = bpf_dynptr_memchr(&ptr, 0, 8, 0);
	return 0;
}

SEC("?syscall")
__failure __msg("Expected an initialized dynptr as R1")
int after_discard(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &ptr);
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	err = bpf_dynptr_strnlen(&ptr, 0, 8);
	return 0;
}

SEC("?syscall")
__failure __msg("Unreleased reference id")
int used_is_not_put(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(8, 0, &ptr);
	err = bpf_dynptr_strnlen(&ptr, 0, 8);
	return 0;
}

SEC("?tc")
__failure __msg("cannot pass in dynptr at an offset")
int at_an_offset(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_strnlen((void *)&ptr + 4, 0, 8);
	return 0;
}

SEC("?tc")
__failure __msg("Expected an initialized dynptr as R1")
int half_overwritten(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	*(volatile u64 *)((void *)&ptr + 8) = 0;
	err = bpf_dynptr_strnlen(&ptr, 0, 8);
	return 0;
}

/* Constants. */

SEC("?tc")
__failure __msg("R4 does not point to a readonly map")
int constant_in_data(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_strnstr(&ptr, 0, 8, written);
	return 0;
}

SEC("?tc")
__failure __msg("R4")
int constant_on_the_stack(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	char text[8] = "text";

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_strncmp_const(&ptr, 0, 8, text);
	return 0;
}

SEC("?tc")
__failure __msg("R4 is not a constant address")
int constant_at_run_time(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_strnspn(&ptr, 0, 8, constant + (size & 3));
	return 0;
}

SEC("?tc")
__failure __msg("R4")
int constant_is_null(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_strncspn(&ptr, 0, 8, NULL);
	return 0;
}

/* Memory. */

SEC("?tc")
__failure __msg("write into map forbidden")
int memory_is_constant(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_memcmp_mem(&ptr, 0, constant, sizeof(constant));
	return 0;
}

SEC("?tc")
__failure __msg("memory, len pair leads to invalid memory access")
int memory_is_too_short(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	char text[8] = "text";

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_memmem_mem(&ptr, 0, 8, text, 600);
	return 0;
}

SEC("?tc")
__failure __msg("unbounded memory access")
int memory_of_any_size(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_memcmp_mem(&ptr, 0, bytes, size);
	return 0;
}

SEC("?tc")
__failure __msg("write into map forbidden")
int read_into_a_constant(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_read_upto((void *)constant, sizeof(constant), &ptr, 0);
	return 0;
}

SEC("?tc")
__failure __msg("memory, len pair leads to invalid memory access")
int read_too_much(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_read_upto(bytes, sizeof(bytes) + 1, &ptr, 0);
	return 0;
}

SEC("?tc")
__failure __msg("memory, len pair leads to invalid memory access")
int read_over_the_dynptr(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_read_upto(&ptr, sizeof(ptr), &ptr, 0);
	return 0;
}

/* Results. */

SEC("?tc")
__failure __msg("write into map forbidden")
int number_in_a_constant(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_strntoul(&ptr, 0, 8, 10, (u64 *)constant);
	return 0;
}

SEC("?tc")
__failure __msg("invalid access to map value")
int token_in_too_little(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_strntok(&ptr, 0, 8, constant, (void *)(bytes + 48));
	return 0;
}

/* User memory. */

SEC("?tc")
__failure __msg("program must be sleepable to call sleepable kfunc bpf_dynptr_copy_to_user")
int user_memory_without_sleep(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_skb(skb, 0, &ptr);
	err = bpf_dynptr_copy_to_user(&ptr, 0, 8, NULL);
	return 0;
}
