// SPDX-License-Identifier: GPL-2.0

//! Which instruction of a verified program calls a helper that we replace, and what it becomes.
//!
//! Answers to the end of `bpf_do_misc_fixups()` (`srctree/kernel/bpf/fixups.c`), which stores the
//! distance of the helper from `__bpf_call_base` in `insn->imm`. `glue::bind` applies the result.

/// `BPF_JMP | BPF_CALL`, the opcode of every call.
const CALL: u8 = 0x85;

/// One helper: its distance from `__bpf_call_base` in C, and in Rust.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// `insn->imm` that calls the C function.
    pub c_imm: i32,
    /// `insn->imm` that calls the Rust function.
    pub rust_imm: i32,
}

impl Target {
    /// The pair for two functions at these addresses.
    ///
    /// `None` if either is more than 2 GiB away from `base`: an `imm` cannot hold it.
    pub fn new(base: usize, c: usize, rust: usize) -> Option<Self> {
        Some(Self {
            c_imm: distance(base, c)?,
            rust_imm: distance(base, rust)?,
        })
    }
}

/// `target - base` as `insn->imm` holds it.
fn distance(base: usize, target: usize) -> Option<i32> {
    i32::try_from((target as i64).wrapping_sub(base as i64)).ok()
}

/// The new `imm` of an instruction, or `None` if it calls no helper of `targets`.
///
/// `src_reg` is 0 for a helper call; 1 is a call of a BPF function, 2 of a kfunc. Empty places of
/// `targets` are passed over.
pub fn rebound(code: u8, src_reg: u8, imm: i32, targets: &[Option<Target>]) -> Option<i32> {
    if code != CALL || src_reg != 0 {
        return None;
    }
    targets
        .iter()
        .flatten()
        .find(|target| target.c_imm == imm)
        .map(|target| target.rust_imm)
}
