// SPDX-License-Identifier: GPL-2.0

//! Kind *jump*: the 5-byte nop at a C function's entry becomes a jump to the Rust function. No
//! instruction more than C, and it acts on every caller at once.
//!
//! All rows of the kind are one `ftrace_ops` with an address a function
//! (`update_ftrace_direct_add()`, `srctree/kernel/trace/ftrace.c`): the kernel patches and waits once
//! for all of them, not once for each. It does not export these functions; BPF's own trampolines
//! attach with them.

use crate::{
    bindings,
    table::Row, //
};
use core::ptr::NonNull;
use kernel::{
    ffi::c_ulong,
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    },
    types::Opaque, //
};

/// The tag in an ftrace direct address that asks for a jump instead of a call (`ftrace_jmp_set()`).
const JUMP: usize = 1;

/// Buckets of our hash: 2 to this power.
const HASH_BITS: i32 = 6;

/// Entries of C functions and where each jumps to.
struct Sites(NonNull<bindings::ftrace_hash>);

impl Sites {
    fn new() -> Result<Self> {
        // SAFETY: A plain allocation.
        let hash = unsafe { bindings::alloc_ftrace_hash(HASH_BITS) };
        NonNull::new(hash).map(Self).ok_or(ENOMEM)
    }

    /// Adds the C function of `row`, which shall jump to `address`.
    fn add(&mut self, row: Row, address: usize) -> Result {
        let entry = entry_of(row)?;
        let target = (address | JUMP) as c_ulong;
        // SAFETY: A hash of our own that nobody else knows.
        let added =
            unsafe { bindings::add_ftrace_hash_entry_direct(self.0.as_ptr(), entry, target) };
        if added.is_null() {
            return Err(ENOMEM);
        }
        Ok(())
    }
}

impl Drop for Sites {
    fn drop(&mut self) {
        // SAFETY: Ours; ftrace works on copies.
        unsafe { bindings::free_ftrace_hash(self.0.as_ptr()) };
    }
}

/// The address of the nop at the entry of the C function of `row`.
fn entry_of(row: Row) -> Result<c_ulong> {
    let address = super::c_address(row)?;
    // SAFETY: A lookup by address.
    match unsafe { bindings::ftrace_location(address as c_ulong) } {
        0 => {
            pr_err!(
                "{}: this kernel has no such traceable function\n",
                row.name()
            );
            Err(ENOENT)
        }
        entry => Ok(entry),
    }
}

/// C functions that jump to Rust while this lives.
pub(crate) struct Jumps {
    ops: KBox<Opaque<bindings::ftrace_ops>>,
    sites: Sites,
}

// SAFETY: The ftrace core guards the structures; this object only owns them.
unsafe impl Send for Jumps {}
// SAFETY: As above; nothing takes `&Jumps` into C.
unsafe impl Sync for Jumps {}

impl Jumps {
    /// Makes the C function of each row jump to the address beside it.
    ///
    /// # Errors
    ///
    /// `ENOENT` if ftrace knows no such function; `EBUSY` if somebody is on it in a way that
    /// excludes us (fentry program, livepatch); `ENOMEM`. The log names the function.
    pub(crate) fn new(rows: impl Iterator<Item = (Row, usize)> + Clone) -> Result<Self> {
        let mut sites = Sites::new()?;
        for (row, address) in rows.clone() {
            sites.add(row, address)?;
        }
        match Self::register(sites) {
            Ok(jumps) => Ok(jumps),
            Err(ENOMEM) => Err(ENOMEM),
            Err(err) => {
                Self::find_culprit(rows);
                pr_err!(
                    "functions cannot be taken over ({}); who traces them: /sys/kernel/tracing/enabled_functions\n",
                    err.to_errno()
                );
                Err(EBUSY)
            }
        }
    }

    fn register(sites: Sites) -> Result<Self> {
        let ops = KBox::new(Opaque::new(bindings::ftrace_ops::default()), GFP_KERNEL)?;
        // SAFETY: `ops` is zeroed and unregistered; it lives until it is unregistered.
        let err = unsafe { bindings::update_ftrace_direct_add(ops.get(), sites.0.as_ptr()) };
        kernel::error::to_result(err)?;
        Ok(Self { ops, sites })
    }

    /// After a refusal, which does not say on which function: tries them one by one.
    fn find_culprit(rows: impl Iterator<Item = (Row, usize)>) {
        for (row, address) in rows {
            let alone = Sites::new().and_then(|mut sites| {
                sites.add(row, address)?;
                Self::register(sites)
            });
            if let Err(err) = alone {
                pr_err!(
                    "{}: cannot be taken over ({}): a BPF fentry program or a livepatch is on it already\n",
                    row.name(),
                    err.to_errno()
                );
            }
        }
    }
}

impl Drop for Jumps {
    fn drop(&mut self) {
        loop {
            // SAFETY: Registered in `register` with these sites. Waits until no CPU and no preempted
            // task is in the Rust functions (`ftrace_shutdown()`, as `ops` is no kernel data).
            let err = unsafe {
                bindings::update_ftrace_direct_del(self.ops.get(), self.sites.0.as_ptr())
            };
            if err != ENOMEM.to_errno() {
                if err != 0 {
                    pr_err!("functions could not be given back ({err})\n");
                }
                break;
            }
            // The jumps must go before this code does: there is no way but to try again.
            kernel::pr_warn_once!("no memory to give functions back: trying again\n");
            fsleep(Delta::from_millis(100));
        }
        crate::glue::module::wait_for_sleepers();
    }
}
