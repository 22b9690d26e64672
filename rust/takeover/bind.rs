// SPDX-License-Identifier: GPL-2.0

//! Kind *bind*: programs loaded from now on call the Rust function by address.
//!
//! Two hooks on `srctree/kernel/bpf/fixups.c` see every program once, main and sub-programs
//! together, before it is compiled: `bpf_do_misc_fixups()` when the addresses of its kfuncs are
//! about to go into the calls, `bpf_fixup_call_args()` when its helper calls hold addresses. No cost
//! per call, and all gates of the C side (CAP_BPF) have been passed.

use super::hook::Hook;
use crate::{
    bindings,
    glue::{
        faults,
        module::ModuleRef,
        programs::{
            Btf,
            Outcome,
            VerifiedProgram, //
        }, //
    },
    logic::bind::Target,
    stats::{
        self,
        hit, //
    },
    table::{
        Kind,
        Row, //
    }, //
};
use core::ffi::c_void;
use kernel::{
    ffi::c_ulong,
    prelude::*, //
};

/// All rows of the kind; none is empty.
type Targets = [Option<Target>; Row::count_of(Kind::bind)];

/// What the hooks need.
struct Binding {
    plain: Targets,
    counted: Targets,
    module: ModuleRef,
    btf: Btf,
}

/// The binding of new programs, as long as this lives.
pub(crate) struct Bind {
    // Dropped before the binding, to which they point.
    _hooks: [Hook; 2],
    _binding: KBox<Binding>,
}

impl Bind {
    /// Starts binding new programs.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the kernel's functions cannot be hooked; `ERANGE` if Rust code is too far from the
    /// kernel's text for a call; what ftrace gives.
    pub(crate) fn new(module: ModuleRef, btf: Btf) -> Result<Self> {
        let plain = targets(false)?;
        let counted = targets(true)?;
        let binding = KBox::new(
            Binding {
                plain,
                counted,
                module,
                btf,
            },
            GFP_KERNEL,
        )?;
        let private = (&raw const *binding).cast_mut().cast::<c_void>();
        faults::step()?;
        let kfuncs = Hook::new(Row::bpf_do_misc_fixups, on_misc_fixups, private)?;
        faults::step()?;
        let helpers = Hook::new(Row::bpf_fixup_call_args, on_fixup_call_args, private)?;
        Ok(Self {
            _hooks: [kfuncs, helpers],
            _binding: binding,
        })
    }
}

/// What calls of the C functions become.
fn targets(counted: bool) -> Result<Targets> {
    let base = bindings::__bpf_call_base as usize;
    let mut targets = [None; Row::count_of(Kind::bind)];
    for (target, row) in targets.iter_mut().zip(super::rows_of(Kind::bind)) {
        let c = super::c_address(row)?;
        let rust = super::rust_address(row, counted);
        *target = Some(Target::new(base, c, rust).ok_or(ERANGE)?);
    }
    Ok(targets)
}

impl Binding {
    /// What a program that is loaded now gets.
    fn targets(&self) -> &Targets {
        if stats::counting() {
            &self.counted
        } else {
            &self.plain
        }
    }
}

/// The binding of a hook, and the program whose verification entered the hooked function, both of
/// which take the environment first. `None` while the module is being loaded: that may still fail, and the
/// program would not hold the module then.
///
/// # Safety
///
/// Called from a callback of a [`Hook`] on such a function, with its arguments.
unsafe fn hooked<'a>(
    ops: *mut bindings::ftrace_ops,
    fregs: *mut bindings::ftrace_regs,
) -> Option<(&'a Binding, VerifiedProgram)> {
    // SAFETY: The structure that `Hook::new` registered.
    let private = unsafe { (*ops).private };
    // SAFETY: Points to the binding, which lives until the hook is unregistered.
    let binding = unsafe { &*private.cast::<Binding>() };
    if !binding.module.is_live() {
        return None;
    }
    // SAFETY: The registers at the function's entry, which ftrace saved.
    let env = unsafe { bindings::rust_dynptr_ftrace_argument(fregs, 0) };
    // SAFETY: The function's first argument, while it is being entered.
    let program = unsafe { VerifiedProgram::from_raw(env as *mut _) }?;
    Some((binding, program))
}

fn report(outcome: Outcome) {
    if outcome == Outcome::LeftToC {
        kernel::pr_warn_once!(
            "a program uses too many BTFs or the module is going: it stays with C\n"
        );
    }
}

/// Runs at the entry of `bpf_do_misc_fixups(env)`; must not sleep.
///
/// # Safety
///
/// Called by ftrace as the hook that [`Bind::new`] registered.
unsafe extern "C" fn on_misc_fixups(
    _ip: c_ulong,
    _parent_ip: c_ulong,
    ops: *mut bindings::ftrace_ops,
    fregs: *mut bindings::ftrace_regs,
) {
    hit(Row::bpf_do_misc_fixups);
    // SAFETY: By this function's contract.
    if let Some((binding, mut program)) = unsafe { hooked(ops, fregs) } {
        report(program.bind_kfuncs(binding.targets(), binding.module, &binding.btf));
    }
}

/// Runs at the entry of `bpf_fixup_call_args(env)`; must not sleep.
///
/// # Safety
///
/// Called by ftrace as the hook that [`Bind::new`] registered.
unsafe extern "C" fn on_fixup_call_args(
    _ip: c_ulong,
    _parent_ip: c_ulong,
    ops: *mut bindings::ftrace_ops,
    fregs: *mut bindings::ftrace_regs,
) {
    hit(Row::bpf_fixup_call_args);
    // SAFETY: By this function's contract.
    if let Some((binding, mut program)) = unsafe { hooked(ops, fregs) } {
        report(program.bind_helpers(binding.targets(), binding.module, &binding.btf));
    }
}
