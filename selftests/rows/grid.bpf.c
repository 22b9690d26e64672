// SPDX-License-Identifier: GPL-2.0
/*
 * Every dynptr operation, on every class of memory, with the arguments of a list of cases from user
 * space. Run with C and with Rust, the results must be the same. What came of the bytes is read by
 * means that are no dynptr functions.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "grid.h"

char LICENSE[] SEC("license") = "GPL";

struct grid_case cases[GRID_BATCH];
struct grid_result results[GRID_BATCH];
unsigned int count;
unsigned int packet_len;	/* of the packet that the runner sends, at most GRID_PACKET */
int monitored;	/* the process whose locked file is used */
unsigned long long addresses[GRID_ADDRESSES];	/* in user memory; what is small is in @text */
char text[1024];	/* strings and other bytes for the kernel variants */

struct value {
	u64 words[GRID_BYTES / 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);	/* the memory of LOCAL; the other side of copies */
	__type(key, u32);
	__type(value, struct value);
} memory SEC(".maps");

/* Room that is too large for the stack. */
struct room {
	unsigned char buffer[GRID_BUFFER];
	u64 packet[GRID_PACKET / 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct room);
} rooms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 * 1024 * 1024);	/* a record for each case of a run */
} ring SEC(".maps");

static u64 hash(u64 sum, u64 word)
{
	sum ^= word;
	sum *= 0x9e3779b97f4a7c15ULL;
	return sum ^ (sum >> 29);
}

static __noinline u64 hash_value(struct value *value)
{
	u64 sum = 0;
	int i;

	bpf_for(i, 0, GRID_BYTES / 8)
		if (i >= 0 && i < GRID_BYTES / 8)
			sum = hash(sum, value->words[i]);
	return sum;
}

static __noinline u64 hash_packet(struct room *room)
{
	u64 sum = 0;
	int i;

	bpf_for(i, 0, GRID_PACKET / 8)
		if (i >= 0 && i < GRID_PACKET / 8)
			sum = hash(sum, room->packet[i]);
	return sum;
}

static __noinline u64 hash_buffer(struct room *room)
{
	u64 sum = 0;
	int i;

	bpf_for(i, 0, GRID_BUFFER / 8)
		if (i >= 0 && i < GRID_BUFFER / 8)
			sum = hash(sum, ((u64 *)room->buffer)[i]);
	return sum;
}

static __always_inline const void *foreign(const struct grid_case *c, bool kernel)
{
	u32 i = c->other;
	u64 address;

	if (i >= GRID_ADDRESSES)
		return NULL;
	address = addresses[i];
	if (kernel && address < sizeof(text))
		return text + address;
	return (const void *)address;
}

/* Notes what a slice of at least 8 bytes gave. */
static __always_inline void sliced(struct grid_result *r, const unsigned char *slice,
				   const void *buffer)
{
	r->ret = !slice ? 0 : slice == buffer ? 2 : 1;
	if (slice)
		r->more = slice[0] | slice[7] << 8;
}

/* The same, and changes its first byte. */
static __always_inline void sliced_rdwr(struct grid_result *r, unsigned char *slice,
					const void *buffer)
{
	sliced(r, slice, buffer);
	if (slice)
		slice[0] ^= 0x55;
}

/* The operations that only read. */
static __always_inline void reading(struct bpf_dynptr *ptr, const struct grid_case *c,
				    struct grid_result *r, struct room *room)
{
	unsigned char small[16] = {};
	struct bpf_dynptr clone;
	u64 len = c->len;

	switch (c->op) {
	case GRID_READ:
		if (len <= GRID_BUFFER)
			r->ret = bpf_dynptr_read(room->buffer, len, ptr, c->offset, c->flags);
		break;
	case GRID_DATA_0:
		r->ret = !!bpf_dynptr_data(ptr, c->offset, 0);
		break;
	case GRID_DATA_300:
		r->ret = !!bpf_dynptr_data(ptr, c->offset, 300);
		break;
	case GRID_SLICE_16:
		sliced(r, bpf_dynptr_slice(ptr, c->offset, small, sizeof(small)), small);
		break;
	case GRID_SLICE_300:
		sliced(r, bpf_dynptr_slice(ptr, c->offset, room->buffer, 300), room->buffer);
		break;
	case GRID_SLICE_NULL:
		sliced(r, bpf_dynptr_slice(ptr, c->offset, NULL, 64), NULL);
		break;
	case GRID_ADJUST:
		r->ret = bpf_dynptr_adjust(ptr, c->offset, c->len);
		break;
	case GRID_CLONE:
		r->ret = bpf_dynptr_clone(ptr, &clone);
		r->more = bpf_dynptr_adjust(&clone, c->offset, c->len);
		r->more = r->more * 1000 + bpf_dynptr_read(room->buffer, 16, &clone, 0, 0);
		r->buffer = bpf_dynptr_size(&clone);
		break;
	}
}

/* Foreign memory into the dynptr, without sleeping. */
static __always_inline void probing(struct bpf_dynptr *ptr, const struct grid_case *c,
				    struct grid_result *r)
{
	switch (c->op) {
	case GRID_PROBE_KERNEL:
		r->ret = bpf_probe_read_kernel_dynptr(ptr, c->offset, c->len, foreign(c, true));
		break;
	case GRID_PROBE_KERNEL_STR:
		r->ret = bpf_probe_read_kernel_str_dynptr(ptr, c->offset, c->len, foreign(c, true));
		break;
	case GRID_PROBE_USER:
		r->ret = bpf_probe_read_user_dynptr(ptr, c->offset, c->len, foreign(c, false));
		break;
	case GRID_PROBE_USER_STR:
		r->ret = bpf_probe_read_user_str_dynptr(ptr, c->offset, c->len, foreign(c, false));
		break;
	}
}

/* Foreign memory into the dynptr, in a sleepable program. */
static __always_inline void sleeping(struct bpf_dynptr *ptr, const struct grid_case *c,
				     struct grid_result *r)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const void *from = foreign(c, false);

	switch (c->op) {
	case GRID_COPY_USER:
		r->ret = bpf_copy_from_user_dynptr(ptr, c->offset, c->len, from);
		break;
	case GRID_COPY_USER_STR:
		r->ret = bpf_copy_from_user_str_dynptr(ptr, c->offset, c->len, from);
		break;
	case GRID_COPY_TASK:
		r->ret = bpf_copy_from_user_task_dynptr(ptr, c->offset, c->len, from, task);
		break;
	case GRID_COPY_TASK_STR:
		r->ret = bpf_copy_from_user_task_str_dynptr(ptr, c->offset, c->len, from, task);
		break;
	}
}

/* The operations that may write; @other is the value behind the other side of copies. */
static __always_inline void writing(struct bpf_dynptr *ptr, const struct grid_case *c,
				    struct grid_result *r, struct room *room, struct value *other)
{
	struct bpf_dynptr local;

	switch (c->op) {
	case GRID_WRITE:
		if (c->len <= GRID_BUFFER)
			r->ret = bpf_dynptr_write(ptr, c->offset, text, c->len, c->flags);
		break;
	case GRID_COPY_SELF:
		r->ret = bpf_dynptr_copy(ptr, c->offset, ptr, c->other, c->len);
		break;
	case GRID_COPY_IN:
		bpf_dynptr_from_mem(other, sizeof(*other), 0, &local);
		r->ret = bpf_dynptr_copy(ptr, c->offset, &local, c->other, c->len);
		break;
	case GRID_COPY_OUT:
		bpf_dynptr_from_mem(other, sizeof(*other), 0, &local);
		r->ret = bpf_dynptr_copy(&local, c->other, ptr, c->offset, c->len);
		break;
	case GRID_MEMSET:
		r->ret = bpf_dynptr_memset(ptr, c->offset, c->len, (u8)(c->other + 0x31));
		break;
	}
}

/* Slices for writing: not for every program type. */
static __always_inline void slicing(struct bpf_dynptr *ptr, const struct grid_case *c,
				    struct grid_result *r, struct room *room)
{
	unsigned char small[16] = {};

	switch (c->op) {
	case GRID_SLICE_RDWR_16:
		sliced_rdwr(r, bpf_dynptr_slice_rdwr(ptr, c->offset, small, sizeof(small)), small);
		break;
	case GRID_SLICE_RDWR_300:
		sliced_rdwr(r, bpf_dynptr_slice_rdwr(ptr, c->offset, room->buffer, 300),
			    room->buffer);
		break;
	case GRID_SLICE_RDWR_NULL:
		sliced_rdwr(r, bpf_dynptr_slice_rdwr(ptr, c->offset, NULL, 64), NULL);
		break;
	}
}

/* One case with all that it needs besides its dynptr. */
struct step {
	const struct grid_case *c;
	struct grid_result *r;
	struct room *room;
	struct value *mine;
	struct value *other;
};

/* Fills @step for case @i; false never happens, but for the verifier. */
static __always_inline bool step_to(struct step *step, int i)
{
	u32 zero = 0, one = 1;

	if (i < 0 || i >= GRID_BATCH)
		return false;
	step->c = &cases[i];
	step->r = &results[i];
	step->room = bpf_map_lookup_elem(&rooms, &zero);
	step->mine = bpf_map_lookup_elem(&memory, &zero);
	step->other = bpf_map_lookup_elem(&memory, &one);
	return step->room && step->mine && step->other;
}

#define MAY_SLICE 1
#define MAY_SLEEP 2

static __always_inline void run(struct bpf_dynptr *ptr, const struct step *s, const int may)
{
	s->r->view = bpf_dynptr_adjust(ptr, s->c->start, s->c->end);
	reading(ptr, s->c, s->r, s->room);
	writing(ptr, s->c, s->r, s->room, s->other);
	probing(ptr, s->c, s->r);
	if (may & MAY_SLICE)
		slicing(ptr, s->c, s->r, s->room);
	if (may & MAY_SLEEP)
		sleeping(ptr, s->c, s->r);
	s->r->size = bpf_dynptr_size(ptr);
	s->r->is_null = bpf_dynptr_is_null(ptr);
	s->r->is_rdonly = bpf_dynptr_is_rdonly(ptr);
}

/* The hashes of what a case left behind, in the map value or, for a packet, in the room. */
static __always_inline void note(const struct step *s, bool packet)
{
	u64 sum = packet ? hash_packet(s->room) : hash_value(s->mine);

	s->r->buffer = hash(s->r->buffer, hash_buffer(s->room));
	s->r->memory = hash(sum, hash_value(s->other));
}

static __always_inline int on_local(const int may)
{
	struct bpf_dynptr ptr;
	struct step s;
	int i;

	bpf_for(i, 0, count) {
		if (!step_to(&s, i))
			break;
		s.r->made = bpf_dynptr_from_mem(s.mine, sizeof(*s.mine), 0, &ptr);
		run(&ptr, &s, may);
		note(&s, false);
	}
	return 0;
}

static __always_inline int on_ringbuf(const int may)
{
	struct bpf_dynptr ptr;
	struct step s;
	int i;

	bpf_for(i, 0, count) {
		if (!step_to(&s, i))
			break;
		s.r->made = bpf_ringbuf_reserve_dynptr(&ring, sizeof(*s.mine), 0, &ptr);
		/* The record's old contents are not the same with C and with Rust. */
		bpf_dynptr_write(&ptr, 0, s.mine, sizeof(*s.mine), 0);
		run(&ptr, &s, may);
		bpf_dynptr_read(s.mine, sizeof(*s.mine), &ptr, 0, 0);
		bpf_ringbuf_discard_dynptr(&ptr, BPF_RB_NO_WAKEUP);
		note(&s, false);
	}
	return 0;
}

SEC("tc")
int local(struct __sk_buff *skb)
{
	return on_local(MAY_SLICE);
}

SEC("tc")
int ringbuf(struct __sk_buff *skb)
{
	return on_ringbuf(MAY_SLICE);
}

SEC("syscall")
int local_sleepable(void *context)
{
	return on_local(MAY_SLEEP);
}

SEC("syscall")
int ringbuf_sleepable(void *context)
{
	return on_ringbuf(MAY_SLEEP);
}

/* Suspect L8: the size is a u32, so 4 GiB and 16 bytes are 16 bytes. libbpf would cut it, too. */
static long (*const reserve_64)(void *map, u64 size, u64 flags, struct bpf_dynptr *ptr) =
	(void *)BPF_FUNC_ringbuf_reserve_dynptr;
long long oversized_made;
unsigned long long oversized_size;

SEC("tc")
int oversized(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	oversized_made = reserve_64(&ring, 0x100000010ULL, 0, &ptr);
	oversized_size = bpf_dynptr_size(&ptr);
	bpf_ringbuf_discard_dynptr(&ptr, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("tc")
int null(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct step s;
	int i;

	bpf_for(i, 0, count) {
		if (!step_to(&s, i))
			break;
		/* Flags that it does not take leave a null dynptr behind. */
		s.r->made = bpf_dynptr_from_mem(s.mine, sizeof(*s.mine), 1, &ptr);
		run(&ptr, &s, MAY_SLICE);
		note(&s, false);
	}
	return 0;
}

SEC("tc")
int skb(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct step s;
	int i;

	bpf_for(i, 0, count) {
		if (!step_to(&s, i))
			break;
		s.r->made = bpf_dynptr_from_skb(skb, s.c->flags >> 8, &ptr);
		run(&ptr, &s, MAY_SLICE);
		if (packet_len && packet_len <= sizeof(s.room->packet))
			bpf_skb_load_bytes(skb, 0, s.room->packet, packet_len);
		note(&s, true);
	}
	return 0;
}

/* The metadata as it is now, where packets are hashed. */
static __always_inline void keep_metadata(struct __sk_buff *skb, struct room *room)
{
	void *meta = (void *)(long)skb->data_meta;
	void *data = (void *)(long)skb->data;

	if (meta + GRID_META <= data)
		__builtin_memcpy(room->packet, meta, GRID_META);
}

/* A test run has no packets with metadata: the runner sends some. */
SEC("tcx/ingress")
int skb_meta(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct step s;
	int i;

	bpf_for(i, 0, count) {
		if (!step_to(&s, i))
			break;
		s.r->made = bpf_dynptr_from_skb_meta(skb, s.c->flags >> 8, &ptr);
		run(&ptr, &s, MAY_SLICE);
		keep_metadata(skb, s.room);
		note(&s, true);
	}
	return TCX_DROP;
}

/* Lets a frame become a packet, with its metadata. */
SEC("xdp.frags")
int pass(struct xdp_md *xdp)
{
	return XDP_PASS;
}

/* May not write packets: the verifier calls bpf_dynptr_from_skb_rdonly() instead. */
SEC("cgroup_skb/egress")
int skb_rdonly(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct step s;
	int i;

	bpf_for(i, 0, count) {
		if (!step_to(&s, i))
			break;
		s.r->made = bpf_dynptr_from_skb(skb, s.c->flags >> 8, &ptr);
		run(&ptr, &s, 0);
		if (packet_len && packet_len <= sizeof(s.room->packet))
			bpf_skb_load_bytes(skb, 0, s.room->packet, packet_len);
		note(&s, true);
	}
	return 1;
}

SEC("xdp.frags")
int xdp(struct xdp_md *xdp)
{
	struct bpf_dynptr ptr;
	struct step s;
	int i;

	bpf_for(i, 0, count) {
		if (!step_to(&s, i))
			break;
		s.r->made = bpf_dynptr_from_xdp(xdp, s.c->flags >> 8, &ptr);
		run(&ptr, &s, MAY_SLICE);
		if (packet_len && packet_len <= sizeof(s.room->packet))
			bpf_xdp_load_bytes(xdp, 0, s.room->packet, packet_len);
		note(&s, true);
	}
	return XDP_PASS;
}

struct grid_cut cut;

/* The dynptr does not learn that the frame gets shorter. */
SEC("xdp.frags")
int shortened(struct xdp_md *xdp)
{
	u32 end = packet_len - GRID_CUT;
	struct bpf_dynptr ptr;
	int i;

	bpf_dynptr_from_xdp(xdp, 0, &ptr);
	bpf_xdp_adjust_tail(xdp, -GRID_CUT);
#pragma unroll
	for (i = 0; i < 2; i++) {
		u64 small[2] = { 1, 2 };
		u32 at = i ? end + 8 : end - 8;
		void *slice;

		slice = bpf_dynptr_slice(&ptr, at, small, sizeof(small));
		cut.slice[i] = !slice ? 0 : slice == small ? 2 : 1;
		cut.bytes[2 * i] = small[0];
		cut.bytes[2 * i + 1] = small[1];
		cut.read[i] = bpf_dynptr_read(small, sizeof(small), &ptr, at, 0);
		cut.written[i] = bpf_dynptr_write(&ptr, at, small, sizeof(small), 0);
		cut.memset[i] = bpf_dynptr_memset(&ptr, at, sizeof(small), 7);
	}
	return XDP_PASS;
}

static __always_inline int on_file(struct file *file, const int may)
{
	struct bpf_dynptr ptr;
	struct step s;
	int i;

	if ((bpf_get_current_pid_tgid() >> 32) != monitored)
		return 0;
	bpf_for(i, 0, count) {
		if (!step_to(&s, i))
			break;
		s.r->made = bpf_dynptr_from_file(file, s.c->flags >> 8, &ptr);
		run(&ptr, &s, may);
		bpf_dynptr_file_discard(&ptr);
		note(&s, false);
	}
	return 0;
}

/* Not file_open, where the file cannot be read yet by a program that sleeps. */
SEC("lsm/file_lock")
int BPF_PROG(file, struct file *file)
{
	return on_file(file, 0);
}

SEC("lsm.s/file_lock")
int BPF_PROG(file_sleepable, struct file *file)
{
	return on_file(file, MAY_SLEEP);
}
