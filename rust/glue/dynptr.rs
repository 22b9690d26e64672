// SPDX-License-Identifier: GPL-2.0

//! `struct bpf_dynptr_kern`: what a dynptr is and how one is made, answering to
//! `srctree/kernel/bpf/helpers.c` and the constructors in `srctree/net/core/filter.c`. The bytes
//! behind it move in `dynptr/bytes.rs`; `entry` calls both.
//!
//! **Verifier contract**, named in the SAFETY comments below: a pointer that a BPF program hands to a
//! helper as `ARG_PTR_TO_DYNPTR` is 16 bytes, 8-aligned, of that program's own stack, and holds a
//! dynptr that a constructor made or nulled; nobody else writes it during the call. What it stands
//! for (map value, record, packet, file) lives as long as the call, because the verifier tied the
//! two together. A word of class file stands only beside the pointer that a constructor made. A
//! pointer with a length, as `ARG_PTR_TO_MEM` and `ARG_MEM_SIZE`, is valid for that
//! many bytes.

mod bytes;
mod frozen;
mod pieces;
mod strings;

pub(super) use self::frozen::Frozen;
pub(crate) use self::pieces::{
    Constant,
    Piece, //
};

use super::{
    file::FileImpl,
    packet::{
        Skb,
        Xdp, //
    }, //
};
use crate::{
    bindings,
    logic::{
        dynptr::{
            self as rules,
            Class,
            View,
            Word, //
        },
        errno::{
            Errno,
            EINVAL, //
        }, //
    }, //
};
use core::{
    marker::PhantomData,
    ptr::{
        null_mut,
        NonNull, //
    }, //
};
use kernel::ffi::c_void;

/// A dynptr of a BPF program, borrowed for one call.
///
/// # Invariants
///
/// The pointer keeps the verifier contract for `'a`.
#[derive(Clone, Copy)]
pub(crate) struct Dynptr<'a>(NonNull<bindings::bpf_dynptr_kern>, PhantomData<&'a ()>);

impl<'a> Dynptr<'a> {
    /// Borrows what a helper was given.
    ///
    /// # Safety
    ///
    /// `ptr` keeps the verifier contract for `'a`; it may be uninitialised if only a constructor
    /// (`set_…`) follows.
    #[inline(always)]
    pub(crate) unsafe fn from_raw(ptr: *mut bindings::bpf_dynptr_kern) -> Self {
        // INVARIANT: By this function's contract.
        // SAFETY: A stack address is not NULL.
        Self(unsafe { NonNull::new_unchecked(ptr) }, PhantomData)
    }

    #[inline(always)]
    pub(super) fn data_ptr(self) -> *mut c_void {
        // SAFETY: By the type invariant, `self.0` is readable and nobody writes it.
        unsafe { (*self.0.as_ptr()).data }
    }

    /// [`Self::data_ptr`], read once more: what was read for [`Self::is_null`] then needs no register,
    /// which saves an instruction wherever the compiler can add to it from memory.
    #[inline(always)]
    fn data_anew(self) -> *mut c_void {
        // SAFETY: As in `data_ptr`.
        let data = unsafe { &raw const (*self.0.as_ptr()).data };
        // SAFETY: As in `data_ptr`.
        unsafe { data.read_volatile() }
    }

    #[inline(always)]
    pub(super) fn word(self) -> Word {
        // SAFETY: As in `data_ptr`.
        Word::from_raw(unsafe { (*self.0.as_ptr()).size })
    }

    /// `ptr->offset + offset`, which C computes in 64 bits.
    #[inline(always)]
    fn offset_of(self, offset: u64) -> u64 {
        // SAFETY: As in `data_ptr`.
        let base = unsafe { (*self.0.as_ptr()).offset };
        u64::from(base).wrapping_add(offset)
    }

    /// The kfunc `bpf_dynptr_size()`: usable bytes.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] for a null dynptr.
    #[inline(always)]
    pub(crate) fn size(self) -> Result<u64, Errno> {
        if self.is_null() {
            return Err(EINVAL);
        }
        Ok(self.usable())
    }

    /// `__bpf_dynptr_size()`: usable bytes. 0 for a null dynptr.
    #[inline(always)]
    pub(crate) fn usable(self) -> u64 {
        match self.file() {
            Some(file) => file.size(),
            None => self.word().size().into(),
        }
    }

    /// [`Self::usable`], but of a file only those that it has now.
    #[inline(always)]
    fn present(self) -> u64 {
        match self.file() {
            Some(file) => file.present(),
            None => self.word().size().into(),
        }
    }

    /// `bpf_dynptr_is_null()`.
    #[inline(always)]
    pub(crate) fn is_null(self) -> bool {
        self.data_ptr().is_null()
    }

    /// `__bpf_dynptr_is_rdonly()`: what the word says, also of a null dynptr.
    #[inline(always)]
    pub(crate) fn is_rdonly(self) -> bool {
        self.word().is_rdonly()
    }

    /// What is behind a file dynptr; `None` if this is none.
    #[inline(always)]
    fn file(self) -> Option<FileImpl> {
        if self.is_null() || self.word().class() != Some(Class::File) {
            return None;
        }
        // SAFETY: By the class, and the verifier contract.
        Some(unsafe { FileImpl::from_raw(self.data_ptr()) })
    }

    /// The packet of a dynptr whose pointer, as [`Self::data_ptr`] or [`Self::data_anew`] had it, is
    /// `data`.
    #[inline(always)]
    fn skb(self, data: *mut c_void) -> Skb {
        // SAFETY: Callers have seen that the class is packet or metadata; verifier contract.
        unsafe { Skb::from_raw(data) }
    }

    /// The frame, likewise.
    #[inline(always)]
    fn xdp(self, data: *mut c_void) -> Xdp {
        // SAFETY: Callers have seen that the class is XDP; verifier contract.
        unsafe { Xdp::from_raw(data) }
    }

    /// `bpf_dynptr_init()` at offset 0; with NULL and an empty word, `bpf_dynptr_set_null()`.
    #[inline(always)]
    pub(super) fn set(self, data: *mut c_void, word: Word) {
        let value = bindings::bpf_dynptr_kern {
            data,
            size: word.into_raw(),
            offset: 0,
        };
        // SAFETY: By the type invariant, these 16 bytes of stack are writable.
        unsafe { self.0.as_ptr().write(value) };
    }

    /// `bpf_dynptr_set_null()`.
    #[inline(always)]
    pub(crate) fn set_null(self) {
        self.set(null_mut(), Word::from_raw(0));
    }

    /// Makes this what a constructor decided: a dynptr at `data`, or null.
    #[inline(always)]
    fn construct(self, data: *mut c_void, word: Result<Word, Errno>) -> Result<(), Errno> {
        match word {
            Ok(word) => self.set(data, word),
            Err(errno) => return self.refuse(errno),
        }
        Ok(())
    }

    /// A constructor's error: the dynptr is null.
    #[inline(always)]
    pub(super) fn refuse(self, errno: Errno) -> Result<(), Errno> {
        self.set_null();
        Err(errno)
    }

    /// `bpf_dynptr_from_mem()`: makes this a dynptr over `size` bytes at `data`.
    ///
    /// # Errors
    ///
    /// Those of [`rules::from_mem`]; the dynptr is null then.
    #[inline(always)]
    pub(crate) fn set_from_mem(
        self,
        data: *mut c_void,
        size: u64,
        flags: u64,
    ) -> Result<(), Errno> {
        self.construct(data, rules::from_mem(size, flags))
    }

    /// `bpf_dynptr_from_skb()`, or with `rdonly` its hidden variant `bpf_dynptr_from_skb_rdonly()`.
    ///
    /// # Errors
    ///
    /// Those of [`rules::construct`]; the dynptr is null then.
    ///
    /// # Safety
    ///
    /// `skb` is the program's packet.
    #[inline(always)]
    pub(crate) unsafe fn set_from_skb(
        self,
        skb: *mut c_void,
        flags: u64,
        rdonly: bool,
    ) -> Result<(), Errno> {
        // SAFETY: By this function's contract.
        let packet = unsafe { Skb::from_raw(skb) };
        let word = rules::construct(Class::Skb, || packet.len(), flags);
        self.construct(skb, if rdonly { word.map(Word::rdonly) } else { word })
    }

    /// `bpf_dynptr_from_skb_meta()`.
    ///
    /// # Errors
    ///
    /// Those of [`rules::construct`]; the dynptr is null then.
    ///
    /// # Safety
    ///
    /// `skb` is the program's packet.
    #[inline(always)]
    pub(crate) unsafe fn set_from_skb_meta(
        self,
        skb: *mut c_void,
        flags: u64,
    ) -> Result<(), Errno> {
        // SAFETY: By this function's contract.
        let packet = unsafe { Skb::from_raw(skb) };
        let word = rules::construct(Class::SkbMeta, || packet.meta_len(), flags);
        self.construct(skb, word)
    }

    /// `bpf_dynptr_from_xdp()`.
    ///
    /// # Errors
    ///
    /// Those of [`rules::construct`]; the dynptr is null then.
    ///
    /// # Safety
    ///
    /// `xdp` is the program's frame.
    #[inline(always)]
    pub(crate) unsafe fn set_from_xdp(self, xdp: *mut c_void, flags: u64) -> Result<(), Errno> {
        // SAFETY: By this function's contract.
        let frame = unsafe { Xdp::from_raw(xdp) };
        let word = rules::construct(Class::Xdp, || frame.len(), flags);
        self.construct(xdp, word)
    }

    /// `bpf_dynptr_from_file()`, or with `may_sleep` its hidden variant
    /// `bpf_dynptr_from_file_sleepable()`.
    ///
    /// # Errors
    ///
    /// Those of [`rules::construct`]; `ENOMEM`. The dynptr is null then.
    ///
    /// # Safety
    ///
    /// The program holds `file` as long as the dynptr lives.
    pub(crate) unsafe fn set_from_file(
        self,
        file: *mut bindings::file,
        flags: u32,
        may_sleep: bool,
    ) -> Result<(), Errno> {
        let word = match rules::construct(Class::File, || 0, flags.into()) {
            Ok(word) => word.rdonly(),
            Err(errno) => return self.refuse(errno),
        };
        // SAFETY: By this function's contract.
        match unsafe { FileImpl::new(file, may_sleep) } {
            Ok(file) => self.set(file.as_data(), word),
            Err(errno) => return self.refuse(errno),
        }
        Ok(())
    }

    /// `bpf_dynptr_file_discard()`: the dynptr is null then. Nothing happens to a null one.
    ///
    /// # Safety
    ///
    /// This is a file dynptr or null; no clone of it is used any more.
    pub(crate) unsafe fn discard_file(self) {
        if self.is_null() {
            return;
        }
        // SAFETY: By this function's contract a file dynptr.
        let file = unsafe { FileImpl::from_raw(self.data_ptr()) };
        self.set_null();
        // SAFETY: By this function's contract.
        unsafe { file.discard() };
    }

    /// `bpf_dynptr_clone()`: makes `clone` the same dynptr. Memory and, for a file, the view are
    /// shared.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] for a null dynptr; `clone` is null then.
    #[inline(always)]
    pub(crate) fn clone_to(self, clone: Dynptr<'_>) -> Result<(), Errno> {
        if self.is_null() {
            clone.set_null();
            return Err(EINVAL);
        }
        // SAFETY: By the type invariant of both; they may be the same.
        unsafe { core::ptr::copy(self.0.as_ptr(), clone.0.as_ptr(), 1) };
        Ok(())
    }

    /// `bpf_dynptr_adjust()`: makes this the view from `start` to `end` of itself.
    ///
    /// # Errors
    ///
    /// Those of [`rules::adjust`].
    #[inline(always)]
    pub(crate) fn adjust(self, start: u64, end: u64) -> Result<(), Errno> {
        if let Some(file) = self.file() {
            return file.adjust(start, end);
        }
        let shorter = rules::adjust(self, start, end)?;
        let offset = self.offset_of(start) as u32;
        // SAFETY: By the type invariant; the kfunc's argument is writable.
        unsafe { (*self.0.as_ptr()).offset = offset };
        let word = self.word().shortened(shorter as u32);
        // SAFETY: As above.
        unsafe { (*self.0.as_ptr()).size = word.into_raw() };
        Ok(())
    }
}

impl View for Dynptr<'_> {
    #[inline(always)]
    fn is_null(self) -> bool {
        self.is_null()
    }

    #[inline(always)]
    fn word(self) -> Word {
        self.word()
    }

    #[inline(always)]
    fn size(self) -> u64 {
        self.usable()
    }
}
