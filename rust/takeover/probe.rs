// SPDX-License-Identifier: GPL-2.0

//! Kind *probe*: a kprobe at the function's entry goes on in Rust instead, for functions that are
//! called seldom and have no entry for ftrace. Acts on every caller at once, and leaves nothing behind.
//!
//! The Rust function runs as if it had been called: outside of the probe, with the caller's registers
//! and return address, so it may sleep. A probe that is missed, as in another probe's handler, or that
//! user space switches off, leaves the call to C, with which the structures are shared.

use crate::{
    bindings,
    glue::faults,
    table::{
        Kind,
        Row, //
    }, //
};
use kernel::{
    ffi::{
        c_int,
        c_ulong, //
    },
    prelude::*,
    types::Opaque, //
};

/// `int3`
const BREAKPOINT: u8 = 0xcc;

/// C functions whose entry goes on in Rust while this lives.
pub(crate) struct Probes([Option<Probe>; Row::count_of(Kind::probe)]);

impl Probes {
    /// Takes over all rows of the kind.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the kernel has no such function or allows no probe there; `EBUSY` if kprobes are switched off
    /// for all (debugfs `kprobes/enabled`); `ENOMEM`; what kprobes gives. The log names the function; those
    /// before it have been given back.
    pub(crate) fn new() -> Result<Self> {
        let mut this = Self([const { None }; Row::count_of(Kind::probe)]);
        for (probe, row) in this.0.iter_mut().zip(super::rows_of(Kind::probe)) {
            faults::step()?;
            *probe = Some(Probe::new(row)?);
        }
        Ok(this)
    }

    /// Whether the probe of `row` is there and armed.
    pub(crate) fn is_armed(&self, row: Row) -> bool {
        self.0
            .iter()
            .flatten()
            .any(|probe| probe.row == row && probe.is_armed())
    }
}

/// One of them.
struct Probe {
    kprobe: KBox<Opaque<bindings::kprobe>>,
    row: Row,
}

// SAFETY: The kprobes core guards the structure; this object only owns it.
unsafe impl Send for Probe {}
// SAFETY: As above; only `is_armed` reads it.
unsafe impl Sync for Probe {}

impl Probe {
    fn new(row: Row) -> Result<Self> {
        let kprobe = KBox::new(
            Opaque::new(bindings::kprobe {
                symbol_name: row.c_name().as_ptr().cast(),
                pre_handler: Some(go_to_rust),
                // Makes it a breakpoint for good: the jump of an optimised probe would ignore the
                // new address.
                post_handler: Some(after),
                ..Default::default()
            }),
            GFP_KERNEL,
        )?;
        // SAFETY: Zeroed but for the above, and it lives until it is unregistered.
        let err = unsafe { bindings::register_kprobe(kprobe.get()) };
        if err != 0 {
            pr_err!("{}: cannot be probed ({err})\n", row.name());
            return Err(kernel::error::Error::from_errno(err));
        }
        let probe = Self { kprobe, row };
        if !probe.is_armed() {
            pr_err!(
                "{}: kprobes are switched off: echo 1 >/sys/kernel/debug/kprobes/enabled\n",
                row.name()
            );
            return Err(EBUSY);
        }
        if !probe.is_alone() {
            pr_warn!(
                "{}: somebody's kprobe is on it: it does not fire while this module is loaded\n",
                row.name()
            );
        }
        Ok(probe)
    }

    /// Whether no other kprobe is at the same place: all that are, and the one that stands for them, are on a list.
    fn is_alone(&self) -> bool {
        // SAFETY: `self` owns the structure, which is registered.
        unsafe { bindings::rust_dynptr_is_only_kprobe(self.kprobe.get()) }
    }

    /// Whether the breakpoint is in the function: it is not while this probe, or all, are switched off.
    fn is_armed(&self) -> bool {
        // SAFETY: `self` owns the structure, in which the address was set when it was registered.
        let entry = unsafe { (*self.kprobe.get()).addr };
        // SAFETY: The kernel's text; one byte, read once, while somebody may patch it.
        let first = unsafe { entry.read_volatile() };
        first == BREAKPOINT
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`. Waits for handlers in progress; those that they sent to Rust
        // are waited for by `glue::module::wait_for_visits`.
        unsafe { bindings::unregister_kprobe(self.kprobe.get()) };
    }
}

/// The Rust function for a kprobe of ours, by its name, which is a row's.
fn target(kprobe: *mut bindings::kprobe) -> Option<usize> {
    // SAFETY: The structure that `Probe::new` registered; its name never changes.
    let name = unsafe { (*kprobe).symbol_name };
    super::rows_of(Kind::probe)
        .find(|row| core::ptr::eq(row.c_name().as_ptr().cast(), name))
        .map(|row| super::rust_address(row, false))
}

/// Runs at the entry of a function of the kind; must not sleep. 1: go on at the new address.
///
/// # Safety
///
/// Called by kprobes for a probe that [`Probe::new`] registered.
unsafe extern "C" fn go_to_rust(
    kprobe: *mut bindings::kprobe,
    regs: *mut bindings::pt_regs,
) -> c_int {
    let Some(target) = target(kprobe) else {
        return 0;
    };
    // SAFETY: The registers to return with, which a handler may change.
    unsafe { (*regs).ip = target as c_ulong };
    1
}

/// Never runs, as no probed instruction ever does.
///
/// # Safety
///
/// None.
unsafe extern "C" fn after(
    _kprobe: *mut bindings::kprobe,
    _regs: *mut bindings::pt_regs,
    _flags: c_ulong,
) {
}
