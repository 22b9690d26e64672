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
    table::{
        Kind,
        Row, //
    }, //
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

/// `endbr64`, with which every function starts that may be called by its address.
const ENDBR: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];

/// Buckets of our hash: 2 to this power.
const HASH_BITS: i32 = 6;

/// Entries of C functions and where each jumps to.
struct Sites(NonNull<bindings::ftrace_hash>);

impl Sites {
    fn new() -> Result<Self> {
        // SAFETY: Takes any size; its caller, who loads the module, may sleep.
        let hash = unsafe { bindings::alloc_ftrace_hash(HASH_BITS) };
        NonNull::new(hash).map(Self).ok_or(ENOMEM)
    }

    /// The C functions of all rows of the kind, which shall jump to their Rust functions or, if
    /// `counted`, to the stubs that count.
    fn of_all(counted: bool) -> Result<Self> {
        let mut sites = Self::new()?;
        for row in rows() {
            sites.add(row, counted)?;
        }
        Ok(sites)
    }

    /// Adds the C function of `row`.
    fn add(&mut self, row: Row, counted: bool) -> Result {
        let entry = entry_of(row)?;
        let address = past_endbr(super::rust_address(row, counted));
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
    super::traced_entry(row.name(), super::c_address(row)?)
}

/// Where a direct jump to the function at `address` may land: it needs no `endbr64`.
fn past_endbr(address: usize) -> usize {
    // SAFETY: The address of a function of this module, which is longer than that.
    let start = unsafe { (address as *const [u8; 4]).read() };
    if start == ENDBR {
        address.wrapping_add(ENDBR.len())
    } else {
        address
    }
}

fn rows() -> impl Iterator<Item = Row> {
    super::rows_of(Kind::jump)
}

/// C functions that jump to Rust while this lives.
pub(crate) struct Jumps {
    ops: KBox<Opaque<bindings::ftrace_ops>>,
    plain: Sites,
    counted: Sites,
}

// SAFETY: The ftrace core guards the structures; this object only owns them.
unsafe impl Send for Jumps {}
// SAFETY: As above; nothing takes `&Jumps` into C.
unsafe impl Sync for Jumps {}

impl Jumps {
    /// Makes the C function of each row of the kind jump to Rust.
    ///
    /// # Errors
    ///
    /// `ENOENT` if ftrace knows no such function; `EBUSY` if somebody is on it in a way that
    /// excludes us (fentry program, livepatch); `ENOMEM`. The log names the function.
    pub(crate) fn new() -> Result<Self> {
        let plain = Sites::of_all(false)?;
        let counted = Sites::of_all(true)?;
        let ops = match register(&plain) {
            Ok(ops) => ops,
            Err(ENOMEM) => return Err(ENOMEM),
            Err(err) => {
                find_culprit();
                pr_err!(
                    "functions cannot be taken over ({}); who traces them: /sys/kernel/tracing/enabled_functions\n",
                    err.to_errno()
                );
                return Err(EBUSY);
            }
        };
        Ok(Self {
            ops,
            plain,
            counted,
        })
    }

    /// Counts the calls from now on, or no more. May sleep; callers take turns.
    ///
    /// # Errors
    ///
    /// What ftrace gives; nothing has changed then.
    pub(crate) fn set_counted(&self, on: bool) -> Result {
        let sites = if on { &self.counted } else { &self.plain };
        // SAFETY: Registered in `new`, with the same entries.
        let err =
            unsafe { bindings::update_ftrace_direct_mod(self.ops.get(), sites.0.as_ptr(), true) };
        kernel::error::to_result(err)
    }
}

fn register(sites: &Sites) -> Result<KBox<Opaque<bindings::ftrace_ops>>> {
    let ops = KBox::new(Opaque::new(bindings::ftrace_ops::default()), GFP_KERNEL)?;
    // SAFETY: `ops` is zeroed and unregistered; it lives until it is unregistered.
    let err = unsafe { bindings::update_ftrace_direct_add(ops.get(), sites.0.as_ptr()) };
    kernel::error::to_result(err)?;
    Ok(ops)
}

/// Undoes [`register`]; the functions jump as one of `sites` says. The jumps must go before this code does:
/// whatever is in the way (no memory; ftrace has switched itself off), there is nothing but to try again.
fn unregister(ops: &Opaque<bindings::ftrace_ops>, sites: &[&Sites]) {
    let mut told = false;
    loop {
        let mut last = 0;
        for site in sites {
            // SAFETY: Registered. Waits until no CPU and no preempted task is in the Rust functions
            // (`ftrace_shutdown()`, as `ops` is no kernel data).
            last = unsafe { bindings::update_ftrace_direct_del(ops.get(), site.0.as_ptr()) };
            if last == 0 {
                return;
            }
        }
        if !told && last != ENOMEM.to_errno() {
            pr_err!("functions cannot be given back ({last}): the module stays until they can\n");
            told = true;
        }
        fsleep(Delta::from_millis(100));
    }
}

/// After a refusal, which does not say on which function: tries them one by one.
fn find_culprit() {
    for row in rows() {
        let alone = Sites::new().and_then(|mut sites| {
            sites.add(row, false)?;
            let ops = register(&sites)?;
            unregister(&ops, &[&sites]);
            Ok(())
        });
        if let Err(err) = alone {
            pr_err!(
                "{}: cannot be taken over ({}): a BPF fentry program or a livepatch is on it already\n",
                row.name(),
                err.to_errno()
            );
        }
    }
    // Each of them served while it was tried.
    crate::glue::module::wait_for_sleepers();
}

impl Drop for Jumps {
    fn drop(&mut self) {
        unregister(&self.ops, &[&self.plain, &self.counted]);
        crate::glue::module::wait_for_sleepers();
    }
}
