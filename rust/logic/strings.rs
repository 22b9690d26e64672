// SPDX-License-Identifier: GPL-2.0

//! Strings in dynptrs, answering to the kfuncs `bpf_strcmp()` to `bpf_strncasestr()` of
//! `srctree/kernel/bpf/helpers.c`: the same results, but that a string may also end where its view does.
//!
//! A view is at most [`LIMIT`](super::pieces::LIMIT) bytes here: who finds no end in so many gets
//! [`E2BIG`](super::errno::E2BIG), and nobody looks at more.

use super::{
    errno::{
        Errno,
        ENOENT, //
    },
    pieces::{
        at_limit,
        compare,
        first,
        Any,
        Bytes,
        Found,
        Order,
        Others,
        Pieces,
        Rule,
        Search,
        Set, //
    }, //
};

/// `bpf_strnlen()`: bytes before the end.
///
/// # Errors
///
/// [`E2BIG`](super::errno::E2BIG); what reading the memory gives.
#[inline(always)]
pub fn length(pieces: &mut impl Pieces) -> Result<u64, Errno> {
    match first(pieces, &Any([0]))? {
        Found::At(at, _) => Ok(at),
        Found::End(end) => at_limit(end),
    }
}

/// `bpf_strnchr()`: where the first `byte` is. A 0 that ends the string can be looked for, the end of the view
/// cannot.
///
/// # Errors
///
/// [`ENOENT`]; [`E2BIG`](super::errno::E2BIG); what reading the memory gives.
#[inline(always)]
pub fn find(pieces: &mut impl Pieces, byte: u8) -> Result<u64, Errno> {
    match first(pieces, &Any([byte, 0]))? {
        Found::At(at, found) if found == byte => Ok(at),
        Found::At(..) => Err(ENOENT),
        Found::End(end) => absent(end),
    }
}

/// What is not there, in `end` bytes without an end.
#[inline(always)]
pub(super) fn absent(end: u64) -> Result<u64, Errno> {
    at_limit(end)?;
    Err(ENOENT)
}

/// `bpf_strchrnul()`: where the first `byte` is, or else the end.
///
/// # Errors
///
/// [`E2BIG`](super::errno::E2BIG); what reading the memory gives.
#[inline(always)]
pub fn find_or_end(pieces: &mut impl Pieces, byte: u8) -> Result<u64, Errno> {
    match first(pieces, &Any([byte, 0]))? {
        Found::At(at, _) => Ok(at),
        Found::End(end) => at_limit(end),
    }
}

/// `bpf_strrchr()`: where the last `byte` is; of a 0 that ends the string too.
///
/// # Errors
///
/// [`ENOENT`]; [`E2BIG`](super::errno::E2BIG); what reading the memory gives.
#[inline(always)]
pub fn find_last(pieces: &mut impl Pieces, byte: u8) -> Result<u64, Errno> {
    let search = Any([byte, 0]);
    let mut last = Err(ENOENT);
    let mut before: u64 = 0;
    while let Some(piece) = pieces.next()? {
        let mut from = 0;
        while let Some((at, found)) = search.find(piece, from) {
            if found == byte {
                last = Ok(before.wrapping_add(at as u64));
            }
            if found == 0 {
                return last;
            }
            from = at.wrapping_add(1);
        }
        before = before.wrapping_add(piece.size() as u64);
    }
    at_limit(before)?;
    last
}

/// `bpf_strspn()`: how many bytes at the start are all in the set.
///
/// # Errors
///
/// [`E2BIG`](super::errno::E2BIG); what reading the memory gives.
#[inline(always)]
pub fn span(pieces: &mut impl Pieces, accepted: impl Bytes) -> Result<u64, Errno> {
    match first(pieces, &Others(Set::new(accepted)))? {
        Found::At(at, _) => Ok(at),
        Found::End(end) => at_limit(end),
    }
}

/// `bpf_strcspn()`: how many bytes at the start are not in the set.
///
/// # Errors
///
/// [`E2BIG`](super::errno::E2BIG); what reading the memory gives.
#[inline(always)]
pub fn span_without(pieces: &mut impl Pieces, rejected: impl Bytes) -> Result<u64, Errno> {
    match first(pieces, &Set::new(rejected).or_end())? {
        Found::At(at, _) => Ok(at),
        Found::End(end) => at_limit(end),
    }
}

/// `strpbrk()`: where the first byte of the set is.
///
/// # Errors
///
/// [`ENOENT`]; [`E2BIG`](super::errno::E2BIG); what reading the memory gives.
#[inline(always)]
pub fn find_any(pieces: &mut impl Pieces, set: impl Bytes) -> Result<u64, Errno> {
    match first(pieces, &Set::new(set).or_end())? {
        Found::At(_, 0) => Err(ENOENT),
        Found::At(at, _) => Ok(at),
        Found::End(end) => absent(end),
    }
}

/// `bpf_strncmp()`, and with [`IgnoreCase`](super::pieces::IgnoreCase) `bpf_strncasecmp()`: -1, 0, 1.
///
/// # Errors
///
/// [`E2BIG`](super::errno::E2BIG); what reading the memory gives.
#[inline(always)]
pub fn order<R: Rule>(a: &mut impl Pieces, b: &mut impl Pieces) -> Result<i32, Errno> {
    match compare::<R>(a, b)? {
        Order::Equal(end) => at_limit(end).map(|_| 0),
        Order::Less => Ok(-1),
        Order::Greater => Ok(1),
    }
}

/// A token, and where to look for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Bytes before it.
    pub start: u64,
    /// Its bytes.
    pub len: u64,
    /// Bytes before what is behind the delimiter that ends it; `None` if the end of the string does.
    pub next: Option<u64>,
}

/// The first token: as `strtok()` the bytes, one at least, between delimiters, or with `empty` as `strsep()`
/// those before the first delimiter.
///
/// # Errors
///
/// [`ENOENT`]; [`E2BIG`](super::errno::E2BIG); what reading the memory gives.
#[inline(always)]
pub fn token(
    pieces: &mut impl Pieces,
    delimiters: impl Bytes,
    empty: bool,
) -> Result<Token, Errno> {
    let set = Set::new(delimiters);
    let (inside, ends) = (Others(set), set.or_end());
    let mut start = empty.then_some(0);
    let mut before: u64 = 0;
    let ended = |start: u64, end: u64, next| Token {
        start,
        len: end.wrapping_sub(start),
        next,
    };
    while let Some(piece) = pieces.next()? {
        let mut from = 0;
        if start.is_none() {
            match inside.find(piece, 0) {
                Some((_, 0)) => return Err(ENOENT),
                Some((at, _)) => {
                    start = Some(before.wrapping_add(at as u64));
                    from = at;
                }
                None => from = piece.size(),
            }
        }
        if let (Some(start), Some((at, byte))) = (start, ends.find(piece, from)) {
            let end = before.wrapping_add(at as u64);
            return Ok(ended(
                start,
                end,
                (byte != 0).then_some(end.wrapping_add(1)),
            ));
        }
        before = before.wrapping_add(piece.size() as u64);
    }
    at_limit(before)?;
    let start = start.ok_or(ENOENT)?;
    Ok(ended(start, before, None))
}
