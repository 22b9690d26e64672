// SPDX-License-Identifier: GPL-2.0

//! The kfuncs of iterators over dynptrs, which mainline does not have: called by the prototypes in
//! `rust/kfuncs/iter.c`, in any context in which a BPF program runs, NMI included.
//! `include/rust_dynptr_iter.bpf.h` documents them for programs.
//!
//! # Safety
//!
//! For every function here: a dynptr is what the verifier treats as `ARG_PTR_TO_DYNPTR` (see the verifier
//! contract in `glue::dynptr`), an iterator what it treats as an iterator of that structure (see the one in
//! `glue::iter`): for `new` as many writable bytes of stack.

use super::to_c_int;
use crate::{
    bindings,
    glue::{
        dynptr::Dynptr,
        iter::{
            Iter,
            Steps,
            Tokens, //
        }, //
    },
    stats::IterKfunc, //
};
use kernel::ffi::{
    c_char,
    c_int, //
};

/// kfunc `bpf_iter_dynptr_new(it, ptr, size, flags)`: ranges of `size` bytes of the view.
///
/// Returns 0; or -EINVAL for a null dynptr, any flags, or a size of 0, -E2BIG for a size above 2^24-1 or
/// more than 2^23 ranges, and an iterator that gives nothing.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_iter_dynptr_new(
    it: *mut bindings::bpf_iter_dynptr,
    ptr: *const bindings::bpf_dynptr,
    size: u64,
    flags: u64,
) -> c_int {
    IterKfunc::bpf_iter_dynptr_new.note();
    // SAFETY: By this function's contract.
    let it = unsafe { Iter::<Steps>::from_raw(it) };
    // SAFETY: The verifier contract for `ptr`; it is only read.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast_mut().cast()) };
    // SAFETY: By this function's contract.
    to_c_int(unsafe { it.set_steps(ptr, size, flags) })
}

/// kfunc `bpf_iter_dynptr_next(it)`: the next range, or NULL at the end.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_iter_dynptr_next(
    it: *mut bindings::bpf_iter_dynptr,
) -> *mut bindings::bpf_dynptr_range {
    IterKfunc::bpf_iter_dynptr_next.note();
    // SAFETY: By this function's contract.
    unsafe { Iter::<Steps>::from_raw(it) }.next()
}

/// kfunc `bpf_iter_dynptr_destroy(it)`
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_iter_dynptr_destroy(it: *mut bindings::bpf_iter_dynptr) {
    IterKfunc::bpf_iter_dynptr_destroy.note();
    // SAFETY: By this function's contract.
    unsafe { Iter::<Steps>::from_raw(it) }.destroy();
}

/// kfunc `bpf_iter_dynptr_advance(it, len)`: the next range starts `len` bytes behind the start of the last
/// one; 0 ends the iteration.
///
/// Returns 0; -EINVAL without a range; -ERANGE, which ends the iteration, if the view ends before.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_iter_dynptr_advance(
    it: *mut bindings::bpf_iter_dynptr,
    len: u64,
) -> c_int {
    IterKfunc::bpf_iter_dynptr_advance.note();
    // SAFETY: By this function's contract.
    to_c_int(unsafe { Iter::<Steps>::from_raw(it) }.advance(len))
}

/// kfunc `bpf_iter_dynptr_token_new(it, ptr, delims__str, flags)`: what of the view is between delimiters.
///
/// Returns 0; or -EINVAL for a null dynptr, unknown or contradicting flags, or no delimiters, and an iterator
/// that gives nothing.
///
/// # Safety
///
/// See the module; `delims` is a string in a map that cannot be written to.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_iter_dynptr_token_new(
    it: *mut bindings::bpf_iter_dynptr_token,
    ptr: *const bindings::bpf_dynptr,
    delims: *const c_char,
    flags: u64,
) -> c_int {
    IterKfunc::bpf_iter_dynptr_token_new.note();
    // SAFETY: By this function's contract.
    let it = unsafe { Iter::<Tokens>::from_raw(it) };
    // SAFETY: The verifier contract for `ptr`; it is only read.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast_mut().cast()) };
    // SAFETY: By this function's contract.
    to_c_int(unsafe { it.set_tokens(ptr, delims, flags) })
}

/// kfunc `bpf_iter_dynptr_token_next(it)`: the next token, or NULL at the end, or if the memory cannot be
/// read. May sleep, to read a file, where the program may.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_iter_dynptr_token_next(
    it: *mut bindings::bpf_iter_dynptr_token,
) -> *mut bindings::bpf_dynptr_range {
    IterKfunc::bpf_iter_dynptr_token_next.note();
    // SAFETY: By this function's contract.
    unsafe { Iter::<Tokens>::from_raw(it) }.next()
}

/// kfunc `bpf_iter_dynptr_token_destroy(it)`
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_iter_dynptr_token_destroy(
    it: *mut bindings::bpf_iter_dynptr_token,
) {
    IterKfunc::bpf_iter_dynptr_token_destroy.note();
    // SAFETY: By this function's contract.
    unsafe { Iter::<Tokens>::from_raw(it) }.destroy();
}
