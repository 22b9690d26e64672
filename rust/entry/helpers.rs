// SPDX-License-Identifier: GPL-2.0

//! The dynptr helpers of `srctree/kernel/bpf/helpers.c`. Called by JITed programs. Contexts: any in
//! which a BPF program runs, NMI included.

use crate::glue::dynptr::Dynptr;
use kernel::ffi::c_void;

/// `bpf_dynptr_from_mem(data, size, flags, ptr)`.
///
/// Returns 0; -E2BIG if `size` is more than 2^24 - 1; -EINVAL if `flags` is not 0. `ptr` is null
/// after an error.
///
/// # Safety
///
/// The proto's arguments: `data` is `ARG_PTR_TO_UNINIT_MEM` of `size` bytes; `ptr` is
/// `ARG_PTR_TO_DYNPTR | MEM_UNINIT`: 16 writable bytes of stack.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_from_mem(
    data: u64,
    size: u64,
    flags: u64,
    ptr: u64,
    _: u64,
) -> u64 {
    // SAFETY: The verifier contract for `ptr`, which is only set.
    let ptr = unsafe { Dynptr::from_raw(ptr as *mut _) };
    match ptr.set_from_mem(data as *mut c_void, size, flags) {
        Ok(()) => 0,
        Err(errno) => errno.to_register(),
    }
}

/// `bpf_dynptr_read(dst, len, src, offset, flags)`.
///
/// Returns 0; -EINVAL for a null dynptr or flags; -E2BIG out of bounds; what the memory class gives.
/// May sleep on a file dynptr of a sleepable program.
///
/// # Safety
///
/// The proto's arguments: `dst` is `ARG_PTR_TO_UNINIT_MEM` of `len` bytes; `src` is
/// `ARG_PTR_TO_DYNPTR`.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_read(
    dst: u64,
    len: u64,
    src: u64,
    offset: u64,
    flags: u64,
) -> u64 {
    // SAFETY: The verifier contract for `src`.
    let src = unsafe { Dynptr::from_raw(src as *mut _) };
    // SAFETY: The verifier contract for `dst` and `len`.
    let err = unsafe { src.read(dst as *mut c_void, len, offset, flags) };
    i64::from(err) as u64
}

/// `bpf_dynptr_write(dst, offset, src, len, flags)`.
///
/// Returns 0; -EINVAL for a null or read-only dynptr, or flags that its class does not take; -E2BIG
/// out of bounds; what the packet functions give.
///
/// # Safety
///
/// The proto's arguments: `dst` is `ARG_PTR_TO_DYNPTR`; `src` is `ARG_PTR_TO_MEM | MEM_RDONLY` of
/// `len` bytes.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_write(
    dst: u64,
    offset: u64,
    src: u64,
    len: u64,
    flags: u64,
) -> u64 {
    // SAFETY: The verifier contract for `dst`.
    let dst = unsafe { Dynptr::from_raw(dst as *mut _) };
    // SAFETY: The verifier contract for `src` and `len`.
    let err = unsafe { dst.write(offset, src as *mut c_void, len, flags) };
    i64::from(err) as u64
}

/// `bpf_dynptr_data(ptr, offset, len)`.
///
/// Returns the address of `len` bytes at `offset`, or 0 for a null, read-only or packet dynptr or a
/// range out of bounds.
///
/// # Safety
///
/// The proto's arguments: `ptr` is `ARG_PTR_TO_DYNPTR`; `len` is a constant.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_data(
    ptr: u64,
    offset: u64,
    len: u64,
    _: u64,
    _: u64,
) -> u64 {
    // SAFETY: The verifier contract for `ptr`.
    let ptr = unsafe { Dynptr::from_raw(ptr as *mut _) };
    ptr.data(offset, len) as u64
}
