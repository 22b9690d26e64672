// SPDX-License-Identifier: GPL-2.0

//! Which call of a verified program goes to a function that we replace, and what it becomes.
//!
//! Answers to `bpf_do_misc_fixups()` (`srctree/kernel/bpf/fixups.c`): for a helper it stores the
//! distance from `__bpf_call_base` in `insn->imm`, for a kfunc it takes the address in the program's
//! table of kfuncs. `glue::programs` applies the result.

/// `BPF_JMP | BPF_CALL`, the opcode of every call.
const CALL: u8 = 0x85;

/// One function: its address in C, and in Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The address of the C function.
    pub c: usize,
    /// The address of the Rust function.
    pub rust: usize,
    /// `insn->imm` that calls the C function.
    pub c_imm: i32,
    /// `insn->imm` that calls the Rust function.
    pub rust_imm: i32,
}

impl Target {
    /// The pair for two functions at these addresses.
    ///
    /// `None` if either is more than 2 GiB away from `base`, `__bpf_call_base`: an `imm` cannot hold
    /// it.
    pub fn new(base: usize, c: usize, rust: usize) -> Option<Self> {
        Some(Self {
            c,
            rust,
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

/// Where the verifier's table of kfuncs has the module of the kfunc that an instruction calls; `None` if it
/// calls none, or one of vmlinux. `offset` is `insn->off`.
pub fn module_kfunc(code: u8, src_reg: u8, offset: i16) -> Option<u16> {
    (code == CALL && src_reg == 2 && offset > 0).then_some(offset as u16)
}

/// The new address of a kfunc, or `None` if `address` is none of `targets`.
pub fn rebound_kfunc(address: usize, targets: &[Option<Target>]) -> Option<usize> {
    targets
        .iter()
        .flatten()
        .find(|target| target.c == address)
        .map(|target| target.rust)
}
