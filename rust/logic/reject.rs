// SPDX-License-Identifier: GPL-2.0

//! Every reject of the verifier's dynptr checks: errno, log line, diagnostic. One place, because
//! the texts are interface: they are byte-identical to `srctree/kernel/bpf/verifier.c`, and
//! upstream's selftests match them.

use super::errno::{
    Errno,
    EFAULT,
    EINVAL, //
};
use core::ffi::CStr;

/// What the diagnostics engine (`bpf_diag_res()`) is told.
#[derive(Clone, Copy, Debug)]
pub struct Diagnostic {
    /// A few words that name the problem.
    pub problem: &'static CStr,
    /// Why it is one.
    pub reason: &'static CStr,
    /// What the program's author can do.
    pub suggestion: &'static CStr,
}

/// A reason to refuse a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    /// A write would destroy the last dynptr that can release a reference.
    OverwriteReferenced,
    /// The verifier's state is not what its own rules make. C would read out of bounds.
    BadSlot,
}

impl Reject {
    /// What the C function returns.
    pub const fn errno(self) -> Errno {
        match self {
            Self::OverwriteReferenced => EINVAL,
            Self::BadSlot => EFAULT,
        }
    }

    /// The line in the verifier's log, newline included.
    pub const fn log(self) -> &'static CStr {
        match self {
            Self::OverwriteReferenced => c"cannot overwrite referenced dynptr\n",
            Self::BadSlot => c"verifier bug: dynptr slot outside of the stack\n",
        }
    }

    /// The diagnostic that follows it, if C gives one.
    pub const fn diagnostic(self) -> Option<Diagnostic> {
        match self {
            Self::OverwriteReferenced => Some(Diagnostic {
                problem: c"referenced dynptr overwrite",
                reason: c"This stack slot contains a dynptr that owns or protects a referenced resource. Overwriting the last dynptr for that resource would lose the verifier-tracked release path.",
                suggestion: c"Release or clone the dynptr so another live dynptr still tracks the referenced resource before overwriting this stack slot.",
            }),
            Self::BadSlot => None,
        }
    }
}
