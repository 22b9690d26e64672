// SPDX-License-Identifier: GPL-2.0

//! Functions of `srctree/kernel/bpf/verifier.c`. Called by the C verifier, in a task that loads a
//! program; may sleep.

use crate::{
    bindings,
    glue::env::{
        Frame,
        VerifierEnv, //
    },
    logic::errno::EFAULT,
    stats::hit,
    table::Row, //
};
use kernel::ffi::c_int;

/// `destroy_if_dynptr_stack_slot(env, state, spi)`: the program overwrites stack slot `spi`.
///
/// Returns 0 and invalidates the dynptr that was there, if any; -EINVAL with a line in the log if it
/// was the last that could release its reference; or an error of `release_reference()`.
///
/// # Safety
///
/// `env` is the running verification's, `state` one of its frames: `check_mem_access()` and
/// `process_dynptr_func()` pass no others.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_destroy_if_dynptr_stack_slot(
    env: *mut bindings::bpf_verifier_env,
    state: *mut bindings::bpf_func_state,
    spi: c_int,
) -> c_int {
    hit(Row::destroy_if_dynptr_stack_slot);
    // SAFETY: By this function's contract.
    let env = unsafe { VerifierEnv::from_raw(env) };
    // SAFETY: As above.
    let frame = unsafe { Frame::from_raw(state) };
    match (env, frame) {
        (Some(mut env), Some(frame)) => env.destroy_dynptr(frame, spi),
        _ => EFAULT.to_c_int(),
    }
}
