// SPDX-License-Identifier: GPL-2.0
/*
 * The cost of finding a header in a packet and of comparing a string, by one kfunc and by what a
 * program does without: a bounded loop over bpf_dynptr_slice() or bpf_dynptr_read(). Each program
 * does one of them in rounds; the bytes are a packet's, at places that are known at run time.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "rust_dynptr_strings.bpf.h"
#include "stringcost.h"

char LICENSE[] SEC("license") = "GPL";

/* Where to look, in bytes of the packet; the result of the last round; of a round. */
unsigned int start;
unsigned int len;
int result;
unsigned long long spent;

static const char header[] = STRINGCOST_HEADER;
#define HEADER_LEN (sizeof(header) - 1)

/* What is compared with: the same bytes as the packet has. */
char compared[STRINGCOST_COMPARED];
const volatile char compared_const[STRINGCOST_COMPARED + 1];

#define ROUNDS(...)									\
	do {										\
		struct bpf_dynptr ptr;							\
		u64 begin;								\
		int round;								\
											\
		bpf_dynptr_from_skb(skb, 0, &ptr);					\
		begin = bpf_ktime_get_ns();						\
		bpf_for(round, 0, STRINGCOST_ROUNDS)					\
			result = __VA_ARGS__;						\
		spent = (bpf_ktime_get_ns() - begin) / STRINGCOST_ROUNDS;		\
	} while (0)

SEC("tc")
int nothing(struct __sk_buff *skb)
{
	ROUNDS(start);
	return 0;
}

SEC("tc")
int find_kfunc(struct __sk_buff *skb)
{
	ROUNDS(bpf_dynptr_strnstr(&ptr, start, len, header));
	return 0;
}

SEC("tc")
int find_case_kfunc(struct __sk_buff *skb)
{
	ROUNDS(bpf_dynptr_strncasestr(&ptr, start, len, header));
	return 0;
}

/* As long as the header at each byte: the slice is in place, or a copy if it is in two parts. */
static __always_inline int find_by_slice(struct bpf_dynptr *ptr)
{
	char buffer[HEADER_LEN];
	int i, j;

	bpf_for(i, 0, STRINGCOST_PACKET) {
		const char *bytes;

		if (i + HEADER_LEN > len)
			break;
		bytes = bpf_dynptr_slice(ptr, start + i, buffer, sizeof(buffer));
		if (!bytes)
			break;
		for (j = 0; j < HEADER_LEN; j++)
			if (bytes[j] != header[j])
				break;
		if (j == HEADER_LEN)
			return i;
	}
	return -1;
}

SEC("tc")
int find_slice(struct __sk_buff *skb)
{
	ROUNDS(find_by_slice(&ptr));
	return 0;
}

static __always_inline int find_by_read(struct bpf_dynptr *ptr)
{
	char bytes[HEADER_LEN];
	int i, j;

	bpf_for(i, 0, STRINGCOST_PACKET) {
		if (i + HEADER_LEN > len)
			break;
		if (bpf_dynptr_read(bytes, sizeof(bytes), ptr, start + i, 0))
			break;
		for (j = 0; j < HEADER_LEN; j++)
			if (bytes[j] != header[j])
				break;
		if (j == HEADER_LEN)
			return i;
	}
	return -1;
}

SEC("tc")
int find_read(struct __sk_buff *skb)
{
	ROUNDS(find_by_read(&ptr));
	return 0;
}

SEC("tc")
int compare_kfunc(struct __sk_buff *skb)
{
	ROUNDS(bpf_dynptr_memcmp_mem(&ptr, start, compared, sizeof(compared)));
	return 0;
}

SEC("tc")
int compare_const_kfunc(struct __sk_buff *skb)
{
	ROUNDS(bpf_dynptr_strncmp_const(&ptr, start, len, (const char *)compared_const));
	return 0;
}

/* A string of a length that is known at run time: byte by byte, as the packet may end in it. */
static __always_inline int compare_by_slice(struct bpf_dynptr *ptr)
{
	int i;

	bpf_for(i, 0, STRINGCOST_COMPARED) {
		const char *byte;
		char buffer;

		if (i >= len)
			break;
		byte = bpf_dynptr_slice(ptr, start + i, &buffer, 1);
		if (!byte || *byte != compared[i & (STRINGCOST_COMPARED - 1)])
			return 1;
	}
	return 0;
}

SEC("tc")
int compare_slice(struct __sk_buff *skb)
{
	ROUNDS(compare_by_slice(&ptr));
	return 0;
}

static __always_inline int compare_by_read(struct bpf_dynptr *ptr)
{
	int i;

	bpf_for(i, 0, STRINGCOST_COMPARED) {
		char byte;

		if (i >= len)
			break;
		if (bpf_dynptr_read(&byte, 1, ptr, start + i, 0) ||
		    byte != compared[i & (STRINGCOST_COMPARED - 1)])
			return 1;
	}
	return 0;
}

SEC("tc")
int compare_read(struct __sk_buff *skb)
{
	ROUNDS(compare_by_read(&ptr));
	return 0;
}

/* One of a length that is known when the program is written, and the packet is long enough. */
static __always_inline int compare_by_one_slice(struct bpf_dynptr *ptr)
{
	char buffer[STRINGCOST_COMPARED];
	const char *bytes = bpf_dynptr_slice(ptr, start, buffer, sizeof(buffer));
	int i;

	if (!bytes)
		return 1;
	bpf_for(i, 0, STRINGCOST_COMPARED) {
		if (bytes[i & (STRINGCOST_COMPARED - 1)] !=
		    compared[i & (STRINGCOST_COMPARED - 1)])
			return 1;
	}
	return 0;
}

SEC("tc")
int compare_one_slice(struct __sk_buff *skb)
{
	ROUNDS(compare_by_one_slice(&ptr));
	return 0;
}
