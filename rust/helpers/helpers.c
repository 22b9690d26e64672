// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel macros and inline functions for the Rust code; see include/rust_dynptr.h.
 *
 * Built without ftrace, as kernel/bpf/ringbuf.c is: these run below BPF programs that trace
 * anything, and must not trace back into them.
 */
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/bug.h>
#include <linux/buildid.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/gfp.h>
#include <linux/kmemleak.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "../../include/rust_dynptr.h"

/* Lets the module carry livepatch relocations and call klp_enable_patch(). */
MODULE_INFO(livepatch, "Y");

bool rust_dynptr_is_live(const struct module *module)
{
	return READ_ONCE(module->state) == MODULE_STATE_LIVE;
}

__noendbr long rust_dynptr_lock_irqsave(rqspinlock_t *lock)
{
	unsigned long flags;
	int err;

	err = raw_res_spin_lock_irqsave(lock, flags);
	return likely(!err) ? (long)flags : err;
}

__noendbr void *rust_dynptr_unlock_irqrestore(rqspinlock_t *lock, unsigned long flags,
					      void *result)
{
	raw_res_spin_unlock_irqrestore(lock, flags);
	return result;
}

void rust_dynptr_lock_init(rqspinlock_t *lock)
{
	raw_res_spin_lock_init(lock);
}

void rust_dynptr_warn_type(const char *function, u32 type)
{
	WARN_ONCE(true, "%s: unknown dynptr type %d\n", function, type);
}

void *rust_dynptr_kmalloc_nolock(size_t size)
{
	return kmalloc_nolock(size, 0, NUMA_NO_NODE);
}

void *rust_dynptr_frag_address(const skb_frag_t *frag)
{
	return skb_frag_address(frag);
}

u64 rust_dynptr_reader_size(const struct freader *reader)
{
	return i_size_read(reader->file->f_mapping->host);
}

bool rust_dynptr_reader_sleeps(struct freader *reader, bool may)
{
	bool before = reader->may_fault;

	reader->may_fault = may;
	return before;
}

/*
 * "bpf_ringbuf" in vmlinux's BTF, which is never freed. Lockdep compares the names of all locks
 * when it meets a new one: that of a lock which outlives this module must not be in it.
 */
static const char *ring_name(void)
{
	const char *name = NULL;
	struct btf *btf;
	s32 id;

	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return NULL;
	id = bpf_find_btf_id("bpf_ringbuf", BTF_KIND_STRUCT, &btf);
	if (id > 0) {
		name = btf_name_by_offset(btf, btf_type_by_id(btf, id)->name_off);
		btf_put(btf);
	}
	return name;
}

void rust_dynptr_init_wait(wait_queue_head_t *waitq, const void *key)
{
	__init_waitqueue_head(waitq, ring_name(), (struct lock_class_key *)key);
}

void rust_dynptr_init_irq_work(struct irq_work *work, void (*func)(struct irq_work *work))
{
	init_irq_work(work, func);
}

struct page *rust_dynptr_alloc_page(int node)
{
	return alloc_pages_node(node, GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN |
				__GFP_ZERO, 0);
}

void rust_dynptr_free_page(struct page *page)
{
	__free_page(page);
}

void *rust_dynptr_vmap_ring(struct page **pages, unsigned int count)
{
	void *ring = vmap(pages, count, VM_MAP | VM_USERMAP, PAGE_KERNEL);

	if (ring)
		kmemleak_not_leak(pages);
	return ring;
}

void rust_dynptr_poll_wait(struct file *file, wait_queue_head_t *waitq,
			   struct poll_table_struct *pts)
{
	poll_wait(file, waitq, pts);
}

__poll_t rust_dynptr_poll_other(struct bpf_map *map, struct file *file,
				struct poll_table_struct *pts)
{
	return map->ops->map_poll ? map->ops->map_poll(map, file, pts) : EPOLLERR;
}

unsigned long rust_dynptr_copy_from_user(void *dst, const void __user *src, unsigned long size)
{
	return copy_from_user(dst, src, size);
}

bool rust_dynptr_has_user_memory(void)
{
	/* A kernel thread borrows the memory of whichever process was before it. */
	return !in_interrupt() && !(current->flags & (PF_KTHREAD | PF_EXITING));
}

unsigned long rust_dynptr_copy_to_user(void __user *dst, const void *src, unsigned long size)
{
	return copy_to_user(dst, src, size);
}

void *rust_dynptr_krealloc(const void *array, size_t size)
{
	return krealloc(array, kmalloc_size_roundup(size), GFP_KERNEL_ACCOUNT);
}

void rust_dynptr_bug_several_parents(struct bpf_verifier_env *env, u8 count)
{
	verifier_bug(env, "function expects only one referenced object but got %d\n", count);
}

void rust_dynptr_warn_slot_type(u32 type)
{
	WARN_ONCE(1, "unknown stack slot type %d\n", type);
}

void rust_dynptr_warn_dynptr_type(u32 type)
{
	WARN_ONCE(1, "unknown dynptr type %d\n", type);
}

void rust_dynptr_warn_too_many_ids(void)
{
	WARN_ON_ONCE(1);
}

/* logic::codes knows these types of dynptrs, the verifier no others; bit 29 is free for ours. */
static_assert(!(__BPF_TYPE_LAST_FLAG >> 29));
static_assert(DYNPTR_TYPE_FLAG_MASK == (DYNPTR_TYPE_LOCAL | DYNPTR_TYPE_RINGBUF | DYNPTR_TYPE_SKB |
					DYNPTR_TYPE_XDP | DYNPTR_TYPE_SKB_META | DYNPTR_TYPE_FILE));

#ifdef RUST_DYNPTR_FAULTS
static bool nowait;
module_param(nowait, bool, 0400);
MODULE_PARM_DESC(nowait, "Do not wait for tasks that sleep in Rust when unloading: will oops");

static unsigned int linger;
module_param(linger, uint, 0600);
MODULE_PARM_DESC(linger, "Milliseconds that map operations sleep");

bool rust_dynptr_fault_nowait(void)
{
	return nowait;
}

void rust_dynptr_fault_linger(void)
{
	if (linger)
		msleep(linger);
}

static unsigned int load_fault;
module_param(load_fault, uint, 0400);
MODULE_PARM_DESC(load_fault, "The step of loading that fails; counted from 1");

int rust_dynptr_fault_step(void)
{
	static unsigned int steps;

	if (++steps != load_fault)
		return 0;
	pr_err("load_fault: step %u fails\n", steps);
	rust_dynptr_fault_linger();
	return -ECANCELED;
}

static unsigned int heap_fault;
module_param(heap_fault, uint, 0400);
MODULE_PARM_DESC(heap_fault, "What is wrong with heap dynptrs: see rust/glue/faults.rs");

unsigned int rust_dynptr_fault_heap(void)
{
	return heap_fault;
}
#endif

unsigned long rust_dynptr_ftrace_argument(struct ftrace_regs *fregs, unsigned int n)
{
	return ftrace_regs_get_argument(fregs, n);
}
