// SPDX-License-Identifier: GPL-2.0

//! The module as the kernel sees it: its identity, references to it, and who is in its code.

use super::faults;
use crate::bindings;
use core::sync::atomic::{
    AtomicU64,
    Ordering, //
};
use kernel::{
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

/// This module, for holding references to it.
#[derive(Clone, Copy)]
pub(crate) struct ModuleRef(*mut bindings::module);

// SAFETY: Only an address; the kernel guards its reference count.
unsafe impl Send for ModuleRef {}
// SAFETY: As above.
unsafe impl Sync for ModuleRef {}

impl ModuleRef {
    /// The module that this code is in.
    pub(crate) fn new(module: &'static ThisModule) -> Self {
        Self(module.as_ptr().cast())
    }

    /// The address that C code knows.
    pub(crate) fn as_ptr(self) -> *mut bindings::module {
        self.0
    }

    /// Whether loading it has succeeded, and it is not going away. Any context.
    ///
    /// While it is being loaded, a reference holds nothing: if that fails, `do_init_module()` frees the module
    /// whoever has one, though `try_module_get()` gives them.
    pub(crate) fn is_live(self) -> bool {
        // SAFETY: The address of this very module, which is loaded as its code runs.
        unsafe { bindings::rust_dynptr_is_live(self.0) }
    }

    /// Takes a reference; `false` once the module is going away. Any context. Holds the module only if it is
    /// [live](Self::is_live).
    pub(crate) fn try_get(self) -> bool {
        // SAFETY: The address of this very module, which is loaded as its code runs.
        unsafe { bindings::try_module_get(self.0) }
    }
}

/// Tasks that are in functions of ours which may sleep and which nothing holds the module for.
static VISITS: AtomicU64 = AtomicU64::new(0);

/// A task is in such a function: map operations, polls. (Who is in the verifier has the livepatch to wait for.)
pub(crate) struct Visit(());

impl Visit {
    /// Counts the task until this is dropped, which must be the function's last act.
    #[must_use = "the visit ends when this is dropped"]
    #[inline(always)]
    pub(crate) fn begin() -> Self {
        VISITS.fetch_add(1, Ordering::Acquire);
        let visit = Self(());
        faults::linger();
        visit
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        VISITS.fetch_sub(1, Ordering::Release);
    }
}

/// Waits until no task is in a function that counts its visits, after such functions have been given
/// back to C. May sleep as long as they do.
pub(crate) fn wait_for_visits() {
    if faults::skips_waits() {
        return;
    }
    loop {
        // Who was sent here before, but is not counted yet, has not slept since: it is waited for, and
        // then it is counted or gone.
        // SAFETY: Sleeps: its caller, who unloads the module, may.
        unsafe { bindings::synchronize_rcu_tasks() };
        if VISITS.load(Ordering::Acquire) == 0 {
            break;
        }
        fsleep(Delta::from_millis(20));
    }
    // The last instructions after a visit.
    // SAFETY: Sleeps: its caller, who unloads the module, may.
    unsafe { bindings::synchronize_rcu_tasks() };
}

/// Waits until no BPF program that was running at the call is still in our code, asleep or not.
///
/// For functions that only BPF programs call and that may sleep there, as a read of a file does;
/// their callers have been turned away before. A sleepable program is an SRCU reader of tasks-trace
/// RCU; the second wait is for the last instructions after it left its section. May sleep long.
pub(crate) fn wait_for_sleepers() {
    if faults::skips_waits() {
        return;
    }
    // C's `synchronize_rcu_tasks_trace()`, which is an inline function.
    let domain = &raw mut bindings::rcu_tasks_trace_srcu_struct;
    // SAFETY: The kernel's own domain, which it has set up at boot. Who unloads the module may sleep, and
    // is no reader of it.
    unsafe { bindings::synchronize_srcu(domain) };
    // SAFETY: Sleeps: its caller, who unloads the module, may.
    unsafe { bindings::synchronize_rcu_tasks() };
}
