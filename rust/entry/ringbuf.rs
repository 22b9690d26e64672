// SPDX-License-Identifier: GPL-2.0

//! The ring buffer helpers of `srctree/kernel/bpf/ringbuf.c`. Called by JITed programs that were
//! loaded while the module was, and which hold it. Contexts: any in which a BPF program runs, NMI
//! included.
//!
//! # Safety
//!
//! For every function here, by its proto: `map` is `ARG_CONST_MAP_PTR`, and
//! `check_map_func_compatibility()` lets only `BPF_MAP_TYPE_RINGBUF` through (for
//! `bpf_user_ringbuf_drain()` only `BPF_MAP_TYPE_USER_RINGBUF`); the program holds it. `ptr` is
//! `ARG_PTR_TO_DYNPTR | DYNPTR_TYPE_RINGBUF`, see the verifier contract in `glue::dynptr`. `sample` is
//! `ARG_PTR_TO_RINGBUF_MEM | OBJ_RELEASE`: the payload of a record that the program reserved, at offset
//! 0, and has not committed.

use crate::{
    glue::{
        dynptr::Dynptr,
        ringbuf::{
            commit_dynptr,
            Record,
            RingBuf, //
        },
        user_ringbuf::{
            Callback,
            UserRingBuf, //
        }, //
    }, //
};
use kernel::ffi::c_void;

/// `bpf_ringbuf_reserve(map, size, flags)`.
///
/// Returns the address of `size` bytes, or 0: flags are not 0, the record is too large, there is no
/// room, or the lock cannot be had.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_ringbuf_reserve(
    map: u64,
    size: u64,
    flags: u64,
    _: u64,
    _: u64,
) -> u64 {
    if flags != 0 {
        return 0;
    }
    // SAFETY: The module's contract.
    let ring = unsafe { RingBuf::from_map(map as *mut c_void) };
    ring.reserve(size)
        .map_or(0, |record| record.into_payload() as u64)
}

/// `bpf_ringbuf_submit(sample, flags)`: gives the record to the consumer. Returns 0.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_ringbuf_submit(
    sample: u64,
    flags: u64,
    _: u64,
    _: u64,
    _: u64,
) -> u64 {
    // SAFETY: The module's contract.
    unsafe { Record::from_payload(sample as *mut c_void) }.commit(false, flags);
    0
}

/// `bpf_ringbuf_discard(sample, flags)`: the consumer skips the record. Returns 0.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_ringbuf_discard(
    sample: u64,
    flags: u64,
    _: u64,
    _: u64,
    _: u64,
) -> u64 {
    // SAFETY: The module's contract.
    unsafe { Record::from_payload(sample as *mut c_void) }.commit(true, flags);
    0
}

/// `bpf_ringbuf_output(map, data, size, flags)`.
///
/// Returns 0; -EINVAL for unknown flags; -EAGAIN if there is no room or the lock cannot be had.
///
/// # Safety
///
/// See the module; `data` is `ARG_PTR_TO_MEM | MEM_RDONLY` of `size` bytes.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_ringbuf_output(
    map: u64,
    data: u64,
    size: u64,
    flags: u64,
    _: u64,
) -> u64 {
    // SAFETY: The module's contract.
    let ring = unsafe { RingBuf::from_map(map as *mut c_void) };
    // SAFETY: The verifier checked `data` for `size` bytes.
    match unsafe { ring.output(data as *const c_void, size, flags) } {
        Ok(()) => 0,
        Err(errno) => errno.to_register(),
    }
}

/// `bpf_ringbuf_query(map, flags)`.
///
/// Returns what `flags` (`BPF_RB_AVAIL_DATA`, `_RING_SIZE`, `_CONS_POS`, `_PROD_POS`,
/// `_OVERWRITE_POS`) asks for, in bytes; 0 for anything else. A snapshot without any lock.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_ringbuf_query(
    map: u64,
    flags: u64,
    _: u64,
    _: u64,
    _: u64,
) -> u64 {
    // SAFETY: The module's contract.
    let ring = unsafe { RingBuf::from_map(map as *mut c_void) };
    ring.query(flags)
}

/// `bpf_ringbuf_reserve_dynptr(map, size, flags, ptr)`.
///
/// Returns 0; -EINVAL if flags are not 0, there is no room, or the lock cannot be had; -E2BIG for a
/// size above 2^24 - 1. The dynptr is null then. As in C, of `size` only the low 32 bits count.
///
/// # Safety
///
/// See the module; `ptr` is `MEM_UNINIT`.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_ringbuf_reserve_dynptr(
    map: u64,
    size: u64,
    flags: u64,
    ptr: u64,
    _: u64,
) -> u64 {
    // SAFETY: The module's contract.
    let ring = unsafe { RingBuf::from_map(map as *mut c_void) };
    // SAFETY: The module's contract; only set.
    let ptr = unsafe { Dynptr::from_raw(ptr as *mut _) };
    match ring.reserve_dynptr(size as u32, flags, ptr) {
        Ok(()) => 0,
        Err(errno) => errno.to_register(),
    }
}

/// `bpf_ringbuf_submit_dynptr(ptr, flags)`: gives the record to the consumer; the dynptr is null then.
/// Returns 0.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_ringbuf_submit_dynptr(
    ptr: u64,
    flags: u64,
    _: u64,
    _: u64,
    _: u64,
) -> u64 {
    // SAFETY: The module's contract.
    let ptr = unsafe { Dynptr::from_raw(ptr as *mut _) };
    // SAFETY: `OBJ_RELEASE`: the record is released once.
    unsafe { commit_dynptr(ptr, false, flags) };
    0
}

/// `bpf_ringbuf_discard_dynptr(ptr, flags)`: the consumer skips the record; the dynptr is null then.
/// Returns 0.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_ringbuf_discard_dynptr(
    ptr: u64,
    flags: u64,
    _: u64,
    _: u64,
    _: u64,
) -> u64 {
    // SAFETY: The module's contract.
    let ptr = unsafe { Dynptr::from_raw(ptr as *mut _) };
    // SAFETY: `OBJ_RELEASE`: the record is released once.
    unsafe { commit_dynptr(ptr, true, flags) };
    0
}

/// `bpf_user_ringbuf_drain(map, callback_fn, callback_ctx, flags)`. Sleeps if a sleepable program's
/// callback does.
///
/// Returns the number of samples that the callback got; -EINVAL for unknown flags, or a producer
/// position or a sample that makes no sense; -E2BIG for a sample larger than the ring or a dynptr; -EBUSY
/// while somebody else drains it.
///
/// # Safety
///
/// See the module; `callback` is `ARG_PTR_TO_FUNC`, `context` is `ARG_PTR_TO_STACK_OR_NULL`.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_user_ringbuf_drain(
    map: u64,
    callback: Callback,
    context: u64,
    flags: u64,
    _: u64,
) -> u64 {
    // SAFETY: The module's contract.
    let ring = unsafe { UserRingBuf::from_map(map as *mut c_void) };
    // SAFETY: The verifier checked the callback with these arguments.
    match unsafe { ring.drain(callback, context, flags) } {
        Ok(samples) => samples.into(),
        Err(errno) => errno.to_register(),
    }
}
