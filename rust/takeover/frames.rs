// SPDX-License-Identifier: GPL-2.0

//! The end of a frame of the program under verification: a hook on `prepare_func_exit()` of
//! `srctree/kernel/bpf/verifier.c`, which all ends of frames come by but those of a whole program: `exit` of a
//! function or a callback, a tail call, a load from a packet that fails. `logic::frame_end` is the rule.
//!
//! A hook, not a row of kind *patch*: the C function goes on as it is, and nothing could call it behind our own
//! entry without a jump into its middle.

use super::hook::Hook;
use crate::{
    bindings,
    glue::{
        env::VerifierEnv,
        judge, //
    },
    stats::hit,
    table::Row, //
};
use core::ptr::null_mut;
use kernel::{
    ffi::c_ulong,
    prelude::*, //
};

/// The rules on frames that end are kept while this lives.
pub(crate) struct Frames {
    _hook: Hook,
}

impl Frames {
    /// Keeps them from now on, in verifications that our side judges.
    ///
    /// # Errors
    ///
    /// Those of [`Hook::new`].
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            _hook: Hook::new(Row::prepare_func_exit, on_func_exit, null_mut())?,
        })
    }
}

/// Runs at the entry of `prepare_func_exit(env, insn_idx)`; must not sleep.
///
/// # Safety
///
/// Called by ftrace as the hook that [`Frames::new`] registered.
unsafe extern "C" fn on_func_exit(
    _ip: c_ulong,
    _parent_ip: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    fregs: *mut bindings::ftrace_regs,
) {
    // What C judges it judges alone: an owner would change which of its states are equal.
    if !judge::keeps_owners() {
        return;
    }
    hit(Row::prepare_func_exit);
    // SAFETY: The registers at the function's entry, which ftrace saved.
    let env = unsafe { bindings::rust_dynptr_ftrace_argument(fregs, 0) };
    // SAFETY: The function's first argument, while it is being entered: the run of the current task, which is
    // checking an instruction.
    if let Some(mut env) = unsafe { VerifierEnv::from_raw(env as *mut _) } {
        env.end_frame();
    }
}
