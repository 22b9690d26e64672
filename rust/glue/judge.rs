// SPDX-License-Identifier: GPL-2.0

//! Whether our part of the verifier judges the program that the current task loads. If not, the program
//! must not use kfuncs whose rules only we know: C would, for instance, take `bpf_dynptr_put()` for a
//! function that releases any dynptr.

use crate::{
    bindings,
    logic::errno::EACCES, //
};
use core::{
    ptr::null_mut,
    sync::atomic::{
        AtomicPtr,
        Ordering, //
    }, //
};
use kernel::ffi::c_int;

static PATCH: AtomicPtr<bindings::klp_patch> = AtomicPtr::new(null_mut());
static FUNCTION: AtomicPtr<bindings::klp_func> = AtomicPtr::new(null_mut());

/// The livepatch over the verifier has been enabled; `function` is the part of it that replaces
/// `process_dynptr_func()`, which says what kfuncs get. While another livepatch is on that one too, before
/// ours or after, what it replaces it by may be what judges.
///
/// # Safety
///
/// Both live as long as programs may be verified that use kfuncs of this module.
pub(crate) unsafe fn set_patch(patch: *mut bindings::klp_patch, function: *mut bindings::klp_func) {
    FUNCTION.store(function, Ordering::Relaxed);
    PATCH.store(patch, Ordering::Release);
}

/// 0 if it judges, or -EACCES. The kernel's filter of a set of kfuncs wants that.
pub(crate) fn allows_kfuncs() -> c_int {
    let patch = PATCH.load(Ordering::Acquire);
    let function = FUNCTION.load(Ordering::Relaxed);
    if patch.is_null() || function.is_null() {
        return EACCES.to_c_int();
    }
    // SAFETY: By the contract of `set_patch()`, which has stored `function` before.
    if unsafe { bindings::rust_dynptr_patch_acts(patch, function) } {
        0
    } else {
        EACCES.to_c_int()
    }
}
