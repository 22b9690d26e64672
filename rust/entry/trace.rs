// SPDX-License-Identifier: GPL-2.0

//! The dynptr kfuncs of `srctree/kernel/trace/bpf_trace.c`: foreign memory is read into a dynptr.
//! Called by JITed programs that were loaded after this module; `bpf_copy_from_user_*` only by
//! sleepable ones.
//!
//! All return, for bytes: 0; -EFAULT for an address that cannot be read; -E2BIG for a range out of
//! bounds; -EINVAL for a null or read-only dynptr with something to copy. For strings: the length with
//! the NUL, which is written in any case, or these errnos. Where memory is not contiguous, what was
//! copied before an error stays.
//!
//! # Safety
//!
//! For every function here: `ptr` is a `struct bpf_dynptr *` argument, see the verifier contract in
//! `glue::dynptr`. `address` may be anything.

use crate::{
    bindings,
    glue::{
        dynptr::Dynptr,
        fetch::{
            Kernel,
            Task,
            User,
            UserFault, //
        }, //
    }, //
};
use kernel::ffi::{
    c_int,
    c_void, //
};

/// kfunc `bpf_probe_read_user_dynptr(dptr, off, size, unsafe_ptr__ign)`:
/// bytes of the current task's memory, if they are there.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_probe_read_user_dynptr(
    ptr: *const c_void,
    offset: u64,
    size: u64,
    address: u64,
) -> c_int {
    // SAFETY: The module's contract.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast_mut().cast()) };
    ptr.fetch(offset, size, User, address)
}

/// kfunc `bpf_probe_read_kernel_dynptr(dptr, off, size, unsafe_ptr__ign)`:
/// bytes of the kernel's memory.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_probe_read_kernel_dynptr(
    ptr: *const c_void,
    offset: u64,
    size: u64,
    address: u64,
) -> c_int {
    // SAFETY: The module's contract.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast_mut().cast()) };
    ptr.fetch(offset, size, Kernel, address)
}

/// kfunc `bpf_probe_read_user_str_dynptr(dptr, off, size, unsafe_ptr__ign)`:
/// a string of the current task's memory, if it is there.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_probe_read_user_str_dynptr(
    ptr: *const c_void,
    offset: u64,
    size: u64,
    address: u64,
) -> c_int {
    // SAFETY: The module's contract.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast_mut().cast()) };
    ptr.fetch_string(offset, size, User, address)
}

/// kfunc `bpf_probe_read_kernel_str_dynptr(dptr, off, size, unsafe_ptr__ign)`:
/// a string of the kernel's memory.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_probe_read_kernel_str_dynptr(
    ptr: *const c_void,
    offset: u64,
    size: u64,
    address: u64,
) -> c_int {
    // SAFETY: The module's contract.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast_mut().cast()) };
    ptr.fetch_string(offset, size, Kernel, address)
}

/// kfunc `bpf_copy_from_user_dynptr(dptr, off, size, unsafe_ptr__ign)`:
/// bytes of the current task's memory. May sleep.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_copy_from_user_dynptr(
    ptr: *const c_void,
    offset: u64,
    size: u64,
    address: u64,
) -> c_int {
    // SAFETY: The module's contract.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast_mut().cast()) };
    ptr.fetch(offset, size, UserFault, address)
}

/// kfunc `bpf_copy_from_user_str_dynptr(dptr, off, size, unsafe_ptr__ign)`:
/// a string of the current task's memory. May sleep.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_copy_from_user_str_dynptr(
    ptr: *const c_void,
    offset: u64,
    size: u64,
    address: u64,
) -> c_int {
    // SAFETY: The module's contract.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast_mut().cast()) };
    ptr.fetch_string(offset, size, UserFault, address)
}

/// kfunc `bpf_copy_from_user_task_dynptr(dptr, off, size, unsafe_ptr__ign, tsk)`:
/// bytes of another task's memory. May sleep.
///
/// # Safety
///
/// See the module; the program holds `task`.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_copy_from_user_task_dynptr(
    ptr: *const c_void,
    offset: u64,
    size: u64,
    address: u64,
    task: *mut bindings::task_struct,
) -> c_int {
    // SAFETY: The module's contract.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast_mut().cast()) };
    // SAFETY: By this function's contract.
    let source = unsafe { Task::from_raw(task) };
    ptr.fetch(offset, size, source, address)
}

/// kfunc `bpf_copy_from_user_task_str_dynptr(dptr, off, size, unsafe_ptr__ign, tsk)`:
/// a string of another task's memory. May sleep.
///
/// # Safety
///
/// See the module; the program holds `task`.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_copy_from_user_task_str_dynptr(
    ptr: *const c_void,
    offset: u64,
    size: u64,
    address: u64,
    task: *mut bindings::task_struct,
) -> c_int {
    // SAFETY: The module's contract.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast_mut().cast()) };
    // SAFETY: By this function's contract.
    let source = unsafe { Task::from_raw(task) };
    ptr.fetch_string(offset, size, source, address)
}
