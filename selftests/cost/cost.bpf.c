// SPDX-License-Identifier: GPL-2.0
/*
 * What a call of each function costs: the time of many calls, without the time of the loop. In a
 * guest that counts instructions a nanosecond is one (scripts/vm -i). One program for each class of
 * memory; @op and @size say what it measures.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "cost.h"
#include "cost_calls.h"

char LICENSE[] SEC("license") = "GPL";

unsigned int op;
unsigned int size;		/* of what is moved: up to COST_MAX_SIZE */
unsigned int offset;		/* where it starts in the dynptr */
unsigned long long spent;	/* nanoseconds of all calls and the loop */
int monitored;			/* the process whose file is used */

struct crypto_value {
	struct bpf_crypto_ctx __kptr * context;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct crypto_value);
} cryptos SEC(".maps");

/* The time of COST_CALLS calls of @call for operation @what. */
static __always_inline void measure(const int what, call_t call, struct bpf_dynptr *ptr,
				    const struct site *s)
{
	u64 start = bpf_ktime_get_ns();
	int i;

	bpf_for(i, 0, COST_CALLS / COST_UNROLLED) {
#pragma unroll
		for (int n = 0; n < COST_UNROLLED; n++)
			call(what, ptr, s);
	}
	spent = bpf_ktime_get_ns() - start;
}

/* The one of the operations from @first to @last that @op names. */
static __always_inline void dispatch(const int first, const int last, call_t call,
				     struct bpf_dynptr *ptr, const struct site *s)
{
#pragma unroll
	for (int what = first; what <= last; what++)
		if (op == what)
			measure(what, call, ptr, s);
}

static __always_inline struct value *value_of(u32 key)
{
	return bpf_map_lookup_elem(&memory, &key);
}

/* What every program needs; false never happens, but for the verifier. */
static __always_inline bool prepare(struct site *s, void *context)
{
	*s = (struct site){
		.mine = value_of(COST_MINE),
		.other = value_of(COST_OTHER),
		.text = value_of(COST_TEXT),
		.context = context,
		.len = size,
		.offset = offset,
	};
	return s->mine && s->other && s->text && s->len <= COST_MAX_SIZE &&
	       s->offset <= COST_MEMORY;
}

static __always_inline void dispatch_bytes(struct bpf_dynptr *ptr, const struct site *s)
{
	dispatch(COST_NOTHING, COST_PROBE_USER_STR, on_bytes, ptr, s);
}

SEC("tc")
int local(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare(&s, skb))
		return 0;
	bpf_dynptr_from_mem(s.mine, COST_MEMORY, 0, &ptr);
	dispatch_bytes(&ptr, &s);
	dispatch(COST_SLICE_RDWR, COST_SLICE_RDWR, on_slice, &ptr, &s);
	dispatch(COST_ADJUST, COST_FROM_MEM_REFUSED, on_view, &ptr, &s);
	return 0;
}

SEC("tc")
int null(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare(&s, skb))
		return 0;
	/* Flags that it does not take leave a null dynptr behind. */
	bpf_dynptr_from_mem(s.mine, COST_MEMORY, 1, &ptr);
	dispatch(COST_NOTHING, COST_MEMSET, on_bytes, &ptr, &s);
	dispatch(COST_SLICE_RDWR, COST_SLICE_RDWR, on_slice, &ptr, &s);
	dispatch(COST_ADJUST, COST_CLONE, on_view, &ptr, &s);
	return 0;
}

SEC("tc")
int rings(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare(&s, skb))
		return 0;
	bpf_dynptr_from_mem(s.mine, COST_MEMORY, 0, &ptr);
	dispatch(COST_NOTHING, COST_NOTHING, on_bytes, &ptr, &s);
	dispatch(COST_RINGBUF_OUTPUT, COST_USER_RINGBUF_DRAIN, on_ring, &ptr, &s);
	return 0;
}

SEC("tc")
int skb(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare(&s, skb))
		return 0;
	bpf_dynptr_from_skb(skb, 0, &ptr);
	dispatch_bytes(&ptr, &s);
	dispatch(COST_SLICE_RDWR, COST_SLICE_RDWR, on_slice, &ptr, &s);
	dispatch(COST_CONSTRUCT, COST_CONSTRUCT_REFUSED, from_skb, &ptr, &s);
	return 0;
}

/* A test run has no packets with metadata: the runner sends some. */
SEC("tcx/ingress")
int skb_meta(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare(&s, skb))
		return TCX_DROP;
	bpf_dynptr_from_skb_meta(skb, 0, &ptr);
	dispatch(COST_NOTHING, COST_MEMSET, on_bytes, &ptr, &s);
	dispatch(COST_SLICE_RDWR, COST_SLICE_RDWR, on_slice, &ptr, &s);
	dispatch(COST_CONSTRUCT, COST_CONSTRUCT_REFUSED, from_meta, &ptr, &s);
	return TCX_DROP;
}

/* Lets a frame become a packet, with its metadata. */
SEC("xdp")
int pass(struct xdp_md *xdp)
{
	return XDP_PASS;
}

/* May not write packets: the verifier calls bpf_dynptr_from_skb_rdonly() instead. */
SEC("cgroup_skb/egress")
int skb_rdonly(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare(&s, skb))
		return 1;
	bpf_dynptr_from_skb(skb, 0, &ptr);
	dispatch(COST_NOTHING, COST_WRITE, on_bytes, &ptr, &s);
	dispatch(COST_CONSTRUCT, COST_CONSTRUCT_REFUSED, from_skb, &ptr, &s);
	return 1;
}

SEC("xdp.frags")
int frame(struct xdp_md *xdp)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare(&s, xdp))
		return 0;
	bpf_dynptr_from_xdp(xdp, 0, &ptr);
	dispatch_bytes(&ptr, &s);
	dispatch(COST_SLICE_RDWR, COST_SLICE_RDWR, on_slice, &ptr, &s);
	dispatch(COST_CONSTRUCT, COST_CONSTRUCT_REFUSED, from_xdp, &ptr, &s);
	return XDP_PASS;
}

SEC("syscall")
int sleepable(void *context)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare(&s, NULL))
		return 0;
	bpf_dynptr_from_mem(s.mine, COST_MEMORY, 0, &ptr);
	dispatch(COST_NOTHING, COST_NOTHING, on_bytes, &ptr, &s);
	dispatch(COST_COPY_USER, COST_COPY_TASK_STR, in_syscall, &ptr, &s);
	return 0;
}

/* Before the next: makes what it encrypts with. */
SEC("syscall")
int make_crypto(void *context)
{
	struct bpf_crypto_params params = {
		.type = "skcipher",
		.algo = "ecb(aes)",
		.key_len = 16,
	};
	struct crypto_value *value;
	struct bpf_crypto_ctx *made;
	u32 zero = 0;
	int err = 0;

	value = bpf_map_lookup_elem(&cryptos, &zero);
	if (!value)
		return -1;
	made = bpf_crypto_ctx_create(&params, sizeof(params), &err);
	if (!made)
		return err;
	made = bpf_kptr_xchg(&value->context, made);
	if (made)
		bpf_crypto_ctx_release(made);
	return 0;
}

SEC("tc")
int crypto(struct __sk_buff *skb)
{
	struct crypto_value *value;
	struct bpf_dynptr ptr;
	struct site s;
	u32 zero = 0;

	value = bpf_map_lookup_elem(&cryptos, &zero);
	if (!value || !prepare(&s, NULL))
		return 0;
	s.crypto = value->context;
	if (!s.crypto)
		return 0;
	bpf_dynptr_from_mem(s.mine, 16, 0, &ptr);
	dispatch(COST_NOTHING, COST_NOTHING, on_bytes, &ptr, &s);
	dispatch(COST_CRYPTO, COST_CRYPTO, in_crypto, &ptr, &s);
	return 0;
}

static __always_inline bool prepare_file(struct site *s, struct file *file)
{
	if ((bpf_get_current_pid_tgid() >> 32) != monitored || !prepare(s, NULL))
		return false;
	s->file = file;
	return true;
}

static __always_inline void dispatch_file(struct bpf_dynptr *ptr, const struct site *s)
{
	dispatch(COST_NOTHING, COST_MEMSET, on_bytes, ptr, s);
	dispatch(COST_ADJUST, COST_CLONE, on_view, ptr, s);
	dispatch(COST_FROM_FILE, COST_FSVERITY, on_file, ptr, s);
}

/* Not file_open, where the file cannot be read yet. */
SEC("lsm/file_lock")
int BPF_PROG(file, struct file *file)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare_file(&s, file))
		return 0;
	bpf_dynptr_from_file(file, 0, &ptr);
	dispatch_file(&ptr, &s);
	bpf_dynptr_file_discard(&ptr);
	return 0;
}

SEC("lsm.s/file_lock")
int BPF_PROG(file_sleepable, struct file *file)
{
	struct bpf_dynptr ptr;
	struct site s;

	if (!prepare_file(&s, file))
		return 0;
	s.key = bpf_lookup_system_key(0);
	if (!s.key)
		return 0;
	bpf_dynptr_from_file(file, 0, &ptr);
	dispatch_file(&ptr, &s);
	dispatch(COST_XATTR, COST_PKCS7, in_sleep, &ptr, &s);
	bpf_dynptr_file_discard(&ptr);
	bpf_key_put(s.key);
	return 0;
}
