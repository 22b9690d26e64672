/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the C helpers (rust/helpers/helpers.c) offer to the Rust code.
 *
 * Each is a macro or an inline function of the kernel that Rust cannot call, under its own name
 * with the prefix rust_dynptr_. None holds any policy.
 */
#ifndef RUST_DYNPTR_H
#define RUST_DYNPTR_H

#include <linux/eventpoll.h>
#include <linux/ftrace.h>
#include <linux/gfp_types.h>
#include <linux/irq_work.h>
#include <linux/kprobes.h>
#include <linux/livepatch.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/poll.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <asm/ibt.h>
#include <asm/rqspinlock.h>

struct bpf_dynptr_heap;
struct bpf_map;
struct bpf_verifier_env;
struct freader;
struct module;
struct obj_cgroup;

/* Whether the module has been loaded, and is not being removed. */
bool rust_dynptr_is_live(const struct module *module);

/*
 * raw_res_spin_lock_irqsave(): the IRQ flags of before, which are no negative number, or
 * -EDEADLK/-ETIMEDOUT with nothing held and IRQs as before. Never called by address: no endbr.
 */
__noendbr long rust_dynptr_lock_irqsave(rqspinlock_t *lock);

/* raw_res_spin_unlock_irqrestore(); returns @result: for callers that end with this. */
__noendbr void *rust_dynptr_unlock_irqrestore(rqspinlock_t *lock, unsigned long flags,
					      void *result);

/*
 * What the module keeps in unused bytes of a ring that the kernel produces into,
 * RUST_DYNPTR_RING_SLOT bytes from its start (rust/glue/ringbuf.rs): records that were asked for
 * and not reserved, and the map, or NULL if that is not known.
 */
struct rust_dynptr_ring_slot {
	u64 lost;
	const struct bpf_map *map;
};

/*
 * raw_res_spin_unlock_irqrestore() where there was no room for @size bytes, which is counted and
 * traced; returns NULL.
 */
__noendbr void *rust_dynptr_unlock_full(rqspinlock_t *lock, unsigned long flags,
					void *ring, u64 size);

/* Why a record is lost: logic::ring::Lost. */
enum rust_dynptr_lost_why {
	RUST_DYNPTR_LOST_FULL,
	RUST_DYNPTR_LOST_LOCKED,
	RUST_DYNPTR_LOST_TOO_LARGE,
};

/* Counts and traces a record of @size bytes that is lost; NULL. Any context, without the lock. */
void *rust_dynptr_lost(void *ring, u64 size, u32 why);

/* Traces that the program of @env is refused. May sleep. */
void rust_dynptr_refused(const struct bpf_verifier_env *env, int err, const char *reason);

/* raw_res_spin_lock_init() */
void rust_dynptr_lock_init(rqspinlock_t *lock);

/* WARN_ONCE() with the text of the C switch statements over enum bpf_dynptr_type. */
void rust_dynptr_warn_type(const char *function, u32 type);

/* kmalloc_nolock(size, 0, NUMA_NO_NODE) */
void *rust_dynptr_kmalloc_nolock(size_t size);

/*
 * Of the file behind a reader, i_size_read(). And whether reading may sleep from now on: what it
 * was before.
 */
u64 rust_dynptr_reader_size(const struct freader *reader);
bool rust_dynptr_reader_sleeps(struct freader *reader, bool may);

/* skb_frag_address() */
void *rust_dynptr_frag_address(const skb_frag_t *frag);

/*
 * init_waitqueue_head() and init_irq_work() of a ring, which may outlive this module: the key of
 * lockdep is the address @key, of static data in the kernel, and the name is the kernel's too.
 */
void rust_dynptr_init_wait(wait_queue_head_t *waitq, const void *key);
void rust_dynptr_init_irq_work(struct irq_work *work, void (*func)(struct irq_work *work));

/* alloc_pages_node() of one zeroed page for a ring (charged, may sleep, may fail), __free_page() */
struct page *rust_dynptr_alloc_page(int node);
void rust_dynptr_free_page(struct page *page);

/* vmap() as a ring's memory; kmemleak_not_leak() for its list of pages, to which the ring points */
void *rust_dynptr_vmap_ring(struct page **pages, unsigned int count);

/* poll_wait() */
void rust_dynptr_poll_wait(struct file *file, wait_queue_head_t *waitq,
			   struct poll_table_struct *pts);

/* bpf_map_poll() of a map that is no ring buffer */
__poll_t rust_dynptr_poll_other(struct bpf_map *map, struct file *file,
				struct poll_table_struct *pts);

/* Values of macros that bindgen cannot read. */
enum rust_dynptr_values {
	RUST_DYNPTR_VM_WRITE = (int)VM_WRITE,
	RUST_DYNPTR_POLL_READABLE = (__force u32)(EPOLLIN | EPOLLRDNORM),
	RUST_DYNPTR_POLL_WRITABLE = (__force u32)(EPOLLOUT | EPOLLWRNORM),
	/* What xdp_get_shared_info_from_buff() leaves for it at the end of a frame. */
	RUST_DYNPTR_GFP_ZERO = (__force u32)__GFP_ZERO,
	/* The last cache line of a ring's first page, which nobody else uses. */
	RUST_DYNPTR_RING_SLOT = PAGE_SIZE - 64,
	RUST_DYNPTR_SLAB_MAX = KMALLOC_MAX_CACHE_SIZE,
	RUST_DYNPTR_PAGES_MAX = PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER,
	RUST_DYNPTR_SHARED_INFO_ROOM = SKB_DATA_ALIGN(sizeof(struct skb_shared_info)),
};

/* glue/packet.rs reads skb->end as an offset. */
static_assert(sizeof(sk_buff_data_t) == sizeof(u32));

/* copy_from_user(): bytes that could not be copied, which are zero then. May sleep. */
unsigned long rust_dynptr_copy_from_user(void *dst, const void __user *src, unsigned long size);

/* Whether the current task has memory of its own, as bpf_probe_write_user() wants it. */
bool rust_dynptr_has_user_memory(void);

/* copy_to_user(): bytes that could not be copied. May sleep. */
unsigned long rust_dynptr_copy_to_user(void __user *dst, const void *src, unsigned long size);

/* krealloc() to at least @size bytes, rounded up as the verifier does it. May sleep. */
void *rust_dynptr_krealloc(const void *array, size_t size);

/* What kernel/bpf/verifier.c warns of once, each with its own text. */
void rust_dynptr_bug_several_parents(struct bpf_verifier_env *env, u8 count);
void rust_dynptr_warn_slot_type(u32 type);
void rust_dynptr_warn_dynptr_type(u32 type);
void rust_dynptr_warn_too_many_ids(void);

#ifdef RUST_DYNPTR_FAULTS
/* Parameters of a build for tests, see rust/glue/faults.rs. linger and step may sleep. */
bool rust_dynptr_fault_nowait(void);
void rust_dynptr_fault_linger(void);
unsigned int rust_dynptr_fault_heap(void);
int rust_dynptr_fault_step(void);
#endif

/* Bugs of a build for tests, see rust/glue/planted.rs: which one, and the one that is in C. */
unsigned int rust_dynptr_plant(void);
void rust_dynptr_plant_shift(void);

/* ftrace_regs_get_argument() */
unsigned long rust_dynptr_ftrace_argument(struct ftrace_regs *fregs, unsigned int n);

/* Whether the current context may sleep; never wrongly true. */
bool rust_dynptr_may_sleep(void);

/* Whether interrupts are on, and this is no NMI: no lock is held that is taken with them off. */
bool rust_dynptr_irqs_are_on(void);

/*
 * Charges @size bytes to the memory cgroup that @owner (an object of the slab) is charged to: false
 * if that may have no more. @charged: what to give rust_dynptr_uncharge() with the same size, or
 * NULL if there is no such cgroup. Any context.
 */
bool rust_dynptr_charge(void *owner, size_t size, struct obj_cgroup **charged);
void rust_dynptr_uncharge(struct obj_cgroup *charged, size_t size);

/* Zeroed memory, in any context, charged to nobody: kmalloc_nolock(), alloc_pages_nolock(). */
void *rust_dynptr_zalloc_nolock(size_t size);
void *rust_dynptr_pages_nolock(size_t size);

/* The same of vzalloc(), charged to the cgroup of @owner. May sleep. */
void *rust_dynptr_vzalloc(void *owner, size_t size);

/* __free_pages() of what rust_dynptr_pages_nolock() gave for @size. Not in NMI. */
void rust_dynptr_free_pages(void *memory, size_t size);

/*
 * Calls rust_heap_free_deferred(@node) soon, from an interrupt. Any context. The second waits until
 * all that was deferred is done; may sleep.
 */
void rust_dynptr_defer(struct llist_node *node);
void rust_dynptr_defer_barrier(void);

/* What happened to heap dynptrs since the module was loaded; a counter is a sum over processors. */
enum rust_dynptr_heap_event {
	RUST_DYNPTR_HEAP_ALLOCATED,
	RUST_DYNPTR_HEAP_FREED,
	RUST_DYNPTR_HEAP_BYTES_ALLOCATED,
	RUST_DYNPTR_HEAP_BYTES_FREED,
	RUST_DYNPTR_HEAP_FAILED,
	RUST_DYNPTR_HEAP_DAMAGED,
	RUST_DYNPTR_HEAP_EVENTS,
};

void rust_dynptr_heap_add(enum rust_dynptr_heap_event event, u64 count);

/* Count and trace: a block is new; its last owner is gone; there was none of @size. Any context. */
void rust_dynptr_heap_allocated(const struct bpf_dynptr_heap *block);
void rust_dynptr_heap_freed(const struct bpf_dynptr_heap *block);
void rust_dynptr_heap_failed(u32 size);

u64 rust_dynptr_heap_sum(enum rust_dynptr_heap_event event);

/* Whether no other kprobe than @probe, which is registered, is at its address. Any context. */
bool rust_dynptr_is_only_kprobe(const struct kprobe *probe);

/*
 * 0, -EBUSY if a livepatch is on the function at that address, -ENOENT if that cannot be told. May
 * sleep.
 */
int rust_dynptr_is_patched(unsigned long function);

/* Whether no other livepatch is on the function of ours that @function stands for. Any context. */
bool rust_dynptr_is_alone(const struct klp_func *function);

/*
 * Whether the livepatch @patch acts on what the current task calls, and will until it leaves the
 * patched functions, and nobody else replaces one of them. False in doubt.
 */
bool rust_dynptr_patch_acts(const struct klp_patch *patch);

/*
 * Whether the current task, which is in a function that the livepatch @patch holds it in, calls
 * what replaces its functions, but for those that another livepatch is on. Any context.
 */
bool rust_dynptr_patch_serves(const struct klp_patch *patch);

/* The level of the parameter `soundness`: 0 for c, 1 for sound, 2 for strict. */
unsigned int rust_dynptr_soundness(void);
const char *rust_dynptr_soundness_name(void);

#endif
