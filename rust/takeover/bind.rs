// SPDX-License-Identifier: GPL-2.0

//! Kind *bind*: programs loaded from now on call the Rust function by address.
//!
//! Two ftrace hooks on `srctree/kernel/bpf/fixups.c` see every program once, main and sub-programs
//! together, before it is compiled: `bpf_do_misc_fixups()` when the addresses of its kfuncs are
//! about to go into the calls, `bpf_fixup_call_args()` when its helper calls hold addresses. No cost
//! per call, and all gates of the C side (CAP_BPF) have been passed.

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
    stats,
    table::{
        Kind,
        Row, //
    }, //
};
use core::ffi::{
    c_void,
    CStr, //
};
use kernel::{
    ffi::c_ulong,
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    },
    types::Opaque, //
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
        faults::step()?;
        let kfuncs = Hook::new(c"bpf_do_misc_fixups", on_misc_fixups, &binding)?;
        faults::step()?;
        let helpers = Hook::new(c"bpf_fixup_call_args", on_fixup_call_args, &binding)?;
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

/// The type of an ftrace callback.
type Callback =
    unsafe extern "C" fn(c_ulong, c_ulong, *mut bindings::ftrace_ops, *mut bindings::ftrace_regs);

/// A function that runs at the entry of a kernel function while this lives.
struct Hook {
    ops: KBox<Opaque<bindings::ftrace_ops>>,
    name: &'static CStr,
}

// SAFETY: The ftrace core guards the structure; this object only owns it.
unsafe impl Send for Hook {}
// SAFETY: As above.
unsafe impl Sync for Hook {}

impl Hook {
    /// Puts `callback` on the kernel function `name`; it finds `binding`, which must outlive the
    /// hook, in `private`.
    fn new(name: &'static CStr, callback: Callback, binding: &KBox<Binding>) -> Result<Self> {
        let ops = KBox::new(
            Opaque::new(bindings::ftrace_ops {
                func: Some(callback),
                private: (&raw const **binding).cast_mut().cast::<c_void>(),
                ..Default::default()
            }),
            GFP_KERNEL,
        )?;
        let shown = name.to_str().unwrap_or("?");
        let entry = super::traced_entry(shown, super::address_of(name)?)?;
        // By address: `ftrace_set_filter()`, by name, takes -ENOMEM for a number of functions found, and
        // leaves a filter that is empty, which stands for all functions of the kernel.
        // SAFETY: `ops` is unregistered.
        let err = unsafe { bindings::ftrace_set_filter_ip(ops.get(), entry, 0, 1) };
        if err != 0 {
            pr_err!("{shown}: cannot be hooked ({err})\n");
            return Err(kernel::error::Error::from_errno(err));
        }
        // SAFETY: `ops` and what `private` points to live until it is unregistered.
        let err = unsafe { bindings::register_ftrace_function(ops.get()) };
        if err != 0 {
            pr_err!("{shown}: cannot be hooked ({err})\n");
            // SAFETY: Registration failed, so only the filter is left to free.
            unsafe { bindings::ftrace_free_filter(ops.get()) };
            return Err(kernel::error::Error::from_errno(err));
        }
        Ok(Self { ops, name })
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        let unhook = || {
            // SAFETY: Registered in `new`. Waits for callbacks in progress, as the structure is in module
            // memory; programs that they bound hold the module, so none is left.
            unsafe { bindings::unregister_ftrace_function(self.ops.get()) }
        };
        let err = unhook();
        if err != 0 {
            let name = self.name.to_str().unwrap_or("?");
            pr_err!("{name}: cannot be unhooked ({err}): the module stays until it can\n");
            // The hook must go before this code does.
            while unhook() != 0 {
                fsleep(Delta::from_millis(100));
            }
        }
        // SAFETY: Unregistered above, so ftrace does not look at the filter.
        unsafe { bindings::ftrace_free_filter(self.ops.get()) };
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
    // SAFETY: By this function's contract.
    if let Some((binding, mut program)) = unsafe { hooked(ops, fregs) } {
        report(program.bind_helpers(binding.targets(), binding.module, &binding.btf));
    }
}
