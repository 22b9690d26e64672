// SPDX-License-Identifier: GPL-2.0

//! Host tools of the build, and what they share:
//!
//! * `klp-link` makes livepatch relocations of unexported symbols ([`klp`]).
//! * `check-takeover` compares the take-over table with a kernel ([`check`]).
//! * `btf-layout` writes structure offsets from BTF as Rust constants.
//! * `check-running` compares a built module with the running kernel ([`carried`], [`running`]).

pub mod btf;
pub mod carried;
pub mod check;
pub mod hooks;
pub mod klp;
pub mod layout;
/// Rendering of prototypes: the module's own code, so that both ends compare the same text.
#[path = "../../../rust/logic/proto.rs"]
pub mod proto;
pub mod running;
pub mod symbols;
pub mod table;

use std::path::Path;

/// Reads a file, or says which one could not be read.
///
/// # Errors
///
/// A sentence with the path and the system's reason.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<u8>, String> {
    let path = path.as_ref();
    std::fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

/// Ends a tool: prints the error and gives the status.
pub fn finish(tool: &str, result: Result<bool, String>) -> std::process::ExitCode {
    match result {
        Ok(true) => std::process::ExitCode::SUCCESS,
        Ok(false) => std::process::ExitCode::FAILURE,
        Err(e) => {
            eprintln!("{tool}: error: {e}");
            std::process::ExitCode::FAILURE
        }
    }
}
