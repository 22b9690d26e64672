// SPDX-License-Identifier: GPL-2.0

//! Memory in dynptrs, and what is looked for in it: `memcmp()`, `memchr()`, `memmem()`, and with strings
//! `bpf_strnstr()` and `bpf_strncasestr()` of `srctree/kernel/bpf/helpers.c`.
//!
//! A needle is looked for in steps that are proportional to the bytes looked at (Knuth, Morris and Pratt),
//! whatever they are, and no byte is looked at twice: so it may cross pieces.

use super::{
    errno::{
        Errno,
        E2BIG,
        ENOENT, //
    },
    pieces::{
        compare,
        first,
        upper,
        Any,
        Bytes,
        Found,
        Memory,
        Order,
        Pieces,
        Rule,
        Search, //
    },
    strings::absent, //
};

/// The most bytes of a needle.
pub const NEEDLE_MAX: usize = 255;

/// `memcmp()` of `len` bytes: -1, 0, 1.
///
/// # Errors
///
/// [`E2BIG`] if there are fewer; what reading the memory gives.
#[inline(always)]
pub fn order(a: &mut impl Pieces, b: &mut impl Pieces, len: u64) -> Result<i32, Errno> {
    match compare::<Memory>(a, b)? {
        Order::Equal(end) if end < len => Err(E2BIG),
        Order::Equal(_) => Ok(0),
        Order::Less => Ok(-1),
        Order::Greater => Ok(1),
    }
}

/// `memchr()` in `len` bytes: where the first `byte` is.
///
/// # Errors
///
/// [`ENOENT`]; [`E2BIG`] if there are fewer; what reading the memory gives.
#[inline(always)]
pub fn find(pieces: &mut impl Pieces, byte: u8, len: u64) -> Result<u64, Errno> {
    match first(pieces, &Any([byte]))? {
        Found::At(at, _) => Ok(at),
        Found::End(end) => Err(nowhere(end, len)),
    }
}

/// What is not in `end` bytes of `len`.
fn nowhere(end: u64, len: u64) -> Errno {
    if end < len {
        E2BIG
    } else {
        ENOENT
    }
}

/// What to look for: at most [`NEEDLE_MAX`] bytes, folded.
pub struct Needle {
    bytes: [u8; NEEDLE_MAX + 1],
    /// After a mismatch at a place: how many bytes in front of it are the start of the needle again.
    again: [u8; NEEDLE_MAX + 1],
    len: u8,
}

impl Default for Needle {
    fn default() -> Self {
        Self::new()
    }
}

impl Needle {
    /// No bytes.
    #[inline(always)]
    pub const fn new() -> Self {
        Self {
            bytes: [0; NEEDLE_MAX + 1],
            again: [0; NEEDLE_MAX + 1],
            len: 0,
        }
    }

    /// Adds these bytes, to none; with `R` of strings, those in front of the first 0.
    ///
    /// # Errors
    ///
    /// [`E2BIG`] if there are more than [`NEEDLE_MAX`]; what reading the memory gives.
    #[inline(never)]
    pub fn read<R: Rule>(&mut self, pieces: &mut impl Pieces) -> Result<(), Errno> {
        while let Some(piece) = pieces.next()? {
            let mut at = 0;
            while let Some(byte) = piece.byte(at) {
                if R::IS_STRING && byte == 0 {
                    return Ok(());
                }
                self.push(R::fold(byte))?;
                at = at.wrapping_add(1);
            }
        }
        Ok(())
    }

    fn push(&mut self, byte: u8) -> Result<(), Errno> {
        let len = self.len;
        self.len = len.checked_add(1).ok_or(E2BIG)?;
        let known = self.again.get(usize::from(len)).copied().unwrap_or(0);
        if let Some(place) = self.bytes.get_mut(usize::from(len)) {
            *place = byte;
        }
        // How much of the needle is there when this byte is matched too, without the needle itself.
        let next = if len == 0 { 0 } else { self.step(known, byte) };
        if let Some(place) = self.again.get_mut(usize::from(len).wrapping_add(1)) {
            *place = next;
        }
        Ok(())
    }

    /// How much of the needle is matched after `byte`, if `matched` bytes were before it: fewer than all.
    #[inline(always)]
    fn step(&self, mut matched: u8, byte: u8) -> u8 {
        loop {
            if self.bytes.get(usize::from(matched)) == Some(&byte) {
                return matched.wrapping_add(1);
            }
            if matched == 0 {
                return 0;
            }
            matched = self.again.get(usize::from(matched)).copied().unwrap_or(0);
        }
    }
}

/// Where a needle was found, or how many bytes there were without an end of the string.
enum Place {
    At(u64),
    End(u64),
}

/// Looks for a needle, of which `start` finds the first byte, and of strings the end.
///
/// # Errors
///
/// [`ENOENT`] if the string ends before; what reading the memory gives.
#[inline(always)]
fn look<R: Rule>(
    pieces: &mut impl Pieces,
    needle: &Needle,
    start: &impl Search,
) -> Result<Place, Errno> {
    let mut before: u64 = 0;
    let mut matched = 0;
    while let Some(piece) = pieces.next()? {
        let mut at: usize = 0;
        loop {
            let next = if matched == 0 {
                start.find(piece, at)
            } else {
                piece.byte(at).map(|byte| (at, byte))
            };
            let Some((found, byte)) = next else { break };
            if R::IS_STRING && byte == 0 {
                return Err(ENOENT);
            }
            at = found;
            matched = needle.step(matched, R::fold(byte));
            at = at.wrapping_add(1);
            if matched == needle.len {
                let end = before.wrapping_add(at as u64);
                return Ok(Place::At(end.wrapping_sub(matched.into())));
            }
        }
        before = before.wrapping_add(piece.size() as u64);
    }
    Ok(Place::End(before))
}

/// `memmem()` in `len` bytes: where the needle is first. An empty one is at the start.
///
/// # Errors
///
/// [`ENOENT`]; [`E2BIG`] if there are fewer; what reading the memory gives.
#[inline(always)]
pub fn find_needle(pieces: &mut impl Pieces, needle: &Needle, len: u64) -> Result<u64, Errno> {
    let [start, ..] = needle.bytes;
    if needle.len == 0 {
        return Ok(0);
    }
    match look::<Memory>(pieces, needle, &Any([start]))? {
        Place::At(at) => Ok(at),
        Place::End(end) => Err(nowhere(end, len)),
    }
}

/// `bpf_strnstr()`, and with [`IgnoreCase`](super::pieces::IgnoreCase) `bpf_strncasestr()`: where the needle is
/// first, before the end of the string. An empty one is at the start.
///
/// # Errors
///
/// [`ENOENT`]; [`E2BIG`]; what reading the memory gives.
#[inline(always)]
pub fn find_string<R: Rule>(pieces: &mut impl Pieces, needle: &Needle) -> Result<u64, Errno> {
    let [start, ..] = needle.bytes;
    if needle.len == 0 {
        return Ok(0);
    }
    let place = if R::IS_EXACT {
        look::<R>(pieces, needle, &Any([start, 0]))?
    } else {
        look::<R>(pieces, needle, &Any([start, upper(start), 0]))?
    };
    match place {
        Place::At(at) => Ok(at),
        Place::End(end) => absent(end),
    }
}
