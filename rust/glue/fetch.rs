// SPDX-License-Identifier: GPL-2.0

//! Memory that is not the program's own, read into a dynptr: the sources of `bpf_probe_read_*` and
//! `bpf_copy_from_user_*`, answering to the `copy_*` functions before
//! `bpf_probe_read_user_dynptr()` in `srctree/kernel/trace/bpf_trace.c`. Only `glue::dynptr` uses
//! this; `entry` names the sources.

use crate::{
    bindings,
    logic::errno::EFAULT, //
};
use kernel::ffi::{
    c_int,
    c_ulong,
    c_void, //
};

/// A kind of foreign memory. Addresses may be anything: a bad one is an error, never a fault.
pub(crate) trait Source: Copy {
    /// Reads `len` bytes at `at`. 0, or -EFAULT (-ERANGE for kernel addresses that may not be read).
    ///
    /// # Safety
    ///
    /// `dst` is valid for writes of `len` bytes.
    unsafe fn bytes(self, dst: *mut c_void, at: u64, len: u32) -> c_int;

    /// Reads a string at `at` of at most `len` bytes with its NUL, which is always written if `len`
    /// is not 0. Its length with the NUL, or a negative errno.
    ///
    /// # Safety
    ///
    /// `dst` is valid for writes of `len` bytes.
    unsafe fn string(self, dst: *mut c_void, at: u64, len: u32) -> c_int;
}

/// The current task's memory, without sleeping: what is not there is -EFAULT.
#[derive(Clone, Copy)]
pub(crate) struct User;

impl Source for User {
    unsafe fn bytes(self, dst: *mut c_void, at: u64, len: u32) -> c_int {
        // SAFETY: Any user address will do; `dst` by contract.
        unsafe { bindings::copy_from_user_nofault(dst, at as *const c_void, len as usize) as c_int }
    }

    unsafe fn string(self, dst: *mut c_void, at: u64, len: u32) -> c_int {
        // SAFETY: As above.
        let copied = unsafe {
            bindings::strncpy_from_user_nofault(dst.cast(), at as *const c_void, len as isize)
        };
        copied as c_int
    }
}

/// The kernel's memory.
#[derive(Clone, Copy)]
pub(crate) struct Kernel;

impl Source for Kernel {
    unsafe fn bytes(self, dst: *mut c_void, at: u64, len: u32) -> c_int {
        // SAFETY: Any address will do; `dst` by contract.
        let err =
            unsafe { bindings::copy_from_kernel_nofault(dst, at as *const c_void, len as usize) };
        err as c_int
    }

    unsafe fn string(self, dst: *mut c_void, at: u64, len: u32) -> c_int {
        // SAFETY: As above.
        let copied = unsafe {
            bindings::strncpy_from_kernel_nofault(dst.cast(), at as *const c_void, len as isize)
        };
        copied as c_int
    }
}

/// The current task's memory; sleeps until it is there. Sleepable programs only.
#[derive(Clone, Copy)]
pub(crate) struct UserFault;

impl Source for UserFault {
    unsafe fn bytes(self, dst: *mut c_void, at: u64, len: u32) -> c_int {
        // SAFETY: Any user address will do; `dst` by contract.
        let left = unsafe {
            bindings::rust_dynptr_copy_from_user(dst, at as *const c_void, len as c_ulong)
        };
        if left == 0 {
            0
        } else {
            EFAULT.to_c_int()
        }
    }

    unsafe fn string(self, dst: *mut c_void, at: u64, len: u32) -> c_int {
        let Some(room) = len.checked_sub(1) else {
            return 0;
        };
        // SAFETY: As above.
        let copied =
            unsafe { bindings::strncpy_from_user(dst.cast(), at as *const u8, room as isize) };
        if copied < 0 {
            return copied as c_int;
        }
        // SAFETY: `copied` is at most `room`, one below what `dst` is valid for.
        unsafe { dst.cast::<u8>().wrapping_add(copied as usize).write(0) };
        (copied as c_int).wrapping_add(1)
    }
}

/// Another task's memory; sleeps until it is there. Sleepable programs only.
///
/// # Invariants
///
/// The task is held by the program for the call.
#[derive(Clone, Copy)]
pub(crate) struct Task(*mut bindings::task_struct);

impl Task {
    /// # Safety
    ///
    /// The program holds `task` for the call.
    pub(crate) unsafe fn from_raw(task: *mut bindings::task_struct) -> Self {
        // INVARIANT: By this function's contract.
        Self(task)
    }
}

impl Source for Task {
    unsafe fn bytes(self, dst: *mut c_void, at: u64, len: u32) -> c_int {
        if self.0.is_null() {
            // SAFETY: By this function's contract.
            return unsafe { UserFault.bytes(dst, at, len) };
        }
        // SAFETY: The task is held; any user address will do; `dst` by contract.
        let copied =
            unsafe { bindings::access_process_vm(self.0, at as usize, dst, len as c_int, 0) };
        if copied == len as c_int {
            0
        } else {
            EFAULT.to_c_int()
        }
    }

    unsafe fn string(self, dst: *mut c_void, at: u64, len: u32) -> c_int {
        if self.0.is_null() {
            // SAFETY: By this function's contract.
            return unsafe { UserFault.string(dst, at, len) };
        }
        if len == 0 {
            return 0;
        }
        // SAFETY: The task is held; any user address will do; `dst` by contract.
        let copied =
            unsafe { bindings::copy_remote_vm_str(self.0, at as usize, dst, len as c_int, 0) };
        if copied < 0 {
            return copied;
        }
        copied.wrapping_add(1)
    }
}
