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

/// The livepatch over the verifier has been enabled.
///
/// # Safety
///
/// It lives as long as programs may be verified that use kfuncs of this module.
pub(crate) unsafe fn set_patch(patch: *mut bindings::klp_patch) {
    PATCH.store(patch, Ordering::Release);
}

/// 0 if it judges, or -EACCES. The kernel's filter of a set of kfuncs wants that.
pub(crate) fn allows_kfuncs() -> c_int {
    let patch = PATCH.load(Ordering::Acquire);
    // SAFETY: By the contract of `set_patch()`.
    if !patch.is_null() && unsafe { bindings::rust_dynptr_patch_acts(patch) } {
        0
    } else {
        EACCES.to_c_int()
    }
}
