// SPDX-License-Identifier: GPL-2.0

//! The dynptr constructors of `srctree/net/core/filter.c`. Called by JITed programs that have a packet
//! as their context. They do not sleep.
//!
//! # Safety
//!
//! For every function here: `skb` (`xdp`) is the program's context, and `ptr` is 16 writable bytes of
//! its stack (`MEM_UNINIT`), see the verifier contract in `glue::dynptr`.

use super::to_c_int;
use crate::glue::dynptr::Dynptr;
use kernel::ffi::{
    c_int,
    c_void, //
};

/// kfunc `bpf_dynptr_from_skb(s, flags, ptr__uninit)`: the packet with its paged parts.
///
/// Returns 0; -EINVAL if `flags` is not 0, and `ptr` is null then.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_from_skb(
    skb: *mut c_void,
    flags: u64,
    ptr: *mut c_void,
) -> c_int {
    // SAFETY: The contract for `ptr`, which is only set.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast()) };
    // SAFETY: The contract for `skb`.
    to_c_int(unsafe { ptr.set_from_skb(skb, flags, false) })
}

/// `bpf_dynptr_from_skb_rdonly(skb, flags, ptr__uninit)`: what the verifier calls instead in programs
/// that may not write packets.
///
/// Returns as [`rust_bpf_dynptr_from_skb`].
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_from_skb_rdonly(
    skb: *mut c_void,
    flags: u64,
    ptr: *mut c_void,
) -> c_int {
    // SAFETY: The contract for `ptr`, which is only set.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast()) };
    // SAFETY: The contract for `skb`.
    to_c_int(unsafe { ptr.set_from_skb(skb, flags, true) })
}

/// kfunc `bpf_dynptr_from_skb_meta(skb_, flags, ptr__uninit)`: the metadata before the packet; of size
/// 0 if there is none.
///
/// Returns 0; -EINVAL if `flags` is not 0, and `ptr` is null then.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_from_skb_meta(
    skb: *mut c_void,
    flags: u64,
    ptr: *mut c_void,
) -> c_int {
    // SAFETY: The contract for `ptr`, which is only set.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast()) };
    // SAFETY: The contract for `skb`.
    to_c_int(unsafe { ptr.set_from_skb_meta(skb, flags) })
}

/// kfunc `bpf_dynptr_from_xdp(x, flags, ptr__uninit)`: the frame with its fragments.
///
/// Returns 0; -EINVAL if `flags` is not 0, and `ptr` is null then.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_dynptr_from_xdp(
    xdp: *mut c_void,
    flags: u64,
    ptr: *mut c_void,
) -> c_int {
    // SAFETY: The contract for `ptr`, which is only set.
    let ptr = unsafe { Dynptr::from_raw(ptr.cast()) };
    // SAFETY: The contract for `xdp`.
    to_c_int(unsafe { ptr.set_from_xdp(xdp, flags) })
}
