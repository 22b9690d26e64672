// SPDX-License-Identifier: GPL-2.0

//! The kfuncs of strings and memory in dynptrs, which mainline does not have: called by the prototypes in
//! `rust/kfuncs/strings.c`, in any context in which a BPF program runs, NMI included, but for
//! `bpf_dynptr_copy_to_user()`, which sleeps. `include/rust_dynptr_strings.bpf.h` documents them for programs:
//! results, and each errno.
//!
//! # Safety
//!
//! For every function here: a dynptr is what the verifier treats as `ARG_PTR_TO_DYNPTR` (see the verifier
//! contract in `glue::dynptr`); a `*const c_char` is a string in a read-only map; memory with a size is valid
//! for so many bytes, other memory for one value of its type.

use crate::{
    bindings,
    glue::dynptr::{
        Constant,
        Dynptr,
        Piece, //
    },
    logic::{
        number,
        pieces::{
            Exact,
            IgnoreCase,
            LIMIT, //
        },
        strings, //
    },
    stats::StringKfunc, //
};
use kernel::ffi::{
    c_char,
    c_int,
    c_void, //
};

/// kfunc `bpf_dynptr_strnlen(p, offset, count)`. Bytes of the string.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strnlen(
    p: *const c_void,
    offset: u64,
    count: u64,
) -> c_int {
    StringKfunc::bpf_dynptr_strnlen.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    p.of_string(offset, count, |string| strings::length(string))
}

/// kfunc `bpf_dynptr_strncmp(p1, offset1, p2, offset2, count)`. Compares two strings: -1, 0, 1.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strncmp(
    p1: *const c_void,
    offset1: u64,
    p2: *const c_void,
    offset2: u64,
    count: u64,
) -> c_int {
    StringKfunc::bpf_dynptr_strncmp.note();
    // SAFETY: The verifier contract for `p1`.
    let p1 = unsafe { Dynptr::from_raw(p1.cast_mut().cast()) };
    // SAFETY: The verifier contract for `p2`.
    let p2 = unsafe { Dynptr::from_raw(p2.cast_mut().cast()) };
    p1.compare_strings::<Exact>(offset1, p2, offset2, count)
}

/// kfunc `bpf_dynptr_strncasecmp(p1, offset1, p2, offset2, count)`. The same without regard to case.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strncasecmp(
    p1: *const c_void,
    offset1: u64,
    p2: *const c_void,
    offset2: u64,
    count: u64,
) -> c_int {
    StringKfunc::bpf_dynptr_strncasecmp.note();
    // SAFETY: The verifier contract for `p1`.
    let p1 = unsafe { Dynptr::from_raw(p1.cast_mut().cast()) };
    // SAFETY: The verifier contract for `p2`.
    let p2 = unsafe { Dynptr::from_raw(p2.cast_mut().cast()) };
    p1.compare_strings::<IgnoreCase>(offset1, p2, offset2, count)
}

/// kfunc `bpf_dynptr_strncmp_const(p, offset, count, s__str)`. Compares a string with a constant: -1, 0, 1.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strncmp_const(
    p: *const c_void,
    offset: u64,
    count: u64,
    s: *const c_char,
) -> c_int {
    StringKfunc::bpf_dynptr_strncmp_const.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier has checked `s`.
    let s = unsafe { Constant::from_raw(s) };
    p.compare_constant::<Exact>(offset, s, count)
}

/// kfunc `bpf_dynptr_strncasecmp_const(p, offset, count, s__str)`. The same without regard to case.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strncasecmp_const(
    p: *const c_void,
    offset: u64,
    count: u64,
    s: *const c_char,
) -> c_int {
    StringKfunc::bpf_dynptr_strncasecmp_const.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier has checked `s`.
    let s = unsafe { Constant::from_raw(s) };
    p.compare_constant::<IgnoreCase>(offset, s, count)
}

/// kfunc `bpf_dynptr_strnchr(p, offset, count, c)`. Where the first `c` of the string is.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strnchr(
    p: *const c_void,
    offset: u64,
    count: u64,
    c: u32,
) -> c_int {
    StringKfunc::bpf_dynptr_strnchr.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    p.of_string(offset, count, |string| strings::find(string, c as u8))
}

/// kfunc `bpf_dynptr_strnchrnul(p, offset, count, c)`. Where the first `c` of the string is, or else its end.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strnchrnul(
    p: *const c_void,
    offset: u64,
    count: u64,
    c: u32,
) -> c_int {
    StringKfunc::bpf_dynptr_strnchrnul.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    p.of_string(offset, count, |string| {
        strings::find_or_end(string, c as u8)
    })
}

/// kfunc `bpf_dynptr_strnrchr(p, offset, count, c)`. Where the last `c` of the string is.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strnrchr(
    p: *const c_void,
    offset: u64,
    count: u64,
    c: u32,
) -> c_int {
    StringKfunc::bpf_dynptr_strnrchr.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    p.of_string(offset, count, |string| strings::find_last(string, c as u8))
}

/// kfunc `bpf_dynptr_strnspn(p, offset, count, accept__str)`. Bytes at the start of the string that are all in `accept`.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strnspn(
    p: *const c_void,
    offset: u64,
    count: u64,
    accept: *const c_char,
) -> c_int {
    StringKfunc::bpf_dynptr_strnspn.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier has checked `accept`.
    let accept = unsafe { Constant::from_raw(accept) };
    p.of_string(offset, count, |string| {
        strings::span(string, accept.bytes(LIMIT))
    })
}

/// kfunc `bpf_dynptr_strncspn(p, offset, count, reject__str)`. Bytes at the start of the string that are not in `reject`.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strncspn(
    p: *const c_void,
    offset: u64,
    count: u64,
    reject: *const c_char,
) -> c_int {
    StringKfunc::bpf_dynptr_strncspn.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier has checked `reject`.
    let reject = unsafe { Constant::from_raw(reject) };
    p.of_string(offset, count, |string| {
        strings::span_without(string, reject.bytes(LIMIT))
    })
}

/// kfunc `bpf_dynptr_strnpbrk(p, offset, count, accept__str)`. Where the first byte of the string is that is in `accept`.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strnpbrk(
    p: *const c_void,
    offset: u64,
    count: u64,
    accept: *const c_char,
) -> c_int {
    StringKfunc::bpf_dynptr_strnpbrk.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier has checked `accept`.
    let accept = unsafe { Constant::from_raw(accept) };
    p.of_string(offset, count, |string| {
        strings::find_any(string, accept.bytes(LIMIT))
    })
}

/// kfunc `bpf_dynptr_strnstr(p, offset, count, s__str)`. Where `s` is in the string.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strnstr(
    p: *const c_void,
    offset: u64,
    count: u64,
    s: *const c_char,
) -> c_int {
    StringKfunc::bpf_dynptr_strnstr.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier has checked `s`.
    let s = unsafe { Constant::from_raw(s) };
    p.find_constant::<Exact>(offset, s, count)
}

/// kfunc `bpf_dynptr_strncasestr(p, offset, count, s__str)`. The same without regard to case.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strncasestr(
    p: *const c_void,
    offset: u64,
    count: u64,
    s: *const c_char,
) -> c_int {
    StringKfunc::bpf_dynptr_strncasestr.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier has checked `s`.
    let s = unsafe { Constant::from_raw(s) };
    p.find_constant::<IgnoreCase>(offset, s, count)
}

/// kfunc `bpf_dynptr_strntol(p, offset, count, base, res)`. Bytes of the integer at the start of the string, which is in `res` then.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strntol(
    p: *const c_void,
    offset: u64,
    count: u64,
    base: u64,
    res: *mut i64,
) -> c_int {
    StringKfunc::bpf_dynptr_strntol.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier has checked `res`.
    unsafe { p.number(offset, count, |string| number::signed(string, base), res) }
}

/// kfunc `bpf_dynptr_strntoul(p, offset, count, base, res)`. The same of one without sign.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strntoul(
    p: *const c_void,
    offset: u64,
    count: u64,
    base: u64,
    res: *mut u64,
) -> c_int {
    StringKfunc::bpf_dynptr_strntoul.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier has checked `res`.
    unsafe { p.number(offset, count, |string| number::unsigned(string, base), res) }
}

/// kfunc `bpf_dynptr_strntok(p, offset, count, delimiters__str, token)`. 0, with the first token in `token`.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strntok(
    p: *const c_void,
    offset: u64,
    count: u64,
    delimiters: *const c_char,
    token: *mut bindings::bpf_dynptr_token,
) -> c_int {
    StringKfunc::bpf_dynptr_strntok.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier has checked `delimiters`.
    let delimiters = unsafe { Constant::from_raw(delimiters) };
    // SAFETY: The verifier has checked `token`.
    unsafe { p.token(offset, count, delimiters, false, token) }
}

/// kfunc `bpf_dynptr_strnsep(p, offset, count, delimiters__str, token)`. The same of tokens that may be empty.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_strnsep(
    p: *const c_void,
    offset: u64,
    count: u64,
    delimiters: *const c_char,
    token: *mut bindings::bpf_dynptr_token,
) -> c_int {
    StringKfunc::bpf_dynptr_strnsep.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier has checked `delimiters`.
    let delimiters = unsafe { Constant::from_raw(delimiters) };
    // SAFETY: The verifier has checked `token`.
    unsafe { p.token(offset, count, delimiters, true, token) }
}

/// kfunc `bpf_dynptr_memcmp(p1, offset1, p2, offset2, len)`. Compares memory: -1, 0, 1.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_memcmp(
    p1: *const c_void,
    offset1: u64,
    p2: *const c_void,
    offset2: u64,
    len: u64,
) -> c_int {
    StringKfunc::bpf_dynptr_memcmp.note();
    // SAFETY: The verifier contract for `p1`.
    let p1 = unsafe { Dynptr::from_raw(p1.cast_mut().cast()) };
    // SAFETY: The verifier contract for `p2`.
    let p2 = unsafe { Dynptr::from_raw(p2.cast_mut().cast()) };
    p1.compare_memory(offset1, p2, offset2, len)
}

/// kfunc `bpf_dynptr_memcmp_mem(p, offset, mem, mem__sz)`. Compares memory with other than a dynptr's: -1, 0, 1.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_memcmp_mem(
    p: *const c_void,
    offset: u64,
    mem: *const c_void,
    mem_size: u32,
) -> c_int {
    StringKfunc::bpf_dynptr_memcmp_mem.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier has checked `mem` and its size.
    let mem = unsafe { Piece::new(mem, mem_size as usize) };
    p.compare_bytes(offset, mem)
}

/// kfunc `bpf_dynptr_memchr(p, offset, len, c)`. Where the first `c` is in `len` bytes.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_memchr(
    p: *const c_void,
    offset: u64,
    len: u64,
    c: u32,
) -> c_int {
    StringKfunc::bpf_dynptr_memchr.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    p.find_byte(offset, len, c as u8)
}

/// kfunc `bpf_dynptr_memmem(p, offset, len, needle)`. Where the bytes of `needle` are in `len` bytes.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_memmem(
    p: *const c_void,
    offset: u64,
    len: u64,
    needle: *const c_void,
) -> c_int {
    StringKfunc::bpf_dynptr_memmem.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier contract for `needle`.
    let needle = unsafe { Dynptr::from_raw(needle.cast_mut().cast()) };
    p.find_view(offset, len, needle)
}

/// kfunc `bpf_dynptr_memmem_mem(p, offset, len, mem, mem__sz)`. Where the bytes of `mem` are in `len` bytes.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_memmem_mem(
    p: *const c_void,
    offset: u64,
    len: u64,
    mem: *const c_void,
    mem_size: u32,
) -> c_int {
    StringKfunc::bpf_dynptr_memmem_mem.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier has checked `mem` and its size.
    let mem = unsafe { Piece::new(mem, mem_size as usize) };
    p.find_bytes(offset, len, mem)
}

/// kfunc `bpf_dynptr_read_upto(dst, dst__sz, p, offset)`. Reads at most `dst_size` bytes: how many there were.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_read_upto(
    dst: *mut c_void,
    dst_size: u32,
    p: *const c_void,
    offset: u64,
) -> c_int {
    StringKfunc::bpf_dynptr_read_upto.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    // SAFETY: The verifier has checked `dst` and its size.
    unsafe { p.read_up_to(dst, dst_size, offset) }
}

/// kfunc `bpf_dynptr_copy_to_user(p, offset, size, unsafe_ptr__ign)`. Copies `size` bytes to the current task's memory: 0.
/// Sleeps.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_copy_to_user(
    p: *const c_void,
    offset: u64,
    size: u64,
    unsafe_ptr: *mut c_void,
) -> c_int {
    StringKfunc::bpf_dynptr_copy_to_user.note();
    // SAFETY: The verifier contract for `p`.
    let p = unsafe { Dynptr::from_raw(p.cast_mut().cast()) };
    p.copy_to_user(offset, size, unsafe_ptr as u64)
}
