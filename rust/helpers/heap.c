// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for heap dynptrs, for the Rust code (rust/glue/heap.rs): the kernel's allocators for any
 * context, charged to an owner. See include/rust_dynptr.h.
 */
#include <linux/gfp.h>
#include <linux/irq_work.h>
#include <linux/llist.h>
#include <linux/memcontrol.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../../include/heap_kfuncs.h"
#include "../../include/rust_dynptr.h"

bool rust_dynptr_may_sleep(void)
{
	return preemptible() && !rcu_preempt_depth();
}

bool rust_dynptr_irqs_are_on(void)
{
	return !in_nmi() && !irqs_disabled();
}

/* What the allocators for any context really take for @size bytes: up to twice as much. */
static size_t taken(size_t size)
{
	if (size <= RUST_DYNPTR_SLAB_MAX)
		return kmalloc_size_roundup(size);
	return PAGE_SIZE << get_order(size);
}

/*
 * Charging a cgroup above memory.high wakes a worker if this is no task, which takes locks. As many
 * pages may be charged at once.
 */
static bool would_wake(struct obj_cgroup *objcg, size_t size)
{
	unsigned long pages = MEMCG_CHARGE_BATCH + (size >> PAGE_SHIFT) + 1;
	struct mem_cgroup *memcg;

	if (in_task())
		return false;
	for (memcg = obj_cgroup_memcg(objcg); memcg; memcg = parent_mem_cgroup(memcg))
		if (page_counter_read(&memcg->memory) + pages > READ_ONCE(memcg->memory.high))
			return true;
	return false;
}

bool rust_dynptr_charge(void *owner, size_t size, struct obj_cgroup **charged)
{
	struct mem_cgroup *memcg, *old;
	struct obj_cgroup *objcg;
	bool allowed = true;

	*charged = NULL;
	/* The cgroup lives as long as this section. */
	rcu_read_lock();
	memcg = mem_cgroup_from_virt(owner);
	if (memcg) {
		old = set_active_memcg(memcg);
		objcg = current_obj_cgroup();
		set_active_memcg(old);
		if (objcg && !obj_cgroup_is_root(objcg) && obj_cgroup_tryget(objcg)) {
			/* No flag: neither sleeps nor spins, but for that. */
			allowed = !would_wake(objcg, taken(size)) &&
				  !obj_cgroup_charge(objcg, 0, taken(size));
			if (allowed)
				*charged = objcg;
			else
				obj_cgroup_put(objcg);
		}
	}
	rcu_read_unlock();
	return allowed;
}

void rust_dynptr_uncharge(struct obj_cgroup *charged, size_t size)
{
	if (charged) {
		obj_cgroup_uncharge(charged, taken(size));
		obj_cgroup_put(charged);
	}
}

void *rust_dynptr_zalloc_nolock(size_t size)
{
	return kmalloc_nolock(size, __GFP_ZERO, NUMA_NO_NODE);
}

void *rust_dynptr_pages_nolock(size_t size)
{
	/* Always zeroed. */
	struct page *page = alloc_pages_nolock(0, NUMA_NO_NODE, get_order(size));

	return page ? page_address(page) : NULL;
}

void *rust_dynptr_vzalloc(void *owner, size_t size)
{
	struct mem_cgroup *memcg, *old;
	void *memory;

	rcu_read_lock();
	memcg = mem_cgroup_from_virt(owner);
	if (memcg && !css_tryget(&memcg->css))
		memcg = NULL;
	rcu_read_unlock();
	old = set_active_memcg(memcg);
	memory = __vmalloc(size, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL |
			   (memcg ? __GFP_ACCOUNT : 0));
	set_active_memcg(old);
	if (memcg)
		css_put(&memcg->css);
	return memory;
}

void rust_dynptr_free_pages(void *memory, size_t size)
{
	__free_pages(virt_to_page(memory), get_order(size));
}

static LLIST_HEAD(deferred);

/* In an interrupt, which is never below what somebody traces. */
static void free_deferred(struct irq_work *work)
{
	struct llist_node *node, *next;

	llist_for_each_safe(node, next, llist_del_all(&deferred))
		rust_heap_free_deferred(node);
}

static DEFINE_IRQ_WORK(deferred_work, free_deferred);

void rust_dynptr_defer(struct llist_node *node)
{
	if (llist_add(node, &deferred))
		irq_work_queue(&deferred_work);
}

void rust_dynptr_defer_barrier(void)
{
	irq_work_sync(&deferred_work);
}

static DEFINE_PER_CPU(u64, events[RUST_DYNPTR_HEAP_EVENTS]);

void rust_dynptr_heap_add(enum rust_dynptr_heap_event event, u64 count)
{
	if (event < RUST_DYNPTR_HEAP_EVENTS)
		this_cpu_add(events[event], count);
}

u64 rust_dynptr_heap_sum(enum rust_dynptr_heap_event event)
{
	u64 sum = 0;
	int cpu;

	if (event < RUST_DYNPTR_HEAP_EVENTS)
		for_each_possible_cpu(cpu)
			sum += READ_ONCE(*per_cpu_ptr(&events[event], cpu));
	return sum;
}
