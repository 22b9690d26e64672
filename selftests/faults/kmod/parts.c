// SPDX-License-Identifier: GPL-2.0
/*
 * What the operations on dynptrs and rings are made of, whoever writes them: the kernel's own
 * functions that they must call. Loading it prints a line "parts: NAME INSTRUCTIONS" for each, in a
 * guest that counts instructions (scripts/vm -i), and stays out: there is nothing to unload.
 */
#define pr_fmt(fmt) "parts: " fmt

#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/rqspinlock.h>

#define CALLS 512
#define REPEATS 5
#define MEMORY 8192

static rqspinlock_t lock;
static u8 from[MEMORY], to[MEMORY];
static u64 word;

static noinline void nothing(void *to, const void *from, size_t size)
{
	barrier();
}

static noinline void do_memmove(void *to, const void *from, size_t size)
{
	memmove(to, from, size);
}

static noinline void do_memset(void *to, const void *from, size_t size)
{
	memset(to, 0, size);
}

static noinline void do_lock(void *to, const void *from, size_t size)
{
	unsigned long flags;

	if (!raw_res_spin_lock_irqsave(&lock, flags))
		raw_res_spin_unlock_irqrestore(&lock, flags);
}

static noinline void do_xchg(void *to, const void *from, size_t size)
{
	xchg(&word, size);
}

static noinline void do_nofault(void *to, const void *from, size_t size)
{
	if (copy_from_kernel_nofault(to, from, size))
		barrier();
}

static noinline void do_user_nofault(void *to, const void *from, size_t size)
{
	/* Nothing is mapped at 0: what it takes until the fault is handled. */
	if (copy_from_user_nofault(to, NULL, size))
		barrier();
}

static const struct part {
	const char *name;
	void (*call)(void *to, const void *from, size_t size);
	bool sized;
} parts[] = {
	{ "call and return", nothing },
	{ "memmove", do_memmove, true },
	{ "memset", do_memset, true },
	{ "rqspinlock with interrupts off, and back", do_lock },
	{ "xchg", do_xchg },
	{ "copy_from_kernel_nofault", do_nofault, true },
	{ "copy_from_user_nofault of no memory", do_user_nofault },
};

/* The least time of CALLS calls: nanoseconds are instructions, and interrupts only add. */
static u64 measure(const struct part *part, size_t size)
{
	u64 least = U64_MAX;

	for (int repeat = 0; repeat < REPEATS; repeat++) {
		u64 start = ktime_get_ns();

		for (int i = 0; i < CALLS; i++)
			part->call(to, from, size);
		least = min(least, ktime_get_ns() - start);
	}
	return least;
}

static int __init parts_init(void)
{
	static const size_t sizes[] = { 8, 64, 256, 4096 };
	u64 loop = measure(&parts[0], 0);

	raw_res_spin_lock_init(&lock);
	for (int i = 0; i < ARRAY_SIZE(parts); i++) {
		for (int j = 0; j < (parts[i].sized ? ARRAY_SIZE(sizes) : 1); j++) {
			u64 spent = measure(&parts[i], sizes[j]) - (i ? loop : 0);

			/* Tenths, rounded down. */
			pr_info("%s %zu: %llu.%llu\n", parts[i].name, parts[i].sized ? sizes[j] : 0,
				spent / CALLS, spent * 10 / CALLS % 10);
		}
	}
	return -ENODEV;
}

module_init(parts_init);
MODULE_DESCRIPTION("Instructions of what dynptr operations are made of");
MODULE_LICENSE("GPL");
