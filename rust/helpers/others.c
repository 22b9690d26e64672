// SPDX-License-Identifier: GPL-2.0
/*
 * Who else is on the functions that the module takes over: livepatches, kprobes. rust/glue/judge.rs
 * and rust/takeover/ ask. The cores change these structures under their mutexes; here a pointer of
 * them is read once.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/livepatch.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "../../include/rust_dynptr.h"
#include "../../include/unexported.h"

/* The core has a probe of its own that stands for all of an address, on the same list. */
bool rust_dynptr_is_only_kprobe(const struct kprobe *probe)
{
	const struct list_head *next;

	/* Who unregisters another one waits for readers before it goes. */
	guard(rcu)();
	next = READ_ONCE(probe->list.next);
	return next == &probe->list || READ_ONCE(next->next) == &probe->list;
}

/*
 * The core's list of what is patched is the one place that knows of patches before ours is on it.
 * Its mutex is not declared anywhere, nor exported, but every livepatch takes it.
 */
int rust_dynptr_is_patched(unsigned long function)
{
	struct mutex *lock = (struct mutex *)kallsyms_lookup_name("klp_mutex");

	if (!lock)
		return -ENOENT;
	guard(mutex)(lock);
	return klp_find_ops((void *)function) ? -EBUSY : 0;
}

/* The ring of those who replace the function has one more, its head. */
bool rust_dynptr_is_alone(const struct klp_func *function)
{
	return READ_ONCE(function->stack_node.prev) == READ_ONCE(function->stack_node.next);
}

bool rust_dynptr_patch_acts(const struct klp_patch *patch)
{
	int state = READ_ONCE(current->patch_state);
	const struct klp_func *function;

	/* In a transition, of whichever livepatch, who has not switched waits for its end. */
	if (!READ_ONCE(patch->enabled) ||
	    (state != KLP_TRANSITION_IDLE && state != KLP_TRANSITION_PATCHED))
		return false;
	for (function = patch->objs->funcs; function->old_name; function++)
		if (!rust_dynptr_is_alone(function))
			return false;
	return true;
}

bool rust_dynptr_patch_serves(const struct klp_patch *patch)
{
	/* Of the functions of one livepatch all are in a transition, or none is. */
	if (READ_ONCE(patch->objs->funcs->transition))
		return READ_ONCE(current->patch_state) == KLP_TRANSITION_PATCHED;
	return READ_ONCE(patch->enabled);
}
