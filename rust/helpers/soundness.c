// SPDX-License-Identifier: GPL-2.0
/*
 * The parameter `soundness`: how sound a program must be to be accepted. The levels are
 * rust/logic/soundness.rs's, in its order; rust/glue/judge.rs reads them here.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "../../include/rust_dynptr.h"

static const char * const levels[] = { "c", "sound", "strict" };
static unsigned int level = 1;

static int set_level(const char *text, const struct kernel_param *kp)
{
	int number = sysfs_match_string(levels, text);

	if (number < 0) {
		pr_err("soundness=%s: the levels are c, sound and strict\n", text);
		return number;
	}
	level = number;
	return 0;
}

static const struct kernel_param_ops level_ops = { .set = set_level };

/* In debugfs, not here: users without privilege need not know. */
module_param_cb(soundness, &level_ops, NULL, 0);
MODULE_PARM_DESC(soundness, "What is refused: c (as the kernel), sound (what may use memory that is not its own; default), strict (and slices with a buffer on the stack)");

/* The former name of strict, for one release. */
static int set_refuse(const char *text, const struct kernel_param *kp)
{
	bool on;
	int err = text ? kstrtobool(text, &on) : 0;

	if (err)
		return err;
	if (!text || on) {
		pr_warn("refuse_stack_slices is called soundness=strict now\n");
		level = ARRAY_SIZE(levels) - 1;
	}
	return 0;
}

static const struct kernel_param_ops refuse_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set_refuse,
};

module_param_cb(refuse_stack_slices, &refuse_ops, NULL, 0);
MODULE_PARM_DESC(refuse_stack_slices, "The former name of soundness=strict");

unsigned int rust_dynptr_soundness(void)
{
	return level;
}

const char *rust_dynptr_soundness_name(void)
{
	return levels[level];
}
