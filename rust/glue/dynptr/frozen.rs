// SPDX-License-Identifier: GPL-2.0

//! A dynptr's view as it was at one moment, for what reads it later: iterators. `bpf_dynptr_adjust()` of
//! the dynptr does not move it, nor does writing over the dynptr end it.

use super::{
    pieces::Cursor,
    Dynptr, //
};
use crate::{
    bindings,
    logic::errno::{
        Errno,
        EINVAL, //
    }, //
};
use core::{
    marker::PhantomData,
    ptr::{
        null_mut,
        NonNull, //
    }, //
};

/// A clone of a dynptr, to be read only.
///
/// # Invariants
///
/// What the dynptr stands for lives, and only the program uses it, as the verifier contract says; or the
/// dynptr is null.
#[derive(Clone, Copy)]
#[repr(C)]
pub(in crate::glue) struct Frozen {
    dynptr: bindings::bpf_dynptr_kern,
    /// Where the view starts in a file; else 0, and the dynptr knows.
    base: u64,
}

impl Frozen {
    /// Of nothing.
    pub(in crate::glue) const NONE: Self = Self {
        dynptr: bindings::bpf_dynptr_kern {
            data: null_mut(),
            size: 0,
            offset: 0,
        },
        base: 0,
    };

    /// What `dynptr` shows, and its size in bytes: of a file what is there now.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] for a null dynptr.
    ///
    /// # Safety
    ///
    /// What the dynptr stands for outlives this.
    pub(in crate::glue) unsafe fn new(dynptr: Dynptr<'_>) -> Result<(Self, u64), Errno> {
        if dynptr.is_null() {
            return Err(EINVAL);
        }
        let base = dynptr.file().map_or(0, |file| file.offset());
        // SAFETY: By the invariant of `Dynptr`, readable, and nobody writes it.
        let value = unsafe { dynptr.0.as_ptr().read() };
        // INVARIANT: By this function's contract.
        let frozen = Self {
            dynptr: value,
            base,
        };
        Ok((frozen, dynptr.present()))
    }

    /// `len` bytes at `offset` of the view, which must be within it. Reading them sleeps only where the program
    /// may.
    pub(in crate::glue) fn pieces(&self, offset: u64, len: u32) -> Cursor<'_> {
        // INVARIANT: By the type invariant, what it stands for lives. Here nobody writes it.
        let dynptr = Dynptr(NonNull::from(&self.dynptr), PhantomData);
        // All dynptrs of a file share its view: the cursor goes by where that starts now.
        let moved = dynptr
            .file()
            .map_or(0, |file| self.base.wrapping_sub(file.offset()));
        Cursor::within(dynptr, offset.wrapping_add(moved), len.into())
    }
}
