// SPDX-License-Identifier: GPL-2.0
/*
 * Records that are lost, heap dynptrs that come and go, programs that are refused: counted, and
 * told to who traces that (include/rust_dynptr_trace.h). A tracepoint that is off costs a no-op.
 *
 * Any context, NMI included, with no lock of a ring held: a BPF program on a tracepoint may do
 * itself what is traced. That is counted and not traced, or two such programs would call each
 * other until the stack is full.
 */
#include <linux/atomic.h>
#include <linux/bpf_verifier.h>
#include <linux/fs.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/uaccess.h>

#include "../../include/rust_dynptr.h"

#define CREATE_TRACE_POINTS
#include "../../include/rust_dynptr_trace.h"

/* For tasks, soft interrupts, interrupts and NMIs: whether this processor's is in a tracepoint. */
static DEFINE_PER_CPU(u8[4], tracing);

/* Whether the caller may trace, and must end_trace() then. Neither sleeps nor moves until then. */
static bool begin_trace(void)
{
	u8 level;

	preempt_disable_notrace();
	level = interrupt_context_level();
	if (!this_cpu_read(tracing[level])) {
		this_cpu_write(tracing[level], 1);
		barrier();
		return true;
	}
	preempt_enable_notrace();
	return false;
}

static void end_trace(void)
{
	barrier();
	this_cpu_write(tracing[interrupt_context_level()], 0);
	preempt_enable_notrace();
}

static __always_inline struct rust_dynptr_ring_slot *slot_of(void *ring)
{
	return ring + RUST_DYNPTR_RING_SLOT;
}

static __always_inline void count_lost(void *ring)
{
	atomic64_inc((atomic64_t *)&slot_of(ring)->lost);
}

static noinline void trace_lost(void *ring, u64 size, u32 why)
{
	const struct rust_dynptr_ring_slot *slot = slot_of(ring);

	if (begin_trace()) {
		trace_rust_dynptr_lost(READ_ONCE(slot->map), size, why, READ_ONCE(slot->lost));
		end_trace();
	}
}

void *rust_dynptr_lost(void *ring, u64 size, u32 why)
{
	count_lost(ring);
	if (trace_rust_dynptr_lost_enabled())
		trace_lost(ring, size, why);
	return NULL;
}

static noinline __cold void *unlock_and_trace(rqspinlock_t *lock, unsigned long flags, void *ring,
					      u64 size)
{
	raw_res_spin_unlock_irqrestore(lock, flags);
	trace_lost(ring, size, RUST_DYNPTR_LOST_FULL);
	return NULL;
}

__noendbr void *rust_dynptr_unlock_full(rqspinlock_t *lock, unsigned long flags, void *ring,
					u64 size)
{
	count_lost(ring);
	if (trace_rust_dynptr_lost_enabled())
		return unlock_and_trace(lock, flags, ring, size);
	raw_res_spin_unlock_irqrestore(lock, flags);
	return NULL;
}

void rust_dynptr_refused(const struct bpf_verifier_env *env, int err, const char *reason)
{
	if (trace_rust_dynptr_refused_enabled() && begin_trace()) {
		trace_rust_dynptr_refused(env, err, reason);
		end_trace();
	}
}

void rust_dynptr_heap_allocated(const struct bpf_dynptr_heap *block)
{
	rust_dynptr_heap_add(RUST_DYNPTR_HEAP_ALLOCATED, 1);
	rust_dynptr_heap_add(RUST_DYNPTR_HEAP_BYTES_ALLOCATED, block->size);
	if (trace_rust_dynptr_heap_alloc_enabled() && begin_trace()) {
		trace_rust_dynptr_heap_alloc(block);
		end_trace();
	}
}

void rust_dynptr_heap_freed(const struct bpf_dynptr_heap *block)
{
	rust_dynptr_heap_add(RUST_DYNPTR_HEAP_FREED, 1);
	rust_dynptr_heap_add(RUST_DYNPTR_HEAP_BYTES_FREED, block->size);
	if (trace_rust_dynptr_heap_free_enabled() && begin_trace()) {
		trace_rust_dynptr_heap_free(block);
		end_trace();
	}
}

void rust_dynptr_heap_failed(u32 size)
{
	rust_dynptr_heap_add(RUST_DYNPTR_HEAP_FAILED, 1);
	if (trace_rust_dynptr_heap_fail_enabled() && begin_trace()) {
		trace_rust_dynptr_heap_fail(size);
		end_trace();
	}
}
