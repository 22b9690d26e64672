/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the C helpers (rust/helpers/helpers.c) offer to the Rust code.
 *
 * Each is a macro or an inline function of the kernel that Rust cannot call, under its own name
 * with the prefix rust_dynptr_. None holds any policy.
 */
#ifndef RUST_DYNPTR_H
#define RUST_DYNPTR_H

#include <linux/ftrace.h>
#include <linux/jump_label.h>
#include <linux/types.h>
#include <asm/rqspinlock.h>

struct sk_buff;
struct xdp_buff;

/* Hit counters: off unless the module parameter or debugfs switches them on. */
struct rust_dynptr_counting {
	struct static_key_false key;
};

extern struct rust_dynptr_counting rust_dynptr_counting;
void rust_dynptr_counting_set(bool on);

/* raw_res_spin_lock_irqsave(): 0, or -EDEADLK/-ETIMEDOUT with nothing held and IRQs as before. */
int rust_dynptr_lock_irqsave(rqspinlock_t *lock, unsigned long *flags);
void rust_dynptr_unlock_irqrestore(rqspinlock_t *lock, unsigned long flags);

/* WARN_ONCE() with the text of the C switch statements over enum bpf_dynptr_type. */
void rust_dynptr_warn_type(const char *function, u32 type);

/* kmalloc_nolock(size, 0, NUMA_NO_NODE) */
void *rust_dynptr_kmalloc_nolock(size_t size);

/* skb_metadata_len(), xdp_get_buff_len() */
u32 rust_dynptr_skb_metadata_len(const struct sk_buff *skb);
u32 rust_dynptr_xdp_len(const struct xdp_buff *xdp);

/* copy_from_user(): bytes that could not be copied, which are zero then. May sleep. */
unsigned long rust_dynptr_copy_from_user(void *dst, const void __user *src, unsigned long size);

/* ftrace_regs_get_argument() */
unsigned long rust_dynptr_ftrace_argument(struct ftrace_regs *fregs, unsigned int n);

#endif
