// SPDX-License-Identifier: GPL-2.0

//! Loaded BPF programs, and how one is bound to this module.
//!
//! A bound program calls Rust by address, so it holds a reference to this module: an entry of
//! `used_btfs`, the list of modules that the kernel's own verifier fills for kfuncs. The kernel
//! drops it in `bpf_prog_free_deferred()`, after the grace period in which the program may still
//! run, or in `release_btfs()` if the load fails. (`aux->mod`, the other such place, is put before
//! the grace period and has other users.)

use crate::{
    bindings::{
        self,
        layout, //
    },
    glue::{
        module::ModuleRef,
        ring_map, //
    },
    logic::bind::{
        module_kfunc,
        rebound,
        rebound_kfunc,
        Target, //
    }, //
};
use core::ptr::NonNull;

/// What became of a program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It calls nothing that we replace.
    NothingToDo,
    /// Its calls go to Rust, and it holds the module.
    Bound,
    /// It stays with C, as its list of BTFs is full or the module is going away.
    LeftToC,
}

/// The kfuncs that a program under verification calls; none without kfuncs.
///
/// # Safety
///
/// `env` is a verifier run's, which has a program; the entries are used while it lasts.
unsafe fn kfuncs(
    env: *mut bindings::bpf_verifier_env,
) -> impl Iterator<Item = *mut bindings::bpf_kfunc_desc> {
    // SAFETY: By this function's contract.
    let prog = unsafe { (*env).prog };
    // SAFETY: A program has its `aux`.
    let aux = unsafe { (*prog).aux };
    // SAFETY: As above.
    let tab = unsafe { (*aux).kfunc_tab };
    let count = if tab.is_null() {
        0
    } else {
        // SAFETY: The program's own table.
        unsafe { (*tab).nr_descs }
    };
    let first = tab.wrapping_byte_add(layout::bpf_kfunc_desc_tab::DESCS);
    (0..count as usize).map(move |i| first.cast::<bindings::bpf_kfunc_desc>().wrapping_add(i))
}

/// The address of the kfunc that instruction `index` calls, if it calls one of a module.
///
/// # Safety
///
/// `env` is a verifier run's, which has a program of more than `index` instructions.
pub(super) unsafe fn called_kfunc(
    env: *mut bindings::bpf_verifier_env,
    index: u32,
) -> Option<usize> {
    // SAFETY: By this function's contract.
    let prog = unsafe { (*env).prog };
    let insns = prog.wrapping_byte_add(layout::bpf_prog::INSNSI);
    let insn = insns
        .cast::<bindings::bpf_insn>()
        .wrapping_add(index as usize);
    // SAFETY: By this function's contract.
    let insn = unsafe { insn.read() };
    let offset = module_kfunc(insn.code, insn.src_reg(), insn.off)?;
    // SAFETY: By this function's contract.
    unsafe { kfuncs(env) }.find_map(|desc| {
        // SAFETY: An entry of the program's own table.
        let desc = unsafe { &*desc };
        (desc.func_id == insn.imm as u32 && desc.offset == offset).then_some(desc.addr)
    })
}

/// A program that has been verified and is now fixed up.
///
/// # Invariants
///
/// Points to the environment of the verifier run that is in `bpf_do_misc_fixups()` or
/// `bpf_fixup_call_args()`; it has a program.
pub(crate) struct VerifiedProgram(NonNull<bindings::bpf_verifier_env>);

impl VerifiedProgram {
    /// # Safety
    ///
    /// `env` is the first argument of a call in progress of either function.
    pub(crate) unsafe fn from_raw(env: *mut bindings::bpf_verifier_env) -> Option<Self> {
        // INVARIANT: By this function's contract.
        NonNull::new(env).map(Self)
    }

    fn prog(&self) -> *mut bindings::bpf_prog {
        // SAFETY: By the type invariant.
        unsafe { (*self.0.as_ptr()).prog }
    }

    fn aux(&self) -> *mut bindings::bpf_prog_aux {
        // SAFETY: By the type invariant; a program has its `aux`.
        unsafe { (*self.prog()).aux }
    }

    /// The program is compiled by a device: its calls are not addresses.
    fn is_offloaded(&self) -> bool {
        // SAFETY: By the type invariant.
        unsafe { (*self.aux()).offload_requested }
    }

    /// The `imm` of instruction `index`, if it is a call that `targets` replaces.
    fn rebound(&self, index: u32, targets: &[Option<Target>]) -> Option<(*mut i32, i32)> {
        let insns = self.prog().wrapping_byte_add(layout::bpf_prog::INSNSI);
        let insn = insns
            .cast::<bindings::bpf_insn>()
            .wrapping_add(index as usize);
        // SAFETY: The caller keeps `index` below the program's length.
        let value = unsafe { insn.read() };
        let imm = rebound(value.code, value.src_reg(), value.imm, targets)?;
        // SAFETY: As above.
        Some((unsafe { &raw mut (*insn).imm }, imm))
    }

    /// The kfuncs that the program calls.
    fn kfuncs(&self) -> impl Iterator<Item = *mut bindings::bpf_kfunc_desc> {
        // SAFETY: By the type invariant.
        unsafe { kfuncs(self.0.as_ptr()) }
    }

    /// The place of a kfunc's address and the address in Rust, if `targets` replaces it.
    fn rebound_kfunc(
        desc: *mut bindings::bpf_kfunc_desc,
        targets: &[Option<Target>],
    ) -> Option<(*mut usize, usize)> {
        // SAFETY: Callers pass an entry of the program's own table.
        let slot = unsafe { &raw mut (*desc).addr };
        // SAFETY: As above.
        let address = unsafe { slot.read() };
        Some((slot, rebound_kfunc(address, targets)?))
    }

    /// Makes the program's kfuncs of `targets` those in Rust, at the start of
    /// `bpf_do_misc_fixups()`, which then puts the addresses into the calls. Atomic context.
    pub(crate) fn bind_kfuncs(
        &mut self,
        targets: &[Option<Target>],
        module: ModuleRef,
        btf: &Btf,
    ) -> Outcome {
        let ours = || {
            self.kfuncs()
                .filter_map(|desc| Self::rebound_kfunc(desc, targets))
        };
        if self.is_offloaded() || ours().next().is_none() {
            return Outcome::NothingToDo;
        }
        if !self.hold(module, btf) {
            return Outcome::LeftToC;
        }
        for (slot, address) in ours() {
            // SAFETY: An entry of a table that only this run can see.
            unsafe { slot.write(address) };
        }
        Outcome::Bound
    }

    /// Makes the program's helper calls of `targets` go to Rust, at the start of
    /// `bpf_fixup_call_args()`, when they hold addresses. Atomic context.
    pub(crate) fn bind_helpers(
        &mut self,
        targets: &[Option<Target>],
        module: ModuleRef,
        btf: &Btf,
    ) -> Outcome {
        // SAFETY: By the type invariant.
        let len = unsafe { (*self.prog()).len };
        let calls = || (0..len).filter_map(|index| self.rebound(index, targets));
        if self.is_offloaded() || calls().next().is_none() {
            return Outcome::NothingToDo;
        }
        if !self.hold(module, btf) {
            return Outcome::LeftToC;
        }
        self.note_rings();
        for (slot, imm) in calls() {
            // SAFETY: An instruction of a program that only this run can see.
            unsafe { slot.write(imm) };
        }
        Outcome::Bound
    }

    /// Notes in the rings that the program produces into whose they are. Atomic context.
    fn note_rings(&self) {
        let env = self.0.as_ptr();
        // SAFETY: By the type invariant.
        let count = unsafe { (*env).used_map_cnt };
        // SAFETY: As above.
        let list = unsafe { &raw const (*env).used_maps };
        // SAFETY: As above; only this run uses it.
        let maps = unsafe { (*list).get(..count as usize) };
        for map in maps.unwrap_or_default() {
            // SAFETY: The run holds its maps.
            unsafe { ring_map::note_map(map.cast()) };
        }
    }

    /// Adds the pair (`btf`, `module`) to the program's `used_btfs`, with a reference to each, unless
    /// it is there.
    fn hold(&self, module: ModuleRef, btf: &Btf) -> bool {
        let env = self.0.as_ptr();
        // SAFETY: By the type invariant.
        let count = unsafe { (*env).used_btf_cnt };
        // SAFETY: As above.
        let list = unsafe { &raw mut (*env).used_btfs };
        // SAFETY: As above; only this run uses it.
        let held = unsafe { (*list).get(..count as usize) };
        if held.is_some_and(|held| held.iter().any(|pair| pair.module == module.as_ptr())) {
            return true;
        }
        // SAFETY: `list` is in bounds; only this run uses it.
        let Some(slot) = (unsafe { (*list).get_mut(count as usize) }) else {
            return false;
        };
        if !module.try_get() {
            return false;
        }
        slot.btf = btf.get();
        slot.module = module.as_ptr();
        // SAFETY: As above; the entry is filled.
        unsafe { (*env).used_btf_cnt = count.wrapping_add(1) };
        true
    }
}

/// vmlinux's BTF: every `used_btfs` entry needs one, though ours is only about the module.
pub(crate) struct Btf(NonNull<bindings::btf>);

// SAFETY: Reference counted by the kernel, read-only.
unsafe impl Send for Btf {}
// SAFETY: As above.
unsafe impl Sync for Btf {}

impl Btf {
    /// Takes over a reference.
    ///
    /// # Safety
    ///
    /// `btf` comes with a reference that nobody else puts.
    pub(crate) unsafe fn from_raw(btf: NonNull<bindings::btf>) -> Self {
        Self(btf)
    }

    /// The structure, for as long as `self` lives.
    pub(crate) fn as_ptr(&self) -> *mut bindings::btf {
        self.0.as_ptr()
    }

    /// The structure with a reference of its own.
    fn get(&self) -> *mut bindings::btf {
        // SAFETY: `self` holds a reference.
        unsafe { bindings::btf_get(self.0.as_ptr()) };
        self.0.as_ptr()
    }
}

impl Drop for Btf {
    fn drop(&mut self) {
        // SAFETY: The reference of `self`.
        unsafe { bindings::btf_put(self.0.as_ptr()) };
    }
}

/// A loaded program, held.
///
/// # Invariants
///
/// Points to a program with a reference that this object owns.
pub(crate) struct Program(NonNull<bindings::bpf_prog>);

impl Program {
    /// The first program whose id is at least `id`; `id` becomes its id.
    pub(crate) fn at_or_after(id: &mut u32) -> Option<Self> {
        // SAFETY: `id` is the caller's variable, which nobody else uses during the call.
        let prog = unsafe { bindings::bpf_prog_get_curr_or_next(id) };
        // INVARIANT: The function returns a new reference, or NULL at the end.
        NonNull::new(prog).map(Self)
    }

    fn aux(&self) -> *mut bindings::bpf_prog_aux {
        // SAFETY: By the type invariant.
        unsafe { (*self.0.as_ptr()).aux }
    }

    /// Its name: up to 15 bytes, not always UTF-8.
    pub(crate) fn name(&self) -> [u8; 16] {
        // SAFETY: By the type invariant; never changes after load.
        unsafe { (*self.aux()).name }
    }

    /// Whether it holds `module`, as bound programs do.
    pub(crate) fn holds(&self, module: ModuleRef) -> bool {
        // SAFETY: By the type invariant; never changes after load.
        let list = unsafe { (*self.aux()).used_btfs };
        // SAFETY: As above.
        let count = unsafe { (*self.aux()).used_btf_cnt };
        (0..count as usize).any(|index| {
            // SAFETY: The list has `count` entries.
            let entry = unsafe { list.wrapping_add(index).read() };
            entry.module == module.as_ptr()
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: The reference of `self`.
        unsafe { bindings::bpf_prog_put(self.0.as_ptr()) };
    }
}
