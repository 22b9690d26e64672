// SPDX-License-Identifier: GPL-2.0

//! The kfuncs of heap dynptrs, which mainline does not have: called by the prototypes in
//! `rust/kfuncs/heap.c`, in any context in which a BPF program runs, NMI included.
//! `include/rust_dynptr.bpf.h` documents them for programs.
//!
//! # Safety
//!
//! For every function here: a dynptr is what the verifier treats as `ARG_PTR_TO_DYNPTR`, for a constructor
//! 16 writable bytes of stack (see the verifier contract in `glue::dynptr`); `heap` is an object that the
//! program holds a reference to. Our own part of the verifier has checked that (`logic::argument`).

use super::to_c_int;
use crate::{
    bindings,
    glue::{
        dynptr::Dynptr,
        heap::Block, //
    }, //
};
use core::ptr::null_mut;
use kernel::ffi::{
    c_int,
    c_void, //
};

/// kfunc `bpf_dynptr_alloc(size, flags, ptr__uninit)` of the program of `aux`.
///
/// Returns 0 and a dynptr over `size` zeroed bytes; or -E2BIG for a size above 2^24-1, -EINVAL for flags
/// other than `__GFP_ZERO`, -ENOMEM, and a null dynptr.
///
/// # Safety
///
/// See the module; `aux` is the program's.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_alloc(
    size: u32,
    flags: u64,
    ptr: *mut bindings::bpf_dynptr,
    aux: *mut c_void,
) -> c_int {
    // SAFETY: The verifier contract for `ptr`.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast()) };
    // SAFETY: `bpf_prog_alloc()` gets `aux` from the slab allocator.
    to_c_int(unsafe { ptr.set_from_heap(size, flags, aux) })
}

/// kfunc `bpf_dynptr_put(ptr)`: the dynptr is null then, and the memory freed unless it is shared.
///
/// # Safety
///
/// See the module; the verifier has made clones and slices of the dynptr unusable.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_put(ptr: *mut bindings::bpf_dynptr) {
    // SAFETY: The verifier contract for `ptr`.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast()) };
    // SAFETY: By this function's contract.
    drop(unsafe { ptr.take_block() });
}

/// kfunc `bpf_dynptr_detach(ptr)`: the dynptr's memory as an object; NULL for a null dynptr. The dynptr is
/// null then.
///
/// # Safety
///
/// See the module; the verifier has made clones and slices of the dynptr unusable.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_detach(
    ptr: *mut bindings::bpf_dynptr,
) -> *mut bindings::bpf_dynptr_heap {
    // SAFETY: The verifier contract for `ptr`.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast()) };
    // SAFETY: By this function's contract.
    unsafe { ptr.take_block() }.map_or(null_mut(), Block::into_raw)
}

/// kfunc `bpf_dynptr_attach(heap, ptr__uninit)`: a dynptr over all the memory of `heap`, which is released.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_attach(
    heap: *mut bindings::bpf_dynptr_heap,
    ptr: *mut bindings::bpf_dynptr,
) {
    // SAFETY: The verifier contract for `ptr`.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast()) };
    // SAFETY: The program's reference becomes the dynptr's.
    match unsafe { Block::from_raw(heap) } {
        Some(block) => ptr.set_from_block(block),
        None => ptr.set_null(),
    }
}

/// kfunc `bpf_dynptr_heap_acquire(heap)`: another reference; NULL if there are 2^31-1.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_heap_acquire(
    heap: *mut bindings::bpf_dynptr_heap,
) -> *mut bindings::bpf_dynptr_heap {
    // SAFETY: The program holds it; the reference goes back to it below.
    let Some(held) = (unsafe { Block::from_raw(heap) }) else {
        return null_mut();
    };
    let shared = held.share().map_or(null_mut(), Block::into_raw);
    held.into_raw();
    shared
}

/// kfunc `bpf_dynptr_heap_release(heap)`, and the destructor of what is in maps: frees the memory unless it
/// is shared.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_heap_release(heap: *mut bindings::bpf_dynptr_heap) {
    // SAFETY: The program's or the map's reference.
    drop(unsafe { Block::from_raw(heap) });
}

/// Frees a block of memory that could not be freed where its last owner went.
///
/// # Safety
///
/// Called by `rust_dynptr_defer()`'s interrupt.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_heap_free_deferred(node: *mut bindings::llist_node) {
    // SAFETY: By this function's contract.
    unsafe { Block::free_deferred(node) };
}
