// SPDX-License-Identifier: GPL-2.0

//! Kind *patch*: one livepatch over the verifier's functions. A program is judged by one side from the
//! beginning of its verification to the end, and all functions switch together for it.
//!
//! A livepatch switches tasks one by one, a task when none of the functions that change is on its
//! stack. That alone would not do: a task that verifies a program is most of the time in functions that
//! we do not replace, and could switch between two instructions of the program. (It did: see
//! `selftests/lifecycle/switch.c`.) So one more function is part of the livepatch, which is on the stack through
//! the whole of a verification: [`HELD`]. Its replacement is itself, behind its fentry, and what runs is
//! the same; but nobody switches while in it.
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
use core::ptr::{
    self,
    null_mut, //
};
use kernel::{
    prelude::*,
    types::Opaque, //
};

/// The verifier itself: on the stack from a verification's beginning to its end.
const HELD: &CStr = c"bpf_check";

/// The row that judges the dynptrs that kfuncs are given.
const JUDGE: &str = "process_dynptr_func";

/// Room for the rows of the kind, [`HELD`], and the empty one that ends the list.
const FUNCTIONS: usize = Row::count_of(Kind::patch) + 2;

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

/// Where [`HELD`] goes on behind the call at its entry: the address that this call returns to.
///
/// # Errors
///
/// `ENOENT` if it cannot be traced; the log says so.
fn behind_fentry() -> Result<usize> {
    let entry = super::traced_entry("bpf_check", bindings::bpf_check as usize)?;
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
        let rows = super::rows_of(Kind::patch)
            .map(|row| (row.c_name().as_ptr(), super::rust_address(row, false)));
        let held = (HELD.as_char_ptr(), behind_fentry()?);
        let all = Iterator::chain(rows, [held]);
        let judge = super::rows_of(Kind::patch).find(|row| row.name() == JUDGE);
        let judge_name = judge.ok_or(ENOENT)?.c_name().as_ptr();
        let mut judge = null_mut();
        for (function, (name, address)) in parts.functions.iter_mut().zip(all) {
            if ptr::eq(name, judge_name) {
                judge = &raw mut *function;
            }
            function.old_name = name.cast();
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
        // SAFETY: The livepatch that was just enabled and a function of its list, which live as said above;
        // programs that use kfuncs hold the module too.
        unsafe { set_patch(patch, judge) };
        Ok(Self(set))
    }

    /// Whether it is enabled, or on its way there.
    pub(crate) fn is_enabled(&self) -> bool {
        // SAFETY: `self` owns the structure; only an address.
        let enabled = unsafe { &raw const (*self.0.get()).patch.enabled };
        // SAFETY: A byte of that structure, which the core writes under its mutex; read once.
        unsafe { enabled.cast::<u8>().read_volatile() != 0 }
    }
}
