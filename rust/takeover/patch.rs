// SPDX-License-Identifier: GPL-2.0

//! Kind *patch*: one livepatch over the verifier's functions. A program is judged by one side from the
//! beginning of its verification to the end, and all functions switch together for it.
//!
//! A livepatch switches tasks one by one, a task when none of the functions that change is on its
//! stack. That alone would not do: a task that verifies a program is most of the time in functions that
//! we do not replace, and could switch between two instructions of the program. (It did: see
//! `selftests/lifecycle/switch.c`.) So one more function is part of the livepatch, which is on the stack through
//! the whole of a verification: the row of kind *hold*. Its replacement is itself, behind its fentry, and what
//! runs is the same; but nobody switches while in it. Another livepatch that is on it already would be out of
//! use, so ours is refused then.
//!
//! Nothing would break without: all that one call leaves to the next is in C's structures, the same on
//! both sides. It is what makes it easy to see.

use crate::{
    bindings,
    glue::{
        faults,
        judge::set_patch,
        module::ModuleRef, //
    },
    table::{
        Kind,
        Row, //
    }, //
};
use kernel::{
    ffi::c_ulong,
    prelude::*,
    types::Opaque, //
};

/// Room for the rows of both kinds, and the empty one that ends the list.
const FUNCTIONS: usize = Row::count_of(Kind::patch) + Row::count_of(Kind::hold) + 1;

/// Bytes of the call at a function's entry that ftrace patches: `MCOUNT_INSN_SIZE`.
const FENTRY_BYTES: usize = 5;

/// What the livepatch core is given; it keeps pointers between the parts.
struct Set {
    patch: bindings::klp_patch,
    /// vmlinux, and the empty one that ends the list.
    objects: [bindings::klp_object; 2],
    functions: [bindings::klp_func; FUNCTIONS],
}

/// The livepatch. It pins the module until user space disables it
/// (`echo 0 > /sys/kernel/livepatch/rust_dynptr/enabled`) and every task has switched back.
pub(crate) struct Patch(KBox<Opaque<Set>>);

// SAFETY: The livepatch core guards the structure; this object only owns it.
unsafe impl Send for Patch {}
// SAFETY: As above; only `enabled` is read.
unsafe impl Sync for Patch {}

/// Where the C function of `row` goes on behind the call at its entry: the address that this call returns to. Nobody
/// else replaces it.
///
/// # Errors
///
/// `ENOENT` if it cannot be traced, or nobody can say whether another livepatch is on it; `EBUSY` if one is; the log
/// says so.
fn behind_fentry(row: Row) -> Result<usize> {
    let address = super::c_address(row)?;
    let entry = super::traced_entry(row.name(), address)?;
    // SAFETY: Takes the livepatch core's mutex, which nobody who loads a module holds; looks an address up.
    match unsafe { bindings::rust_dynptr_is_patched(address as c_ulong) } {
        0 => {}
        err => {
            pr_err!(
                "{}: another livepatch is on it, and would be out of use ({err})\n",
                row.name()
            );
            return Err(kernel::error::Error::from_errno(err));
        }
    }
    Ok((entry as usize).wrapping_add(FENTRY_BYTES))
}

impl Patch {
    /// Enables the livepatch; the transition of tasks then goes on by itself.
    ///
    /// Must be the module's last step that can fail.
    ///
    /// # Errors
    ///
    /// `EBUSY` if somebody else replaced a function already, `EINVAL` if one is missing or cannot be
    /// traced; the kernel's log names it.
    pub(crate) fn new(module: ModuleRef) -> Result<Self> {
        // In place: it is too large for the stack.
        let set = KBox::<Opaque<Set>>::new_uninit(GFP_KERNEL | __GFP_ZERO)?;
        // SAFETY: Pointers, numbers and lists of C, for all of which zero is a value.
        let set = unsafe { set.assume_init() };
        let raw = set.get();
        // SAFETY: Nobody else knows `set` yet.
        let parts = unsafe { &mut *raw };
        for (function, row) in parts.functions.iter_mut().zip(rows()) {
            let address = match row.kind() {
                Kind::hold => behind_fentry(row)?,
                _ => super::rust_address(row, false),
            };
            function.old_name = row.c_name().as_ptr().cast();
            function.new_func = address as *mut _;
        }
        let functions = parts.functions.as_mut_ptr();
        if let Some(vmlinux) = parts.objects.first_mut() {
            vmlinux.funcs = functions;
        }
        parts.patch.objs = parts.objects.as_mut_ptr();
        parts.patch.mod_ = module.as_ptr();
        let patch = &raw mut parts.patch;
        faults::step()?;
        // SAFETY: Complete, and it outlives the livepatch: the core holds the module until the patch
        // is disabled and its sysfs files are gone; `set` is freed when the module exits.
        let err = unsafe { bindings::klp_enable_patch(patch) };
        if err != 0 {
            pr_err!("livepatch refused ({err}); the line above names the function\n");
            return Err(kernel::error::Error::from_errno(err));
        }
        // SAFETY: The livepatch that was just enabled, which lives as said above; programs that use kfuncs hold
        // the module too.
        unsafe { set_patch(patch) };
        Ok(Self(set))
    }

    /// Whether it is enabled, or on its way there.
    pub(crate) fn is_enabled(&self) -> bool {
        // SAFETY: `self` owns the structure; only an address.
        let enabled = unsafe { &raw const (*self.0.get()).patch.enabled };
        // SAFETY: A byte of that structure, which the core writes under its mutex; read once.
        unsafe { enabled.cast::<u8>().read_volatile() != 0 }
    }

    /// Whether nobody else replaces the function of `row`, which is one of both kinds.
    pub(crate) fn is_alone(&self, row: Row) -> bool {
        // SAFETY: `self` owns the structure; only an address.
        let functions = unsafe { &raw const (*self.0.get()).functions };
        let mut function = functions.cast::<bindings::klp_func>();
        for other in rows() {
            if other == row {
                // SAFETY: One of the list, which has room for all rows; it lives as long as `self`.
                return unsafe { bindings::rust_dynptr_is_alone(function) };
            }
            function = function.wrapping_add(1);
        }
        true
    }
}

/// The rows of both kinds, in the order of the list.
fn rows() -> impl Iterator<Item = Row> {
    Iterator::chain(super::rows_of(Kind::patch), super::rows_of(Kind::hold))
}
