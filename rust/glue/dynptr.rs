// SPDX-License-Identifier: GPL-2.0

//! `struct bpf_dynptr_kern` and the moving of bytes, answering to `srctree/kernel/bpf/helpers.c`.
//!
//! **Verifier contract**, named in the SAFETY comments below: a pointer that a BPF program hands to a
//! helper as `ARG_PTR_TO_DYNPTR` is 16 bytes, 8-aligned, of that program's own stack, and holds a
//! dynptr that a constructor made or nulled; nobody else writes it during the call. What it stands
//! for (map value, record, packet, file) lives as long as the call, because the verifier tied the
//! two together. A pointer with a length, as `ARG_PTR_TO_MEM` and `ARG_MEM_SIZE`, is valid for that
//! many bytes.

use crate::{
    bindings::{
        self,
        layout, //
    },
    logic::{
        dynptr::{
            self as rules,
            Class,
            Refusal,
            View,
            Word,
            WriteClass, //
        },
        errno::{
            Errno,
            EINVAL, //
        }, //
    }, //
};
use core::{
    ffi::CStr,
    marker::PhantomData,
    ptr::{
        null_mut,
        NonNull, //
    }, //
};
use kernel::{
    ffi::{
        c_int,
        c_void, //
    },
    prelude::*, //
};

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
    /// `ptr` keeps the verifier contract for `'a`; it may be uninitialised if only
    /// [`Self::set_from_mem`] or [`Self::set_null`] follow.
    #[inline(always)]
    pub(crate) unsafe fn from_raw(ptr: *mut bindings::bpf_dynptr_kern) -> Self {
        // INVARIANT: By this function's contract.
        // SAFETY: A stack address is not NULL.
        Self(unsafe { NonNull::new_unchecked(ptr) }, PhantomData)
    }

    #[inline(always)]
    fn data_ptr(self) -> *mut c_void {
        // SAFETY: By the type invariant, `self.0` is readable and nobody writes it.
        unsafe { (*self.0.as_ptr()).data }
    }

    #[inline(always)]
    fn word(self) -> Word {
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

    /// What the rules want to know.
    #[inline(always)]
    fn view(self) -> View {
        View {
            has_data: !self.data_ptr().is_null(),
            word: self.word(),
            size: self.usable(),
        }
    }

    /// The kfunc `bpf_dynptr_size()`: usable bytes.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] for a null dynptr.
    #[inline(always)]
    pub(crate) fn size(self) -> Result<u64, Errno> {
        if self.data_ptr().is_null() {
            return Err(EINVAL);
        }
        Ok(self.usable())
    }

    /// `__bpf_dynptr_size()`: usable bytes. 0 for a null dynptr.
    #[inline(always)]
    fn usable(self) -> u64 {
        let word = self.word();
        if word.class() != Some(Class::File) {
            return u64::from(word.size());
        }
        self.file().map_or(0, FileImpl::size)
    }

    #[inline(always)]
    fn file(self) -> Option<FileImpl> {
        // INVARIANT: The data of a file dynptr is the structure that its constructor allocated.
        NonNull::new(self.data_ptr().cast::<u8>()).map(FileImpl)
    }

    /// Address `offset` bytes into contiguous memory.
    #[inline(always)]
    fn memory(self, offset: u64) -> *mut u8 {
        self.data_ptr()
            .cast::<u8>()
            .wrapping_add(self.offset_of(offset) as usize)
    }

    /// `bpf_dynptr_from_mem()`: makes this a dynptr over `size` bytes at `data`, or null.
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
        match rules::from_mem(size, flags) {
            Ok(word) => {
                self.set(data, word);
                Ok(())
            }
            Err(errno) => {
                self.set(null_mut(), Word::from_raw(0));
                Err(errno)
            }
        }
    }

    /// `bpf_dynptr_init()` at offset 0; with NULL and an empty word, `bpf_dynptr_set_null()`.
    #[inline(always)]
    fn set(self, data: *mut c_void, word: Word) {
        let value = bindings::bpf_dynptr_kern {
            data,
            size: word.into_raw(),
            offset: 0,
        };
        // SAFETY: By the type invariant, these 16 bytes of stack are writable.
        unsafe { self.0.as_ptr().write(value) };
    }

    /// `bpf_dynptr_read()`: copies `len` bytes at `offset` to `dst`; they may overlap.
    ///
    /// Returns 0 or a negative errno: those of [`rules::read`], or what the memory class gives
    /// (-EFAULT for a packet that cannot be read, any error of a file read).
    ///
    /// # Safety
    ///
    /// `dst` is valid for writes of `len` bytes. May sleep if this is a sleepable program's file.
    #[inline(always)]
    pub(crate) unsafe fn read(self, dst: *mut c_void, len: u64, offset: u64, flags: u64) -> c_int {
        let class = match rules::read(self.view(), offset, len, flags) {
            Ok(class) => class,
            Err(refusal) => return refused(c"bpf_dynptr_read", refusal),
        };
        let (data, at) = (self.data_ptr(), self.offset_of(offset));
        match class {
            Class::Local | Class::Ringbuf => {
                // SAFETY: `len` bytes at `offset` are inside this dynptr's memory; `dst` by contract.
                unsafe { copy(self.memory(offset), dst, len) };
                0
            }
            // SAFETY: `data` is the program's skb; the function checks the range itself.
            Class::Skb => unsafe {
                bindings::__bpf_skb_load_bytes(data.cast(), at as u32, dst, len as u32)
            },
            // SAFETY: `data` is the program's xdp_buff; the function checks the range itself.
            Class::Xdp => unsafe {
                bindings::__bpf_xdp_load_bytes(data.cast(), at as u32, dst, len as u32)
            },
            Class::SkbMeta => {
                // SAFETY: `data` is the program's skb and `at` is inside its metadata.
                let src = unsafe { bindings::bpf_skb_meta_pointer(data.cast(), at as u32) };
                // SAFETY: As above for `len` bytes at `src`; `dst` by contract.
                unsafe { copy(src.cast(), dst, len) };
                0
            }
            // SAFETY: `dst` by contract.
            Class::File => self.file().map_or(EINVAL.to_c_int(), |file| unsafe {
                file.fetch(offset, dst, len)
            }),
        }
    }

    /// `bpf_dynptr_write()`: copies `len` bytes from `src` to `offset`; they may overlap.
    ///
    /// Returns 0 or a negative errno: those of [`rules::write`], or what the packet functions give.
    ///
    /// # Safety
    ///
    /// `src` is valid for reads of `len` bytes.
    #[inline(always)]
    pub(crate) unsafe fn write(self, offset: u64, src: *mut c_void, len: u64, flags: u64) -> c_int {
        let class = match rules::write(self.view(), offset, len, flags) {
            Ok(class) => class,
            Err(refusal) => return refused(c"bpf_dynptr_write", refusal),
        };
        let (data, at) = (self.data_ptr(), self.offset_of(offset));
        match class {
            WriteClass::Memory => {
                // SAFETY: `len` bytes at `offset` are inside this dynptr's memory; `src` by contract.
                unsafe { copy(src.cast(), self.memory(offset).cast(), len) };
                0
            }
            // SAFETY: `data` is the program's skb; the function checks the range itself.
            WriteClass::Skb => unsafe {
                bindings::__bpf_skb_store_bytes(data.cast(), at as u32, src, len as u32, flags)
            },
            // SAFETY: `data` is the program's xdp_buff; the function checks the range itself.
            WriteClass::Xdp => unsafe {
                bindings::__bpf_xdp_store_bytes(data.cast(), at as u32, src, len as u32)
            },
            // SAFETY: `data` is the program's skb; the function checks range and flags itself.
            WriteClass::SkbMeta => unsafe {
                bindings::__bpf_skb_meta_store_bytes(data.cast(), at as u32, src, len as u32, flags)
            },
        }
    }

    /// `bpf_dynptr_data()`: the address of `len` bytes at `offset`, or NULL.
    #[inline(always)]
    pub(crate) fn data(self, offset: u64, len: u64) -> *mut u8 {
        match rules::data(self.view(), offset, len) {
            Ok(true) => self.memory(offset),
            Ok(false) => null_mut(),
            Err(refusal) => {
                refused(c"bpf_dynptr_data", refusal);
                null_mut()
            }
        }
    }
}

/// `struct bpf_dynptr_file_impl`: private to helpers.c, so its offsets come from BTF.
///
/// # Invariants
///
/// Points to such a structure, which a file dynptr owns.
#[derive(Clone, Copy)]
struct FileImpl(NonNull<u8>);

impl FileImpl {
    fn member<T>(self, offset: usize) -> *mut T {
        self.0.as_ptr().wrapping_add(offset).cast()
    }

    fn size(self) -> u64 {
        // SAFETY: By the type invariant, and `size` is a member of 8 bytes.
        unsafe {
            self.member::<u64>(layout::bpf_dynptr_file_impl::SIZE)
                .read()
        }
    }

    fn offset(self) -> u64 {
        // SAFETY: By the type invariant, and `offset` is a member of 8 bytes.
        unsafe {
            self.member::<u64>(layout::bpf_dynptr_file_impl::OFFSET)
                .read()
        }
    }

    /// `bpf_file_fetch_bytes()`: reads `len` bytes at `offset` of the view into `buf`.
    ///
    /// Returns 0, -EINVAL for a NULL `buf`, or the file reader's error.
    ///
    /// # Safety
    ///
    /// `buf` is NULL or valid for writes of `len` bytes.
    unsafe fn fetch(self, offset: u64, buf: *mut c_void, len: u64) -> c_int {
        if buf.is_null() {
            return EINVAL.to_c_int();
        }
        let freader = self.member::<bindings::freader>(layout::bpf_dynptr_file_impl::FREADER);
        // SAFETY: By the type invariant `freader` is the reader's state, used by this call only.
        unsafe { (*freader).buf = buf };
        // SAFETY: As above.
        unsafe { (*freader).buf_sz = len as u32 };
        let at = offset.wrapping_add(self.offset());
        // SAFETY: As above; the reader copies at most `buf_sz` bytes to `buf`.
        let found = unsafe { bindings::freader_fetch(freader, at as i64, len as usize) };
        if found.is_null() {
            // SAFETY: As above.
            return unsafe { (*freader).err };
        }
        if !core::ptr::eq(found, buf) {
            // SAFETY: The reader found `len` bytes in a mapped page, which is not `buf`.
            unsafe { core::ptr::copy_nonoverlapping(found.cast::<u8>(), buf.cast(), len as usize) };
        }
        0
    }
}

/// The errno of a refusal; warns once for a class that no constructor makes.
#[cold]
fn refused(function: &'static CStr, refusal: Refusal) -> c_int {
    match refusal {
        Refusal::Errno(errno) => errno.to_c_int(),
        Refusal::UnknownClass(class) => {
            // SAFETY: `function` is a C string.
            unsafe { bindings::rust_dynptr_warn_type(function.as_char_ptr(), class) };
            crate::logic::errno::EFAULT.to_c_int()
        }
    }
}

/// `memmove()`: source and destination may overlap, e.g. two dynptrs over one map value.
///
/// # Safety
///
/// `src` is valid for reads and `dst` for writes of `len` bytes.
#[inline(always)]
unsafe fn copy(src: *const u8, dst: *mut c_void, len: u64) {
    // SAFETY: By this function's contract.
    unsafe { core::ptr::copy(src, dst.cast::<u8>(), len as usize) };
}
