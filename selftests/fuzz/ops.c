// SPDX-License-Identifier: GPL-2.0
/* The names of everything, and how each call is made. */
#include "fuzz.h"

#define HELPER(name, args, result, helper) { name, args, result, helper, -1 }
#define KFUNC(name, args, result, kfunc) { name, args, result, -1, kfunc }
#define PLAIN(name) { name, "", 'v', -1, -1 }

const struct op_info op_info[OPS] = {
	[OP_FROM_MEM] = HELPER("from_mem", "mabd", 'i', BPF_FUNC_dynptr_from_mem),
	[OP_RESERVE_DYNPTR] = HELPER("ringbuf_reserve_dynptr", "Rabd", 'i',
				     BPF_FUNC_ringbuf_reserve_dynptr),
	[OP_FROM_SKB] = KFUNC("from_skb", "mbd", 'w', KF_FROM_SKB),
	[OP_FROM_XDP] = KFUNC("from_xdp", "mbd", 'w', KF_FROM_XDP),
	[OP_FROM_META] = KFUNC("from_skb_meta", "mbd", 'w', KF_FROM_META),
	[OP_FROM_FILE] = KFUNC("from_file", "mbd", 'w', KF_FROM_FILE),
	[OP_CLONE] = KFUNC("clone", "md", 'w', KF_CLONE),
	[OP_SUBMIT_DYNPTR] = HELPER("ringbuf_submit_dynptr", "db", 'v',
				    BPF_FUNC_ringbuf_submit_dynptr),
	[OP_DISCARD_DYNPTR] = HELPER("ringbuf_discard_dynptr", "db", 'v',
				     BPF_FUNC_ringbuf_discard_dynptr),
	[OP_FILE_DISCARD] = KFUNC("file_discard", "d", 'w', KF_FILE_DISCARD),
	[OP_READ] = HELPER("read", "madbc", 'i', BPF_FUNC_dynptr_read),
	[OP_WRITE] = HELPER("write", "dbmac", 'i', BPF_FUNC_dynptr_write),
	[OP_DATA] = HELPER("data", "dba", 'p', BPF_FUNC_dynptr_data),
	[OP_SLICE] = KFUNC("slice", "dbma", 'p', KF_SLICE),
	[OP_SLICE_RDWR] = KFUNC("slice_rdwr", "dbma", 'p', KF_SLICE_RDWR),
	[OP_ADJUST] = KFUNC("adjust", "dab", 'w', KF_ADJUST),
	[OP_IS_NULL] = KFUNC("is_null", "d", 'b', KF_IS_NULL),
	[OP_IS_RDONLY] = KFUNC("is_rdonly", "d", 'b', KF_IS_RDONLY),
	[OP_SIZE] = KFUNC("size", "d", 'i', KF_SIZE),
	[OP_COPY] = KFUNC("copy", "dbmca", 'w', KF_COPY),
	[OP_MEMSET] = KFUNC("memset", "dbac", 'w', KF_MEMSET),
	[OP_PROBE_USER] = KFUNC("probe_read_user", "dbam", 'w', KF_PROBE_USER),
	[OP_PROBE_KERNEL] = KFUNC("probe_read_kernel", "dbam", 'w', KF_PROBE_KERNEL),
	[OP_PROBE_USER_STR] = KFUNC("probe_read_user_str", "dbam", 'w', KF_PROBE_USER_STR),
	[OP_PROBE_KERNEL_STR] = KFUNC("probe_read_kernel_str", "dbam", 'w', KF_PROBE_KERNEL_STR),
	[OP_COPY_USER] = KFUNC("copy_from_user", "dbam", 'w', KF_COPY_USER),
	[OP_COPY_USER_STR] = KFUNC("copy_from_user_str", "dbam", 'w', KF_COPY_USER_STR),
	[OP_COPY_TASK] = KFUNC("copy_from_user_task", "dbamT", 'w', KF_COPY_TASK),
	[OP_COPY_TASK_STR] = KFUNC("copy_from_user_task_str", "dbamT", 'w', KF_COPY_TASK_STR),
	[OP_RESERVE] = HELPER("ringbuf_reserve", "Rab", 'p', BPF_FUNC_ringbuf_reserve),
	[OP_SUBMIT] = HELPER("ringbuf_submit", "pb", 'v', BPF_FUNC_ringbuf_submit),
	[OP_DISCARD] = HELPER("ringbuf_discard", "pb", 'v', BPF_FUNC_ringbuf_discard),
	[OP_OUTPUT] = HELPER("ringbuf_output", "Rmab", 'i', BPF_FUNC_ringbuf_output),
	[OP_QUERY] = HELPER("ringbuf_query", "Ra", 'i', BPF_FUNC_ringbuf_query),
	[OP_LOOKUP] = HELPER("map_lookup", "Vm", 'p', BPF_FUNC_map_lookup_elem),
	[OP_UPDATE] = HELPER("map_update", "Vkmb", 'i', BPF_FUNC_map_update_elem),
	[OP_TAIL_CALL] = HELPER("tail_call", "xJa", 'v', BPF_FUNC_tail_call),
	[OP_THROW] = KFUNC("throw", "b", 'v', KF_THROW),
	[OP_GET_FILE] = KFUNC("get_task_exe_file", "T", 'p', KF_GET_FILE),
	[OP_PUT_FILE] = KFUNC("put_file", "p", 'v', KF_PUT_FILE),
	[OP_SKB_PULL] = HELPER("skb_pull_data", "xa", 'i', BPF_FUNC_skb_pull_data),
	[OP_SKB_TAIL] = HELPER("skb_change_tail", "xab", 'i', BPF_FUNC_skb_change_tail),
	[OP_SKB_STORE] = HELPER("skb_store_bytes", "xbmac", 'i', BPF_FUNC_skb_store_bytes),
	[OP_XDP_HEAD] = HELPER("xdp_adjust_head", "xa", 'i', BPF_FUNC_xdp_adjust_head),
	[OP_XDP_TAIL] = HELPER("xdp_adjust_tail", "xa", 'i', BPF_FUNC_xdp_adjust_tail),
	[OP_XDP_META] = HELPER("xdp_adjust_meta", "xa", 'i', BPF_FUNC_xdp_adjust_meta),
	[OP_QDISC_DROP] = KFUNC("qdisc_skb_drop", "xq", 'v', KF_QDISC_DROP),
	[OP_FREE_SKB] = KFUNC("kfree_skb", "x", 'v', KF_FREE_SKB),
	[OP_LOAD] = PLAIN("load"),
	[OP_STORE] = PLAIN("store"),
	[OP_ADD] = PLAIN("add"),
	[OP_MOVE] = PLAIN("move"),
	[OP_ZERO] = PLAIN("zero"),
	[OP_SPILL] = PLAIN("spill"),
	[OP_FILL] = PLAIN("fill"),
	[OP_STACK_PTR] = PLAIN("stack_ptr"),
	[OP_PACKET] = PLAIN("packet"),
	[OP_STACK_STORE] = PLAIN("stack_store"),
	[OP_STACK_STORE_REG] = PLAIN("stack_store_reg"),
	[OP_STACK_LOAD] = PLAIN("stack_load"),
	[OP_STORE_VAL] = PLAIN("store_val"),
	[OP_MIX] = PLAIN("mix"),
	[OP_IF] = PLAIN("if"),
	[OP_LOOP] = PLAIN("loop"),
	[OP_ITER] = PLAIN("iter"),
	[OP_MAY_GOTO] = PLAIN("may_goto"),
	[OP_RCU] = PLAIN("rcu"),
	[OP_PREEMPT] = PLAIN("preempt"),
	[OP_IRQ] = PLAIN("irq"),
	[OP_ELSE] = PLAIN("else"),
	[OP_END] = PLAIN("end"),
	[OP_EXIT] = PLAIN("exit"),
	[OP_CALL] = PLAIN("call"),
	[OP_ALLOC] = KFUNC("alloc", "abd", 'w', KF_ALLOC),
	[OP_ATTACH] = KFUNC("attach", "pd", 'v', KF_ATTACH),
	[OP_PUT] = KFUNC("put", "d", 'v', KF_PUT),
	[OP_DETACH] = KFUNC("detach", "d", 'p', KF_DETACH),
	[OP_ACQUIRE] = KFUNC("heap_acquire", "o", 'p', KF_ACQUIRE),
	[OP_HEAP_RELEASE] = KFUNC("heap_release", "p", 'v', KF_HEAP_RELEASE),
	[OP_XCHG] = HELPER("kptr_xchg", "mh", 'p', BPF_FUNC_kptr_xchg),
	[OP_HEAP_LOOKUP] = HELPER("heap_lookup", "Hm", 'p', BPF_FUNC_map_lookup_elem),
	[OP_HEAP_UPDATE] = HELPER("heap_update", "Hkmb", 'i', BPF_FUNC_map_update_elem),
	[OP_HEAP_DELETE] = HELPER("heap_delete", "Hk", 'i', BPF_FUNC_map_delete_elem),
};

const char *const kfunc_names[KFUNCS] = {
	[KF_FROM_SKB] = "bpf_dynptr_from_skb",
	[KF_FROM_XDP] = "bpf_dynptr_from_xdp",
	[KF_FROM_META] = "bpf_dynptr_from_skb_meta",
	[KF_FROM_FILE] = "bpf_dynptr_from_file",
	[KF_CLONE] = "bpf_dynptr_clone",
	[KF_FILE_DISCARD] = "bpf_dynptr_file_discard",
	[KF_SLICE] = "bpf_dynptr_slice",
	[KF_SLICE_RDWR] = "bpf_dynptr_slice_rdwr",
	[KF_ADJUST] = "bpf_dynptr_adjust",
	[KF_IS_NULL] = "bpf_dynptr_is_null",
	[KF_IS_RDONLY] = "bpf_dynptr_is_rdonly",
	[KF_SIZE] = "bpf_dynptr_size",
	[KF_COPY] = "bpf_dynptr_copy",
	[KF_MEMSET] = "bpf_dynptr_memset",
	[KF_PROBE_USER] = "bpf_probe_read_user_dynptr",
	[KF_PROBE_KERNEL] = "bpf_probe_read_kernel_dynptr",
	[KF_PROBE_USER_STR] = "bpf_probe_read_user_str_dynptr",
	[KF_PROBE_KERNEL_STR] = "bpf_probe_read_kernel_str_dynptr",
	[KF_COPY_USER] = "bpf_copy_from_user_dynptr",
	[KF_COPY_USER_STR] = "bpf_copy_from_user_str_dynptr",
	[KF_COPY_TASK] = "bpf_copy_from_user_task_dynptr",
	[KF_COPY_TASK_STR] = "bpf_copy_from_user_task_str_dynptr",
	[KF_THROW] = "bpf_throw",
	[KF_GET_FILE] = "bpf_get_task_exe_file",
	[KF_PUT_FILE] = "bpf_put_file",
	[KF_QDISC_DROP] = "bpf_qdisc_skb_drop",
	[KF_FREE_SKB] = "bpf_kfree_skb",
	[KF_ITER_NEW] = "bpf_iter_num_new",
	[KF_ITER_NEXT] = "bpf_iter_num_next",
	[KF_ITER_DESTROY] = "bpf_iter_num_destroy",
	[KF_RCU_LOCK] = "bpf_rcu_read_lock",
	[KF_RCU_UNLOCK] = "bpf_rcu_read_unlock",
	[KF_PREEMPT_DISABLE] = "bpf_preempt_disable",
	[KF_PREEMPT_ENABLE] = "bpf_preempt_enable",
	[KF_IRQ_SAVE] = "bpf_local_irq_save",
	[KF_IRQ_RESTORE] = "bpf_local_irq_restore",
	[KF_ALLOC] = "bpf_dynptr_alloc",
	[KF_ATTACH] = "bpf_dynptr_attach",
	[KF_PUT] = "bpf_dynptr_put",
	[KF_DETACH] = "bpf_dynptr_detach",
	[KF_ACQUIRE] = "bpf_dynptr_heap_acquire",
	[KF_HEAP_RELEASE] = "bpf_dynptr_heap_release",
	[KF_STEPS_NEW] = "bpf_iter_dynptr_new",
	[KF_STEPS_NEXT] = "bpf_iter_dynptr_next",
	[KF_STEPS_DESTROY] = "bpf_iter_dynptr_destroy",
	[KF_TOKENS_NEW] = "bpf_iter_dynptr_token_new",
	[KF_TOKENS_NEXT] = "bpf_iter_dynptr_token_next",
	[KF_TOKENS_DESTROY] = "bpf_iter_dynptr_token_destroy",
};

const char *const prog_names[PROG_KINDS] = {
	[PROG_CLS] = "sched_cls", [PROG_XDP] = "xdp", [PROG_SYSCALL] = "syscall",
	[PROG_RAW_TP] = "raw_tp", [PROG_CGROUP_SKB] = "cgroup_skb", [PROG_SOCKET] = "socket",
	[PROG_LSM] = "lsm", [PROG_LSM_SLEEP] = "lsm.s", [PROG_QDISC] = "qdisc",
};

const char *const func_names[FUNC_KINDS] = {
	[FUNC_MAIN] = "main", [FUNC_STATIC] = "static_func", [FUNC_LOOP] = "loop_cb",
	[FUNC_DRAIN] = "drain_cb", [FUNC_EACH] = "each_cb",
	[FUNC_GLOBAL_DYNPTR] = "global_dynptr", [FUNC_GLOBAL_CTX] = "global_ctx",
	[FUNC_GLOBAL_MEM] = "global_mem",
};

const char *const map_names[MAPS] = {
	[MAP_VAL] = "val", [MAP_CTL] = "ctl", [MAP_ARR] = "arr", [MAP_RING] = "ring",
	[MAP_RING_OVERWRITE] = "ring_over", [MAP_USER_RING] = "user_ring", [MAP_PROGS] = "progs",
	[MAP_HEAP] = "heap", [MAP_HEAP_ARR] = "heap_arr", [MAP_HEAP_PERCPU] = "heap_percpu",
	[MAP_HEAP_HASH] = "heap_hash", [MAP_HEAP_LRU] = "heap_lru", [MAP_FAIL] = "fail",
	[MAP_DELIMS] = "delims",
};

bool is_block(int kind)
{
	return kind >= OP_IF && kind <= OP_IRQ;
}

int iter_off(const struct op *op)
{
	return op->size == ITER_STEPS ? STEPS_OFF : op->size == ITER_TOKENS ? TOKENS_OFF : ITER_OFF;
}

int iter_bytes(const struct op *op)
{
	return op->size == ITER_STEPS ? 40 : op->size == ITER_TOKENS ? 96 : 8;
}

bool is_call(int kind)
{
	return kind < OP_CALLS_END || kind >= OP_HEAP;
}

bool is_constructor(int kind)
{
	return kind <= OP_CLONE || kind == OP_ALLOC || kind == OP_ATTACH;
}
