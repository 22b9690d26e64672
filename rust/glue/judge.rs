// SPDX-License-Identifier: GPL-2.0

//! Whether our part of the verifier judges the program that the current task loads, and by which rules. If not,
//! the program must not use kfuncs whose rules only we know: C would, for instance, take `bpf_dynptr_put()` for a
//! function that releases any dynptr.

use crate::{
    bindings,
    glue::c_bytes,
    logic::{
        errno::EACCES,
        soundness::Level, //
    }, //
};
use core::{
    ptr::null_mut,
    sync::atomic::{
        AtomicPtr,
        Ordering, //
    }, //
};
use kernel::{
    ffi::c_int,
    fmt, //
};

static PATCH: AtomicPtr<bindings::klp_patch> = AtomicPtr::new(null_mut());

/// The livepatch over the verifier has been enabled.
///
/// # Safety
///
/// It lives as long as programs may be verified that use kfuncs of this module.
pub(crate) unsafe fn set_patch(patch: *mut bindings::klp_patch) {
    PATCH.store(patch, Ordering::Release);
}

/// 0 if it judges, or -EACCES. The kernel's filter of a set of kfuncs wants that. While another livepatch is on a
/// function of ours, before ours or after, what it replaces it by may be what judges.
pub(crate) fn allows_kfuncs() -> c_int {
    let patch = PATCH.load(Ordering::Acquire);
    if patch.is_null() {
        return EACCES.to_c_int();
    }
    // SAFETY: By the contract of `set_patch()`.
    if unsafe { bindings::rust_dynptr_patch_acts(patch) } {
        0
    } else {
        EACCES.to_c_int()
    }
}

/// How sound what is accepted has to be: parameter `soundness`, which is set while the module is loaded and stays.
pub(crate) fn level() -> Level {
    // SAFETY: Reads a parameter of the module, a word.
    Level::from_raw(unsafe { bindings::rust_dynptr_soundness() })
}

/// debugfs `soundness`: the level's name, as the parameter has it.
///
/// # Errors
///
/// Those of writing to `f`.
pub(crate) fn show(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // SAFETY: Gives a constant of the module.
    let name = unsafe { bindings::rust_dynptr_soundness_name() };
    // SAFETY: A C string, a constant.
    let name = unsafe { c_bytes(name) };
    writeln!(f, "{}", core::str::from_utf8(name).unwrap_or("?"))
}

/// Whether slices get owners ([`crate::logic::frame_end`]) in the verification of the current task: it is ours from its
/// beginning to its end, and not to decide as C does. In any context.
pub(crate) fn keeps_owners() -> bool {
    let patch = PATCH.load(Ordering::Acquire);
    if patch.is_null() || level() == Level::C {
        return false;
    }
    // SAFETY: By the contract of `set_patch()`.
    unsafe { bindings::rust_dynptr_patch_serves(patch) }
}
