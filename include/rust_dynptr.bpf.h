/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Heap dynptrs for BPF programs: kfuncs of the module rust_dynptr. Include it after vmlinux.h and
 * <bpf/bpf_helpers.h>. The manual page docs/bpf-heap-dynptrs.7 is made of the comments here
 * (make man): each DOC comment is a section of it.
 */
#ifndef RUST_DYNPTR_BPF_H
#define RUST_DYNPTR_BPF_H

#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif

/**
 * DOC: description
 *
 * A heap dynptr is a dynptr over memory that a BPF program allocates, of a size that it chooses
 * at run time. The program that made it must release it on every path; the verifier sees to that.
 * Turned into an object, the memory can be kept in a map, and be taken out again by another
 * program, on another processor.
 *
 * These kfuncs are the module rust_dynptr's. A program that calls them holds the module. Every
 * type of programs that may call kfuncs can use them; loading one takes CAP_BPF.
 *
 * All helpers and kfuncs for dynptrs take heap dynptrs: bpf_dynptr_read(), bpf_dynptr_write(),
 * bpf_dynptr_slice(), bpf_dynptr_copy(), bpf_dynptr_clone() and the others.
 */

/**
 * struct bpf_dynptr_heap - the memory of a heap dynptr, as an object that maps can hold
 * @size: bytes, 0 to 2^24-1; to be read with CAP_PERFMON only
 *
 * A map value holds one in a field ``struct bpf_dynptr_heap __kptr *name``, in every type of map
 * that can hold kptrs; bpf_kptr_xchg() puts it in and takes it out. A map with such a field holds
 * the module.
 *
 * What is in a map is freed with the memory that the map has for the entry. As with every kptr,
 * that is not when the entry is deleted or its value is written over: the next entry in the same
 * place has the object then. So take it out by bpf_kptr_xchg() with NULL first.
 */
struct bpf_dynptr_heap {
	__u32 size;
} __attribute__((preserve_access_index));

/**
 * bpf_dynptr_alloc() - a dynptr over new memory
 * @size: bytes, 0 to 2^24-1
 * @flags: 0 or __GFP_ZERO; the memory is zeroed in either case
 * @ptr__uninit: 16 bytes of stack that become the dynptr
 *
 * The program must give the dynptr to bpf_dynptr_put() or bpf_dynptr_detach() on every path, also
 * after an error, when it is null. All dynptr helpers and kfuncs take it: it is one of type local.
 * Clones share the memory; the reference is the first one's and all of theirs.
 *
 * The memory is charged to the memory cgroup that the program was loaded in.
 *
 * Context: any, NMI included, up to 32 KiB less 32 bytes, best effort: memory may be short there
 * that would not be elsewhere. Where a program may sleep, any size.
 *
 * Return:
 * * ``0`` - done
 * * ``-E2BIG`` - @size is above 2^24-1
 * * ``-EINVAL`` - @flags has other bits
 * * ``-ENOMEM`` - no memory, or more than this context can have
 *
 * Example::
 *
 *	struct bpf_dynptr line;
 *
 *	if (!bpf_dynptr_alloc(len, 0, &line))
 *		bpf_dynptr_write(&line, 0, text, sizeof(text), 0);
 *	bpf_dynptr_put(&line);
 */
extern int bpf_dynptr_alloc(__u32 size, __u64 flags, struct bpf_dynptr *ptr__uninit) __ksym;

/**
 * bpf_dynptr_put() - releases a heap dynptr
 * @ptr: the dynptr, or one that is null because bpf_dynptr_alloc() failed
 *
 * Clones and slices of it cannot be used any more. The memory is freed, unless objects share it.
 *
 * Context: any.
 */
extern void bpf_dynptr_put(struct bpf_dynptr *ptr) __ksym;

/**
 * bpf_dynptr_detach() - turns a heap dynptr into an object that a map can hold
 * @ptr: the dynptr
 *
 * Releases the dynptr: clones and slices of it cannot be used any more. The program must give the
 * object to bpf_kptr_xchg(), bpf_dynptr_attach() or bpf_dynptr_heap_release().
 *
 * Context: any.
 *
 * Return: the object, which has all of the memory whatever bpf_dynptr_adjust() made of the dynptr;
 * NULL for a null dynptr.
 *
 * Example::
 *
 *	struct bpf_dynptr_heap *heap = bpf_dynptr_detach(&line);
 *
 *	if (heap)
 *		heap = bpf_kptr_xchg(&entry->heap, heap);
 *	if (heap)
 *		bpf_dynptr_heap_release(heap);
 */
extern struct bpf_dynptr_heap *bpf_dynptr_detach(struct bpf_dynptr *ptr) __ksym;

/**
 * bpf_dynptr_attach() - turns an object into a heap dynptr
 * @heap: the object, not NULL; the program does not have it any more
 * @ptr__uninit: 16 bytes of stack that become a dynptr over all of its memory
 *
 * The program must release the dynptr as one of bpf_dynptr_alloc(). If others have references to
 * the object, they see what is written through the dynptr, at any time.
 *
 * Context: any.
 */
extern void bpf_dynptr_attach(struct bpf_dynptr_heap *heap,
			      struct bpf_dynptr *ptr__uninit) __ksym;

/**
 * bpf_dynptr_heap_acquire() - another reference to an object
 * @heap: the object, which the program has
 *
 * Context: any.
 *
 * Return: the same object, to be released on its own; NULL if it has 2^31-1 references.
 */
extern struct bpf_dynptr_heap *bpf_dynptr_heap_acquire(struct bpf_dynptr_heap *heap) __ksym;

/**
 * bpf_dynptr_heap_release() - releases an object
 * @heap: the object, not NULL
 *
 * The memory is freed with the last reference.
 *
 * Context: any.
 */
extern void bpf_dynptr_heap_release(struct bpf_dynptr_heap *heap) __ksym;

/**
 * DOC: notes
 *
 * While the module is being loaded or unloaded, programs that call these kfuncs are refused
 * (EACCES): the kernel's own verifier does not know their rules.
 *
 * The file heap in the directory rust_dynptr of debugfs shows how many blocks and bytes live.
 */

/*
 * Flags of bpf_ringbuf_query() that the module knows ("rust" and a number); C says 0 to them, as
 * to all that it does not know. BPF_RB_LOST_RECORDS: records that were asked for and not
 * reserved, since the ring's creation, as far as Rust served who asked. BPF_RB_COUNTS_LOST: 1 if
 * Rust serves this program. See docs/observability.md.
 */
#define BPF_RB_LOST_RECORDS 0x7275737400000000ULL
#define BPF_RB_COUNTS_LOST 0x7275737400000001ULL

#endif
