// SPDX-License-Identifier: GPL-2.0

//! Files behind dynptrs: `struct bpf_dynptr_file_impl` of `srctree/kernel/bpf/helpers.c`, private to
//! it, so its offsets come from BTF. Only `glue::dynptr` uses this.
//!
//! C and Rust share these objects: both allocate with `kmalloc_nolock()`, so that either may free
//! what the other made.

use crate::{
    bindings::{
        self,
        layout, //
    },
    logic::{
        dynptr::{
            self as rules,
            Class,
            View,
            Word, //
        },
        errno::{
            Errno,
            EINVAL,
            ENOMEM, //
        }, //
    }, //
};
use core::ptr::null_mut;
use kernel::ffi::{
    c_int,
    c_void, //
};

/// What a file dynptr owns: the reader's state, and the view as 64-bit offset and size.
///
/// A clone of the dynptr shares it, so `bpf_dynptr_adjust()` of one moves the other's view, as in C.
///
/// # Invariants
///
/// Points to such a structure, initialised, which only the calling program uses; or is NULL, of
/// which there is only the size.
#[derive(Clone, Copy)]
pub(super) struct FileImpl(*mut c_void);

impl FileImpl {
    /// The structure of a file dynptr.
    ///
    /// # Safety
    ///
    /// `data` is the data pointer of a dynptr of class file.
    #[inline(always)]
    pub(super) unsafe fn from_raw(data: *mut c_void) -> Self {
        // INVARIANT: By this function's contract.
        Self(data)
    }

    /// `make_file_dynptr()`: a view of the whole file. Any context.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`].
    ///
    /// # Safety
    ///
    /// `file` lives as long as the dynptr.
    pub(super) unsafe fn new(file: *mut bindings::file, may_sleep: bool) -> Result<Self, Errno> {
        // SAFETY: `kmalloc_nolock()` takes any size in any context, NMI included; NULL if it cannot.
        let raw =
            unsafe { bindings::rust_dynptr_kmalloc_nolock(layout::bpf_dynptr_file_impl::SIZE_OF) };
        if raw.is_null() {
            return Err(ENOMEM);
        }
        let this = Self(raw);
        this.set_offset(0);
        // The file may grow or shrink: reads find out.
        this.set_size(u64::MAX);
        // SAFETY: Memory of the reader's size that we own; `file` by contract.
        unsafe { bindings::freader_init_from_file(this.freader(), null_mut(), 0, file, may_sleep) };
        // INVARIANT: Offset, size and reader have their values.
        Ok(this)
    }

    /// `bpf_dynptr_file_discard()`: gives the folio and the memory back. Any context.
    ///
    /// # Safety
    ///
    /// The dynptr and its clones are not used any more.
    pub(super) unsafe fn discard(self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::freader_cleanup(self.freader()) };
        // SAFETY: Allocated by `kmalloc_nolock()`, here or in C, and used no more by contract.
        unsafe { bindings::kfree_nolock(self.as_data()) };
    }

    /// The pointer for the dynptr's `data`.
    #[inline(always)]
    pub(super) fn as_data(self) -> *mut c_void {
        self.0
    }

    #[inline(always)]
    fn member<T>(self, offset: usize) -> *mut T {
        self.0.wrapping_byte_add(offset).cast()
    }

    #[inline(always)]
    fn freader(self) -> *mut bindings::freader {
        self.member(layout::bpf_dynptr_file_impl::FREADER)
    }

    /// Bytes of the view; 0 of NULL.
    #[inline(always)]
    pub(super) fn size(self) -> u64 {
        if self.0.is_null() {
            return 0;
        }
        let size = self.member::<u64>(layout::bpf_dynptr_file_impl::SIZE);
        // SAFETY: By the type invariant; a member of 8 bytes.
        unsafe { size.read() }
    }

    // The members below are only for callers that have seen that this is not NULL.

    #[inline(always)]
    fn set_size(self, value: u64) {
        let size = self.member::<u64>(layout::bpf_dynptr_file_impl::SIZE);
        // SAFETY: As in `size`; callers have seen that this is not NULL.
        unsafe { size.write(value) };
    }

    #[inline(always)]
    pub(super) fn offset(self) -> u64 {
        let offset = self.member::<u64>(layout::bpf_dynptr_file_impl::OFFSET);
        // SAFETY: As in `size`; callers have seen that this is not NULL.
        unsafe { offset.read() }
    }

    #[inline(always)]
    fn set_offset(self, value: u64) {
        let offset = self.member::<u64>(layout::bpf_dynptr_file_impl::OFFSET);
        // SAFETY: As in `size`; callers have seen that this is not NULL.
        unsafe { offset.write(value) };
    }

    /// `bpf_dynptr_adjust()` of a file dynptr and all its clones.
    ///
    /// # Errors
    ///
    /// Those of [`rules::adjust`].
    #[inline(always)]
    pub(super) fn adjust(self, start: u64, end: u64) -> Result<(), Errno> {
        let shorter = rules::adjust(self, start, end)?;
        self.set_offset(self.offset().wrapping_add(start));
        self.set_size(self.size().wrapping_sub(shorter));
        Ok(())
    }

    /// `__bpf_dynptr_read()` of a file dynptr.
    ///
    /// Returns 0 or a negative errno: those of [`rules::read`], or the file reader's. May sleep in a
    /// sleepable program.
    ///
    /// # Safety
    ///
    /// `dst` is valid for writes of `len` bytes.
    #[inline(never)]
    pub(super) unsafe fn read(self, dst: *mut c_void, len: u64, offset: u64, flags: u64) -> c_int {
        match rules::read(self, offset, len, flags) {
            // SAFETY: `dst` by contract.
            Ok(()) => unsafe { self.fetch(offset, dst, len) },
            Err(errno) => errno.to_c_int(),
        }
    }

    /// `bpf_dynptr_slice()` of a file dynptr: `buffer` with a copy of the bytes, or NULL. Sleeps if
    /// `buffer` is not NULL, in a sleepable program.
    ///
    /// # Safety
    ///
    /// `buffer` is NULL or valid for writes of `len` bytes.
    #[inline(never)]
    pub(super) unsafe fn slice(self, offset: u64, buffer: *mut c_void, len: u64) -> *mut c_void {
        match rules::slice(self, offset, len) {
            // SAFETY: `buffer` by contract.
            Ok(()) if unsafe { self.fetch(offset, buffer, len) } == 0 => buffer,
            _ => null_mut(),
        }
    }

    /// `bpf_file_fetch_bytes()`: reads `len` bytes at `offset` of the view into `buf`.
    ///
    /// Returns 0, -EINVAL for a NULL `buf`, or the file reader's error. Sleeps if the dynptr was made
    /// in a sleepable program.
    ///
    /// # Safety
    ///
    /// `buf` is NULL or valid for writes of `len` bytes.
    #[inline(always)]
    unsafe fn fetch(self, offset: u64, buf: *mut c_void, len: u64) -> c_int {
        if buf.is_null() {
            return EINVAL.to_c_int();
        }
        let at = offset.wrapping_add(self.offset());
        // SAFETY: By this function's contract.
        unsafe { self.fetch_from(at, buf, len) }
    }

    /// Bytes of the view that the file has, now. 0 if the kernel does not know how long the file is, as of
    /// a pipe.
    pub(super) fn present(self) -> u64 {
        // SAFETY: By the type invariant `freader` is the reader's state; its file is the program's.
        let size = unsafe { bindings::rust_dynptr_reader_size(self.freader()) };
        size.saturating_sub(self.offset()).min(self.size())
    }

    /// Reads `len` bytes at `at` of the file, wherever the view is, and sleeps only if that is allowed where
    /// the program is: in a sleepable one it is not everywhere.
    ///
    /// Returns 0 or the file reader's error: -EFAULT for what is not in memory if it must not sleep.
    ///
    /// # Safety
    ///
    /// `buf` is valid for writes of `len` bytes.
    pub(super) unsafe fn fetch_at(self, at: u64, buf: *mut c_void, len: u64) -> c_int {
        // SAFETY: Looks at what this processor is doing.
        if unsafe { bindings::rust_dynptr_may_sleep() } {
            // SAFETY: By this function's contract.
            return unsafe { self.fetch_from(at, buf, len) };
        }
        // SAFETY: By the type invariant, the reader's state, used by this call only.
        let sleeps = unsafe { bindings::rust_dynptr_reader_sleeps(self.freader(), false) };
        // SAFETY: By this function's contract.
        let err = unsafe { self.fetch_from(at, buf, len) };
        // SAFETY: As above.
        unsafe { bindings::rust_dynptr_reader_sleeps(self.freader(), sleeps) };
        err
    }

    /// Reads `len` bytes at `at` of the file into `buf`.
    ///
    /// # Safety
    ///
    /// `buf` is valid for writes of `len` bytes. Sleeps if the dynptr was made in a sleepable program.
    #[inline(always)]
    unsafe fn fetch_from(self, at: u64, buf: *mut c_void, len: u64) -> c_int {
        let freader = self.freader();
        // SAFETY: By the type invariant `freader` is the reader's state, used by this call only.
        unsafe { (*freader).buf = buf };
        // SAFETY: As above.
        unsafe { (*freader).buf_sz = len as u32 };
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

impl View for FileImpl {
    #[inline(always)]
    fn is_null(self) -> bool {
        self.0.is_null()
    }

    #[inline(always)]
    fn word(self) -> Word {
        Word::new(Class::File, 0).rdonly()
    }

    #[inline(always)]
    fn size(self) -> u64 {
        self.size()
    }
}
