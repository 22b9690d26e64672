/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, /sys/kernel/tracing/events/rust_dynptr; see docs/observability.md. Their callers
 * are in rust/helpers/trace.c, which keeps them from tracing themselves.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM rust_dynptr

#if !defined(RUST_DYNPTR_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define RUST_DYNPTR_TRACE_H

#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/tracepoint.h>

#include "heap_kfuncs.h"

/* A program is refused, by a rule of the verifier that Rust serves. */
TRACE_EVENT(rust_dynptr_refused,

	TP_PROTO(const struct bpf_verifier_env *env, int err, const char *reason),

	TP_ARGS(env, err, reason),

	TP_STRUCT__entry(
		__array(char, name, BPF_OBJ_NAME_LEN)
		__field(u32, type)
		__field(u32, insn)
		__field(int, err)
		__string_len(reason, reason, strcspn(reason, "\n"))
	),

	TP_fast_assign(
		memcpy(__entry->name, env->prog->aux->name, BPF_OBJ_NAME_LEN);
		__entry->type = env->prog->type;
		__entry->insn = env->insn_idx;
		__entry->err = err;
		__assign_str(reason);
	),

	TP_printk("name=%s type=%u insn=%u err=%d reason=%s",
		  __entry->name, __entry->type, __entry->insn, __entry->err,
		  __get_str(reason))
);

/* A record was not reserved: @why is an enum rust_dynptr_lost_why, @map NULL if not known. */
TRACE_EVENT(rust_dynptr_lost,

	TP_PROTO(const struct bpf_map *map, u64 size, u32 why, u64 lost),

	TP_ARGS(map, size, why, lost),

	TP_STRUCT__entry(
		__field(u32, map_id)
		__field(u32, why)
		__field(u64, size)
		__field(u64, lost)
	),

	TP_fast_assign(
		__entry->map_id = map ? map->id : 0;
		__entry->why = why;
		__entry->size = size;
		__entry->lost = lost;
	),

	TP_printk("map_id=%u size=%llu why=%s lost=%llu", __entry->map_id, __entry->size,
		  __print_symbolic(__entry->why, { 0, "full" }, { 1, "locked" },
				   { 2, "too large" }),
		  __entry->lost)
);

DECLARE_EVENT_CLASS(rust_dynptr_heap,

	TP_PROTO(const struct bpf_dynptr_heap *block),

	TP_ARGS(block),

	TP_STRUCT__entry(
		__field(const void *, block)
		__field(u32, size)
		__field(u32, origin)
	),

	TP_fast_assign(
		__entry->block = block;
		__entry->size = block->size;
		__entry->origin = block->origin;
	),

	TP_printk("block=%p size=%u from=%s", __entry->block, __entry->size,
		  __print_symbolic(__entry->origin, { 0, "slab" }, { 1, "pages" },
				   { 2, "vmalloc" }))
);

/* The memory of a heap dynptr is allocated. */
DEFINE_EVENT(rust_dynptr_heap, rust_dynptr_heap_alloc,
	TP_PROTO(const struct bpf_dynptr_heap *block),
	TP_ARGS(block)
);

/* The last owner of the memory of a heap dynptr is gone. */
DEFINE_EVENT(rust_dynptr_heap, rust_dynptr_heap_free,
	TP_PROTO(const struct bpf_dynptr_heap *block),
	TP_ARGS(block)
);

/* There was no memory for a heap dynptr. */
TRACE_EVENT(rust_dynptr_heap_fail,

	TP_PROTO(u32 size),

	TP_ARGS(size),

	TP_STRUCT__entry(
		__field(u32, size)
	),

	TP_fast_assign(
		__entry->size = size;
	),

	TP_printk("size=%u", __entry->size)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE rust_dynptr_trace
#include <trace/define_trace.h>
