// SPDX-License-Identifier: GPL-2.0

//! The bytes behind a dynptr: read, write, slice, copy and fill, for every class of memory,
//! answering to `srctree/kernel/bpf/helpers.c` and, for [`Dynptr::fetch`], to
//! `srctree/kernel/trace/bpf_trace.c`. `entry` calls this; `logic::dynptr` decides.
//!
//! Offsets are bytes from the start of the dynptr's view, lengths bytes. Where functions return an
//! `int`, it is 0 or a negative errno, as in C.

use super::Dynptr;
use crate::{
    bindings,
    glue::{
        copy,
        fetch::Source, //
    },
    logic::{
        chunk::{
            Chunk,
            Chunks,
            StringSteps,
            BUFFER, //
        },
        dynptr::{
            self as rules,
            Class,
            Refusal,
            WriteClass, //
        },
        errno::{
            E2BIG,
            EFAULT,
            EINVAL, //
        }, //
    }, //
};
use core::{
    ffi::CStr,
    mem::MaybeUninit,
    ptr::null_mut, //
};
use kernel::{
    ffi::{
        c_int,
        c_void, //
    },
    prelude::*, //
};

/// The buffer through which memory goes that is not contiguous.
type Buffer = MaybeUninit<[u64; BUFFER / 8]>;

impl Dynptr<'_> {
    /// The errno of a refusal in the C function `function`.
    #[inline(always)]
    fn refused(self, refusal: Refusal, function: &'static CStr) -> c_int {
        match refusal {
            Refusal::Errno(errno) => errno.to_c_int(),
            Refusal::UnknownClass => self.warn_class(function),
        }
    }

    /// -EFAULT for a class that no constructor makes, with a warning the first time.
    #[cold]
    #[inline(never)]
    pub(super) fn warn_class(self, function: &'static CStr) -> c_int {
        // SAFETY: `function` is a C string.
        unsafe { bindings::rust_dynptr_warn_type(function.as_char_ptr(), self.word().class_raw()) };
        EFAULT.to_c_int()
    }

    /// Address `offset` bytes into the contiguous memory at `data`, this dynptr's pointer.
    #[inline(always)]
    fn memory(self, data: *mut c_void, offset: u64) -> *mut c_void {
        data.wrapping_byte_add(self.offset_of(offset) as usize)
    }

    /// `__bpf_dynptr_read()`: copies `len` bytes at `offset` to `dst`; they may overlap.
    ///
    /// Returns 0 or a negative errno: those of [`rules::read`], or what the memory class gives
    /// (-EFAULT for a packet that cannot be read, any error of a file read).
    ///
    /// # Safety
    ///
    /// `dst` is valid for writes of `len` bytes. May sleep if this is a sleepable program's file.
    #[inline(always)]
    pub(crate) unsafe fn read(self, dst: *mut c_void, len: u64, offset: u64, flags: u64) -> c_int {
        if let Some(file) = self.file() {
            // SAFETY: `dst` by contract.
            return unsafe { file.read(dst, len, offset, flags) };
        }
        if let Err(errno) = rules::read(self, offset, len, flags) {
            return errno.to_c_int();
        }
        let at = self.offset_of(offset) as u32;
        match self.word().class() {
            Some(Class::Local | Class::Ringbuf) => {
                // SAFETY: `len` bytes at `offset` are inside this dynptr's memory; `dst` by contract.
                unsafe { copy(self.memory(self.data_ptr(), offset), dst, len) };
                0
            }
            // SAFETY: `dst` by contract.
            Some(Class::Skb) => unsafe { self.skb(self.data_ptr()).load(at, dst, len as u32) },
            // SAFETY: `dst` by contract.
            Some(Class::Xdp) => unsafe { self.xdp(self.data_ptr()).load(at, dst, len as u32) },
            Some(Class::SkbMeta) => {
                // SAFETY: `len` bytes at `at` are inside the metadata; `dst` by contract.
                unsafe { copy(self.skb(self.data_ptr()).meta(at), dst, len) };
                0
            }
            Some(Class::File) | None => self.warn_class(c"bpf_dynptr_read"),
        }
    }

    /// `__bpf_dynptr_write()`: copies `len` bytes from `src` to `offset`; they may overlap.
    ///
    /// Returns 0 or a negative errno: those of [`rules::write`], or what the packet functions give.
    ///
    /// # Safety
    ///
    /// `src` is valid for reads of `len` bytes.
    #[inline(always)]
    pub(crate) unsafe fn write(self, offset: u64, src: *mut c_void, len: u64, flags: u64) -> c_int {
        let class = match rules::write(self, offset, len, flags) {
            Ok(class) => class,
            Err(refusal) => return self.refused(refusal, c"bpf_dynptr_write"),
        };
        let at = self.offset_of(offset) as u32;
        match class {
            WriteClass::Memory => {
                // SAFETY: `len` bytes at `offset` are inside this dynptr's memory; `src` by contract.
                unsafe { copy(src, self.memory(self.data_anew(), offset), len) };
                0
            }
            // SAFETY: `src` by contract.
            WriteClass::Skb => unsafe {
                self.skb(self.data_anew()).store(at, src, len as u32, flags)
            },
            // SAFETY: `src` by contract.
            WriteClass::Xdp => unsafe { self.xdp(self.data_anew()).store(at, src, len as u32) },
            // SAFETY: `src` by contract; the range is inside the metadata.
            WriteClass::SkbMeta => unsafe {
                self.skb(self.data_anew())
                    .store_meta(at, src, len as u32, flags)
            },
        }
    }

    /// [`Self::write`] without flags, out of line: for the ways that are seldom gone.
    ///
    /// # Safety
    ///
    /// `src` is valid for reads of `len` bytes.
    #[inline(never)]
    unsafe fn write_part(self, offset: u64, src: *mut c_void, len: u64) -> c_int {
        // SAFETY: By this function's contract.
        unsafe { self.write(offset, src, len, 0) }
    }

    /// [`Self::read`] without flags, out of line.
    ///
    /// # Safety
    ///
    /// `dst` is valid for writes of `len` bytes.
    #[inline(never)]
    pub(super) unsafe fn read_part(self, dst: *mut c_void, len: u64, offset: u64) -> c_int {
        // SAFETY: By this function's contract.
        unsafe { self.read(dst, len, offset, 0) }
    }

    /// `bpf_dynptr_data()`: the address of `len` bytes at `offset`, or NULL.
    #[inline(always)]
    pub(crate) fn data(self, offset: u64, len: u64) -> *mut c_void {
        match rules::data(self, offset, len) {
            Ok(true) => self.memory(self.data_anew(), offset),
            Ok(false) => null_mut(),
            Err(refusal) => {
                self.refused(refusal, c"bpf_dynptr_data");
                null_mut()
            }
        }
    }

    /// `bpf_dynptr_slice()`: the address of `len` bytes at `offset`, or `buffer` with a copy of them
    /// if they are not contiguous, or NULL.
    ///
    /// # Safety
    ///
    /// `buffer` is NULL or valid for writes of `len` bytes. Sleeps if it is not NULL and this is a
    /// sleepable program's file.
    #[inline(always)]
    pub(crate) unsafe fn slice(self, offset: u64, buffer: *mut c_void, len: u64) -> *mut c_void {
        if let Some(file) = self.file() {
            // SAFETY: `buffer` by contract.
            return unsafe { file.slice(offset, buffer, len) };
        }
        if rules::slice(self, offset, len).is_err() {
            return null_mut();
        }
        // SAFETY: By this function's contract.
        unsafe { self.slice_of(Self::data_ptr, offset, buffer, len) }
    }

    /// `bpf_dynptr_slice_rdwr()`: as [`Self::slice`], but NULL for a read-only dynptr, as a file is.
    ///
    /// # Safety
    ///
    /// As [`Self::slice`].
    #[inline(always)]
    pub(crate) unsafe fn slice_rdwr(
        self,
        offset: u64,
        buffer: *mut c_void,
        len: u64,
    ) -> *mut c_void {
        if rules::slice_rdwr(self, offset, len).is_err() {
            return null_mut();
        }
        // SAFETY: By this function's contract.
        unsafe { self.slice_of(Self::data_anew, offset, buffer, len) }
    }

    /// # Safety
    ///
    /// As [`Self::slice`]; the rules allow this range; `data` reads this dynptr's pointer.
    #[inline(always)]
    unsafe fn slice_of(
        self,
        data: impl Fn(Self) -> *mut c_void,
        offset: u64,
        buffer: *mut c_void,
        len: u64,
    ) -> *mut c_void {
        let at = self.offset_of(offset) as u32;
        match self.word().class() {
            Some(Class::Local | Class::Ringbuf) => self.memory(data(self), offset),
            Some(Class::Skb) => match self.skb(data(self)).linear(at, len as u32) {
                Some(direct) => direct,
                // SAFETY: `buffer` by contract.
                None => unsafe { self.slice_of_pages(at, buffer, len as u32) },
            },
            Some(Class::Xdp) => match self.xdp(data(self)).linear(at, len as u32) {
                Some(direct) => direct,
                // SAFETY: `buffer` by contract.
                None => unsafe { self.slice_of_fragments(at, buffer, len as u32) },
            },
            Some(Class::SkbMeta) => self.skb(data(self)).meta(at),
            Some(Class::File) | None => {
                self.warn_class(c"bpf_dynptr_slice");
                null_mut()
            }
        }
    }

    /// [`Skb::slice_of_pages`], out of line.
    ///
    /// # Safety
    ///
    /// `buffer` is NULL or valid for writes of `len` bytes.
    #[inline(never)]
    unsafe fn slice_of_pages(self, at: u32, buffer: *mut c_void, len: u32) -> *mut c_void {
        // SAFETY: By this function's contract.
        unsafe { self.skb(self.data_ptr()).slice_of_pages(at, buffer, len) }
    }

    /// [`Xdp::slice_of_fragments`], out of line.
    ///
    /// # Safety
    ///
    /// `buffer` is NULL or valid for writes of `len` bytes.
    #[inline(never)]
    unsafe fn slice_of_fragments(self, at: u32, buffer: *mut c_void, len: u32) -> *mut c_void {
        // SAFETY: By this function's contract.
        unsafe {
            self.xdp(self.data_ptr())
                .slice_of_fragments(at, buffer, len)
        }
    }

    /// The address of `len` contiguous bytes at `offset`, or NULL.
    #[inline(always)]
    pub(crate) fn contiguous(self, offset: u64, len: u64) -> *mut c_void {
        // SAFETY: Without a buffer nothing is written.
        unsafe { self.slice(offset, null_mut(), len) }
    }

    /// The address of `len` contiguous writable bytes at `offset`, or NULL.
    #[inline(always)]
    pub(crate) fn contiguous_rdwr(self, offset: u64, len: u64) -> *mut c_void {
        if rules::slice_rdwr(self, offset, len).is_err() {
            return null_mut();
        }
        // SAFETY: Without a buffer nothing is written.
        unsafe { self.slice_of(Self::data_ptr, offset, null_mut(), len) }
    }

    fn is_out_of_bounds(self, offset: u64, len: u64) -> bool {
        rules::check_range(self.usable(), offset, len).is_err()
    }

    /// `bpf_dynptr_copy()`: copies `size` bytes from `src` at `src_offset` to here at `offset`.
    ///
    /// As in C, two views that overlap are copied right if one of them is contiguous; if neither is,
    /// the copy goes front to back.
    ///
    /// Returns 0, -E2BIG if both are not contiguous and either range is out of bounds, or the errno
    /// of the read or write that failed; bytes before it are copied.
    #[inline(always)]
    pub(crate) fn copy_from(
        self,
        offset: u64,
        src: Dynptr<'_>,
        src_offset: u64,
        size: u64,
    ) -> c_int {
        let from = src.contiguous(src_offset, size);
        let to = self.contiguous_rdwr(offset, size);
        match (from.is_null(), to.is_null()) {
            (false, false) => {
                // SAFETY: Both are `size` bytes long.
                unsafe { copy(from, to, size) };
                0
            }
            (false, true) if self.is_same_packet(src) => {
                self.copy_within_packet(offset, src, src_offset, size)
            }
            // SAFETY: `from` is `size` bytes long, and not in what is written to.
            (false, true) => unsafe { self.write_part(offset, from, size) },
            // SAFETY: `to` is `size` bytes long.
            (true, false) => unsafe { src.read_part(to, size, src_offset) },
            (true, true) => self.copy_in_chunks(offset, src, src_offset, size),
        }
    }

    /// Whether both are views of one `sk_buff` or of its metadata.
    #[inline(always)]
    fn is_same_packet(self, other: Dynptr<'_>) -> bool {
        let is_skb = |class| matches!(class, Some(Class::Skb | Class::SkbMeta));
        is_skb(self.word().class())
            && is_skb(other.word().class())
            && self.data_ptr() == other.data_ptr()
    }

    /// [`Self::copy_from`] from the first part of a packet to behind it: a write there moves the first part,
    /// which C reads from where it was. So it is moved first: then both are contiguous.
    #[inline(never)]
    fn copy_within_packet(self, offset: u64, src: Dynptr<'_>, src_offset: u64, size: u64) -> c_int {
        let before = src.contiguous(src_offset, size);
        // Nothing, written behind the range, moves as much as the range itself, and is refused like it.
        // SAFETY: No byte is read.
        let err = unsafe { self.write_part(offset.saturating_add(size), null_mut(), 0) };
        if err != 0 {
            return err;
        }
        let from = src.contiguous(src_offset, size);
        let to = self.contiguous_rdwr(offset, size);
        if from.is_null() || to.is_null() {
            return self.copy_in_chunks(offset, src, src_offset, size);
        }
        if from == before {
            // There was room. As C, also where the ranges overlap, which its memcpy() leaves to chance.
            // SAFETY: `from` is `size` bytes long.
            return unsafe { self.write_part(offset, from, size) };
        }
        // SAFETY: Both are `size` bytes long.
        unsafe { copy(from, to, size) };
        0
    }

    #[inline(never)]
    fn copy_in_chunks(self, offset: u64, src: Dynptr<'_>, src_offset: u64, size: u64) -> c_int {
        if self.is_out_of_bounds(offset, size) || src.is_out_of_bounds(src_offset, size) {
            return E2BIG.to_c_int();
        }
        let mut buffer = Buffer::uninit();
        self.write_in_chunks(offset, size, &mut buffer, |buffer, chunk| {
            let at = src_offset.wrapping_add(chunk.at);
            // SAFETY: A chunk is at most the buffer's size.
            unsafe { src.read_part(buffer, chunk.len as u64, at) }
        })
    }

    /// Writes `size` bytes at `offset` chunk by chunk; `fill` puts each into the buffer. Ends at the
    /// first error of either.
    #[inline(always)]
    fn write_in_chunks(
        self,
        offset: u64,
        size: u64,
        buffer: &mut Buffer,
        mut fill: impl FnMut(*mut c_void, Chunk) -> c_int,
    ) -> c_int {
        let buffer = buffer.as_mut_ptr().cast::<c_void>();
        for chunk in Chunks::new(size) {
            let err = fill(buffer, chunk);
            if err != 0 {
                return err;
            }
            let at = offset.wrapping_add(chunk.at);
            // SAFETY: A chunk is at most the buffer's size, and `fill` has set it.
            let err = unsafe { self.write_part(at, buffer, chunk.len as u64) };
            if err != 0 {
                return err;
            }
        }
        0
    }

    /// `bpf_dynptr_memset()`: sets `size` bytes at `offset` to `value`.
    ///
    /// Returns 0; -EINVAL for a read-only dynptr; -E2BIG out of bounds; what the packet functions
    /// give. A null dynptr is -EINVAL unless nothing is to be set.
    #[inline(always)]
    pub(crate) fn fill(self, offset: u64, size: u64, value: u8) -> c_int {
        let to = self.contiguous_rdwr(offset, size);
        if !to.is_null() {
            // SAFETY: `to` is `size` bytes long.
            unsafe { to.cast::<u8>().write_bytes(value, size as usize) };
            return 0;
        }
        self.fill_in_chunks(offset, size, value)
    }

    #[inline(never)]
    fn fill_in_chunks(self, offset: u64, size: u64, value: u8) -> c_int {
        if self.is_rdonly() {
            return EINVAL.to_c_int();
        }
        if self.is_out_of_bounds(offset, size) {
            return E2BIG.to_c_int();
        }
        let mut buffer = Buffer::uninit();
        let words = buffer.as_mut_ptr().cast::<u64>();
        for i in 0..(size.min(BUFFER as u64) as usize).div_ceil(8) {
            // SAFETY: `i` is below the number of the buffer's words.
            unsafe { words.wrapping_add(i).write(u64::from_ne_bytes([value; 8])) };
        }
        self.write_in_chunks(offset, size, &mut buffer, |_, _| 0)
    }

    /// `__bpf_dynptr_copy()`: reads `size` bytes of foreign memory at `address` into here at
    /// `offset`.
    ///
    /// Returns 0; -E2BIG if this is not contiguous and the range is out of bounds; the errno of
    /// the source; -EINVAL for a read-only or null dynptr with something to copy.
    #[inline(always)]
    pub(crate) fn fetch(self, offset: u64, size: u64, source: impl Source, address: u64) -> c_int {
        let to = self.contiguous_rdwr(offset, size);
        if !to.is_null() {
            // SAFETY: `to` is `size` bytes long, which is at most 2^24 - 1 for what is contiguous.
            return unsafe { source.bytes(to, address, size as u32) };
        }
        if self.is_out_of_bounds(offset, size) {
            return E2BIG.to_c_int();
        }
        let mut buffer = Buffer::uninit();
        self.write_in_chunks(offset, size, &mut buffer, |buffer, chunk| {
            let at = address.wrapping_add(chunk.at);
            // SAFETY: A chunk is at most the buffer's size.
            unsafe { source.bytes(buffer, at, chunk.len as u32) }
        })
    }

    /// `__bpf_dynptr_copy_str()`: reads a string of at most `size` bytes with its NUL at `address`
    /// into here at `offset`.
    ///
    /// Returns its length with the NUL, or a negative errno as [`Self::fetch`].
    #[inline(always)]
    pub(crate) fn fetch_string(
        self,
        offset: u64,
        size: u64,
        source: impl Source,
        address: u64,
    ) -> c_int {
        let to = self.contiguous_rdwr(offset, size);
        if !to.is_null() {
            // SAFETY: `to` is `size` bytes long, which is at most 2^24 - 1 for what is contiguous.
            return unsafe { source.string(to, address, size as u32) };
        }
        if self.is_out_of_bounds(offset, size) {
            return E2BIG.to_c_int();
        }
        let mut buffer = Buffer::uninit();
        let buffer = buffer.as_mut_ptr().cast::<c_void>();
        let mut steps = StringSteps::new(size);
        while let Some(chunk) = steps.chunk() {
            let at = address.wrapping_add(chunk.at);
            // SAFETY: A chunk is at most the buffer's size.
            let copied = unsafe { source.string(buffer, at, chunk.len as u32) };
            let Ok(count) = usize::try_from(copied) else {
                return copied;
            };
            let at = offset.wrapping_add(chunk.at);
            // SAFETY: The source has set `count` bytes, at most the chunk's length.
            let err = unsafe { self.write_part(at, buffer, count as u64) };
            if err != 0 {
                return err;
            }
            if let Some(length) = steps.copied(chunk, count) {
                return length as c_int;
            }
        }
        steps.end() as c_int
    }
}
