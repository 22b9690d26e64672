// SPDX-License-Identifier: GPL-2.0

//! Kind *hook*: a callback of ours runs at a C function's entry, which then goes on as it is. Binding
//! (`bind.rs`) and the rules on frames that end (`frames.rs`) set them; nothing else calls this.

use crate::{
    bindings,
    table::Row, //
};
use core::ffi::c_void;
use kernel::{
    ffi::c_ulong,
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    },
    types::Opaque, //
};

/// The type of an ftrace callback: the function's entry, its caller, the hook, the registers.
pub(super) type Callback =
    unsafe extern "C" fn(c_ulong, c_ulong, *mut bindings::ftrace_ops, *mut bindings::ftrace_regs);

/// A function that runs at the entry of a kernel function while this lives.
pub(super) struct Hook {
    ops: KBox<Opaque<bindings::ftrace_ops>>,
    row: Row,
}

// SAFETY: The ftrace core guards the structure; this object only owns it.
unsafe impl Send for Hook {}
// SAFETY: As above.
unsafe impl Sync for Hook {}

impl Hook {
    /// Puts `callback` on the C function of `row`; it finds `private`, which must outlive the hook, in the
    /// structure of that name.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such function, or it cannot be traced; what ftrace gives. The log names it.
    pub(super) fn new(row: Row, callback: Callback, private: *mut c_void) -> Result<Self> {
        let ops = KBox::new(
            Opaque::new(bindings::ftrace_ops {
                func: Some(callback),
                private,
                ..Default::default()
            }),
            GFP_KERNEL,
        )?;
        let entry = super::traced_entry(row.name(), super::c_address(row)?)?;
        // By address: `ftrace_set_filter()`, by name, takes -ENOMEM for a number of functions found, and
        // leaves a filter that is empty, which stands for all functions of the kernel.
        // SAFETY: `ops` is unregistered.
        let err = unsafe { bindings::ftrace_set_filter_ip(ops.get(), entry, 0, 1) };
        if err != 0 {
            pr_err!("{}: cannot be hooked ({err})\n", row.name());
            return Err(kernel::error::Error::from_errno(err));
        }
        // SAFETY: `ops` and what `private` points to live until it is unregistered.
        let err = unsafe { bindings::register_ftrace_function(ops.get()) };
        if err != 0 {
            pr_err!("{}: cannot be hooked ({err})\n", row.name());
            // SAFETY: Registration failed, so only the filter is left to free.
            unsafe { bindings::ftrace_free_filter(ops.get()) };
            return Err(kernel::error::Error::from_errno(err));
        }
        Ok(Self { ops, row })
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
            let name = self.row.name();
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
