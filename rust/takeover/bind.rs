// SPDX-License-Identifier: GPL-2.0

//! Kind *bind*: programs loaded from now on call the Rust function by address.
//!
//! An ftrace hook on `bpf_fixup_call_args()` (`srctree/kernel/bpf/fixups.c`) sees every program
//! once, main and sub-programs together, when its helper calls hold addresses and before it is
//! compiled. No cost per call, and the gates of the C protos (CAP_BPF) have been passed.

use crate::{
    bindings,
    glue::{
        module::ModuleRef,
        programs::{
            Btf,
            Outcome,
            VerifiedProgram, //
        }, //
    },
    logic::bind::Target,
    table::{
        Kind,
        Row, //
    }, //
};
use core::ffi::c_void;
use kernel::{
    ffi::c_ulong,
    prelude::*,
    types::Opaque, //
};

/// The verifier's function that the hook is on.
const HOOK: &[u8] = b"bpf_fixup_call_args\0";

/// What the hook needs.
struct Binding {
    targets: [Option<Target>; Row::COUNT],
    module: ModuleRef,
    btf: Btf,
}

/// The hook, as long as this lives.
pub(crate) struct Bind {
    ops: KBox<Opaque<bindings::ftrace_ops>>,
    // The hook's `private` points here.
    _binding: KBox<Binding>,
}

// SAFETY: The ftrace core guards the structure; this object only owns it.
unsafe impl Send for Bind {}
// SAFETY: As above.
unsafe impl Sync for Bind {}

impl Bind {
    /// Starts binding new programs.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the kernel's function cannot be hooked; `ERANGE` if Rust code is too far from the
    /// kernel's text for a call; what ftrace gives.
    pub(crate) fn new(module: ModuleRef, btf: Btf) -> Result<Self> {
        let mut targets = [None; Row::COUNT];
        let base = bindings::__bpf_call_base as usize;
        for (target, row) in targets.iter_mut().zip(super::rows_of(Kind::bind)) {
            let c = super::c_address(row)?;
            *target = Some(Target::new(base, c, super::rust_address(row)).ok_or(ERANGE)?);
        }
        let binding = KBox::new(
            Binding {
                targets,
                module,
                btf,
            },
            GFP_KERNEL,
        )?;
        let ops = KBox::new(
            Opaque::new(bindings::ftrace_ops {
                func: Some(on_fixup_call_args),
                private: (&raw const *binding).cast_mut().cast::<c_void>(),
                ..Default::default()
            }),
            GFP_KERNEL,
        )?;
        let mut name = [0u8; HOOK.len()];
        name.copy_from_slice(HOOK);
        // SAFETY: `ops` is unregistered, `name` is writable and ends with a NUL.
        let err = unsafe {
            bindings::ftrace_set_filter(
                ops.get(),
                name.as_mut_ptr(),
                HOOK.len().wrapping_sub(1) as i32,
                1,
            )
        };
        if err != 0 {
            pr_err!("bpf_fixup_call_args: this kernel has no such traceable function ({err})\n");
            return Err(ENOENT);
        }
        // SAFETY: `ops` and `binding` live until it is unregistered.
        let err = unsafe { bindings::register_ftrace_function(ops.get()) };
        if err != 0 {
            pr_err!("bpf_fixup_call_args: cannot be hooked ({err})\n");
            // SAFETY: Registration failed, so only the filter is left to free.
            unsafe { bindings::ftrace_free_filter(ops.get()) };
            return Err(kernel::error::Error::from_errno(err));
        }
        Ok(Self {
            ops,
            _binding: binding,
        })
    }
}

impl Drop for Bind {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`. Waits for hooks in progress, as the structure is in module
        // memory; programs that they bound hold the module, so none is left.
        let err = unsafe { bindings::unregister_ftrace_function(self.ops.get()) };
        if err != 0 {
            pr_err!("bpf_fixup_call_args: could not be unhooked ({err})\n");
        }
        // SAFETY: Unregistered.
        unsafe { bindings::ftrace_free_filter(self.ops.get()) };
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
    // SAFETY: The structure that `Bind::new` registered.
    let private = unsafe { (*ops).private };
    // SAFETY: Points to the binding, which lives until the hook is unregistered.
    let binding = unsafe { &*private.cast::<Binding>() };
    // SAFETY: The registers at the function's entry, which ftrace saved.
    let env = unsafe { bindings::rust_dynptr_ftrace_argument(fregs, 0) };
    // SAFETY: The function's first argument, while it is being entered.
    let Some(mut program) = (unsafe { VerifiedProgram::from_raw(env as *mut _) }) else {
        return;
    };
    if program.bind(&binding.targets, binding.module, &binding.btf) == Outcome::LeftToC {
        kernel::pr_warn_once!(
            "a program uses too many BTFs or the module is going: it stays with C\n"
        );
    }
}
