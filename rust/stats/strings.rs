// SPDX-License-Identifier: GPL-2.0

//! Calls of the kfuncs of strings and memory in dynptrs, while counting was on.

use super::counting;
use core::sync::atomic::{
    AtomicU64,
    Ordering, //
};

/// A kfunc.
#[derive(Clone, Copy)]
pub(crate) enum StringCall {
    /// `bpf_dynptr_strnlen()`
    Strnlen,
    /// `bpf_dynptr_strncmp()`
    Strncmp,
    /// `bpf_dynptr_strncasecmp()`
    Strncasecmp,
    /// `bpf_dynptr_strncmp_const()`
    StrncmpConst,
    /// `bpf_dynptr_strncasecmp_const()`
    StrncasecmpConst,
    /// `bpf_dynptr_strnchr()`
    Strnchr,
    /// `bpf_dynptr_strnchrnul()`
    Strnchrnul,
    /// `bpf_dynptr_strnrchr()`
    Strnrchr,
    /// `bpf_dynptr_strnspn()`
    Strnspn,
    /// `bpf_dynptr_strncspn()`
    Strncspn,
    /// `bpf_dynptr_strnpbrk()`
    Strnpbrk,
    /// `bpf_dynptr_strnstr()`
    Strnstr,
    /// `bpf_dynptr_strncasestr()`
    Strncasestr,
    /// `bpf_dynptr_strntol()`
    Strntol,
    /// `bpf_dynptr_strntoul()`
    Strntoul,
    /// `bpf_dynptr_strntok()`
    Strntok,
    /// `bpf_dynptr_strnsep()`
    Strnsep,
    /// `bpf_dynptr_memcmp()`
    Memcmp,
    /// `bpf_dynptr_memcmp_mem()`
    MemcmpMem,
    /// `bpf_dynptr_memchr()`
    Memchr,
    /// `bpf_dynptr_memmem()`
    Memmem,
    /// `bpf_dynptr_memmem_mem()`
    MemmemMem,
    /// `bpf_dynptr_read_upto()`
    ReadUpto,
    /// `bpf_dynptr_copy_to_user()`
    CopyToUser,
}

/// The kfuncs, in that order.
const NAMES: [&str; 24] = [
    "bpf_dynptr_strnlen",
    "bpf_dynptr_strncmp",
    "bpf_dynptr_strncasecmp",
    "bpf_dynptr_strncmp_const",
    "bpf_dynptr_strncasecmp_const",
    "bpf_dynptr_strnchr",
    "bpf_dynptr_strnchrnul",
    "bpf_dynptr_strnrchr",
    "bpf_dynptr_strnspn",
    "bpf_dynptr_strncspn",
    "bpf_dynptr_strnpbrk",
    "bpf_dynptr_strnstr",
    "bpf_dynptr_strncasestr",
    "bpf_dynptr_strntol",
    "bpf_dynptr_strntoul",
    "bpf_dynptr_strntok",
    "bpf_dynptr_strnsep",
    "bpf_dynptr_memcmp",
    "bpf_dynptr_memcmp_mem",
    "bpf_dynptr_memchr",
    "bpf_dynptr_memmem",
    "bpf_dynptr_memmem_mem",
    "bpf_dynptr_read_upto",
    "bpf_dynptr_copy_to_user",
];

static CALLS: [AtomicU64; NAMES.len()] = [const { AtomicU64::new(0) }; NAMES.len()];

/// Counts a call, if hits are counted.
#[inline(always)]
pub(crate) fn note_string(call: StringCall) {
    if counting() {
        count(call);
    }
}

#[cold]
fn count(call: StringCall) {
    if let Some(calls) = CALLS.get(call as usize) {
        calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// debugfs `strings`: calls since the module was loaded.
pub(crate) fn show_strings(f: &mut kernel::fmt::Formatter<'_>) -> kernel::fmt::Result {
    for (name, calls) in NAMES.iter().zip(&CALLS) {
        writeln!(f, "{name} {}", calls.load(Ordering::Relaxed))?;
    }
    Ok(())
}
