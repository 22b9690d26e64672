// SPDX-License-Identifier: GPL-2.0

//! Faults that tests ask for, by parameters of a module that `RUST_DYNPTR_FAULTS=1 scripts/build/module` makes. In a
//! normal build they are not there.

#[cfg(rust_dynptr_faults)]
use crate::bindings;
use kernel::prelude::*;

/// Parameter `linger`: a map operation sleeps here for so many milliseconds. May sleep.
#[inline(always)]
pub(super) fn linger() {
    #[cfg(rust_dynptr_faults)]
    // SAFETY: Sleeps; callers are where one may.
    unsafe {
        bindings::rust_dynptr_fault_linger()
    };
}

/// Parameter `load_fault`: the step of loading the module that fails, after it has slept as [`linger`] says.
/// To be called before each step; they are counted from 1. May sleep.
///
/// # Errors
///
/// `ECANCELED`, if this is the one.
#[inline(always)]
pub(crate) fn step() -> Result {
    #[cfg(rust_dynptr_faults)]
    // SAFETY: Counts, and sleeps where the caller may.
    kernel::error::to_result(unsafe { bindings::rust_dynptr_fault_step() })?;
    Ok(())
}

/// Parameter `nowait`: unloading does not wait for tasks that sleep in our code, as if that were
/// safe. The negative control of the tests that show that it waits.
#[inline(always)]
pub(super) fn skips_waits() -> bool {
    #[cfg(rust_dynptr_faults)]
    // SAFETY: Reads a parameter of the module, a word.
    return unsafe { bindings::rust_dynptr_fault_nowait() };
    #[cfg(not(rust_dynptr_faults))]
    false
}

/// What can be wrong with heap dynptrs: parameter `heap_fault`. `selftests/fuzz` must find each.
#[cfg_attr(not(rust_dynptr_faults), allow(dead_code))]
#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum HeapFault {
    /// Blocks of 64 bytes are never freed.
    Leak = 1,
    /// A block is taken for free when one of its owners goes, and others have it.
    Early,
    /// Memory is not zero.
    Dirty,
    /// The verifier lets any dynptr be put.
    Type,
    /// A new block has 2^31-3 references: what a program takes two billion calls for. It is never freed.
    Shared,
    /// The verifier lets what an iterator reads be released before it.
    Untied,
    /// The verifier forgets who owns a slice when the frame of its dynptr ends.
    Unowned,
}

/// Whether the module is to have this fault.
#[inline(always)]
pub(super) fn has(fault: HeapFault) -> bool {
    #[cfg(rust_dynptr_faults)]
    // SAFETY: Reads a parameter of the module, a word.
    return unsafe { bindings::rust_dynptr_fault_heap() } == fault as u32;
    #[cfg(not(rust_dynptr_faults))]
    {
        let _ = fault;
        false
    }
}
