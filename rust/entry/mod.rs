// SPDX-License-Identifier: GPL-2.0

//! The C edge: one `rust_<C name>` for each row of the take-over table, and nothing else.
//!
//! Each converts its arguments, calls one method of `glue`, and converts the result. Its address
//! stands in for the C function's (see `takeover`), so its ABI is the C function's. A BPF helper has
//! the ABI that `BPF_CALL_n` gives: five 64-bit registers in, one out.

mod helpers;
mod ringbuf;
mod verifier;

pub(crate) use self::{
    helpers::*,
    ringbuf::*,
    verifier::*, //
};
