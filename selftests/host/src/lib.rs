// SPDX-License-Identifier: GPL-2.0

//! `rust/logic` of the module as a host crate, so that cargo can test it. The same files, unchanged;
//! the lints here are errors because the kernel build cannot set them for one module only.

#![deny(missing_docs)]

/// The rules of the module.
#[path = "../../../rust/logic/mod.rs"]
#[forbid(unsafe_code)]
#[deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
pub mod logic;
