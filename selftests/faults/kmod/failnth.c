// SPDX-License-Identifier: GPL-2.0
/*
 * Allocation failures on demand, for tests: the stock kernel has no fault injection. In the task
 * @task, the allocation number @nth from now on that a system call @call makes gives NULL.
 * Parameters:
 *
 *   task     thread id; 0: every task, and interrupts
 *   call     number of the system call, 0: any; that of bpf() unless something else is asked for
 *   from     the count begins when this function is entered
 *   all      of the allocators, the slab allocator's caches, whole pages, per-CPU memory and those
 *            for any context too; else only what the verifier uses
 *   ours     only calls that rust_dynptr makes itself
 *   nth      writing it starts the count anew; 0: none fails, and the results stay
 *   once     instead of number @nth, the first fails whose call stack none had that failed before;
 *            of that many call stacks one, by chance
 *   again    after that, every allocation of so many fails
 *   seen     allocations counted
 *   failed   how many failed
 *   where    the call stack of the last that failed in @task, innermost first; or empty
 */
#include <linux/gfp.h>
#include <linux/jhash.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/unistd.h>

#define DEPTH 24
#define MAX_STACKS 2048

static int task;
static int call = __NR_bpf;
static char *from = "";
static bool all;
static bool ours;
static int nth;
static int once;
static int again;
static atomic_t seen;
static atomic_t failed;
static bool started;
static unsigned long trace[DEPTH];
static unsigned int depth;
/* Of @once: what has failed. */
static u32 stacks[MAX_STACKS];
static unsigned int stack_count;

/* What the probed functions are left through, with the result set. */
void failnth_return(void);
asm(".pushsection .text\n"
	".type failnth_return, @function\n"
	"failnth_return:\n"
	ANNOTATE_NOENDBR "\n"
	ASM_RET "\n"
	".size failnth_return, .-failnth_return\n"
	".popsection\n");

/* Whether who called is in rust_dynptr. */
static bool is_ours(struct pt_regs *regs)
{
	char name[KSYM_SYMBOL_LEN];

	snprintf(name, sizeof(name), "%ps", *(void **)regs->sp);
	return strstr(name, "[rust_dynptr]");
}

static bool is_counted(struct pt_regs *regs)
{
	if (!READ_ONCE(nth) || !READ_ONCE(started))
		return false;
	if (task && (!in_task() || current->pid != READ_ONCE(task)))
		return false;
	if (task && call && task_pt_regs(current)->orig_ax != READ_ONCE(call))
		return false;
	return !ours || is_ours(regs);
}

static bool is_to_fail(void)
{
	int number = atomic_inc_return(&seen), first = READ_ONCE(nth), period = READ_ONCE(again);

	return number == first || (period && number > first && !((number - first) % period));
}

/* Whether this is the first with its call stack; of one task. */
static bool is_first(void)
{
	unsigned long now[DEPTH];
	unsigned int count;
	u32 hash;

	if (atomic_read(&failed))
		return false;
	count = stack_trace_save(now, DEPTH, 0);
	hash = jhash(now, count * sizeof(now[0]), 0);
	if (hash % once)
		return false;
	for (unsigned int i = 0; i < stack_count; i++)
		if (stacks[i] == hash)
			return false;
	if (stack_count == MAX_STACKS)
		return false;
	stacks[stack_count++] = hash;
	return true;
}

static int on_alloc(struct kprobe *probe, struct pt_regs *regs)
{
	if (!is_counted(regs) || !(once ? is_first() : is_to_fail()))
		return 0;
	atomic_inc(&failed);
	if (task)
		depth = stack_trace_save(trace, DEPTH, 0);
	regs_set_return_value(regs, 0);
	instruction_pointer_set(regs, (unsigned long)failnth_return);
	return 1;
}

/* For kmem_cache_alloc(), whose callers may not be told of a failure. */
static int on_cache_alloc(struct kprobe *probe, struct pt_regs *regs)
{
	return regs_get_kernel_argument(regs, 1) & __GFP_NOFAIL ? 0 : on_alloc(probe, regs);
}

static int on_from(struct kprobe *probe, struct pt_regs *regs)
{
	if (current->pid == READ_ONCE(task))
		WRITE_ONCE(started, true);
	return 0;
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

static struct kprobe more_probes[] = {
	{ .symbol_name = "kmem_cache_alloc_noprof", .pre_handler = on_cache_alloc },
	{ .symbol_name = "kmem_cache_alloc_node_noprof", .pre_handler = on_cache_alloc },
	{ .symbol_name = "kmem_cache_alloc_lru_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "__kmalloc_cache_node_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "__kmalloc_node_track_caller_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "__kmalloc_large_node_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "_kmalloc_nolock_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "alloc_pages_nolock_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "alloc_pages_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "alloc_pages_node_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "get_free_pages_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "vmap", .pre_handler = on_alloc },
	{ .symbol_name = "pcpu_alloc_noprof", .pre_handler = on_alloc },
	{ .symbol_name = "execmem_alloc", .pre_handler = on_alloc },
};

static struct kprobe from_probe = { .pre_handler = on_from };

static int set_nth(const char *value, const struct kernel_param *param)
{
	int number, err = kstrtoint(value, 0, &number);

	if (err)
		return err;
	WRITE_ONCE(nth, 0);
	if (!number)
		return 0;
	atomic_set(&seen, 0);
	atomic_set(&failed, 0);
	depth = 0;
	WRITE_ONCE(started, !*from);
	WRITE_ONCE(nth, number);
	return 0;
}

static const struct kernel_param_ops nth_ops = { .set = set_nth, .get = param_get_int };

static int get_count(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%d\n", atomic_read((atomic_t *)param->arg));
}

static const struct kernel_param_ops count_ops = { .get = get_count };

static int get_where(char *buffer, const struct kernel_param *param)
{
	int at = 0;

	for (unsigned int i = 0; i < depth; i++)
		at += scnprintf(buffer + at, PAGE_SIZE - at, "%ps\n", (void *)trace[i]);
	return at;
}

static const struct kernel_param_ops where_ops = { .get = get_where };

module_param(task, int, 0600);
module_param(call, int, 0600);
module_param(from, charp, 0400);
module_param(all, bool, 0400);
module_param(ours, bool, 0600);
module_param(once, int, 0400);
module_param(again, int, 0600);
module_param_cb(seen, &count_ops, &seen, 0400);
module_param_cb(failed, &count_ops, &failed, 0400);
module_param_cb(nth, &nth_ops, &nth, 0600);
module_param_cb(where, &where_ops, NULL, 0400);

static void drop_probes(struct kprobe *list, size_t count)
{
	while (count--)
		unregister_kprobe(&list[count]);
}

static int add_probes(struct kprobe *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int err = register_kprobe(&list[i]);

		if (err) {
			pr_err("%s: no probe (%d)\n", list[i].symbol_name, err);
			drop_probes(list, i);
			return err;
		}
	}
	return 0;
}

static int __init failnth_init(void)
{
	int err = add_probes(probes, ARRAY_SIZE(probes));

	if (err)
		return err;
	if (all)
		err = add_probes(more_probes, ARRAY_SIZE(more_probes));
	if (!err && *from) {
		from_probe.symbol_name = from;
		err = add_probes(&from_probe, 1);
		if (err && all)
			drop_probes(more_probes, ARRAY_SIZE(more_probes));
	}
	if (err)
		drop_probes(probes, ARRAY_SIZE(probes));
	return err;
}

static void __exit failnth_exit(void)
{
	if (*from)
		drop_probes(&from_probe, 1);
	if (all)
		drop_probes(more_probes, ARRAY_SIZE(more_probes));
	drop_probes(probes, ARRAY_SIZE(probes));
}

module_init(failnth_init);
module_exit(failnth_exit);
MODULE_DESCRIPTION("Allocation failures for tests");
MODULE_LICENSE("GPL");
