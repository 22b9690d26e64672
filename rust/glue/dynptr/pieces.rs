// SPDX-License-Identifier: GPL-2.0

//! The view of a dynptr as the contiguous pieces that it has, without a copy where they can be read in place:
//! memory, metadata, the first part of a packet, the parts of a frame. The pages of a packet and files come
//! through a small buffer, as in `bpf_dynptr_read()`.

use super::Dynptr;
use crate::{
    logic::{
        chunk::BUFFER,
        dynptr::Class,
        errno::{
            Errno,
            E2BIG,
            EFAULT,
            EINVAL, //
        },
        pieces::{
            lowest,
            zeros,
            Bytes,
            Pieces, //
        }, //
    }, //
};
use core::{
    marker::PhantomData,
    mem::MaybeUninit, //
};
use kernel::ffi::{
    c_char,
    c_void, //
};

/// Contiguous bytes that others may write meanwhile, as the kernel's C reads such memory: by `READ_ONCE()`.
///
/// # Invariants
///
/// `start` is valid for reads of `len` bytes for `'a`.
#[derive(Clone, Copy)]
pub(crate) struct Piece<'a> {
    start: *const u8,
    len: usize,
    lent: PhantomData<&'a ()>,
}

/// A word at any address.
#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Word(u64);

impl<'a> Piece<'a> {
    /// # Safety
    ///
    /// `start` is valid for reads of `len` bytes for `'a`.
    #[inline(always)]
    pub(crate) unsafe fn new(start: *const c_void, len: usize) -> Self {
        // INVARIANT: By this function's contract.
        Self {
            start: start.cast(),
            len,
            lent: PhantomData,
        }
    }

    /// The address, for as long as the piece.
    pub(super) fn start(self) -> *const c_void {
        self.start.cast()
    }
}

impl Bytes for Piece<'_> {
    #[inline(always)]
    fn size(self) -> usize {
        self.len
    }

    #[inline(always)]
    fn byte(self, at: usize) -> Option<u8> {
        if at >= self.len {
            return None;
        }
        // SAFETY: By the type invariant.
        Some(unsafe { self.start.wrapping_add(at).read_volatile() })
    }

    #[inline(always)]
    fn word(self, at: usize) -> Option<u64> {
        if self.len < size_of::<u64>() || at > self.len.wrapping_sub(size_of::<u64>()) {
            return None;
        }
        let word = self.start.wrapping_add(at).cast::<Word>();
        // SAFETY: By the type invariant; of any alignment.
        Some(unsafe { word.read_volatile() }.0)
    }

    #[inline(always)]
    fn upto(self, count: usize) -> Self {
        // INVARIANT: Some of the same bytes.
        Self {
            len: count.min(self.len),
            ..self
        }
    }

    #[inline(always)]
    fn after(self, count: usize) -> Self {
        let count = count.min(self.len);
        // INVARIANT: The rest of the same bytes.
        Self {
            start: self.start.wrapping_add(count),
            len: self.len.wrapping_sub(count),
            lent: PhantomData,
        }
    }
}

/// A part of a view that is being read, from front to back.
pub(crate) struct Cursor<'a> {
    dynptr: Dynptr<'a>,
    /// Where the next piece starts, from the start of the view.
    at: u64,
    left: u64,
    buffer: MaybeUninit<[u8; BUFFER]>,
}

impl Dynptr<'_> {
    /// Bytes behind `offset`.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] for a null dynptr, [`E2BIG`] if `offset` is behind its end.
    #[inline(always)]
    pub(crate) fn behind(self, offset: u64) -> Result<u64, Errno> {
        if self.is_null() {
            return Err(EINVAL);
        }
        self.present().checked_sub(offset).ok_or(E2BIG)
    }
}

impl<'a> Cursor<'a> {
    /// At most `most` bytes at `offset`.
    ///
    /// # Errors
    ///
    /// Those of [`Dynptr::behind`].
    #[inline(always)]
    pub(crate) fn new(dynptr: Dynptr<'a>, offset: u64, most: u64) -> Result<Self, Errno> {
        let left = dynptr.behind(offset)?.min(most);
        Ok(Self::within(dynptr, offset, left))
    }

    /// `len` bytes at `offset`, of which the caller knows that they are within the view; what is not there any
    /// more is an error when it is read.
    #[inline(always)]
    pub(super) fn within(dynptr: Dynptr<'a>, offset: u64, len: u64) -> Self {
        Self {
            dynptr,
            at: offset,
            left: len,
            buffer: MaybeUninit::uninit(),
        }
    }

    /// Just `len` bytes at `offset`.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] for a null dynptr, [`E2BIG`] if they are not within its view.
    #[inline(always)]
    pub(crate) fn exact(dynptr: Dynptr<'a>, offset: u64, len: u64) -> Result<Self, Errno> {
        let cursor = Self::new(dynptr, offset, len)?;
        if cursor.left != len {
            return Err(E2BIG);
        }
        Ok(cursor)
    }

    /// The next piece of what is not one piece of memory, of at most `left` bytes: its address, valid until
    /// the next call, and length.
    #[inline(never)]
    fn other_piece(&mut self) -> Result<(*const c_void, u64), Errno> {
        let dynptr = self.dynptr;
        let data = dynptr.data_ptr();
        let at = dynptr.offset_of(self.at) as u32;
        let direct = match dynptr.word().class() {
            Some(Class::Skb) => dynptr.skb(data).head_from(at),
            Some(Class::Xdp) => Some(dynptr.xdp(data).part_from(at)?),
            Some(Class::SkbMeta) => {
                let skb = dynptr.skb(data);
                skb.check_meta(at.into(), self.left)?;
                return Ok((skb.meta(at).cast_const(), self.left));
            }
            _ => None,
        };
        if let Some((start, len)) = direct {
            return Ok((start, self.left.min(len.into())));
        }
        let mut len = self.left.min(BUFFER as u64);
        let buffer = self.buffer.as_mut_ptr().cast::<c_void>();
        let err = match dynptr.word().class() {
            Some(Class::Skb) => {
                let skb = dynptr.skb(data);
                // It may have become shorter than the view.
                len = len.min(skb.len().saturating_sub(at).into());
                if len == 0 {
                    return Err(EFAULT);
                }
                // SAFETY: `len` is at most the buffer's size.
                unsafe { skb.load(at, buffer, len as u32) }
            }
            Some(Class::File) => match dynptr.file() {
                Some(file) => {
                    let at = file.offset().wrapping_add(self.at);
                    // SAFETY: As above.
                    unsafe { file.fetch_at(at, buffer, len) }
                }
                None => EFAULT.to_c_int(),
            },
            _ => dynptr.warn_class(c"bpf_dynptr_strings"),
        };
        match Errno::from_c_int(err) {
            Some(errno) => Err(errno),
            None => Ok((buffer.cast_const(), len)),
        }
    }
}

impl Pieces for Cursor<'_> {
    type Piece<'b>
        = Piece<'b>
    where
        Self: 'b;

    #[inline(always)]
    fn next(&mut self) -> Result<Option<Piece<'_>>, Errno> {
        if self.left == 0 {
            return Ok(None);
        }
        let (start, len) = match self.dynptr.word().class() {
            Some(Class::Local | Class::Ringbuf) => {
                let offset = self.dynptr.offset_of(self.at) as usize;
                let start = self.dynptr.data_ptr().wrapping_byte_add(offset);
                (start.cast_const(), self.left)
            }
            _ => self.other_piece()?,
        };
        self.at = self.at.wrapping_add(len);
        self.left = self.left.wrapping_sub(len);
        // SAFETY: So many bytes of the view are there, or in the buffer, which nobody writes as long as this
        // is borrowed.
        Ok(Some(unsafe { Piece::new(start, len as usize) }))
    }
}

/// A string in a read-only map: `__str`. It never changes.
///
/// # Invariants
///
/// A 0 is at `start` or behind it, in memory that lives for `'a` and is rounded up to 8 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Constant<'a> {
    start: *const c_char,
    lent: PhantomData<&'a ()>,
}

impl<'a> Constant<'a> {
    /// # Safety
    ///
    /// The verifier has checked `start` as an argument `__str`: `check_arg_const_str()`.
    #[inline(always)]
    pub(crate) unsafe fn from_raw(start: *const c_char) -> Self {
        // INVARIANT: By this function's contract.
        Self {
            start,
            lent: PhantomData,
        }
    }

    /// How many bytes are in front of the 0: at most `most`. By words, none of which has a byte that is not in
    /// the map's memory: who reads byte by byte takes longer than the comparison that follows.
    #[inline(always)]
    fn len(self, most: usize) -> usize {
        let mut at: usize = 0;
        while at < most {
            let here = self.start.wrapping_add(at);
            if here.cast::<u64>().is_aligned() {
                // SAFETY: Aligned, and by the type invariant: no 0 is in front of it.
                let ends = zeros(unsafe { here.cast::<u64>().read() }.to_le());
                if ends != 0 {
                    return at.wrapping_add(lowest(ends)).min(most);
                }
                at = at.wrapping_add(size_of::<u64>());
                continue;
            }
            // SAFETY: By the type invariant: no 0 is in front of it.
            if unsafe { here.read() } == 0 {
                return at;
            }
            at = at.wrapping_add(1);
        }
        most
    }

    /// Its bytes without the 0: at most `most`.
    #[inline(always)]
    pub(crate) fn bytes(self, most: u64) -> Piece<'a> {
        let len = self.len(most as usize);
        // SAFETY: By the type invariant, in front of the 0.
        unsafe { Piece::new(self.start.cast(), len) }
    }
}
