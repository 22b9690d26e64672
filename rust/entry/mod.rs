// SPDX-License-Identifier: GPL-2.0

//! The C edge: one `rust_<C name>` for each row of the take-over table, and nothing else.
//!
//! Each converts its arguments, calls one method of `glue`, and converts the result. Its address
//! stands in for the C function's (see `takeover`), so its ABI is the C function's. A BPF helper has
//! the ABI that `BPF_CALL_n` gives: five 64-bit registers in, one out.

mod filter;
mod heap;
mod helpers;
mod internal;
mod iter;
mod kfuncs;
mod own_kfuncs;
mod ring_map;
mod ringbuf;
mod strings;
mod trace;
mod verifier;

pub(crate) use self::{
    filter::*,
    helpers::*,
    internal::*,
    kfuncs::*,
    ring_map::*,
    ringbuf::*,
    trace::*,
    verifier::*, //
};

use crate::logic::errno::Errno;
use kernel::ffi::c_int;

/// 0 or a negative errno, as C functions return it.
fn to_c_int(result: Result<(), Errno>) -> c_int {
    result.map_or_else(Errno::to_c_int, |()| 0)
}
