/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls that cost.bpf.c measures: one function for each group of enum cost_op. The operation is
 * known when it is compiled, so that nothing but the call is left.
 */
#ifndef COST_CALLS_H
#define COST_CALLS_H

unsigned long long user;	/* an address in user memory with a string */
volatile unsigned long long sink;

struct value {
	unsigned char bytes[COST_MEMORY];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COST_VALUES);
	/* Of vmalloc memory, which is above that of packets. */
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct value);
} memory SEC(".maps");

/* The runner empties it after each run. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} ring SEC(".maps");

/* What is old makes room for what is new. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, COST_FULL);
	__uint(map_flags, BPF_F_RB_OVERWRITE);
} newest SEC(".maps");

/* Nobody empties it. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, COST_FULL);
} full SEC(".maps");

/* The runner puts a record for each call into it. */
struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 64 * 1024);
} user_ring SEC(".maps");

/* What a call needs. */
struct site {
	struct value *mine;
	struct value *other;
	struct value *text;
	void *context;	/* packet or frame */
	struct file *file;
	struct bpf_crypto_ctx *crypto;
	struct bpf_key *key;
	u32 len;
	u32 offset;
};

typedef void (*call_t)(const int what, struct bpf_dynptr *ptr, const struct site *s);

static __always_inline void on_bytes(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	unsigned char small[COST_SLICE];
	u32 at = s->offset;

	switch (what) {
	case COST_READ:
		bpf_dynptr_read(s->other, s->len, ptr, at, 0);
		break;
	case COST_WRITE:
		bpf_dynptr_write(ptr, at, s->text, s->len, 0);
		break;
	case COST_DATA:
		sink += !!bpf_dynptr_data(ptr, at, COST_SLICE);
		break;
	case COST_SLICE_NULL:
		sink += !!bpf_dynptr_slice(ptr, at, NULL, COST_SLICE);
		break;
	case COST_SLICE_BUFFER:
		sink += !!bpf_dynptr_slice(ptr, at, small, sizeof(small));
		break;
	case COST_COPY:
		bpf_dynptr_copy(ptr, at, ptr, at / 2, s->len);
		break;
	case COST_MEMSET:
		bpf_dynptr_memset(ptr, at, s->len, 1);
		break;
	case COST_PROBE_KERNEL:
		bpf_probe_read_kernel_dynptr(ptr, at, s->len, s->text);
		break;
	case COST_PROBE_KERNEL_STR:
		bpf_probe_read_kernel_str_dynptr(ptr, at, s->len, s->text);
		break;
	case COST_PROBE_USER:
		bpf_probe_read_user_dynptr(ptr, at, s->len, (void *)user);
		break;
	case COST_PROBE_USER_STR:
		bpf_probe_read_user_str_dynptr(ptr, at, s->len, (void *)user);
		break;
	}
}

static __always_inline void on_slice(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	if (what == COST_SLICE_RDWR)
		sink += !!bpf_dynptr_slice_rdwr(ptr, s->offset, NULL, COST_SLICE);
}

static __always_inline void on_view(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	struct bpf_dynptr made;

	switch (what) {
	case COST_ADJUST:
		bpf_dynptr_adjust(ptr, 0, 1024);
		break;
	case COST_IS_NULL:
		sink += bpf_dynptr_is_null(ptr);
		break;
	case COST_IS_RDONLY:
		sink += bpf_dynptr_is_rdonly(ptr);
		break;
	case COST_SIZE:
		sink += bpf_dynptr_size(ptr);
		break;
	case COST_CLONE:
		bpf_dynptr_clone(ptr, &made);
		break;
	case COST_FROM_MEM:
		bpf_dynptr_from_mem(s->mine, COST_MEMORY, 0, &made);
		break;
	case COST_FROM_MEM_REFUSED:
		bpf_dynptr_from_mem(s->mine, COST_MEMORY, 1, &made);
		break;
	}
}

static __always_inline void from_skb(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	struct bpf_dynptr made;

	bpf_dynptr_from_skb(s->context, what == COST_CONSTRUCT_REFUSED, &made);
}

static __always_inline void from_meta(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	struct bpf_dynptr made;

	bpf_dynptr_from_skb_meta(s->context, what == COST_CONSTRUCT_REFUSED, &made);
}

static __always_inline void from_xdp(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	struct bpf_dynptr made;

	bpf_dynptr_from_xdp(s->context, what == COST_CONSTRUCT_REFUSED, &made);
}

/* Takes one record. */
static long drained(struct bpf_dynptr *ptr, void *context)
{
	return 1;
}

static __always_inline void on_ring(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	struct bpf_dynptr made;
	void *record;

	switch (what) {
	case COST_RINGBUF_OUTPUT:
		bpf_ringbuf_output(&ring, s->text, s->len, BPF_RB_NO_WAKEUP);
		break;
	case COST_RINGBUF_OUTPUT_FULL:
		bpf_ringbuf_output(&full, s->text, s->len, BPF_RB_NO_WAKEUP);
		break;
	case COST_RINGBUF_QUERY:
		sink += bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
		break;
	case COST_RINGBUF_SUBMIT:
		record = bpf_ringbuf_reserve(&ring, COST_RECORD, 0);
		if (record)
			bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
		break;
	case COST_RINGBUF_OVERWRITE:
		record = bpf_ringbuf_reserve(&newest, COST_RECORD, 0);
		if (record)
			bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
		break;
	case COST_RINGBUF_DISCARD:
		record = bpf_ringbuf_reserve(&ring, COST_RECORD, 0);
		if (record)
			bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		break;
	case COST_RINGBUF_RESERVE_FULL:
		record = bpf_ringbuf_reserve(&full, COST_RECORD, 0);
		if (record)
			bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
		break;
	case COST_RINGBUF_SUBMIT_DYNPTR:
		bpf_ringbuf_reserve_dynptr(&ring, s->len, 0, &made);
		bpf_ringbuf_submit_dynptr(&made, BPF_RB_NO_WAKEUP);
		break;
	case COST_RINGBUF_DISCARD_DYNPTR:
		bpf_ringbuf_reserve_dynptr(&ring, s->len, 0, &made);
		bpf_ringbuf_discard_dynptr(&made, BPF_RB_NO_WAKEUP);
		break;
	case COST_USER_RINGBUF_EMPTY:
	case COST_USER_RINGBUF_DRAIN:
		bpf_user_ringbuf_drain(&user_ring, drained, NULL, BPF_RB_NO_WAKEUP);
		break;
	}
}

static __always_inline void in_syscall(const int what, struct bpf_dynptr *ptr,
				       const struct site *s)
{
	struct task_struct *task = bpf_get_current_task_btf();

	switch (what) {
	case COST_COPY_USER:
		bpf_copy_from_user_dynptr(ptr, s->offset, s->len, (void *)user);
		break;
	case COST_COPY_USER_STR:
		bpf_copy_from_user_str_dynptr(ptr, s->offset, s->len, (void *)user);
		break;
	case COST_COPY_TASK:
		bpf_copy_from_user_task_dynptr(ptr, s->offset, s->len, (void *)user, task);
		break;
	case COST_COPY_TASK_STR:
		bpf_copy_from_user_task_str_dynptr(ptr, s->offset, s->len, (void *)user, task);
		break;
	}
}

/* In place, from one dynptr to the same. */
static __always_inline void in_crypto(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	if (what == COST_CRYPTO)
		bpf_crypto_encrypt(s->crypto, ptr, ptr, NULL);
}

static __always_inline void on_file(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	struct bpf_dynptr made;

	switch (what) {
	case COST_FROM_FILE:
		bpf_dynptr_from_file(s->file, 0, &made);
		bpf_dynptr_file_discard(&made);
		break;
	case COST_FROM_FILE_REFUSED:
		bpf_dynptr_from_file(s->file, 1, &made);
		bpf_dynptr_file_discard(&made);
		break;
	case COST_FSVERITY:
		bpf_dynptr_from_mem(s->mine, COST_MEMORY, 0, &made);
		bpf_get_fsverity_digest(s->file, &made);
		break;
	}
}

/* The signature's bytes are in a file, so that they are not contiguous and nothing is verified. */
static __always_inline void in_sleep(const int what, struct bpf_dynptr *ptr, const struct site *s)
{
	struct bpf_dynptr made;

	bpf_dynptr_from_mem(s->mine, COST_MEMORY, 0, &made);
	if (what == COST_XATTR)
		bpf_get_file_xattr(s->file, "user.cost", &made);
	else
		bpf_verify_pkcs7_signature(&made, ptr, s->key);
}

#endif
