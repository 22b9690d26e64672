// SPDX-License-Identifier: GPL-2.0

//! The dynptr word and the rules of the dynptr helpers, answering to
//! `srctree/kernel/bpf/helpers.c` (`__bpf_dynptr_read()` and around) and
//! `bpf_dynptr_check_off_len()` in `srctree/include/linux/bpf.h`.
//!
//! Sizes, offsets and lengths are bytes. Nothing here moves bytes: `glue::dynptr` does, after
//! asking here whether and in which class of memory.

use super::errno::{
    Errno,
    E2BIG,
    EINVAL,
    ERANGE, //
};

/// `DYNPTR_MAX_SIZE`: the largest size that a dynptr can have, except one over a file.
pub const MAX_SIZE: u32 = (1 << 24) - 1;

const SIZE_MASK: u32 = 0x00ff_ffff;
/// The C comment in bpf.h says that the type starts at bit 24; the code shifts by 28.
const TYPE_SHIFT: u32 = 28;
const RDONLY: u32 = 1 << 31;
/// C leaves bits 24-27 as they are wherever it changes the word, and looks at none.
const HEAP: u32 = 1 << 24;

/// The class of memory behind a dynptr: `enum bpf_dynptr_type` without `INVALID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Memory of the program, such as a map value.
    Local,
    /// A ring buffer record.
    Ringbuf,
    /// A `struct sk_buff`, linear or not.
    Skb,
    /// A `struct xdp_buff`, with or without fragments.
    Xdp,
    /// The metadata area in front of a packet.
    SkbMeta,
    /// A file; its size and offset are in `struct bpf_dynptr_file_impl`.
    File,
}

impl Class {
    /// The number that C gives the class.
    pub const fn to_raw(self) -> u32 {
        match self {
            Self::Local => 1,
            Self::Ringbuf => 2,
            Self::Skb => 3,
            Self::Xdp => 4,
            Self::SkbMeta => 5,
            Self::File => 6,
        }
    }

    /// The class that C numbers `raw`; `None` for 0 (invalid) and 7 (unused).
    pub const fn from_raw(raw: u32) -> Option<Self> {
        Some(match raw {
            1 => Self::Local,
            2 => Self::Ringbuf,
            3 => Self::Skb,
            4 => Self::Xdp,
            5 => Self::SkbMeta,
            6 => Self::File,
            _ => return None,
        })
    }
}

/// The 32-bit `size` member of `struct bpf_dynptr_kern`: bits 0-23 size, 28-30 class, 31 read-only. Bit 24
/// is ours: local memory that is a block of the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(u32);

impl Word {
    /// The word as it stands in a dynptr.
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// The word to store in a dynptr.
    pub const fn into_raw(self) -> u32 {
        self.0
    }

    /// A writable word of this class, as `bpf_dynptr_init()` makes it.
    ///
    /// Callers have called [`check_size`] where C does. It does not for packets: of a size above
    /// [`MAX_SIZE`] the low 24 bits are taken, where C would let bits 28 and up change the class.
    pub const fn new(class: Class, size: u32) -> Self {
        Self((size & SIZE_MASK) | (class.to_raw() << TYPE_SHIFT))
    }

    /// A word over a block of the heap, as `bpf_dynptr_alloc()` makes it: local memory to all that use it.
    ///
    /// `size` is at most [`MAX_SIZE`].
    pub const fn heap(size: u32) -> Self {
        Self(Self::new(Class::Local, size).0 | HEAP)
    }

    /// Whether [`heap`](Self::heap) made it: the dynptr's `data` is a block's.
    pub fn is_heap(self) -> bool {
        self.0 & HEAP != 0 && self.class() == Some(Class::Local)
    }

    /// The same, read-only: `bpf_dynptr_set_rdonly()`.
    pub const fn rdonly(self) -> Self {
        Self(self.0 | RDONLY)
    }

    /// The same, `by` bytes shorter, at most its size: `bpf_dynptr_set_size()`.
    pub const fn shortened(self, by: u32) -> Self {
        Self(self.0.wrapping_sub(by))
    }

    /// The size in bytes, 0 to [`MAX_SIZE`]; meaningless for [`Class::File`].
    pub const fn size(self) -> u32 {
        self.0 & SIZE_MASK
    }

    /// The number of the class: 0 to 7.
    pub const fn class_raw(self) -> u32 {
        (self.0 & !RDONLY) >> TYPE_SHIFT
    }

    /// The class, if the number names one.
    pub const fn class(self) -> Option<Class> {
        Class::from_raw(self.class_raw())
    }

    /// Whether writing through the dynptr is refused.
    pub const fn is_rdonly(self) -> bool {
        self.0 & RDONLY != 0
    }
}

/// What a rule asks of a dynptr. It stays the same while the rule does; what is not asked for is not
/// read.
pub trait View: Copy {
    /// `data` is NULL, so the dynptr is null.
    fn is_null(self) -> bool;

    /// The packed word.
    fn word(self) -> Word;

    /// `__bpf_dynptr_size()` of a dynptr that is not null: of the word, or of the file for
    /// [`Class::File`].
    fn size(self) -> u64;

    /// The same of a dynptr that is not read-only, so that it is no file and the word has it.
    fn writable_size(self) -> u64 {
        self.word().size().into()
    }
}

/// Why an operation is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The program made a mistake that C answers with this errno.
    Errno(Errno),
    /// The word holds a class that does not exist or that the operation does not know. C warns
    /// once (`WARN_ONCE`), naming the function and the class's number.
    UnknownClass,
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

/// `bpf_dynptr_check_size()`.
///
/// # Errors
///
/// [`E2BIG`] if `size` is more than [`MAX_SIZE`].
#[inline(always)]
pub fn check_size(size: u64) -> Result<u32, Errno> {
    if size > u64::from(MAX_SIZE) {
        return Err(E2BIG);
    }
    Ok(size as u32)
}

/// `bpf_dynptr_check_off_len()`: `len` bytes at `offset` lie within `size` bytes.
///
/// # Errors
///
/// [`E2BIG`] if they do not, for any values, however large.
#[inline(always)]
pub fn check_range(size: u64, offset: u64, len: u64) -> Result<(), Errno> {
    if len > size || offset > size.wrapping_sub(len) {
        return Err(E2BIG);
    }
    Ok(())
}

/// `bpf_dynptr_from_mem()`: the word of a dynptr over `size` bytes of the program's memory.
///
/// # Errors
///
/// In this order: [`E2BIG`] if `size` is more than [`MAX_SIZE`]; [`EINVAL`] if `flags` is not 0.
#[inline(always)]
pub fn from_mem(size: u64, flags: u64) -> Result<Word, Errno> {
    let size = check_size(size)?;
    if flags != 0 {
        return Err(EINVAL);
    }
    Ok(Word::new(Class::Local, size))
}

/// `bpf_dynptr_alloc()`: the word of a dynptr over a new block of `size` bytes. `zero` is `__GFP_ZERO`, which
/// asks for what is done anyway.
///
/// # Errors
///
/// In this order: [`E2BIG`] if `size` is more than [`MAX_SIZE`]; [`EINVAL`] if `flags` is neither 0 nor
/// `zero`.
pub fn alloc(size: u32, flags: u64, zero: u64) -> Result<Word, Errno> {
    check_size(size.into())?;
    if flags & !zero != 0 {
        return Err(EINVAL);
    }
    Ok(Word::heap(size))
}

/// `__bpf_dynptr_read()`: whether `len` bytes at `offset` may be read.
///
/// # Errors
///
/// In this order: [`EINVAL`] if the dynptr is null or `flags` is not 0; [`E2BIG`] if the range is
/// out of bounds.
#[inline(always)]
pub fn read(view: impl View, offset: u64, len: u64, flags: u64) -> Result<(), Errno> {
    if flags != 0 {
        return Err(EINVAL);
    }
    slice(view, offset, len)
}

/// The classes that can be written through a dynptr. A file never can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteClass {
    /// Contiguous memory: [`Class::Local`] or [`Class::Ringbuf`].
    Memory,
    /// [`Class::Skb`]; takes the flags of `bpf_skb_store_bytes()`.
    Skb,
    /// [`Class::Xdp`].
    Xdp,
    /// [`Class::SkbMeta`]; its own function judges the flags.
    SkbMeta,
}

/// `__bpf_dynptr_write()`: the class to write `len` bytes at `offset` to.
///
/// # Errors
///
/// In this order: [`EINVAL`] if the dynptr is null or read-only; [`E2BIG`] if the range is out of
/// bounds; [`EINVAL`] if `flags` is not 0 and the class takes none; [`Refusal::UnknownClass`], also
/// for a file that is not read-only, which no constructor makes.
#[inline(always)]
pub fn write(view: impl View, offset: u64, len: u64, flags: u64) -> Result<WriteClass, Refusal> {
    if view.is_null() || view.word().is_rdonly() {
        return Err(EINVAL.into());
    }
    check_range(view.writable_size(), offset, len)?;
    match view.word().class() {
        Some(Class::Local | Class::Ringbuf) if flags == 0 => Ok(WriteClass::Memory),
        Some(Class::Xdp) if flags == 0 => Ok(WriteClass::Xdp),
        Some(Class::Local | Class::Ringbuf | Class::Xdp) => Err(EINVAL.into()),
        Some(Class::Skb) => Ok(WriteClass::Skb),
        Some(Class::SkbMeta) => Ok(WriteClass::SkbMeta),
        Some(Class::File) | None => Err(Refusal::UnknownClass),
    }
}

/// `bpf_dynptr_data()`: whether a direct pointer to `len` bytes at `offset` may be given out.
///
/// # Errors
///
/// `Ok(false)` is C's plain NULL: null or read-only dynptr, range out of bounds, or a class that is
/// not contiguous. [`Refusal::UnknownClass`] is a NULL with a warning.
#[inline(always)]
pub fn data(view: impl View, offset: u64, len: u64) -> Result<bool, Refusal> {
    if view.is_null() || view.word().is_rdonly() {
        return Ok(false);
    }
    if check_range(view.writable_size(), offset, len).is_err() {
        return Ok(false);
    }
    match view.word().class() {
        Some(Class::Local | Class::Ringbuf) => Ok(true),
        Some(Class::Skb | Class::Xdp | Class::SkbMeta) => Ok(false),
        Some(Class::File) | None => Err(Refusal::UnknownClass),
    }
}

/// `bpf_dynptr_slice()`: whether a slice of `len` bytes at `offset` may be read.
///
/// # Errors
///
/// All are NULL to the program. In this order: [`EINVAL`] if the dynptr is null; [`E2BIG`] if the
/// range is out of bounds.
#[inline(always)]
pub fn slice(view: impl View, offset: u64, len: u64) -> Result<(), Errno> {
    if view.is_null() {
        return Err(EINVAL);
    }
    check_range(view.size(), offset, len)
}

/// `bpf_dynptr_slice_rdwr()`: as [`slice`], but for writing.
///
/// # Errors
///
/// [`EINVAL`] also if the dynptr is read-only; else those of [`slice`].
#[inline(always)]
pub fn slice_rdwr(view: impl View, offset: u64, len: u64) -> Result<(), Errno> {
    if view.is_null() || view.word().is_rdonly() {
        return Err(EINVAL);
    }
    check_range(view.writable_size(), offset, len)
}

/// `bpf_dynptr_adjust()`: how much shorter the view from `start` to `end` of the old one is: never
/// more than the old one's size.
///
/// # Errors
///
/// In this order: [`EINVAL`] if the dynptr is null or `start` is above `end`; [`ERANGE`] if either
/// is beyond the old view.
#[inline(always)]
pub fn adjust(view: impl View, start: u64, end: u64) -> Result<u64, Errno> {
    if start > end || view.is_null() {
        return Err(EINVAL);
    }
    match view.size().checked_sub(end) {
        Some(tail) => Ok(tail.wrapping_add(start)),
        None => Err(ERANGE),
    }
}

/// The constructors over packets and files: a dynptr of this class and size.
///
/// # Errors
///
/// [`EINVAL`] if `flags` is not 0.
#[inline(always)]
pub fn construct(class: Class, size: impl FnOnce() -> u32, flags: u64) -> Result<Word, Errno> {
    if flags != 0 {
        return Err(EINVAL);
    }
    Ok(Word::new(class, size()))
}
