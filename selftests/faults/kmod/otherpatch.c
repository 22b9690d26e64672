// SPDX-License-Identifier: GPL-2.0
/*
 * Another livepatch, for tests: replaces each @function by itself, behind its fentry. With
 * @replace, it is to stand for all livepatches before it.
 */
#include <linux/kprobes.h>
#include <linux/livepatch.h>
#include <linux/module.h>

#define MAX_FUNCTIONS 32

static char *function[MAX_FUNCTIONS] = { "release_reference" };
static int count = 1;
module_param_array(function, charp, &count, 0400);

static bool replace;
module_param(replace, bool, 0400);

static struct klp_func functions[MAX_FUNCTIONS + 1];

static struct klp_object objects[] = {
	{ .funcs = functions },
	{ }
};

static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objects };

/* Where @name goes on behind the call at its entry: there are probes for looking it up. */
static int find(const char *name, struct klp_func *replaced)
{
	struct kprobe probe = { .symbol_name = name };
	int err = register_kprobe(&probe);

	if (err)
		return err;
	replaced->old_name = name;
	replaced->new_func = (void *)probe.addr + MCOUNT_INSN_SIZE;
	unregister_kprobe(&probe);
	return 0;
}

static int __init otherpatch_init(void)
{
	int err = 0;

	for (int i = 0; i < count && !err; i++)
		err = find(function[i], &functions[i]);
	patch.replace = replace;
	return err ?: klp_enable_patch(&patch);
}

static void __exit otherpatch_exit(void)
{
}

module_init(otherpatch_init);
module_exit(otherpatch_exit);
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("Another livepatch, for tests");
MODULE_LICENSE("GPL");
