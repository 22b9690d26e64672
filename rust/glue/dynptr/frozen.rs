// SPDX-License-Identifier: GPL-2.0

//! A dynptr's view as it was at one moment, for what reads it later: iterators. `bpf_dynptr_adjust()` of
//! the dynptr does not move it, nor does writing over the dynptr end it.

use super::Dynptr;
use crate::{
    bindings,
    logic::{
        dynptr::Class,
        errno::{
            Errno,
            EFAULT,
            EINVAL, //
        }, //
    }, //
};
use core::ptr::{
    null_mut,
    NonNull, //
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

    /// Reads `buf.len()` bytes at `offset` of the view. Sleeps only where the program may.
    ///
    /// # Errors
    ///
    /// [`EFAULT`] whatever `__bpf_dynptr_read()` says; for metadata that the packet has not any more; for
    /// what of a file is not in memory where one may not sleep.
    pub(in crate::glue) fn read(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), Errno> {
        // INVARIANT: By the type invariant, what it stands for lives. Here nobody writes it.
        let dynptr = Dynptr(NonNull::from(&mut self.dynptr), core::marker::PhantomData);
        let len = buf.len() as u64;
        let dst = buf.as_mut_ptr().cast();
        let err = if let Some(file) = dynptr.file() {
            // SAFETY: `buf` is as long.
            unsafe { file.fetch_at(self.base.wrapping_add(offset), dst, len) }
        } else {
            if !dynptr.is_null() && dynptr.word().class() == Some(Class::SkbMeta) {
                let skb = dynptr.skb(dynptr.data_ptr());
                skb.check_meta(dynptr.offset_of(offset), len)?;
            }
            // SAFETY: `buf` is as long.
            unsafe { dynptr.read(dst, len, offset, 0) }
        };
        if err == 0 {
            Ok(())
        } else {
            Err(EFAULT)
        }
    }
}
