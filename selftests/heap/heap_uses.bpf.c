// SPDX-License-Identifier: GPL-2.0
/*
 * Heap dynptrs and other subsystems: objects in the storage of inodes and sockets, and kfuncs of
 * others that take dynptrs: each is asked the same with a heap dynptr and with one of mainline's.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "rust_dynptr.bpf.h"
#include "heap_entry.h"
#include "heap_uses.h"

char LICENSE[] SEC("license") = "GPL";

#define STORAGE(name, kind)				\
	struct {					\
		__uint(type, kind);			\
		__uint(map_flags, BPF_F_NO_PREALLOC);	\
		__type(key, int);			\
		__type(value, struct entry);		\
	} name SEC(".maps")

STORAGE(inodes, BPF_MAP_TYPE_INODE_STORAGE);
STORAGE(sockets, BPF_MAP_TYPE_SK_STORAGE);

struct crypto_entry {
	struct bpf_crypto_ctx __kptr * ctx;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct crypto_entry);
} ciphers SEC(".maps");

struct uses_request uses;
struct uses_result plain, heap;
unsigned char plain_bytes[2][USES_BYTES];

/* What the task asks for: the programs below are called for every task. */
static u32 action(void)
{
	return uses.pid == (bpf_get_current_pid_tgid() >> 32) ? uses.action : USES_NONE;
}

static void store_or_take(struct entry *e)
{
	if (uses.action == USES_TAKE)
		take_from(e);
	else
		store_in(e);
}

SEC("lsm/file_open")
int BPF_PROG(on_open, struct file *file)
{
	u32 what = action();

	if (what == USES_DROP)
		bpf_inode_storage_delete(&inodes, file->f_inode);
	else if (what == USES_STORE || what == USES_TAKE)
		store_or_take(bpf_inode_storage_get(&inodes, file->f_inode, 0,
						    BPF_LOCAL_STORAGE_GET_F_CREATE));
	return 0;
}

SEC("lsm/socket_bind")
int BPF_PROG(on_bind, struct socket *sock)
{
	struct sock *sk = sock->sk;
	u32 what = action();

	if (!sk)
		return 0;
	if (what == USES_DROP)
		bpf_sk_storage_delete(&sockets, sk);
	else if (what == USES_STORE || what == USES_TAKE)
		store_or_take(bpf_sk_storage_get(&sockets, sk, 0,
						 BPF_LOCAL_STORAGE_GET_F_CREATE));
	return 0;
}

/* What came out of a call on a dynptr, and what it left in it. */
static __always_inline void note(struct uses_result *r, int err, struct bpf_dynptr *ptr)
{
	r->err = err;
	bpf_dynptr_read(r->bytes, sizeof(r->bytes), ptr, 0, 0);
}

SEC("lsm.s/file_open")
int BPF_PROG(get_xattr, struct file *file)
{
	struct bpf_dynptr ptr;

	if (action() != USES_XATTR)
		return 0;
	bpf_dynptr_from_mem(plain_bytes[0], sizeof(plain_bytes[0]), 0, &ptr);
	note(&plain, bpf_get_file_xattr(file, "user.heap", &ptr), &ptr);
	bpf_dynptr_alloc(USES_BYTES, 0, &ptr);
	note(&heap, bpf_get_file_xattr(file, "user.heap", &ptr), &ptr);
	bpf_dynptr_put(&ptr);
	return 0;
}

/* A signature that is none: what counts is that both are refused in one way. */
SEC("lsm.s/file_open")
int BPF_PROG(verify_signature, struct file *file)
{
	struct bpf_dynptr ptr, sig;
	struct bpf_key *keyring;

	if (action() != USES_SIGNATURE)
		return 0;
	keyring = bpf_lookup_system_key(0);
	if (!keyring)
		return 0;
	bpf_dynptr_from_mem(plain_bytes[0], sizeof(plain_bytes[0]), 0, &ptr);
	bpf_dynptr_from_mem(uses.signature, sizeof(uses.signature), 0, &sig);
	note(&plain, bpf_verify_pkcs7_signature(&ptr, &sig, keyring), &sig);
	bpf_dynptr_alloc(USES_BYTES, 0, &ptr);
	bpf_dynptr_write(&ptr, 0, plain_bytes[0], sizeof(plain_bytes[0]), 0);
	bpf_dynptr_alloc(USES_BYTES, 0, &sig);
	bpf_dynptr_write(&sig, 0, uses.signature, sizeof(uses.signature), 0);
	note(&heap, bpf_verify_pkcs7_signature(&ptr, &sig, keyring), &sig);
	bpf_dynptr_put(&sig);
	bpf_dynptr_put(&ptr);
	bpf_key_put(keyring);
	return 0;
}

SEC("syscall")
int make_cipher(void *ctx)
{
	struct bpf_crypto_params params = {
		.type = "skcipher", .algo = "ecb(aes)", .key_len = 16,
		.key = "sixteen bytes!!",
	};
	struct bpf_crypto_ctx *cipher, *old;
	struct crypto_entry *e;
	u32 key = 0;
	int err = 0;

	cipher = bpf_crypto_ctx_create(&params, sizeof(params), &err);
	plain.err = err;
	if (!cipher)
		return 0;
	e = bpf_map_lookup_elem(&ciphers, &key);
	if (!e) {
		bpf_crypto_ctx_release(cipher);
		return 0;
	}
	old = bpf_kptr_xchg(&e->ctx, cipher);
	if (old)
		bpf_crypto_ctx_release(old);
	return 0;
}

/* Encrypts USES_BYTES from and to memory of mainline's dynptrs, then from and to heap dynptrs. */
SEC("tc")
int encrypt(struct __sk_buff *skb)
{
	struct bpf_dynptr from, to, back;
	struct bpf_crypto_ctx *cipher;
	struct crypto_entry *e;
	u32 key = 0;

	plain.err = -1;
	heap.err = -1;
	heap.undone = -1;
	e = bpf_map_lookup_elem(&ciphers, &key);
	if (!e)
		return 0;
	cipher = e->ctx;
	if (!cipher)
		return 0;
	bpf_dynptr_from_mem(plain_bytes[0], sizeof(plain_bytes[0]), 0, &from);
	bpf_dynptr_from_mem(plain_bytes[1], sizeof(plain_bytes[1]), 0, &to);
	note(&plain, bpf_crypto_encrypt(cipher, &from, &to, NULL), &to);
	bpf_dynptr_alloc(USES_BYTES, 0, &from);
	bpf_dynptr_write(&from, 0, plain_bytes[0], sizeof(plain_bytes[0]), 0);
	bpf_dynptr_alloc(USES_BYTES, 0, &to);
	note(&heap, bpf_crypto_encrypt(cipher, &from, &to, NULL), &to);
	bpf_dynptr_alloc(USES_BYTES, 0, &back);
	heap.undone = bpf_crypto_decrypt(cipher, &to, &back, NULL);
	bpf_dynptr_read(heap.back, sizeof(heap.back), &back, 0, 0);
	bpf_dynptr_put(&back);
	bpf_dynptr_put(&to);
	bpf_dynptr_put(&from);
	return 0;
}
