// SPDX-License-Identifier: GPL-2.0
/*
 * Calls every function of the take-over table with arguments from user space and records what comes
 * back. Run with C and with Rust, the records must be the same.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "rows.h"

char LICENSE[] SEC("license") = "GPL";

/* What is written. */
static const char pattern[ROWS_BYTES] =
	"0123456789abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUVWXYZ+-*/=";

struct rows_request request;
struct rows_result result;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, unsigned char[ROWS_BYTES]);
} memory SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

/* The sequence of records in ring "stream", for the stress test. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} stream SEC(".maps");

unsigned long long stream_next;
unsigned long long stream_refused;

static __always_inline void use(struct bpf_dynptr *ptr, unsigned char *start)
{
	u64 len = request.len;
	unsigned char *data;

	if (len > ROWS_BYTES)
		return;
	result.dynptr_size = bpf_dynptr_size(ptr);
	result.read = bpf_dynptr_read(result.bytes, len, ptr, request.offset, request.flags);
	data = bpf_dynptr_data(ptr, request.offset, 8);
	result.data_offset = data ? (start ? data - start + 1 : 1) : 0;
	result.write = bpf_dynptr_write(ptr, request.offset, (void *)pattern, len, request.flags);
}

static __always_inline void use_local(unsigned char *value)
{
	struct bpf_dynptr ptr;
	u64 size = request.size;

	/* The verifier wants the size within the value. */
	if (size > ROWS_BYTES)
		size = ROWS_BYTES;
	result.from_mem = bpf_dynptr_from_mem(value, size, request.flags & 1, &ptr);
	if (request.flags & 2)
		result.adjust = bpf_dynptr_adjust(&ptr, size / 4, size);
	use(&ptr, value);
	/* Overwrites the slots of a dynptr that needs no release: destroy_if_dynptr_stack_slot() */
	*(volatile u64 *)&ptr = 0;
}

static __always_inline void use_ringbuf(void)
{
	struct bpf_dynptr ptr;

	result.from_mem = bpf_ringbuf_reserve_dynptr(&ring, request.size, 0, &ptr);
	use(&ptr, NULL);
	bpf_dynptr_read(result.after, request.len & (ROWS_BYTES - 1), &ptr, 0, 0);
	bpf_ringbuf_submit_dynptr(&ptr, BPF_RB_NO_WAKEUP);
}

SEC("tc")
int rows(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	unsigned char *value;
	u64 len = request.len;
	u32 key = 0;

	value = bpf_map_lookup_elem(&memory, &key);
	if (!value)
		return 1;
	switch (request.class) {
	case ROWS_LOCAL:
		use_local(value);
		__builtin_memcpy(result.after, value, ROWS_BYTES);
		break;
	case ROWS_RINGBUF:
		use_ringbuf();
		break;
	case ROWS_SKB:
		result.from_mem = bpf_dynptr_from_skb(skb, 0, &ptr);
		use(&ptr, NULL);
		bpf_dynptr_read(result.after, ROWS_BYTES, &ptr, 0, 0);
		break;
	case ROWS_NULL:
		/* Flags that the function does not take leave a null dynptr behind. */
		result.from_mem = bpf_dynptr_from_mem(value, ROWS_BYTES, 1, &ptr);
		use(&ptr, value);
		break;
	}
	if (len > ROWS_BYTES)
		return 1;
	result.output = bpf_ringbuf_output(&ring, value, len, request.flags);
	result.query = bpf_ringbuf_query(&ring, request.query);
	return 0;
}

/* One numbered record; uses all helpers of the table on its way. */
SEC("tc")
int traffic(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	unsigned char *value;
	u64 *slot, number = 0;
	u32 key = 0;

	value = bpf_map_lookup_elem(&memory, &key);
	if (!value)
		return 1;
	bpf_dynptr_from_mem(value, ROWS_BYTES, 0, &ptr);
	bpf_dynptr_write(&ptr, 8, &stream_next, sizeof(stream_next), 0);
	if (bpf_dynptr_read(&number, sizeof(number), &ptr, 8, 0) || number != stream_next)
		return 2;
	slot = bpf_dynptr_data(&ptr, 8, sizeof(*slot));
	if (!slot || *slot != number || bpf_dynptr_size(&ptr) != ROWS_BYTES)
		return 3;
	if (bpf_ringbuf_query(&stream, BPF_RB_RING_SIZE) != 65536)
		return 4;
	if (bpf_ringbuf_output(&stream, slot, sizeof(*slot), 0))
		stream_refused++;
	else
		stream_next++;
	return 0;
}

struct object {
	struct bpf_list_node link;
	u64 number;
};

/* One section: the verifier wants the lock beside what it protects. */
SEC(".bss.objects") __hidden __attribute__((aligned(8))) struct bpf_spin_lock objects_lock;
SEC(".bss.objects") __hidden __attribute__((aligned(8))) struct bpf_list_head objects
	__attribute__((btf_decl_tag("contains:object:link")));

/*
 * A list takes an object over: the program may read it until it unlocks, but no longer owns it.
 * That is release_reference_nomark(), the only one that no dynptr needs.
 */
SEC("tc")
int owned(struct __sk_buff *skb)
{
	struct object *object = bpf_obj_new(bpf_core_type_id_local(struct object));
	struct bpf_list_node *link;
	u64 number;

	if (!object)
		return 1;
	object->number = 5;
	bpf_spin_lock(&objects_lock);
	bpf_list_push_front(&objects, &object->link);
	number = object->number;
	link = bpf_list_pop_front(&objects);
	bpf_spin_unlock(&objects_lock);
	if (link)
		bpf_obj_drop(container_of(link, struct object, link));
	return number == 5 && link ? 0 : 2;
}

/* Verified over and over by the stress test; uses no ring buffer helper, so it is never bound. */
SEC("?tc")
int unbound(struct __sk_buff *skb)
{
	unsigned char *value;
	u32 key = 0;

	value = bpf_map_lookup_elem(&memory, &key);
	if (value)
		use_local(value);
	return 0;
}
