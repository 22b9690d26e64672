// SPDX-License-Identifier: GPL-2.0

//! Kind *jump*: the 5-byte nop at a C function's entry becomes a jump to the Rust function
//! (`register_ftrace_direct()` with the address's bit 0 set, see `ftrace_jmp_set()`). No instruction
//! more than C, and it acts on every caller at once.

use crate::{
    bindings,
    table::Row, //
    takeover::as_ulong,
};
use kernel::{
    prelude::*,
    types::Opaque, //
};

/// The tag in an ftrace direct address that asks for a jump instead of a call.
const JUMP: usize = 1;

/// One C function that jumps to Rust while this lives.
pub(crate) struct Jump {
    ops: KBox<Opaque<bindings::ftrace_ops>>,
    target: usize,
    row: Row,
}

// SAFETY: The ftrace core guards the structure; this object only owns it.
unsafe impl Send for Jump {}
// SAFETY: As above; nothing takes `&Jump` into C.
unsafe impl Sync for Jump {}

impl Jump {
    /// Makes the C function of `row` jump to `address`.
    ///
    /// # Errors
    ///
    /// `ENOENT` if ftrace knows no such function; `EBUSY` if somebody traces it in a way that
    /// excludes us (fentry program, livepatch); what ftrace gives.
    pub(crate) fn new(row: Row, address: usize) -> Result<Self> {
        let ops = KBox::new(Opaque::new(bindings::ftrace_ops::default()), GFP_KERNEL)?;
        let mut name = [0u8; 64];
        let source = row.c_name();
        name.get_mut(..source.len())
            .ok_or(EINVAL)?
            .copy_from_slice(source);
        // SAFETY: `ops` is zeroed and unregistered, `name` is writable and ends with a NUL.
        let err = unsafe {
            bindings::ftrace_set_filter(
                ops.get(),
                name.as_mut_ptr(),
                source.len().wrapping_sub(1) as i32,
                1,
            )
        };
        if err != 0 {
            pr_err!(
                "{}: this kernel has no such traceable function ({err})\n",
                row.name()
            );
            return Err(ENOENT);
        }
        let target = address | JUMP;
        // SAFETY: `ops` has its filter; it lives until it is unregistered.
        let err = unsafe { bindings::register_ftrace_direct(ops.get(), as_ulong(target)) };
        if err != 0 {
            let reason = if err == EBUSY.to_errno() {
                "a BPF fentry program or a livepatch is on it already"
            } else {
                "register_ftrace_direct() failed"
            };
            pr_err!("{}: cannot be taken over ({err}): {reason}\n", row.name());
            pr_err!("who traces it: /sys/kernel/tracing/enabled_functions\n");
            // SAFETY: Registration failed, so only the filter is left to free.
            unsafe { bindings::ftrace_free_filter(ops.get()) };
            return Err(kernel::error::Error::from_errno(err));
        }
        Ok(Self { ops, target, row })
    }
}

impl Drop for Jump {
    fn drop(&mut self) {
        // SAFETY: Registered in `new` with this address. Waits until no CPU and no preempted task is
        // in the Rust function (`ftrace_shutdown()`, as the structure is in module memory).
        let err = unsafe {
            bindings::unregister_ftrace_direct(self.ops.get(), as_ulong(self.target), true)
        };
        if err != 0 {
            pr_err!("{}: could not be given back ({err})\n", self.row.name());
        }
    }
}
