// SPDX-License-Identifier: GPL-2.0

//! Bugs that the debug kernel must find (`make test-debug`), one of each kind, in a build with
//! `RUST_DYNPTR_FAULTS=1` that is loaded with `plant=N`.

use crate::bindings;
use kernel::{
    prelude::*,
    sync::{
        new_mutex,
        rcu, //
    }, //
};

/// Does what is wrong, if the parameter asks for it, when the module is loaded. May sleep.
///
/// # Errors
///
/// `ENOMEM`.
pub(crate) fn bugs() -> Result {
    // SAFETY: Reads a parameter.
    match unsafe { bindings::rust_dynptr_plant() } {
        1 => out_of_bounds(),
        2 => sleeps_in_atomic_context(),
        3 => leaks(),
        4 => locks_in_both_orders(),
        5 => {
            // SAFETY: No pointers; a shift by more than the type has bits, in C.
            unsafe { bindings::rust_dynptr_plant_shift() };
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Reads the byte behind an array.
fn out_of_bounds() -> Result {
    let array = KVec::<u8>::from_elem(1, 24, GFP_KERNEL)?;
    // SAFETY: None: this is the bug. The allocator's object has 32 bytes, so that the read harms nobody.
    let behind = unsafe { array.as_ptr().add(24) };
    // SAFETY: As above.
    let byte = unsafe { behind.read_volatile() };
    pr_info!("planted: read {} out of bounds\n", usize::from(byte));
    Ok(())
}

/// Allocates with a flag that allows to sleep where RCU forbids it.
fn sleeps_in_atomic_context() -> Result {
    let guard = rcu::read_lock();
    let array = KVec::<u8>::with_capacity(24, GFP_KERNEL);
    drop(guard);
    array.map(drop).map_err(Into::into)
}

/// Forgets memory: several times, as an address may stay in a place that kmemleak takes for a pointer.
fn leaks() -> Result {
    for _ in 0..16 {
        let array = KVec::<u8>::from_elem(1, 1000, GFP_KERNEL)?;
        core::mem::forget(array);
    }
    Ok(())
}

/// Takes two locks in one order, then in the other.
fn locks_in_both_orders() -> Result {
    let first = KBox::pin_init(new_mutex!(0_u32, "planted_first"), GFP_KERNEL)?;
    let second = KBox::pin_init(new_mutex!(0_u32, "planted_second"), GFP_KERNEL)?;
    {
        let _outer = first.lock();
        let _inner = second.lock();
    }
    let _outer = second.lock();
    let _inner = first.lock();
    Ok(())
}
