// SPDX-License-Identifier: GPL-2.0

//! The module's own kfuncs as one: that the verifier knows them, and who may call them. Called by
//! `takeover`, when the module is loaded, and `entry::own_kfuncs`; `rust/kfuncs/own.c` is what the kernel has
//! as macros.

use super::judge;
use crate::bindings;
use kernel::{
    ffi::c_int,
    prelude::*, //
};

/// Makes the kfuncs known to the verifier, for as long as the module is loaded.
///
/// # Errors
///
/// What the kernel says if it cannot use the module's BTF; the log says so.
pub(crate) fn register() -> Result {
    // SAFETY: Called once, while the module is being loaded.
    let err = unsafe { bindings::rust_dynptr_register_own_kfuncs() };
    if err != 0 {
        pr_err!(
            "the module's kfuncs cannot be registered ({err}): does its BTF fit this kernel?\n"
        );
        return Err(kernel::error::Error::from_errno(err));
    }
    Ok(())
}

/// 0 if `prog` may call the kfunc `kfunc_id` of ours, or -EACCES.
///
/// # Safety
///
/// `prog` is a program that the current task loads.
pub(crate) unsafe fn may_call(prog: *const bindings::bpf_prog, kfunc_id: u32) -> c_int {
    match judge::allows_kfuncs() {
        // SAFETY: By this function's contract.
        0 => unsafe { bindings::rust_dynptr_may_call_own(prog, kfunc_id) },
        err => err,
    }
}
