// SPDX-License-Identifier: GPL-2.0
/*
 * Allocation failures on demand, for nomemory.c: the stock kernel has no fault injection. In the
 * task @task, the allocation number @nth from now on that a bpf() system call makes gives NULL.
 * Parameters:
 *
 *   task     thread id
 *   nth      writing it starts the count anew; 0: none fails
 *   seen     allocations counted
 *   where    the call stack of the one that failed, innermost first; empty if none did
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/unistd.h>

#define DEPTH 24

static int task;
static int nth;
static int seen;
static unsigned long trace[DEPTH];
static unsigned int depth;

/* What the probed functions are left through, with the result set. */
void failnth_return(void);
asm(".pushsection .text\n"
	".type failnth_return, @function\n"
	"failnth_return:\n"
	ANNOTATE_NOENDBR "\n"
	ASM_RET "\n"
	".size failnth_return, .-failnth_return\n"
	".popsection\n");

static int on_alloc(struct kprobe *probe, struct pt_regs *regs)
{
	if (!in_task() || current->pid != READ_ONCE(task) ||
	    task_pt_regs(current)->orig_ax != __NR_bpf)
		return 0;
	if (++seen != READ_ONCE(nth))
		return 0;
	depth = stack_trace_save(trace, DEPTH, 0);
	regs_set_return_value(regs, 0);
	instruction_pointer_set(regs, (unsigned long)failnth_return);
	return 1;
}

static struct kprobe probes[] = {
	{ .symbol_name = "__kmalloc_cache_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "__kmalloc_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "__kmalloc_node_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "__kvmalloc_node_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "__kmalloc_large_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "krealloc_node_align_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "kvrealloc_node_align_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "__vmalloc_noprof", .pre_handler = on_alloc },
};

static int set_nth(const char *value, const struct kernel_param *param)
{
	seen = 0;
	depth = 0;
	return param_set_int(value, param);
}

static const struct kernel_param_ops nth_ops = { .set = set_nth, .get = param_get_int };

static int get_where(char *buffer, const struct kernel_param *param)
{
	int at = 0;

	for (unsigned int i = 0; i < depth; i++)
		at += scnprintf(buffer + at, PAGE_SIZE - at, "%ps\n", (void *)trace[i]);
	return at;
}

static const struct kernel_param_ops where_ops = { .get = get_where };

module_param(task, int, 0600);
module_param(seen, int, 0400);
module_param_cb(nth, &nth_ops, &nth, 0600);
module_param_cb(where, &where_ops, NULL, 0400);

static int __init failnth_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		int err = register_kprobe(&probes[i]);

		if (err) {
			pr_err("%s: no probe (%d)\n", probes[i].symbol_name, err);
			while (i--)
				unregister_kprobe(&probes[i]);
			return err;
		}
	}
	return 0;
}

static void __exit failnth_exit(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		unregister_kprobe(&probes[i]);
}

module_init(failnth_init);
module_exit(failnth_exit);
MODULE_DESCRIPTION("Allocation failures for tests");
MODULE_LICENSE("GPL");
