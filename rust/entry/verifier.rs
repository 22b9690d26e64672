// SPDX-License-Identifier: GPL-2.0

//! Functions of `srctree/kernel/bpf/verifier.c` and `log.c`. Called by the C verifier, in a task that
//! loads a program; may sleep.
//!
//! Return values are those that the C functions can return, and nothing else is written: gcc may have
//! looked into them when it compiled their callers.

use crate::{
    bindings,
    glue::{
        c_bytes,
        env::{
            unknown_type,
            DynptrArgument,
            Frame,
            Reg,
            VerifierEnv, //
        }, //
    },
    logic::{
        errno::EFAULT,
        slot, //
    },
    stats::hit,
    table::Row, //
};
use kernel::{
    ffi::{
        c_char,
        c_int, //
    },
    str::CStrExt as _, //
};

/// 0, or the error that was told to the verifier's log.
fn to_status(result: Result<(), c_int>) -> c_int {
    result.err().unwrap_or(0)
}

/// `process_dynptr_func()`: an argument of a helper, kfunc or global subprogram must be a dynptr.
///
/// Returns 0; -EINVAL after telling the log why not; an error of checking the write to a stack slot
/// or of destroying what is in it; -ENOMEM.
///
/// # Safety
///
/// `env` is the running verification's, `reg` one of its registers, `ref_obj` and `dynptr` the call's
/// descriptions or null: `check_helper_call()`, `check_kfunc_args()` and `btf_check_func_arg_match()`
/// pass no others.
#[no_mangle]
#[allow(clippy::too_many_arguments, reason = "the C function has them")]
pub(crate) unsafe extern "C" fn rust_process_dynptr_func(
    env: *mut bindings::bpf_verifier_env,
    reg: *mut bindings::bpf_reg_state,
    argno: bindings::argno,
    insn_idx: c_int,
    call_name: *const c_char,
    arg_type: bindings::bpf_arg_type,
    ref_obj: *mut bindings::ref_obj_desc,
    dynptr: *mut bindings::bpf_dynptr_desc,
) -> c_int {
    hit(Row::process_dynptr_func);
    // SAFETY: By this function's contract.
    let env = unsafe { VerifierEnv::from_raw(env) };
    // SAFETY: As above.
    let reg = unsafe { Reg::from_raw(reg) };
    let (Some(mut env), Some(reg)) = (env, reg) else {
        return EFAULT.to_c_int();
    };
    // SAFETY: As above; the callers' name of the function is a C string.
    let argument = unsafe {
        DynptrArgument::from_raw(reg, argno, insn_idx, call_name, arg_type, ref_obj, dynptr)
    };
    to_status(env.check_dynptr_argument(&argument))
}

/// `destroy_if_dynptr_stack_slot()`: the program overwrites stack slot `spi`.
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
        (Some(mut env), Some(frame)) => to_status(env.destroy_dynptr(frame, spi)),
        _ => EFAULT.to_c_int(),
    }
}

/// `release_reg()`: a call releases what a register holds.
///
/// Returns 0; -EINVAL if it holds nothing that can be released; or an error of `release_reference()`.
///
/// # Safety
///
/// `env` is the running verification's, `reg` one of its registers: `check_helper_call()` and
/// `check_kfunc_call()` pass no others.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_release_reg(
    env: *mut bindings::bpf_verifier_env,
    reg: *mut bindings::bpf_reg_state,
    convert_rcu: bool,
    release_dynptr: bool,
) -> c_int {
    hit(Row::release_reg);
    // SAFETY: By this function's contract.
    let env = unsafe { VerifierEnv::from_raw(env) };
    // SAFETY: As above.
    let reg = unsafe { Reg::from_raw(reg) };
    match (env, reg) {
        (Some(mut env), Some(reg)) => {
            to_status(env.release_register(reg, convert_rcu, release_dynptr))
        }
        _ => EFAULT.to_c_int(),
    }
}

/// `release_reference()`: the program releases a reference, an iterator's or a dynptr's.
///
/// Returns 0 and invalidates all that derives from it; -EINVAL with a line in the log if another
/// reference does.
///
/// # Safety
///
/// `env` is the running verification's: `process_iter_arg()` and the C functions of this file pass no
/// other.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_release_reference(
    env: *mut bindings::bpf_verifier_env,
    id: c_int,
) -> c_int {
    hit(Row::release_reference);
    // SAFETY: By this function's contract.
    match unsafe { VerifierEnv::from_raw(env) } {
        Some(mut env) => to_status(env.release(id as u32)),
        None => EFAULT.to_c_int(),
    }
}

/// `release_reference_nomark()`: the program no longer holds a reference; what derives from it stays.
///
/// Returns 0, or -EINVAL if it did not hold it.
///
/// # Safety
///
/// `env` is the running verification's: `check_kfunc_call()` and the C functions of this file pass no
/// other.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_release_reference_nomark(
    env: *mut bindings::bpf_verifier_env,
    id: c_int,
) -> c_int {
    hit(Row::release_reference_nomark);
    // SAFETY: By this function's contract.
    match unsafe { VerifierEnv::from_raw(env) } {
        Some(mut env) => to_status(env.forget_reference(id)),
        None => EFAULT.to_c_int(),
    }
}

/// `stack_slot_obj_get_spi()`: the stack slot of a dynptr, iterator or IRQ flag.
///
/// Returns its index, 0 or more; -EINVAL with a line in the log if there cannot be one where the
/// register points to; -ERANGE if the stack does not reach there yet.
///
/// # Safety
///
/// `env` is the running verification's, `reg` one of its registers, `obj_kind` a C string:
/// `process_iter_arg()`, `check_kfunc_args()` and the C functions of this file pass no others.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_stack_slot_obj_get_spi(
    env: *mut bindings::bpf_verifier_env,
    reg: *mut bindings::bpf_reg_state,
    obj_kind: *const c_char,
    nr_slots: c_int,
) -> c_int {
    hit(Row::stack_slot_obj_get_spi);
    // SAFETY: By this function's contract.
    let env = unsafe { VerifierEnv::from_raw(env) };
    // SAFETY: As above.
    let reg = unsafe { Reg::from_raw(reg) };
    let (Some(mut env), Some(reg)) = (env, reg) else {
        return EFAULT.to_c_int();
    };
    // SAFETY: As above.
    let kind = unsafe { c_bytes(obj_kind) };
    env.object_place(reg, kind, nr_slots)
        .unwrap_or_else(|err| err)
}

/// `set_user_ringbuf_callback_state()`: a callback of `bpf_user_ringbuf_drain()` is entered.
///
/// Returns 0.
///
/// # Safety
///
/// `env` is the running verification's, `caller` and `callee` two of its frames:
/// `push_callback_call()` passes no others.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_set_user_ringbuf_callback_state(
    env: *mut bindings::bpf_verifier_env,
    caller: *mut bindings::bpf_func_state,
    callee: *mut bindings::bpf_func_state,
    _insn_idx: c_int,
) -> c_int {
    hit(Row::set_user_ringbuf_callback_state);
    // SAFETY: By this function's contract.
    let env = unsafe { VerifierEnv::from_raw(env) };
    // SAFETY: As above.
    let caller = unsafe { Frame::from_raw(caller) };
    // SAFETY: As above.
    let callee = unsafe { Frame::from_raw(callee) };
    match (env, caller, callee) {
        (Some(mut env), Some(caller), Some(callee)) => {
            callee.enter_user_ringbuf_callback(&mut env, caller);
            0
        }
        _ => EFAULT.to_c_int(),
    }
}

/// `clear_all_pkt_pointers()`: packet data may have moved, so pointers into it and slices of dynptrs
/// over packets are void.
///
/// # Safety
///
/// `env` is the running verification's: `check_helper_call()`, `check_kfunc_call()` and
/// `do_check_common()` pass no other.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_clear_all_pkt_pointers(env: *mut bindings::bpf_verifier_env) {
    hit(Row::clear_all_pkt_pointers);
    // SAFETY: By this function's contract.
    if let Some(mut env) = unsafe { VerifierEnv::from_raw(env) } {
        env.invalidate_packet_pointers();
    }
}

/// `scrub_special_slot()`: data is written to part of stack slot `spi`; what was special there is not
/// any more.
///
/// # Safety
///
/// `state` is a frame of the running verification, `spi` one of its slots: `check_mem_access()`
/// passes no others.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_scrub_special_slot(
    state: *mut bindings::bpf_func_state,
    spi: c_int,
) {
    hit(Row::scrub_special_slot);
    // SAFETY: By this function's contract.
    if let Some(frame) = unsafe { Frame::from_raw(state) } {
        frame.scrub(spi);
    }
}

/// `dynptr_type_str()`: the name of a type of dynptrs in the log. Warns once of a number that is none.
#[no_mangle]
pub(crate) extern "C" fn rust_dynptr_type_str(class: bindings::bpf_dynptr_type) -> *const c_char {
    hit(Row::dynptr_type_str);
    slot::type_name(class)
        .unwrap_or_else(|| unknown_type(class))
        .as_char_ptr()
}
