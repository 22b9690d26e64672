// SPDX-License-Identifier: GPL-2.0

//! Packets behind dynptrs: `struct sk_buff`, `struct xdp_buff` and the metadata in front of them,
//! answering to the packet arms of `srctree/kernel/bpf/helpers.c` and the functions that they call
//! in `srctree/net/core/filter.c`. Only `glue::dynptr` uses this.
//!
//! Offsets are from the packet's (or the metadata's) start, lengths in bytes.

use crate::{
    bindings::{
        self,
        layout, //
    },
    logic::dynptr::is_linear, //
};
use core::ptr::null_mut;
use kernel::ffi::{
    c_int,
    c_void, //
};

/// The packet of a program's context, for one call.
///
/// # Invariants
///
/// A live `sk_buff`; while the program runs nobody else changes it.
#[derive(Clone, Copy)]
pub(super) struct Skb(*mut c_void);

impl Skb {
    /// # Safety
    ///
    /// `skb` keeps the type invariant for the call.
    #[inline(always)]
    pub(super) unsafe fn from_raw(skb: *mut c_void) -> Self {
        // INVARIANT: By this function's contract.
        Self(skb)
    }

    #[inline(always)]
    fn member<T>(self, offset: usize) -> *mut T {
        self.0.wrapping_byte_add(offset).cast()
    }

    /// Bytes of the packet.
    #[inline(always)]
    pub(super) fn len(self) -> u32 {
        // SAFETY: By the type invariant; a member of 4 bytes.
        unsafe { self.member::<u32>(layout::sk_buff::LEN).read() }
    }

    /// `skb_headlen()`: bytes of its first, contiguous part.
    #[inline(always)]
    fn headlen(self) -> u32 {
        // SAFETY: As in `len`.
        let paged = unsafe { self.member::<u32>(layout::sk_buff::DATA_LEN).read() };
        self.len().wrapping_sub(paged)
    }

    #[inline(always)]
    fn data(self) -> *mut c_void {
        // SAFETY: By the type invariant; a pointer member.
        unsafe { self.member::<*mut c_void>(layout::sk_buff::DATA).read() }
    }

    /// `skb_pointer_if_linear()`, else `skb_header_pointer()`: a pointer to the bytes, or `buffer`
    /// with a copy of them; NULL if they are not contiguous and `buffer` is NULL.
    ///
    /// # Safety
    ///
    /// `buffer` is NULL or valid for writes of `len` bytes.
    #[inline(always)]
    pub(super) unsafe fn slice(self, offset: u32, buffer: *mut c_void, len: u32) -> *mut c_void {
        if is_linear(self.headlen(), offset, len) {
            return self.data().wrapping_byte_add(offset as usize);
        }
        if buffer.is_null() {
            return null_mut();
        }
        // SAFETY: A live packet; the function checks the range; `buffer` by contract.
        let err = unsafe {
            bindings::skb_copy_bits(self.0.cast(), offset as c_int, buffer, len as c_int)
        };
        if err < 0 {
            return null_mut();
        }
        buffer
    }

    /// `bpf_skb_load_bytes()` without its checks of the context: 0 or -EFAULT.
    ///
    /// # Safety
    ///
    /// `dst` is valid for writes of `len` bytes.
    #[inline(always)]
    pub(super) unsafe fn load(self, offset: u32, dst: *mut c_void, len: u32) -> c_int {
        // SAFETY: A live packet; the function checks the range; `dst` by contract.
        unsafe { bindings::__bpf_skb_load_bytes(self.0.cast(), offset, dst, len) }
    }

    /// `bpf_skb_store_bytes()`: 0, -EINVAL for its flags, -EFAULT.
    ///
    /// # Safety
    ///
    /// `src` is valid for reads of `len` bytes.
    #[inline(always)]
    pub(super) unsafe fn store(self, offset: u32, src: *mut c_void, len: u32, flags: u64) -> c_int {
        // SAFETY: A live packet; the function checks the range; `src` by contract.
        unsafe { bindings::__bpf_skb_store_bytes(self.0.cast(), offset, src, len, flags) }
    }

    /// `skb_metadata_len()`: bytes of metadata, at most 255.
    #[inline(always)]
    pub(super) fn meta_len(self) -> u32 {
        // SAFETY: A live packet.
        unsafe { bindings::rust_dynptr_skb_metadata_len(self.0.cast()) }
    }

    /// `bpf_skb_meta_pointer()`: the metadata at `offset`, which must be within it.
    #[inline(always)]
    pub(super) fn meta(self, offset: u32) -> *mut c_void {
        // SAFETY: A live packet; an address computation.
        unsafe { bindings::bpf_skb_meta_pointer(self.0.cast(), offset) }
    }

    /// `__bpf_skb_meta_store_bytes()`: 0, -EINVAL for any flags, -EFAULT.
    ///
    /// # Safety
    ///
    /// `src` is valid for reads of `len` bytes; `offset + len` is within the metadata.
    #[inline(always)]
    pub(super) unsafe fn store_meta(
        self,
        offset: u32,
        src: *mut c_void,
        len: u32,
        flags: u64,
    ) -> c_int {
        // SAFETY: A live packet; the rest by contract.
        unsafe { bindings::__bpf_skb_meta_store_bytes(self.0.cast(), offset, src, len, flags) }
    }
}

/// The frame of an XDP program's context, for one call.
///
/// # Invariants
///
/// A live `xdp_buff`; while the program runs nobody else changes it.
#[derive(Clone, Copy)]
pub(super) struct Xdp(*mut c_void);

impl Xdp {
    /// # Safety
    ///
    /// `xdp` keeps the type invariant for the call.
    #[inline(always)]
    pub(super) unsafe fn from_raw(xdp: *mut c_void) -> Self {
        // INVARIANT: By this function's contract.
        Self(xdp)
    }

    /// `xdp_get_buff_len()`: bytes of the frame with its fragments.
    #[inline(always)]
    pub(super) fn len(self) -> u32 {
        // SAFETY: A live frame.
        unsafe { bindings::rust_dynptr_xdp_len(self.0.cast()) }
    }

    /// `bpf_xdp_pointer()`, else `bpf_xdp_copy_buf()`: a pointer to the bytes, or `buffer` with a
    /// copy of them; NULL if they cross fragments and `buffer` is NULL.
    ///
    /// # Safety
    ///
    /// `buffer` is NULL or valid for writes of `len` bytes.
    #[inline(always)]
    pub(super) unsafe fn slice(self, offset: u32, buffer: *mut c_void, len: u32) -> *mut c_void {
        // SAFETY: A live frame; the function checks the range.
        let direct = unsafe { bindings::bpf_xdp_pointer(self.0.cast(), offset, len) };
        // IS_ERR_OR_NULL()
        let is_error = (direct as isize) < 0 && (direct as isize) >= -4095;
        if !direct.is_null() && !is_error {
            return direct;
        }
        if buffer.is_null() {
            return null_mut();
        }
        // SAFETY: A live frame, and the range was checked against its length; `buffer` by contract.
        unsafe {
            bindings::bpf_xdp_copy_buf(self.0.cast(), offset as usize, buffer, len as usize, false)
        };
        buffer
    }

    /// `bpf_xdp_load_bytes()`: 0, -EINVAL.
    ///
    /// # Safety
    ///
    /// `dst` is valid for writes of `len` bytes.
    #[inline(always)]
    pub(super) unsafe fn load(self, offset: u32, dst: *mut c_void, len: u32) -> c_int {
        // SAFETY: A live frame; the function checks the range; `dst` by contract.
        unsafe { bindings::__bpf_xdp_load_bytes(self.0.cast(), offset, dst, len) }
    }

    /// `bpf_xdp_store_bytes()`: 0, -EINVAL.
    ///
    /// # Safety
    ///
    /// `src` is valid for reads of `len` bytes.
    #[inline(always)]
    pub(super) unsafe fn store(self, offset: u32, src: *mut c_void, len: u32) -> c_int {
        // SAFETY: A live frame; the function checks the range; `src` by contract.
        unsafe { bindings::__bpf_xdp_store_bytes(self.0.cast(), offset, src, len) }
    }
}
