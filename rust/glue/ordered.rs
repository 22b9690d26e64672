// SPDX-License-Identifier: GPL-2.0

//! Accesses to memory that others write at the same time, with C's ordering.
//!
//! The kernel's own `kernel::sync::atomic` calls an out-of-line function for every access of a
//! module (`rust/helpers/atomic.c`), which no hot path of the C code pays. On x86-64, the only
//! target, these `core` atomics are the very instructions of the C macros: a plain load or store
//! that the compiler does not move, and `xchg`.

use core::sync::atomic::{
    AtomicU32,
    AtomicU64,
    Ordering, //
};

#[cfg(not(target_arch = "x86_64"))]
compile_error!("the orderings here are argued for x86-64 only");

/// `smp_load_acquire(ptr)`.
///
/// # Safety
///
/// `ptr` is aligned and valid for reads for the whole call; others write it atomically only.
#[inline(always)]
pub(crate) unsafe fn load_acquire(ptr: *mut u64) -> u64 {
    // SAFETY: By this function's contract.
    let word = unsafe { AtomicU64::from_ptr(ptr) };
    word.load(Ordering::Acquire)
}

/// `smp_store_release(ptr, value)`.
///
/// # Safety
///
/// As [`load_acquire`], and valid for writes.
#[inline(always)]
pub(crate) unsafe fn store_release(ptr: *mut u64, value: u64) {
    // SAFETY: By this function's contract.
    let word = unsafe { AtomicU64::from_ptr(ptr) };
    word.store(value, Ordering::Release);
}

/// `smp_load_acquire(ptr)` of 32 bits.
///
/// # Safety
///
/// As [`load_acquire`].
#[inline(always)]
pub(crate) unsafe fn load_acquire_u32(ptr: *mut u32) -> u32 {
    // SAFETY: By this function's contract.
    let word = unsafe { AtomicU32::from_ptr(ptr) };
    word.load(Ordering::Acquire)
}

/// `smp_store_release(ptr, value)` of 32 bits, also `atomic_set_release()`.
///
/// # Safety
///
/// As [`store_release`].
#[inline(always)]
pub(crate) unsafe fn store_release_u32(ptr: *mut u32, value: u32) {
    // SAFETY: By this function's contract.
    let word = unsafe { AtomicU32::from_ptr(ptr) };
    word.store(value, Ordering::Release);
}

/// `atomic_try_cmpxchg(ptr, &old, new)`: fully ordered. Whether it was `old`.
///
/// # Safety
///
/// As [`store_release`].
#[inline(always)]
pub(crate) unsafe fn cmpxchg_u32(ptr: *mut u32, old: u32, new: u32) -> bool {
    // SAFETY: By this function's contract.
    let word = unsafe { AtomicU32::from_ptr(ptr) };
    word.compare_exchange(old, new, Ordering::SeqCst, Ordering::Relaxed)
        .is_ok()
}

/// `READ_ONCE(*ptr)` of 64 bits.
///
/// # Safety
///
/// As [`load_acquire`].
#[inline(always)]
pub(crate) unsafe fn load_once(ptr: *mut u64) -> u64 {
    // SAFETY: By this function's contract.
    let word = unsafe { AtomicU64::from_ptr(ptr) };
    word.load(Ordering::Relaxed)
}

/// `WRITE_ONCE(*ptr, value)` of 64 bits.
///
/// # Safety
///
/// As [`store_release`].
#[inline(always)]
pub(crate) unsafe fn store_once(ptr: *mut u64, value: u64) {
    // SAFETY: By this function's contract.
    let word = unsafe { AtomicU64::from_ptr(ptr) };
    word.store(value, Ordering::Relaxed);
}

/// `READ_ONCE(*ptr)` of 32 bits.
///
/// # Safety
///
/// As [`load_acquire`].
#[inline(always)]
pub(crate) unsafe fn load_once_u32(ptr: *mut u32) -> u32 {
    // SAFETY: By this function's contract.
    let word = unsafe { AtomicU32::from_ptr(ptr) };
    word.load(Ordering::Relaxed)
}

/// `WRITE_ONCE(*ptr, value)` of 32 bits.
///
/// # Safety
///
/// As [`store_release`].
#[inline(always)]
pub(crate) unsafe fn store_once_u32(ptr: *mut u32, value: u32) {
    // SAFETY: By this function's contract.
    let word = unsafe { AtomicU32::from_ptr(ptr) };
    word.store(value, Ordering::Relaxed);
}

/// `xchg(ptr, value)`: fully ordered.
///
/// # Safety
///
/// As [`store_release`].
#[inline(always)]
pub(crate) unsafe fn xchg_u32(ptr: *mut u32, value: u32) -> u32 {
    // SAFETY: By this function's contract.
    let word = unsafe { AtomicU32::from_ptr(ptr) };
    word.swap(value, Ordering::SeqCst)
}
