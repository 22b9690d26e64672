// SPDX-License-Identifier: GPL-2.0

//! The kernel's objects as safe types: all unsafe code that is not the C edge itself.
//!
//! `entry` calls into here, this calls `logic` for every decision. A pointer of C becomes a type
//! here once, with the contract under which it is valid; its methods are safe.

pub(crate) mod btf;
pub(crate) mod dynptr;
pub(crate) mod env;
pub(crate) mod faults;
pub(crate) mod fetch;
mod file;
pub(crate) mod heap;
pub(crate) mod iter;
pub(crate) mod judge;
mod layout;
pub(crate) mod module;
pub(crate) mod ordered;
pub(crate) mod own_kfuncs;
mod packet;
#[cfg(rust_dynptr_faults)]
pub(crate) mod planted;
pub(crate) mod programs;
pub(crate) mod ring_map;
pub(crate) mod ringbuf;
pub(crate) mod user_ringbuf;

use crate::{
    bindings,
    logic::errno, //
};
use kernel::ffi::{
    c_char,
    c_void, //
};

/// The bytes of a C string, without the NUL that ends it; none if `ptr` is null.
///
/// # Safety
///
/// `ptr` is null or a C string that does not change for `'a`.
pub(crate) unsafe fn c_bytes<'a>(ptr: *const c_char) -> &'a [u8] {
    if ptr.is_null() {
        return &[];
    }
    // SAFETY: By this function's contract.
    let len = unsafe { bindings::strlen(ptr) };
    // SAFETY: As above.
    unsafe { core::slice::from_raw_parts(ptr.cast(), len) }
}

// `logic` has its own error numbers, as it compiles without the kernel: they are the kernel's.
const _: () = {
    assert!(errno::EPERM.to_c_int() == -(bindings::EPERM as i32));
    assert!(errno::ENOENT.to_c_int() == -(bindings::ENOENT as i32));
    assert!(errno::E2BIG.to_c_int() == -(bindings::E2BIG as i32));
    assert!(errno::EAGAIN.to_c_int() == -(bindings::EAGAIN as i32));
    assert!(errno::ENOMEM.to_c_int() == -(bindings::ENOMEM as i32));
    assert!(errno::ERANGE.to_c_int() == -(bindings::ERANGE as i32));
    assert!(errno::EACCES.to_c_int() == -(bindings::EACCES as i32));
    assert!(errno::EFAULT.to_c_int() == -(bindings::EFAULT as i32));
    assert!(errno::EBUSY.to_c_int() == -(bindings::EBUSY as i32));
    assert!(errno::EINVAL.to_c_int() == -(bindings::EINVAL as i32));
};

/// `memmove()`: source and destination may overlap, e.g. two dynptrs over one map value.
///
/// # Safety
///
/// `src` is valid for reads and `dst` for writes of `len` bytes.
#[inline(always)]
unsafe fn copy(src: *const c_void, dst: *mut c_void, len: u64) {
    // SAFETY: By this function's contract.
    unsafe { core::ptr::copy(src.cast::<u8>(), dst.cast::<u8>(), len as usize) };
}
