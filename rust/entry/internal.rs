// SPDX-License-Identifier: GPL-2.0

//! Functions of `srctree/kernel/bpf/helpers.c` that other C files of the kernel call: crypto, xattr,
//! fsverity, and the C bodies of `srctree/kernel/trace/bpf_trace.c`. None of them sleeps for these
//! callers: nobody passes a buffer for a file.
//!
//! # Safety
//!
//! For every function here: `ptr` is a dynptr that the C caller got from a BPF program, or made on its
//! own stack (see the verifier contract in `glue::dynptr`).

use crate::{
    bindings::bpf_dynptr_kern,
    glue::dynptr::Dynptr, //
};
use kernel::ffi::{
    c_int,
    c_void, //
};

/// `__bpf_dynptr_write(dst, offset, src, len, flags)`: as the helper `bpf_dynptr_write()`.
///
/// # Safety
///
/// See the module; `src` is valid for reads of `len` bytes.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust___bpf_dynptr_write(
    dst: *const bpf_dynptr_kern,
    offset: u64,
    src: *mut c_void,
    len: u64,
    flags: u64,
) -> c_int {
    // SAFETY: The module's contract.
    let dst = unsafe { Dynptr::from_raw(dst.cast_mut()) };
    // SAFETY: By this function's contract.
    unsafe { dst.write(offset, src, len, flags) }
}

/// `__bpf_dynptr_size(ptr)`: usable bytes, 0 for a null dynptr.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust___bpf_dynptr_size(ptr: *const bpf_dynptr_kern) -> u64 {
    // SAFETY: The module's contract.
    unsafe { Dynptr::from_raw(ptr.cast_mut()) }.usable()
}

/// `__bpf_dynptr_is_rdonly(ptr)`.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust___bpf_dynptr_is_rdonly(ptr: *const bpf_dynptr_kern) -> bool {
    // SAFETY: The module's contract.
    unsafe { Dynptr::from_raw(ptr.cast_mut()) }.is_rdonly()
}

/// `__bpf_dynptr_data(ptr, len)`: the address of the first `len` bytes for reading.
///
/// NULL for a null dynptr, if there are fewer, or if they are not contiguous.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust___bpf_dynptr_data(
    ptr: *const bpf_dynptr_kern,
    len: u64,
) -> *const c_void {
    // SAFETY: The module's contract.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast_mut()) };
    ptr.contiguous(0, len)
}

/// `__bpf_dynptr_data_rw(ptr, len)`: the same for writing; NULL for a read-only dynptr too.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust___bpf_dynptr_data_rw(
    ptr: *const bpf_dynptr_kern,
    len: u64,
) -> *mut c_void {
    // SAFETY: The module's contract.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast_mut()) };
    ptr.contiguous_rdwr(0, len)
}
