// SPDX-License-Identifier: GPL-2.0

//! Bytes that need not be in one place: a view of a dynptr as the contiguous pieces that it has, and how to
//! look for bytes and compare across them. `strings`, `memory` and `number` are made of this.
//!
//! Positions and lengths are bytes. Somebody else may write the memory meanwhile: each byte is read once, and
//! no position follows from a byte that was read.

use super::errno::{
    Errno,
    E2BIG, //
};

/// The most bytes of a string that one call looks at: `XATTR_SIZE_MAX`, as for the kernel's own `bpf_str*()`.
pub const LIMIT: u64 = 65_536;

/// Bytes of a word.
const WORD: usize = 8;

/// Contiguous bytes.
pub trait Bytes: Copy {
    /// How many.
    fn size(self) -> usize;

    /// The byte at `at`; `None` behind the last.
    fn byte(self, at: usize) -> Option<u8>;

    /// The 8 bytes at `at`, the first in the lowest bits; `None` if there are fewer.
    fn word(self, at: usize) -> Option<u64>;

    /// The first `count` bytes: all if there are not more.
    fn upto(self, count: usize) -> Self;

    /// What is behind the first `count` bytes: nothing if there are not more.
    fn after(self, count: usize) -> Self;
}

impl Bytes for &[u8] {
    #[inline(always)]
    fn size(self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn byte(self, at: usize) -> Option<u8> {
        self.get(at).copied()
    }

    #[inline(always)]
    fn word(self, at: usize) -> Option<u64> {
        self.get(at..)?
            .first_chunk()
            .copied()
            .map(u64::from_le_bytes)
    }

    #[inline(always)]
    fn upto(self, count: usize) -> Self {
        self.get(..count).unwrap_or(self)
    }

    #[inline(always)]
    fn after(self, count: usize) -> Self {
        self.get(count..).unwrap_or(&[])
    }
}

/// The pieces of a view, from front to back.
pub trait Pieces {
    /// A piece, as long as it is lent: reading the next one may write over it.
    type Piece<'a>: Bytes
    where
        Self: 'a;

    /// The next piece, which is not empty; `None` at the end.
    ///
    /// # Errors
    ///
    /// What reading the memory gives.
    fn next(&mut self) -> Result<Option<Self::Piece<'_>>, Errno>;
}

/// One piece.
pub struct Whole<B>(Option<B>);

impl<B: Bytes> Whole<B> {
    /// These bytes.
    pub fn new(bytes: B) -> Self {
        Self((bytes.size() > 0).then_some(bytes))
    }
}

impl<B: Bytes> Pieces for Whole<B> {
    type Piece<'a>
        = B
    where
        B: 'a;

    fn next(&mut self) -> Result<Option<B>, Errno> {
        Ok(self.0.take())
    }
}

/// All bytes of a word `byte`.
const fn repeated(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; WORD])
}

/// The highest bit of each byte of `word` that is 0, and perhaps of some above the lowest such byte.
#[inline(always)]
pub fn zeros(word: u64) -> u64 {
    word.wrapping_sub(repeated(0x01)) & !word & repeated(0x80)
}

/// The byte that the lowest bit of `mask` is in, counted from the lowest: 8 if none is set.
#[inline(always)]
pub fn lowest(mask: u64) -> usize {
    (mask.trailing_zeros() >> 3) as usize
}

/// The byte number `index` of a word, below 8.
#[inline(always)]
fn byte_of(word: u64, index: usize) -> u8 {
    word.wrapping_shr((index as u32).wrapping_mul(8)) as u8
}

/// Bytes to look for.
pub trait Search {
    /// Where the first of them is in `bytes`, at `from` or behind, and which it is.
    fn find(&self, bytes: impl Bytes, from: usize) -> Option<(usize, u8)>;
}

/// Any of these bytes.
#[derive(Clone, Copy, Debug)]
pub struct Any<const N: usize>(pub [u8; N]);

impl<const N: usize> Search for Any<N> {
    #[inline(always)]
    fn find(&self, bytes: impl Bytes, from: usize) -> Option<(usize, u8)> {
        let wanted = self.0.map(repeated);
        let mut at = from;
        while let Some(word) = bytes.word(at) {
            let found = wanted
                .iter()
                .fold(0, |found, wanted| found | zeros(word ^ wanted));
            if found != 0 {
                let index = lowest(found);
                return Some((at.wrapping_add(index), byte_of(word, index)));
            }
            at = at.wrapping_add(WORD);
        }
        while let Some(byte) = bytes.byte(at) {
            if self.0.contains(&byte) {
                return Some((at, byte));
            }
            at = at.wrapping_add(1);
        }
        None
    }
}

/// A set of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Set([u64; 4]);

impl Set {
    /// Without any byte.
    pub const NONE: Self = Self([0; 4]);

    /// The bytes in `bytes`, which are all of a string: no 0.
    pub fn new(bytes: impl Bytes) -> Self {
        let mut set = Self::NONE;
        let mut at = 0;
        while let Some(byte) = bytes.byte(at) {
            set.insert(byte);
            at = at.wrapping_add(1);
        }
        set
    }

    /// The same, and 0, which ends a string.
    pub fn or_end(mut self) -> Self {
        self.insert(0);
        self
    }

    /// Adds `byte`, which may be 0.
    pub fn insert(&mut self, byte: u8) {
        if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
            *word |= 1_u64.wrapping_shl(byte.into());
        }
    }

    #[inline(always)]
    fn has(&self, byte: u8) -> bool {
        let word = self.0.get(usize::from(byte >> 6)).copied().unwrap_or(0);
        word.wrapping_shr(byte.into()) & 1 != 0
    }
}

impl Search for Set {
    #[inline(always)]
    fn find(&self, bytes: impl Bytes, from: usize) -> Option<(usize, u8)> {
        find_byte(bytes, from, |byte| self.has(byte))
    }
}

/// The bytes that are not in a set.
#[derive(Clone, Copy, Debug)]
pub struct Others(pub Set);

impl Search for Others {
    #[inline(always)]
    fn find(&self, bytes: impl Bytes, from: usize) -> Option<(usize, u8)> {
        find_byte(bytes, from, |byte| !self.0.has(byte))
    }
}

#[inline(always)]
fn find_byte(bytes: impl Bytes, from: usize, is: impl Fn(u8) -> bool) -> Option<(usize, u8)> {
    let mut at = from;
    while let Some(byte) = bytes.byte(at) {
        if is(byte) {
            return Some((at, byte));
        }
        at = at.wrapping_add(1);
    }
    None
}

/// What came of looking through all pieces. Positions are from the first byte of the first piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// This byte, there.
    At(u64, u8),
    /// None of them, in so many bytes.
    End(u64),
}

/// Looks for the first of the bytes of `search`.
///
/// # Errors
///
/// What reading the memory gives.
#[inline(always)]
pub fn first(pieces: &mut impl Pieces, search: &impl Search) -> Result<Found, Errno> {
    let mut before: u64 = 0;
    while let Some(piece) = pieces.next()? {
        if let Some((at, byte)) = search.find(piece, 0) {
            return Ok(Found::At(before.wrapping_add(at as u64), byte));
        }
        before = before.wrapping_add(piece.size() as u64);
    }
    Ok(Found::End(before))
}

/// `end` bytes of a string without an end, as the result of a function.
///
/// # Errors
///
/// [`E2BIG`] if that is as many as a call looks at.
#[inline(always)]
pub fn at_limit(end: u64) -> Result<u64, Errno> {
    if end >= LIMIT {
        return Err(E2BIG);
    }
    Ok(end)
}

/// How bytes are compared.
pub trait Rule {
    /// A byte of 0 that both have ends them, and one that ends before the other has a 0 there.
    const IS_STRING: bool;

    /// What is compared for this byte.
    fn fold(byte: u8) -> u8;

    /// Whether `fold` gives back what it gets.
    const IS_EXACT: bool;
}

/// Strings, byte by byte.
pub struct Exact;

impl Rule for Exact {
    const IS_STRING: bool = true;
    const IS_EXACT: bool = true;

    #[inline(always)]
    fn fold(byte: u8) -> u8 {
        byte
    }
}

/// Strings without regard to case.
pub struct IgnoreCase;

impl Rule for IgnoreCase {
    const IS_STRING: bool = true;
    const IS_EXACT: bool = false;

    #[inline(always)]
    fn fold(byte: u8) -> u8 {
        lower(byte)
    }
}

/// Memory.
pub struct Memory;

impl Rule for Memory {
    const IS_STRING: bool = false;
    const IS_EXACT: bool = true;

    #[inline(always)]
    fn fold(byte: u8) -> u8 {
        byte
    }
}

/// The kernel's `tolower()`, which takes bytes for Latin-1.
#[inline(always)]
pub fn lower(byte: u8) -> u8 {
    match byte {
        b'A'..=b'Z' | 192..=214 | 216..=222 => byte.wrapping_add(32),
        _ => byte,
    }
}

/// The other byte that [`lower`] makes this one of, which it has made; the same if there is none.
pub fn upper(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' | 224..=246 | 248..=254 => byte.wrapping_sub(32),
        _ => byte,
    }
}

/// How two differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Not, within so many bytes at least.
    Equal(u64),
    /// The first is less: -1.
    Less,
    /// The first is greater: 1.
    Greater,
}

/// Two bytes: how they differ, or that both end there; `None` to go on.
#[inline(always)]
fn judge<R: Rule>(a: u8, b: u8, at: u64) -> Option<Order> {
    let (a, b) = (R::fold(a), R::fold(b));
    if a < b {
        return Some(Order::Less);
    }
    if a > b {
        return Some(Order::Greater);
    }
    (R::IS_STRING && a == 0).then_some(Order::Equal(at))
}

/// Compares the first `len` bytes, which both have; `before` were compared before.
#[inline(always)]
fn differ<R: Rule>(a: impl Bytes, b: impl Bytes, len: usize, before: u64) -> Option<Order> {
    // Of the same length, so that one check is enough for both.
    let (a, b) = (a.upto(len), b.upto(len));
    let mut at: usize = 0;
    while let (Some(x), Some(y)) = (a.word(at), b.word(at)) {
        if x != y || (R::IS_STRING && zeros(x) != 0) {
            let from = if R::IS_EXACT {
                // The first difference or end.
                lowest((x ^ y) | if R::IS_STRING { zeros(x) } else { 0 })
            } else {
                0
            };
            for index in from..WORD {
                let place = before.wrapping_add(at as u64).wrapping_add(index as u64);
                let order = judge::<R>(byte_of(x, index), byte_of(y, index), place);
                if order.is_some() {
                    return order;
                }
            }
        }
        at = at.wrapping_add(WORD);
    }
    while let (Some(x), Some(y)) = (a.byte(at), b.byte(at)) {
        let order = judge::<R>(x, y, before.wrapping_add(at as u64));
        if order.is_some() {
            return order;
        }
        at = at.wrapping_add(1);
    }
    None
}

/// Compares two views. Of memory, so many bytes as both have: it is for callers to see that these are all.
///
/// # Errors
///
/// What reading the memory gives.
#[inline(always)]
pub fn compare<R: Rule>(a: &mut impl Pieces, b: &mut impl Pieces) -> Result<Order, Errno> {
    let mut before: u64 = 0;
    let (mut one, mut other) = (a.next()?, b.next()?);
    loop {
        let (Some(x), Some(y)) = (one, other) else {
            break;
        };
        let len = x.size().min(y.size());
        if let Some(order) = differ::<R>(x, y, len, before) {
            return Ok(order);
        }
        before = before.wrapping_add(len as u64);
        one = Some(x.after(len));
        if x.size() == len {
            one = a.next()?;
        }
        other = Some(y.after(len));
        if y.size() == len {
            other = b.next()?;
        }
    }
    if R::IS_STRING {
        // Who has ended has a 0 there.
        let x = one.and_then(|x| x.byte(0)).unwrap_or(0);
        let y = other.and_then(|y| y.byte(0)).unwrap_or(0);
        return Ok(judge::<R>(x, y, before).unwrap_or(Order::Equal(before)));
    }
    Ok(Order::Equal(before))
}
