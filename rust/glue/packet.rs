// SPDX-License-Identifier: GPL-2.0

//! Packets behind dynptrs: `struct sk_buff`, `struct xdp_buff` and the metadata in front of them,
//! answering to the packet arms of `srctree/kernel/bpf/helpers.c` and the functions that they call
//! in `srctree/net/core/filter.c`. Only `glue::dynptr` uses this.
//!
//! Offsets are from the packet's (or the metadata's) start, lengths in bytes.

use super::copy;
use crate::{
    bindings::{
        self,
        layout, //
    },
    logic::{
        dynptr::check_range,
        errno::{
            Errno,
            EFAULT, //
        },
        packet::{
            find,
            is_in_head,
            is_linear,
            part_in_head,
            Place, //
        }, //
    }, //
};
use core::ptr::null_mut;
use kernel::ffi::{
    c_int,
    c_void, //
};

/// Reads the member of type `T` that is `offset` bytes into a structure.
///
/// # Safety
///
/// There is one at `base`, which nobody changes now.
#[inline(always)]
unsafe fn member<T>(base: *const c_void, offset: usize) -> T {
    // SAFETY: By this function's contract.
    unsafe { base.wrapping_byte_add(offset).cast::<T>().read() }
}

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

    /// Bytes of the packet.
    #[inline(always)]
    pub(super) fn len(self) -> u32 {
        // SAFETY: By the type invariant.
        unsafe { member(self.0, layout::sk_buff::LEN) }
    }

    /// `skb_headlen()`: bytes of its first, contiguous part.
    #[inline(always)]
    fn headlen(self) -> u32 {
        // SAFETY: By the type invariant.
        let paged: u32 = unsafe { member(self.0, layout::sk_buff::DATA_LEN) };
        self.len().wrapping_sub(paged)
    }

    #[inline(always)]
    fn data(self) -> *mut c_void {
        // SAFETY: By the type invariant.
        unsafe { member(self.0, layout::sk_buff::DATA) }
    }

    /// Where its buffer starts, in front of the metadata.
    #[inline(always)]
    fn head(self) -> *mut c_void {
        // SAFETY: By the type invariant.
        unsafe { member(self.0, layout::sk_buff::HEAD) }
    }

    /// `skb_pointer_if_linear()`: the bytes, if they are in the first part.
    #[inline(always)]
    pub(super) fn linear(self, offset: u32, len: u32) -> Option<*mut c_void> {
        is_linear(self.headlen(), offset, len)
            .then_some(self.data().wrapping_byte_add(offset as usize))
    }

    /// The bytes from `offset` on that are in the first part, and how many; `None` if none are.
    #[inline(always)]
    pub(super) fn head_from(self, offset: u32) -> Option<(*const c_void, u32)> {
        match self.headlen().checked_sub(offset) {
            None | Some(0) => None,
            Some(len) => Some((self.data().wrapping_byte_add(offset as usize), len)),
        }
    }

    /// `skb_header_pointer()` where [`Self::linear`] has nothing: `buffer` with a copy of the bytes;
    /// NULL if it is NULL.
    ///
    /// # Safety
    ///
    /// `buffer` is NULL or valid for writes of `len` bytes.
    #[inline(always)]
    pub(super) unsafe fn slice_of_pages(
        self,
        offset: u32,
        buffer: *mut c_void,
        len: u32,
    ) -> *mut c_void {
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

    /// `bpf_skb_load_bytes()`: 0 or -EFAULT. `dst` may be a part of the packet.
    ///
    /// # Safety
    ///
    /// `dst` is valid for writes of `len` bytes.
    #[inline(always)]
    pub(super) unsafe fn load(self, offset: u32, dst: *mut c_void, len: u32) -> c_int {
        if let Some(src) = self.linear(offset, len) {
            // SAFETY: `src` is `len` bytes long; `dst` by contract.
            unsafe { copy(src, dst, len.into()) };
            return 0;
        }
        // SAFETY: By this function's contract.
        unsafe { self.load_of_pages(offset, dst, len) }
    }

    /// # Safety
    ///
    /// As [`Self::load`].
    #[inline(never)]
    unsafe fn load_of_pages(self, offset: u32, dst: *mut c_void, len: u32) -> c_int {
        // SAFETY: A live packet; the function checks the range; `dst` by contract.
        let err =
            unsafe { bindings::skb_copy_bits(self.0.cast(), offset as c_int, dst, len as c_int) };
        if err < 0 {
            // SAFETY: `dst` by contract.
            unsafe { dst.cast::<u8>().write_bytes(0, len as usize) };
            return EFAULT.to_c_int();
        }
        0
    }

    /// `bpf_skb_store_bytes()`: 0, -EINVAL for its flags, -EFAULT.
    ///
    /// # Safety
    ///
    /// `src` is valid for reads of `len` bytes.
    #[inline(always)]
    pub(super) unsafe fn store(self, offset: u32, src: *mut c_void, len: u32, flags: u64) -> c_int {
        if self.owns(src) {
            // SAFETY: As this function's.
            return unsafe { self.store_own(offset, src, len, flags) };
        }
        // SAFETY: A live packet; the function checks the range; `src` by contract.
        unsafe { bindings::__bpf_skb_store_bytes(self.0.cast(), offset, src, len, flags) }
    }

    /// Whether this address is in its buffer: metadata or the first part.
    #[inline(always)]
    fn owns(self, address: *mut c_void) -> bool {
        // SAFETY: By the type invariant.
        let end: u32 = unsafe { member(self.0, layout::sk_buff::END) };
        address.addr().wrapping_sub(self.head().addr()) < end as usize
    }

    /// [`Self::store`] of bytes of the packet itself: a slice. Where C moves the first part, because `offset` is
    /// behind it, C reads from where it was; here it is moved first.
    ///
    /// # Safety
    ///
    /// As [`Self::store`].
    #[cold]
    #[inline(never)]
    unsafe fn store_own(self, offset: u32, src: *mut c_void, len: u32, flags: u64) -> c_int {
        let place = src.addr().wrapping_sub(self.data().addr());
        // Nothing, stored behind the range, moves as much as the range itself, and is refused like it.
        let end = offset.saturating_add(len);
        // SAFETY: A live packet; no byte is read.
        let err =
            unsafe { bindings::__bpf_skb_store_bytes(self.0.cast(), end, null_mut(), 0, flags) };
        if err != 0 {
            return err;
        }
        let src = self.data().wrapping_byte_add(place);
        // SAFETY: As above; what is in front of the packet's end keeps its place from the packet's start.
        unsafe { bindings::__bpf_skb_store_bytes(self.0.cast(), offset, src, len, flags) }
    }

    /// `skb_metadata_len()`: bytes of metadata, at most 255.
    #[inline(always)]
    pub(super) fn meta_len(self) -> u32 {
        // SAFETY: By the type invariant.
        let end: u32 = unsafe { member(self.0, layout::sk_buff::END) };
        let shared = self.head().wrapping_byte_add(end as usize);
        // SAFETY: A live packet has its `skb_shared_info` there.
        u32::from(unsafe { member::<u8>(shared, layout::skb_shared_info::META_LEN) })
    }

    /// Whether the packet still has `len` bytes of metadata at `offset`: a write to the packet may have taken
    /// them away, with a dynptr over them none the wiser.
    ///
    /// # Errors
    ///
    /// [`EFAULT`] if it has not.
    pub(super) fn check_meta(self, offset: u64, len: u64) -> Result<(), Errno> {
        check_range(self.meta_len().into(), offset, len).map_err(|_| EFAULT)
    }

    /// `bpf_skb_meta_pointer()`: the metadata at `offset`, which must be within it. It ends where
    /// the MAC header starts.
    #[inline(always)]
    pub(super) fn meta(self, offset: u32) -> *mut c_void {
        // SAFETY: By the type invariant.
        let end: u16 = unsafe { member(self.0, layout::sk_buff::MAC_HEADER) };
        self.head()
            .wrapping_byte_add(end.into())
            .wrapping_byte_sub(self.meta_len() as usize)
            .wrapping_byte_add(offset as usize)
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

    #[inline(always)]
    fn data(self) -> *mut c_void {
        // SAFETY: By the type invariant.
        unsafe { member(self.0, layout::xdp_buff::DATA) }
    }

    /// Bytes of its first, contiguous part.
    #[inline(always)]
    fn headlen(self) -> u32 {
        // SAFETY: By the type invariant.
        let end: *mut c_void = unsafe { member(self.0, layout::xdp_buff::DATA_END) };
        end.addr().wrapping_sub(self.data().addr()) as u32
    }

    #[inline(always)]
    fn has_fragments(self) -> bool {
        // SAFETY: By the type invariant.
        let flags: u32 = unsafe { member(self.0, layout::xdp_buff::FLAGS) };
        flags & bindings::xdp_buff_flags_XDP_FLAGS_HAS_FRAGS != 0
    }

    /// `xdp_get_buff_len()`: bytes of the frame with its fragments.
    #[inline(always)]
    pub(super) fn len(self) -> u32 {
        if !self.has_fragments() {
            return self.headlen();
        }
        // SAFETY: A frame with fragments has its `skb_shared_info` there.
        let rest: u32 = unsafe { member(self.shared(), layout::skb_shared_info::XDP_FRAGS_SIZE) };
        self.headlen().wrapping_add(rest)
    }

    /// `xdp_get_shared_info_from_buff()`, which only a frame with fragments has.
    #[inline(always)]
    fn shared(self) -> *mut c_void {
        // SAFETY: By the type invariant.
        let start: *mut c_void = unsafe { member(self.0, layout::xdp_buff::DATA_HARD_START) };
        // SAFETY: As above.
        let size: u32 = unsafe { member(self.0, layout::xdp_buff::FRAME_SZ) };
        start
            .wrapping_byte_add(size as usize)
            .wrapping_byte_sub(bindings::rust_dynptr_values_RUST_DYNPTR_SHARED_INFO_ROOM as usize)
    }

    /// The fragment `index`, which must be there.
    #[inline(always)]
    fn fragment(self, index: usize) -> *const bindings::skb_frag {
        self.shared()
            .wrapping_byte_add(layout::skb_shared_info::FRAGS)
            .cast::<bindings::skb_frag>()
            .wrapping_add(index)
    }

    /// The sizes of the fragments.
    #[inline(always)]
    fn fragments(self) -> impl Iterator<Item = u32> {
        let count: u8 = if self.has_fragments() {
            // SAFETY: A frame with fragments has its `skb_shared_info` there.
            unsafe { member(self.shared(), layout::skb_shared_info::NR_FRAGS) }
        } else {
            0
        };
        // SAFETY: So many fragments are there.
        (0..count).map(move |index| unsafe { (*self.fragment(index.into())).len })
    }

    /// The bytes, if they are in the first part.
    #[inline(always)]
    pub(super) fn linear(self, offset: u32, len: u32) -> Option<*mut c_void> {
        is_in_head(self.headlen(), offset, len)
            .then_some(self.data().wrapping_byte_add(offset as usize))
    }

    /// `bpf_xdp_pointer()`: the bytes, NULL if they are in more than one part.
    ///
    /// # Errors
    ///
    /// Those of [`find`].
    #[inline(always)]
    fn pointer(self, offset: u32, len: u32) -> Result<*mut c_void, Errno> {
        Ok(
            match find(self.len(), self.headlen(), self.fragments(), offset, len)? {
                Place::Head(at) => self.data().wrapping_byte_add(at as usize),
                Place::Fragment(index, at) => {
                    // SAFETY: This fragment is there.
                    let start = unsafe { bindings::rust_dynptr_frag_address(self.fragment(index)) };
                    start.wrapping_byte_add(at as usize)
                }
                Place::Apart => null_mut(),
            },
        )
    }

    /// The bytes from `offset` on that are in the same part as it, and how many: one at least.
    ///
    /// # Errors
    ///
    /// Those of [`find`] of one byte.
    #[inline(always)]
    pub(super) fn part_from(self, offset: u32) -> Result<(*const c_void, u32), Errno> {
        if let Some(len) = self.headlen().checked_sub(offset) {
            if self.linear(offset, 1).is_some() {
                return Ok((self.data().wrapping_byte_add(offset as usize), len));
            }
        }
        self.fragment_from(offset)
    }

    #[inline(never)]
    fn fragment_from(self, offset: u32) -> Result<(*const c_void, u32), Errno> {
        let start = self.pointer(offset, 1)?;
        let len = match find(self.len(), self.headlen(), self.fragments(), offset, 1)? {
            // SAFETY: This fragment is there.
            Place::Fragment(index, at) => unsafe { (*self.fragment(index)).len }.checked_sub(at),
            Place::Head(at) => self.headlen().checked_sub(at),
            Place::Apart => None,
        };
        // One byte is in one part.
        len.map(|len| (start.cast_const(), len)).ok_or(EFAULT)
    }

    /// `bpf_xdp_pointer()`, else `bpf_xdp_copy_buf()`: a pointer to the bytes, or `buffer` with a
    /// copy of them; NULL if they cross fragments and `buffer` is NULL.
    ///
    /// # Safety
    ///
    /// `buffer` is NULL or valid for writes of `len` bytes.
    #[inline(always)]
    pub(super) unsafe fn slice_of_fragments(
        self,
        offset: u32,
        buffer: *mut c_void,
        len: u32,
    ) -> *mut c_void {
        match self.pointer(offset, len) {
            Ok(direct) if !direct.is_null() => return direct,
            _ if buffer.is_null() => {}
            // SAFETY: The frame has fragments; `buffer` by contract.
            _ if self.has_fragments() => unsafe { self.copy(offset, buffer, len, false) },
            _ => {
                // `bpf_xdp_adjust_tail()` has made it shorter than the dynptr. C would look for
                // fragments where there are none.
                let len = part_in_head(self.headlen(), offset, len);
                let src = self.data().wrapping_byte_add(offset as usize);
                // SAFETY: So many bytes are there; `buffer` by contract.
                unsafe { copy(src, buffer, len.into()) };
            }
        }
        buffer
    }

    /// `bpf_xdp_load_bytes()`: 0, -EINVAL, -EFAULT. `dst` may be a part of the frame.
    ///
    /// # Safety
    ///
    /// `dst` is valid for writes of `len` bytes.
    #[inline(always)]
    pub(super) unsafe fn load(self, offset: u32, dst: *mut c_void, len: u32) -> c_int {
        if let Some(src) = self.linear(offset, len) {
            // SAFETY: `src` is `len` bytes long; `dst` by contract.
            unsafe { copy(src, dst, len.into()) };
            return 0;
        }
        // SAFETY: By this function's contract.
        unsafe { self.load_of_fragments(offset, dst, len) }
    }

    /// # Safety
    ///
    /// As [`Self::load`].
    #[inline(never)]
    unsafe fn load_of_fragments(self, offset: u32, dst: *mut c_void, len: u32) -> c_int {
        match self.pointer(offset, len) {
            // SAFETY: In more than one part: it has fragments; `dst` by contract.
            Ok(src) if src.is_null() => unsafe { self.copy(offset, dst, len, false) },
            // SAFETY: `src` is `len` bytes long; `dst` by contract.
            Ok(src) => unsafe { copy(src, dst, len.into()) },
            Err(errno) => return errno.to_c_int(),
        }
        0
    }

    /// `bpf_xdp_store_bytes()`: 0, -EINVAL, -EFAULT. `src` may be a part of the frame.
    ///
    /// # Safety
    ///
    /// `src` is valid for reads of `len` bytes.
    #[inline(always)]
    pub(super) unsafe fn store(self, offset: u32, src: *mut c_void, len: u32) -> c_int {
        if let Some(dst) = self.linear(offset, len) {
            // SAFETY: `dst` is `len` bytes long; `src` by contract.
            unsafe { copy(src, dst, len.into()) };
            return 0;
        }
        // SAFETY: By this function's contract.
        unsafe { self.store_of_fragments(offset, src, len) }
    }

    /// # Safety
    ///
    /// As [`Self::store`].
    #[inline(never)]
    unsafe fn store_of_fragments(self, offset: u32, src: *mut c_void, len: u32) -> c_int {
        match self.pointer(offset, len) {
            // SAFETY: In more than one part: it has fragments; `src` by contract.
            Ok(dst) if dst.is_null() => unsafe { self.copy(offset, src, len, true) },
            // SAFETY: `dst` is `len` bytes long; `src` by contract.
            Ok(dst) => unsafe { copy(src, dst, len.into()) },
            Err(errno) => return errno.to_c_int(),
        }
        0
    }

    /// `bpf_xdp_copy_buf()`: copies part by part as many bytes as there are; with `store`, from
    /// `buffer` into the frame.
    ///
    /// # Safety
    ///
    /// The frame has fragments; `buffer` is valid for `len` bytes, for writes unless `store`.
    #[inline(always)]
    unsafe fn copy(self, offset: u32, buffer: *mut c_void, len: u32, store: bool) {
        // SAFETY: By this function's contract.
        unsafe {
            bindings::bpf_xdp_copy_buf(self.0.cast(), offset as usize, buffer, len as usize, store)
        };
    }
}
