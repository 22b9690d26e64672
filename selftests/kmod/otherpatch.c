// SPDX-License-Identifier: GPL-2.0
/*
 * Another livepatch, for tests: replaces @function by itself, behind its fentry. With @replace, it
 * is to stand for all livepatches before it.
 */
#include <linux/kprobes.h>
#include <linux/livepatch.h>
#include <linux/module.h>

static char *function = "release_reference";
module_param(function, charp, 0400);

static bool replace;
module_param(replace, bool, 0400);

static struct klp_func functions[2];

static struct klp_object objects[] = {
	{ .funcs = functions },
	{ }
};

static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objects };

/* Where @function goes on behind the call at its entry: there are probes for looking it up. */
static int find(void)
{
	struct kprobe probe = { .symbol_name = function };
	int err = register_kprobe(&probe);

	if (err)
		return err;
	functions[0].old_name = function;
	functions[0].new_func = (void *)probe.addr + MCOUNT_INSN_SIZE;
	unregister_kprobe(&probe);
	return 0;
}

static int __init otherpatch_init(void)
{
	patch.replace = replace;
	return find() ?: klp_enable_patch(&patch);
}

static void __exit otherpatch_exit(void)
{
}

module_init(otherpatch_init);
module_exit(otherpatch_exit);
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("Another livepatch, for tests");
MODULE_LICENSE("GPL");
