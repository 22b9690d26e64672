// SPDX-License-Identifier: GPL-2.0

//! The take-over table: every C function that the module replaces, and how.
//!
//! This is the one place that says so. The module builds its hooks from it
//! (`takeover.rs`), debugfs and docs/takeover.md print it, and `check-takeover` compares it with the
//! target kernel at build time. It is plain data behind a macro, so that host tools can read the
//! same rows without the functions.
//!
//! A row is `kind c_name, "BTF prototype", "C source";`. The Rust function is `rust_<c_name>`.
//! The prototype is written as `logic::proto` renders it. Helpers made by `BPF_CALL_n` take five
//! `u64` in BTF, however many their C body names.
//!
//! Kinds:
//!
//! * `jump`: `register_ftrace_direct`, acts at once on every caller; needs a fentry.
//! * `bind`: the helper's or kfunc's address in programs that are loaded from now on.
//! * `patch`: livepatch, acts at once and for all such functions together; needs a fentry.
//! * `probe`: a kprobe at the entry goes on in Rust, acts at once on every caller; for functions that
//!   are called seldom, as each call costs an exception.
//! * `hold`: part of the livepatch, and replaced by itself behind its fentry: whoever is in it does not
//!   switch sides. There is no Rust function for it, and nothing to count.
//! * `hook`: an ftrace callback of ours at the entry, and then the C function as it is. There is no Rust
//!   function `rust_<c_name>` for it.

/// Calls the macro `$with` with all rows of the table.
macro_rules! takeover_rows {
    ($with:ident) => {
        $with! {
            jump bpf_dynptr_from_mem, "u64 (u64, u64, u64, u64, u64)", "kernel/bpf/helpers.c";
            jump bpf_dynptr_read, "u64 (u64, u64, u64, u64, u64)", "kernel/bpf/helpers.c";
            jump bpf_dynptr_write, "u64 (u64, u64, u64, u64, u64)", "kernel/bpf/helpers.c";
            jump bpf_dynptr_data, "u64 (u64, u64, u64, u64, u64)", "kernel/bpf/helpers.c";
            jump bpf_dynptr_slice, "void * (const struct bpf_dynptr *, u64, void *, u64)",
                "kernel/bpf/helpers.c";
            jump bpf_dynptr_slice_rdwr, "void * (const struct bpf_dynptr *, u64, void *, u64)",
                "kernel/bpf/helpers.c";
            jump bpf_dynptr_adjust, "int (struct bpf_dynptr *, u64, u64)", "kernel/bpf/helpers.c";
            jump bpf_dynptr_is_null, "bool (const struct bpf_dynptr *)", "kernel/bpf/helpers.c";
            jump bpf_dynptr_is_rdonly, "bool (const struct bpf_dynptr *)", "kernel/bpf/helpers.c";
            jump bpf_dynptr_size, "u64 (const struct bpf_dynptr *)", "kernel/bpf/helpers.c";
            jump bpf_dynptr_clone, "int (const struct bpf_dynptr *, struct bpf_dynptr *)",
                "kernel/bpf/helpers.c";
            jump bpf_dynptr_copy,
                "int (const struct bpf_dynptr *, u64, const struct bpf_dynptr *, u64, u64)",
                "kernel/bpf/helpers.c";
            jump bpf_dynptr_memset, "int (const struct bpf_dynptr *, u64, u64, u8)",
                "kernel/bpf/helpers.c";
            jump bpf_dynptr_from_file, "int (struct file *, u32, struct bpf_dynptr *)",
                "kernel/bpf/helpers.c";
            jump bpf_dynptr_from_file_sleepable, "int (struct file *, u32, struct bpf_dynptr *)",
                "kernel/bpf/helpers.c";
            jump bpf_dynptr_file_discard, "int (struct bpf_dynptr *)", "kernel/bpf/helpers.c";
            jump bpf_dynptr_from_skb, "int (struct __sk_buff *, u64, struct bpf_dynptr *)",
                "net/core/filter.c";
            jump bpf_dynptr_from_skb_rdonly, "int (struct __sk_buff *, u64, struct bpf_dynptr *)",
                "net/core/filter.c";
            jump bpf_dynptr_from_skb_meta, "int (struct __sk_buff *, u64, struct bpf_dynptr *)",
                "net/core/filter.c";
            jump bpf_dynptr_from_xdp, "int (struct xdp_md *, u64, struct bpf_dynptr *)",
                "net/core/filter.c";
            jump __bpf_dynptr_write,
                "int (const struct bpf_dynptr_kern *, u64, void *, u64, u64)", "kernel/bpf/helpers.c";
            jump __bpf_dynptr_size, "u64 (const struct bpf_dynptr_kern *)", "kernel/bpf/helpers.c";
            jump __bpf_dynptr_is_rdonly, "bool (const struct bpf_dynptr_kern *)",
                "kernel/bpf/helpers.c";
            jump __bpf_dynptr_data, "const void * (const struct bpf_dynptr_kern *, u64)",
                "kernel/bpf/helpers.c";
            jump __bpf_dynptr_data_rw, "void * (const struct bpf_dynptr_kern *, u64)",
                "kernel/bpf/helpers.c";
            jump bpf_map_poll, "__poll_t (struct file *, struct poll_table_struct *)",
                "kernel/bpf/syscall.c";
            bind bpf_probe_read_user_dynptr, "int (const struct bpf_dynptr *, u64, u64, const void *)",
                "kernel/trace/bpf_trace.c";
            bind bpf_probe_read_kernel_dynptr, "int (const struct bpf_dynptr *, u64, u64, const void *)",
                "kernel/trace/bpf_trace.c";
            bind bpf_probe_read_user_str_dynptr, "int (const struct bpf_dynptr *, u64, u64, const void *)",
                "kernel/trace/bpf_trace.c";
            bind bpf_probe_read_kernel_str_dynptr, "int (const struct bpf_dynptr *, u64, u64, const void *)",
                "kernel/trace/bpf_trace.c";
            bind bpf_copy_from_user_dynptr, "int (const struct bpf_dynptr *, u64, u64, const void *)",
                "kernel/trace/bpf_trace.c";
            bind bpf_copy_from_user_str_dynptr, "int (const struct bpf_dynptr *, u64, u64, const void *)",
                "kernel/trace/bpf_trace.c";
            bind bpf_copy_from_user_task_dynptr,
                "int (const struct bpf_dynptr *, u64, u64, const void *, struct task_struct *)",
                "kernel/trace/bpf_trace.c";
            bind bpf_copy_from_user_task_str_dynptr,
                "int (const struct bpf_dynptr *, u64, u64, const void *, struct task_struct *)",
                "kernel/trace/bpf_trace.c";
            bind bpf_ringbuf_reserve, "u64 (u64, u64, u64, u64, u64)", "kernel/bpf/ringbuf.c";
            bind bpf_ringbuf_submit, "u64 (u64, u64, u64, u64, u64)", "kernel/bpf/ringbuf.c";
            bind bpf_ringbuf_discard, "u64 (u64, u64, u64, u64, u64)", "kernel/bpf/ringbuf.c";
            bind bpf_ringbuf_output, "u64 (u64, u64, u64, u64, u64)", "kernel/bpf/ringbuf.c";
            bind bpf_ringbuf_query, "u64 (u64, u64, u64, u64, u64)", "kernel/bpf/ringbuf.c";
            bind bpf_ringbuf_reserve_dynptr, "u64 (u64, u64, u64, u64, u64)", "kernel/bpf/ringbuf.c";
            bind bpf_ringbuf_submit_dynptr, "u64 (u64, u64, u64, u64, u64)", "kernel/bpf/ringbuf.c";
            bind bpf_ringbuf_discard_dynptr, "u64 (u64, u64, u64, u64, u64)", "kernel/bpf/ringbuf.c";
            bind bpf_user_ringbuf_drain, "u64 (u64, u64, u64, u64, u64)", "kernel/bpf/ringbuf.c";
            probe ringbuf_map_alloc, "struct bpf_map * (union bpf_attr *)", "kernel/bpf/ringbuf.c";
            probe ringbuf_map_free, "void (struct bpf_map *)", "kernel/bpf/ringbuf.c";
            probe ringbuf_map_mmap_kern, "int (struct bpf_map *, struct vm_area_struct *)",
                "kernel/bpf/ringbuf.c";
            probe ringbuf_map_mmap_user, "int (struct bpf_map *, struct vm_area_struct *)",
                "kernel/bpf/ringbuf.c";
            probe ringbuf_map_mem_usage, "u64 (const struct bpf_map *)", "kernel/bpf/ringbuf.c";
            patch process_dynptr_func,
                "int (struct bpf_verifier_env *, struct bpf_reg_state *, argno_t, int, const char *, enum bpf_arg_type, struct ref_obj_desc *, struct bpf_dynptr_desc *)",
                "kernel/bpf/verifier.c";
            patch destroy_if_dynptr_stack_slot,
                "int (struct bpf_verifier_env *, struct bpf_func_state *, int)",
                "kernel/bpf/verifier.c";
            patch scrub_special_slot, "void (struct bpf_func_state *, int)", "kernel/bpf/verifier.c";
            patch release_reg,
                "int (struct bpf_verifier_env *, struct bpf_reg_state *, bool, bool)",
                "kernel/bpf/verifier.c";
            patch release_reference, "int (struct bpf_verifier_env *, int)",
                "kernel/bpf/verifier.c";
            patch release_reference_nomark, "int (struct bpf_verifier_env *, int)",
                "kernel/bpf/verifier.c";
            patch clear_all_pkt_pointers, "void (struct bpf_verifier_env *)",
                "kernel/bpf/verifier.c";
            patch stack_slot_obj_get_spi,
                "int (struct bpf_verifier_env *, struct bpf_reg_state *, const char *, int)",
                "kernel/bpf/verifier.c";
            patch set_user_ringbuf_callback_state,
                "int (struct bpf_verifier_env *, struct bpf_func_state *, struct bpf_func_state *, int)",
                "kernel/bpf/verifier.c";
            patch dynptr_type_str, "const char * (enum bpf_dynptr_type)", "kernel/bpf/log.c";
            hold bpf_check, "int (struct bpf_prog **, union bpf_attr *, bpfptr_t, struct bpf_log_attr *)",
                "kernel/bpf/verifier.c";
            hook bpf_do_misc_fixups, "int (struct bpf_verifier_env *)", "kernel/bpf/fixups.c";
            hook bpf_fixup_call_args, "int (struct bpf_verifier_env *)", "kernel/bpf/fixups.c";
            hook prepare_func_exit, "int (struct bpf_verifier_env *, int *)", "kernel/bpf/verifier.c";
        }
    };
}
