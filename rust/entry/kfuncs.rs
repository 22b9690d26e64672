// SPDX-License-Identifier: GPL-2.0

//! The dynptr kfuncs of `srctree/kernel/bpf/helpers.c`. Called by JITed programs, the slices also by C
//! (`bpf_verify_pkcs7_signature()`). Contexts: any in which a BPF program runs, NMI included.
//!
//! # Safety
//!
//! For every function here: a `struct bpf_dynptr *` argument is what the verifier treats as
//! `ARG_PTR_TO_DYNPTR`, and one named `…__uninit` as `MEM_UNINIT`: 16 writable bytes of stack (see the
//! verifier contract in `glue::dynptr`). `buffer` and `buffer_size` are a pair: `buffer` is NULL or
//! valid for that many bytes.

use super::to_c_int;
use crate::{
    bindings,
    glue::dynptr::Dynptr,
    logic::errno::Errno, //
};
use kernel::ffi::{
    c_int,
    c_void, //
};

/// kfunc `bpf_dynptr_slice(p, offset, buffer__nullable, buffer__szk)`.
///
/// Returns a read-only pointer to `buffer_size` bytes at `offset`: into the memory, or `buffer` with a
/// copy if they are not contiguous. NULL for a null dynptr, a range out of bounds, bytes that are not
/// contiguous without a buffer, a file that cannot be read. May sleep on a file dynptr of a sleepable
/// program.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_slice(
    p: *const c_void,
    offset: u64,
    buffer: *mut c_void,
    buffer_size: u64,
) -> *mut c_void {
    // SAFETY: The verifier contract for `p`.
    let ptr = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The contract for `buffer`.
    unsafe { ptr.slice(offset, buffer, buffer_size) }
}

/// kfunc `bpf_dynptr_slice_rdwr(p, offset, buffer__nullable, buffer__szk)`.
///
/// As [`rust_bpf_dynptr_slice`], for writing: NULL for a read-only dynptr too. What is written to
/// `buffer` is not in the memory until `bpf_dynptr_write()`.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_slice_rdwr(
    p: *const c_void,
    offset: u64,
    buffer: *mut c_void,
    buffer_size: u64,
) -> *mut c_void {
    // SAFETY: The verifier contract for `p`.
    let ptr = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The contract for `buffer`.
    unsafe { ptr.slice_rdwr(offset, buffer, buffer_size) }
}

/// kfunc `bpf_dynptr_adjust(p, start, end)`.
///
/// Returns 0 and makes the dynptr the view from `start` to `end` of itself; -EINVAL for a null dynptr
/// or `start` above `end`; -ERANGE beyond its end. Of a file dynptr, clones move along.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_adjust(
    p: *mut c_void,
    start: u64,
    end: u64,
) -> c_int {
    // SAFETY: The verifier contract for `p`.
    let ptr = unsafe { Dynptr::from_raw(p.cast()) };
    to_c_int(ptr.adjust(start, end))
}

/// kfunc `bpf_dynptr_is_null(p)`.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_is_null(p: *const c_void) -> bool {
    // SAFETY: The verifier contract for `p`, which is only read.
    let ptr = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    ptr.is_null()
}

/// kfunc `bpf_dynptr_is_rdonly(p)`: `false` for a null dynptr.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_is_rdonly(p: *const c_void) -> bool {
    // SAFETY: The verifier contract for `p`, which is only read.
    let ptr = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    !ptr.is_null() && ptr.is_rdonly()
}

/// kfunc `bpf_dynptr_size(p)`.
///
/// Returns the usable bytes, of a file the 64-bit size; -EINVAL (as `u64`) for a null dynptr.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_size(p: *const c_void) -> u64 {
    // SAFETY: The verifier contract for `p`, which is only read.
    let ptr = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    ptr.size().unwrap_or_else(Errno::to_register)
}

/// kfunc `bpf_dynptr_clone(p, clone__uninit)`.
///
/// Returns 0; -EINVAL for a null dynptr, and `clone` is null then.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_clone(
    p: *const c_void,
    clone: *mut c_void,
) -> c_int {
    // SAFETY: The verifier contract for `p`, which is only read.
    let ptr = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier contract for `clone`, which is only set.
    let clone = unsafe { Dynptr::from_raw(clone.cast()) };
    to_c_int(ptr.clone_to(clone))
}

/// kfunc `bpf_dynptr_copy(dst_ptr, dst_off, src_ptr, src_off, size)`.
///
/// Returns 0; -E2BIG out of bounds; -EINVAL for a null dynptr or one that cannot be written; what the
/// memory class gives. Bytes before an error are copied. May sleep on a file of a sleepable program.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_copy(
    dst: *const c_void,
    dst_offset: u64,
    src: *const c_void,
    src_offset: u64,
    size: u64,
) -> c_int {
    // SAFETY: The verifier contract for `dst`.
    let dst = unsafe { Dynptr::from_raw(dst.cast_mut().cast()) };
    // SAFETY: The verifier contract for `src`.
    let src = unsafe { Dynptr::from_raw(src.cast_mut().cast()) };
    dst.copy_from(dst_offset, src, src_offset, size)
}

/// kfunc `bpf_dynptr_memset(p, offset, size, val)`.
///
/// Returns 0; -EINVAL for a null or read-only dynptr; -E2BIG out of bounds; what the packet functions
/// give. `value` is C's `u8`: the program's register may hold anything above its low byte.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_memset(
    p: *const c_void,
    offset: u64,
    size: u64,
    value: u64,
) -> c_int {
    // SAFETY: The verifier contract for `p`.
    let ptr = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    ptr.fill(offset, size, value as u8)
}

/// kfunc `bpf_dynptr_from_file(file, flags, ptr__uninit)`, for programs that do not sleep.
///
/// Returns 0; -EINVAL if `flags` is not 0; -ENOMEM. `ptr` is null after an error, and must be given
/// to `bpf_dynptr_file_discard()` in any case.
///
/// # Safety
///
/// See the module; the program holds `file` as long as the dynptr.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_from_file(
    file: *mut bindings::file,
    flags: u32,
    ptr: *mut c_void,
) -> c_int {
    // SAFETY: The verifier contract for `ptr`, which is only set.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast()) };
    // SAFETY: By this function's contract.
    to_c_int(unsafe { ptr.set_from_file(file, flags, false) })
}

/// `bpf_dynptr_from_file_sleepable(file, flags, ptr__uninit)`: what the verifier calls instead in
/// sleepable programs. The dynptr's reads may sleep.
///
/// Returns as [`rust_bpf_dynptr_from_file`].
///
/// # Safety
///
/// As [`rust_bpf_dynptr_from_file`].
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_from_file_sleepable(
    file: *mut bindings::file,
    flags: u32,
    ptr: *mut c_void,
) -> c_int {
    // SAFETY: The verifier contract for `ptr`, which is only set.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast()) };
    // SAFETY: By this function's contract.
    to_c_int(unsafe { ptr.set_from_file(file, flags, true) })
}

/// kfunc `bpf_dynptr_file_discard(dynptr)`. Returns 0, always.
///
/// # Safety
///
/// See the module; the verifier has seen that this is a file dynptr and ends its clones.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_file_discard(ptr: *mut c_void) -> c_int {
    // SAFETY: The verifier contract for `ptr`.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast()) };
    // SAFETY: By this function's contract.
    unsafe { ptr.discard_file() };
    0
}
