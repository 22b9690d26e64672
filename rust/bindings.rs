// SPDX-License-Identifier: GPL-2.0

//! What bindgen makes of `include/bindings_helper.h` for the target kernel, and the offsets of
//! structures that no header declares, from its BTF (`layout`). Only `glue` may use this module.

#![allow(
    clippy::all,
    clippy::arithmetic_side_effects,
    clippy::cast_lossless,
    clippy::indexing_slicing,
    clippy::missing_safety_doc,
    clippy::multiple_unsafe_ops_per_block,
    clippy::ptr_as_ptr,
    clippy::ref_as_ptr,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    improper_ctypes,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unreachable_pub,
    unsafe_op_in_unsafe_fn
)]

use kernel::ffi;

type __kernel_size_t = usize;
type __kernel_ssize_t = isize;
type __kernel_ptrdiff_t = isize;

include!(concat!(
    env!("RUST_DYNPTR_GENERATED"),
    "/bindings_generated.rs"
));

/// Offsets and sizes in bytes, from the target kernel's BTF.
pub mod layout {
    include!(concat!(
        env!("RUST_DYNPTR_GENERATED"),
        "/layout_generated.rs"
    ));
}
