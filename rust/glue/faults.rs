// SPDX-License-Identifier: GPL-2.0

//! Faults that tests ask for, by parameters of a module that `RUST_DYNPTR_FAULTS=1 scripts/build` makes. In a
//! normal build they are not there.

#[cfg(rust_dynptr_faults)]
use crate::bindings;

/// Parameter `linger`: a map operation sleeps here for so many milliseconds. May sleep.
#[inline(always)]
pub(super) fn linger() {
    #[cfg(rust_dynptr_faults)]
    // SAFETY: A plain sleep, where the callers may.
    unsafe {
        bindings::rust_dynptr_fault_linger()
    };
}

/// Parameter `nowait`: unloading does not wait for tasks that sleep in our code, as if that were
/// safe. The negative control of the tests that show that it waits.
#[inline(always)]
pub(super) fn skips_waits() -> bool {
    #[cfg(rust_dynptr_faults)]
    // SAFETY: Reads a parameter.
    return unsafe { bindings::rust_dynptr_fault_nowait() };
    #[cfg(not(rust_dynptr_faults))]
    false
}
