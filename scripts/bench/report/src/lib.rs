// SPDX-License-Identifier: GPL-2.0

//! What `scripts/bench/run` measured: read, shown, and judged. `main.rs` has the commands.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod data;
pub mod judge;
pub mod native;
pub mod page;
pub mod plot;
pub mod recorded;
pub mod text;
