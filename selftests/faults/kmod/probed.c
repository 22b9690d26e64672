// SPDX-License-Identifier: GPL-2.0
/* A kprobe at the entry of @function, for tests: tracefs allows none where ftrace has no entry. */
#include <linux/kprobes.h>
#include <linux/module.h>

static char *function = "ringbuf_map_alloc";
module_param(function, charp, 0400);

static unsigned long hits;
module_param(hits, ulong, 0444);

static int count_hit(struct kprobe *probe, struct pt_regs *regs)
{
	hits++;
	return 0;
}

static struct kprobe probe = { .pre_handler = count_hit };

static int __init probed_init(void)
{
	probe.symbol_name = function;
	return register_kprobe(&probe);
}

static void __exit probed_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(probed_init);
module_exit(probed_exit);
MODULE_DESCRIPTION("A kprobe at an entry, for tests");
MODULE_LICENSE("GPL");
