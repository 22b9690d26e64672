// SPDX-License-Identifier: GPL-2.0
/*
 * Heap dynptrs used rightly: what the tests of the series that this project starts from do, every
 * operation on them, and objects that maps hold.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "rust_dynptr.bpf.h"
#include "heap_entry.h"

char LICENSE[] SEC("license") = "GPL";

#define HOLDERS(name, kind, entries, flags)		\
	struct {					\
		__uint(type, kind);			\
		__uint(max_entries, entries);		\
		__uint(map_flags, flags);		\
		__type(key, u32);			\
		__type(value, struct entry);		\
	} name SEC(".maps")

HOLDERS(array, BPF_MAP_TYPE_ARRAY, HEAP_ENTRIES, 0);
HOLDERS(hash, BPF_MAP_TYPE_HASH, HEAP_ENTRIES, 0);
HOLDERS(lru, BPF_MAP_TYPE_LRU_HASH, HEAP_ENTRIES, 0);
HOLDERS(resizable, BPF_MAP_TYPE_RHASH, HEAP_ENTRIES, BPF_F_NO_PREALLOC);
HOLDERS(allocated, BPF_MAP_TYPE_HASH, HEAP_ENTRIES, BPF_F_NO_PREALLOC);
HOLDERS(percpu, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 0);
HOLDERS(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, 4, 0);
HOLDERS(percpu_lru, BPF_MAP_TYPE_LRU_PERCPU_HASH, 64, 0);

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct entry);
} task SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct entry);
} cgroup SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} ring SEC(".maps");

struct heap_exchanges exchanges[2];
unsigned long long user_address;

/* The value of @key in @map, made if it is not there. */
static __always_inline struct entry *made(void *map, u32 key)
{
	struct entry new = {}, *found = bpf_map_lookup_elem(map, &key);

	if (found)
		return found;
	bpf_map_update_elem(map, &key, &new, BPF_NOEXIST);
	return bpf_map_lookup_elem(map, &key);
}

/* Of the cgroup that the request names. */
static __always_inline struct entry *of_cgroup(void)
{
	struct cgroup *cgrp = bpf_cgroup_from_id(request.cgroup);
	struct entry *found;

	if (!cgrp)
		return NULL;
	found = bpf_cgrp_storage_get(&cgroup, cgrp, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	bpf_cgroup_release(cgrp);
	return found;
}

/* The value of the key in the request's map. */
static struct entry *entry_of(u32 key)
{
	switch (request.map) {
	case HEAP_ARRAY:
		return bpf_map_lookup_elem(&array, &key);
	case HEAP_HASH:
		return made(&hash, key);
	case HEAP_LRU:
		return made(&lru, key);
	case HEAP_RESIZABLE:
		return made(&resizable, key);
	case HEAP_ALLOCATED:
		return made(&allocated, key);
	case HEAP_PERCPU:
		return bpf_map_lookup_elem(&percpu, &key);
	case HEAP_PERCPU_HASH:
		return made(&percpu_hash, key);
	case HEAP_PERCPU_LRU:
		return made(&percpu_lru, key);
	case HEAP_TASK:
		return bpf_task_storage_get(&task, bpf_get_current_task_btf(), 0,
					    BPF_LOCAL_STORAGE_GET_F_CREATE);
	case HEAP_CGROUP:
		return of_cgroup();
	}
	return NULL;
}

/* The task's or cgroup's storage goes, and what is in it. */
SEC("syscall")
int forget(void *ctx)
{
	struct cgroup *cgrp;

	bpf_task_storage_delete(&task, bpf_get_current_task_btf());
	cgrp = bpf_cgroup_from_id(request.cgroup);
	if (!cgrp)
		return 0;
	bpf_cgrp_storage_delete(&cgroup, cgrp);
	bpf_cgroup_release(cgrp);
	return 0;
}

static int do_alloc(void)
{
	char in[64] = "a line of text", out[64] = {};
	struct bpf_dynptr ptr;

	result.alloc = bpf_dynptr_alloc(request.size, request.flags, &ptr);
	result.is_null = bpf_dynptr_is_null(&ptr);
	result.is_rdonly = bpf_dynptr_is_rdonly(&ptr);
	result.size = bpf_dynptr_size(&ptr);
	if (!result.is_null) {
		result.dirty = others(&ptr, 0, 0);
		if (result.size > HEAP_BYTES)
			result.dirty += others(&ptr, result.size - HEAP_BYTES, 0);
	}
	result.write = bpf_dynptr_write(&ptr, 0, in, sizeof(in), 0);
	result.read = bpf_dynptr_read(out, sizeof(out), &ptr, 0, 0);
	result.wrong = !!__builtin_memcmp(in, out, sizeof(in));
	result.beyond = bpf_dynptr_write(&ptr, request.size, in, 1, 0);
	result.data = !!bpf_dynptr_data(&ptr, 0, 1);
	result.empty_data = !!bpf_dynptr_data(&ptr, 0, 0);
	/* So that the next block would show it if memory were not zeroed. */
	bpf_dynptr_memset(&ptr, 0, result.is_null ? 0 : result.size, 0xee);
	bpf_dynptr_put(&ptr);
	return 0;
}

SEC("syscall")
int alloc_sleepable(void *ctx)
{
	return do_alloc();
}

SEC("tc")
int alloc_atomic(struct __sk_buff *skb)
{
	return do_alloc();
}

/* A sleepable program is not so everywhere. */
SEC("syscall")
int alloc_in_rcu(void *ctx)
{
	bpf_rcu_read_lock();
	do_alloc();
	bpf_rcu_read_unlock();
	return 0;
}

/* Every operation on a block of 64 bytes. */
SEC("tc")
int consume(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr, clone, record, packet;
	u8 buffer[16] = {};
	u8 *slice;

	result.alloc = bpf_dynptr_alloc(64, 0, &ptr);
	bpf_dynptr_memset(&ptr, 0, 64, 'a');
	slice = bpf_dynptr_slice_rdwr(&ptr, 8, buffer, sizeof(buffer));
	result.slice = !!slice;
	if (slice)
		slice[0] = 'b';
	slice = bpf_dynptr_slice(&ptr, 8, buffer, sizeof(buffer));
	result.wrong = !slice || slice[0] != 'b' || slice[1] != 'a';
	result.cloned = bpf_dynptr_clone(&ptr, &clone);
	result.adjusted = bpf_dynptr_adjust(&clone, 8, 24);
	result.size = bpf_dynptr_size(&clone);
	slice = bpf_dynptr_data(&clone, 0, 1);
	result.data = slice && *slice == 'b';
	bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &record);
	result.copied = bpf_dynptr_copy(&record, 0, &clone, 0, 16);
	slice = bpf_dynptr_data(&record, 0, 16);
	result.wrong += !slice || slice[0] != 'b' || slice[15] != 'a';
	bpf_ringbuf_discard_dynptr(&record, 0);
	bpf_dynptr_from_skb(skb, 0, &packet);
	result.copied |= bpf_dynptr_copy(&ptr, 0, &packet, 0, 14);
	result.probed = bpf_probe_read_kernel_dynptr(&ptr, 16, 16, &ring);
	bpf_dynptr_put(&clone);
	return 0;
}

/* Memory of user space, which may sleep. */
SEC("syscall")
int consume_user(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_alloc(request.size, 0, &ptr);
	result.user = bpf_copy_from_user_dynptr(&ptr, 0, request.size, (void *)user_address);
	result.wrong = others(&ptr, request.offset, request.fill);
	bpf_dynptr_put(&ptr);
	return 0;
}

static int view(u32 index, struct bpf_dynptr *ptr)
{
	u8 *data = bpf_dynptr_data(ptr, 0, 8);

	if (data)
		data[index & 7] = 'x';
	return 0;
}

__noinline int look_at(struct bpf_dynptr *ptr)
{
	return bpf_dynptr_size(ptr);
}

/* Lent to a callback and to a global function; the holder overwritten while a clone lives. */
SEC("syscall")
int lend(void *ctx)
{
	struct bpf_dynptr ptr, clone;

	result.alloc = bpf_dynptr_alloc(8, 0, &ptr);
	bpf_loop(8, view, &ptr, 0);
	result.wrong = others(&ptr, 0, 'x');
	result.size = look_at(&ptr);
	bpf_dynptr_clone(&ptr, &clone);
	*(volatile u64 *)&ptr = 0;
	result.data = !!bpf_dynptr_data(&clone, 0, 8);
	bpf_dynptr_put(&clone);
	return 0;
}

SEC("syscall")
int store(void *ctx)
{
	store_in(entry_of(request.key));
	return 0;
}

/* Many, from a program that anybody may run. */
SEC("syscall")
int store_many(void *ctx)
{
	int i;

	bpf_for(i, 0, request.offset)
		store_in(entry_of(i));
	return 0;
}

SEC("tc")
int take(struct __sk_buff *skb)
{
	take_from(entry_of(request.key));
	return 0;
}

/* One block in two entries: what is written through one is read through the other. */
SEC("syscall")
int share(void *ctx)
{
	struct bpf_dynptr_heap *heap, *more, *old;
	struct entry *first, *second;
	u32 key = request.key + 1;
	struct bpf_dynptr ptr;

	first = entry_of(request.key);
	second = entry_of(key);
	result.alloc = bpf_dynptr_alloc(request.size, 0, &ptr);
	heap = bpf_dynptr_detach(&ptr);
	if (!heap)
		return 0;
	more = bpf_dynptr_heap_acquire(heap);
	if (!more || !first || !second) {
		if (more)
			bpf_dynptr_heap_release(more);
		bpf_dynptr_heap_release(heap);
		return 0;
	}
	old = bpf_kptr_xchg(&first->heap, heap);
	if (old)
		bpf_dynptr_heap_release(old);
	bpf_dynptr_attach(more, &ptr);
	bpf_dynptr_memset(&ptr, 0, request.size, request.fill);
	more = bpf_dynptr_detach(&ptr);
	if (more)
		more = bpf_kptr_xchg(&second->heap, more);
	if (more)
		bpf_dynptr_heap_release(more);
	return 0;
}

/* A reference into the map; what was there before is released. */
static void keep(struct bpf_dynptr_heap *heap, u32 key)
{
	struct entry *e = bpf_map_lookup_elem(&array, &key);

	if (e)
		heap = bpf_kptr_xchg(&e->heap, heap);
	if (heap)
		bpf_dynptr_heap_release(heap);
}

/* Takes up to eight references of a new block, for entries of a map: how many it got. */
SEC("syscall")
int hoard(void *ctx)
{
	struct bpf_dynptr_heap *heap, *more;
	struct bpf_dynptr ptr;
	int i;

	result.alloc = bpf_dynptr_alloc(request.size, 0, &ptr);
	heap = bpf_dynptr_detach(&ptr);
	if (!heap)
		return 0;
	for (i = 0; i < HEAP_HOARD; i++) {
		more = bpf_dynptr_heap_acquire(heap);
		if (!more) {
			result.wrong = 1;
			break;
		}
		result.found++;
		keep(more, i);
	}
	bpf_dynptr_heap_release(heap);
	return 0;
}

/* Takes a block out of one entry, checks that one writer made all of it, and puts its own in. */
SEC("syscall")
int exchange(void *ctx)
{
	struct heap_exchanges *mine = &exchanges[bpf_get_smp_processor_id() & 1];
	struct bpf_dynptr_heap *heap;
	u8 *byte, fill, head[64];
	struct bpf_dynptr ptr;
	u32 key = 0;
	struct entry *e;
	int i;

	e = bpf_map_lookup_elem(&array, &key);
	if (!e)
		return 0;
	bpf_for(i, 0, HEAP_EXCHANGES) {
		fill = bpf_get_prandom_u32();
		if (bpf_dynptr_alloc(64 + (fill & 3) * 64, 0, &ptr))
			mine->failed++;
		else
			bpf_dynptr_memset(&ptr, 0, 64 + (fill & 3) * 64, fill);
		heap = bpf_dynptr_detach(&ptr);
		if (heap)
			heap = bpf_kptr_xchg(&e->heap, heap);
		if (!heap)
			continue;
		bpf_dynptr_attach(heap, &ptr);
		byte = bpf_dynptr_data(&ptr, 0, 1);
		fill = byte ? *byte : 0;
		bpf_dynptr_read(head, sizeof(head), &ptr, bpf_dynptr_size(&ptr) - 64, 0);
		for (int j = 0; j < 64; j++)
			mine->torn += head[j] != fill;
		mine->torn += bpf_dynptr_size(&ptr) != 64 + (fill & 3) * 64;
		mine->done++;
		bpf_dynptr_put(&ptr);
	}
	return 0;
}
