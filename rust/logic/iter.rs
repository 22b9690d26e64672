// SPDX-License-Identifier: GPL-2.0

//! Iterators over a dynptr's view: ranges of it, in steps of a size or between delimiters. Mainline has
//! none; `bpf_dynptr_iterator()` was posted twice in 2022 and never merged.
//!
//! Offsets and sizes are bytes, from the start of the view as it was when the iterator was made. An iterator
//! gives at most [`MAX_RANGES`] ranges and then nothing, ever: the verifier counts on that.

use super::{
    dynptr::MAX_SIZE,
    errno::{
        Errno,
        E2BIG,
        EFAULT,
        EINVAL,
        ERANGE, //
    },
    pieces::{
        first,
        Any,
        Bytes,
        Found,
        Others,
        Pieces,
        Set,
        LIMIT, //
    },
    reject::Reject,
    release::References, //
};

/// As many ranges one iterator gives: `BPF_MAX_LOOPS`, which is how far the kernel's own loops count.
pub const MAX_RANGES: u32 = 8 << 20;

/// As many bytes one call looks at.
pub const MAX_SCAN: u32 = LIMIT as u32;

/// [`Range::end`] of what ends with the view.
pub const END: i32 = -1;
/// [`Range::end`] of what goes on with the next range: a step, a part of a long token.
pub const CUT: i32 = -2;

/// Flag of [`Tokens`]: the low 8 bits of the flags are one more delimiter, which may be NUL.
pub const BYTE: u64 = 1 << 8;
/// Flag of [`Tokens`]: each delimiter separates two tokens, which may be empty.
pub const EMPTY: u64 = 1 << 9;
/// Flag of [`Tokens`]: each delimiter ends a token, which may be empty; behind the last there is one only if
/// there is something.
pub const LINES: u64 = 1 << 10;

/// All flags of [`Tokens`].
const KNOWN: u64 = u8::MAX as u64 | BYTE | EMPTY | LINES;

/// A part of the view, as programs read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Range {
    /// Where it starts.
    pub offset: u64,
    /// How long it is.
    pub len: u32,
    /// The delimiter behind it, 0 to 255, or [`END`] or [`CUT`].
    pub end: i32,
}

impl Range {
    const NONE: Self = Self {
        offset: 0,
        len: 0,
        end: 0,
    };
}

/// Ranges of one size, or of one size at most, if the program says how far each was used.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Steps {
    /// The last one given.
    range: Range,
    /// Where the next one starts.
    next: u64,
    /// The size of the view.
    end: u64,
    step: u32,
    /// As many are still given.
    left: u32,
}

impl Steps {
    /// Gives nothing.
    pub const NONE: Self = Self {
        range: Range::NONE,
        next: 0,
        end: 0,
        step: 0,
        left: 0,
    };

    /// Steps of `step` bytes through a view of `size`.
    ///
    /// # Errors
    ///
    /// In this order: [`EINVAL`] if `flags` is not 0 or `step` is; [`E2BIG`] if `step` is more than
    /// [`MAX_SIZE`], or if there were more than [`MAX_RANGES`] of them.
    pub fn new(size: u64, step: u64, flags: u64) -> Result<Self, Errno> {
        if flags != 0 {
            return Err(EINVAL);
        }
        // All before the last one.
        let others = size.saturating_sub(1).checked_div(step).ok_or(EINVAL)?;
        if step > u64::from(MAX_SIZE) || others >= u64::from(MAX_RANGES) {
            return Err(E2BIG);
        }
        Ok(Self {
            end: size,
            step: step as u32,
            left: MAX_RANGES,
            ..Self::NONE
        })
    }

    /// The next range; the last one may be shorter. `None` at the end, and then for ever.
    pub fn next_range(&mut self) -> Option<&mut Range> {
        let rest = self.end.saturating_sub(self.next);
        if rest == 0 || self.left == 0 {
            *self = Self::NONE;
            return None;
        }
        self.left = self.left.wrapping_sub(1);
        let len = rest.min(self.step.into());
        self.range = Range {
            offset: self.next,
            len: len as u32,
            end: if len == rest { END } else { CUT },
        };
        self.next = self.next.wrapping_add(len);
        Some(&mut self.range)
    }

    /// Of the last range, `len` bytes were used: the next one starts behind them. 0 ends the iteration, as
    /// it does if a callback returns that.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if there is no such range; [`ERANGE`] if the view ends before that: this ends the
    /// iteration.
    pub fn advance(&mut self, len: u64) -> Result<(), Errno> {
        // There are no empty ranges.
        if self.range.len == 0 {
            return Err(EINVAL);
        }
        let rest = self.end.saturating_sub(self.range.offset);
        if len == 0 || len > rest {
            self.left = 0;
            return if len == 0 { Ok(()) } else { Err(ERANGE) };
        }
        self.next = self.range.offset.wrapping_add(len);
        Ok(())
    }
}

/// Tokens: what is between delimiters.
///
/// A token of which more than [`MAX_SCAN`] bytes must be looked at comes in parts. All but the last end with
/// [`CUT`]; a part may be empty.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Tokens {
    /// The last one given.
    range: Range,
    /// What has not been looked at starts here.
    at: u64,
    /// The size of the view.
    end: u64,
    delimiters: Set,
    /// [`EMPTY`], [`LINES`], [`Self::IN_TOKEN`]; [`Self::SINGLE`] and the only delimiter in the low 8 bits.
    state: u32,
    /// As many are still given.
    left: u32,
}

impl Tokens {
    /// The last one given was cut, and not empty.
    const IN_TOKEN: u32 = 1 << 16;
    /// There is one delimiter.
    const SINGLE: u32 = 1 << 17;

    /// Gives nothing.
    pub const NONE: Self = Self {
        range: Range::NONE,
        at: 0,
        end: 0,
        delimiters: Set::NONE,
        state: 0,
        left: 0,
    };

    /// Tokens of a view of `size` bytes, between any of `delimiters`. Without [`EMPTY`] and [`LINES`], any
    /// number of delimiters separates two tokens, which are not empty.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if `flags` has others, both of those, or a byte without [`BYTE`]; or if there are no
    /// delimiters.
    pub fn new(size: u64, delimiters: impl Bytes, flags: u64) -> Result<Self, Errno> {
        let byte = flags as u8;
        let kind = flags & (EMPTY | LINES);
        let mut set = Set::new(delimiters);
        let single = match (delimiters.size(), delimiters.byte(0), flags & BYTE != 0) {
            (1, Some(only), false) => Self::SINGLE | u32::from(only),
            (0, _, true) => Self::SINGLE | u32::from(byte),
            _ => 0,
        };
        if flags & BYTE != 0 {
            set.insert(byte);
        } else if byte != 0 {
            return Err(EINVAL);
        }
        if flags & !KNOWN != 0 || kind == EMPTY | LINES || set == Set::NONE {
            return Err(EINVAL);
        }
        Ok(Self {
            end: size,
            delimiters: set,
            state: kind as u32 | single,
            left: MAX_RANGES,
            ..Self::NONE
        })
    }

    fn is(&self, flag: u64) -> bool {
        u64::from(self.state) & flag != 0
    }

    /// The next token; `view` gives so many bytes of the view at an offset, and is asked for each byte once or
    /// twice. `None` at the end, or if it cannot be read, and then for ever.
    pub fn next_range<P: Pieces>(&mut self, view: impl FnMut(u64, u32) -> P) -> Option<&mut Range> {
        match self.token(view) {
            Ok(Some(range)) => self.range = range,
            Ok(None) | Err(_) => {
                *self = Self::NONE;
                return None;
            }
        }
        Some(&mut self.range)
    }

    fn token<P: Pieces>(
        &mut self,
        mut view: impl FnMut(u64, u32) -> P,
    ) -> Result<Option<Range>, Errno> {
        // Behind the last delimiter there may be an empty token, once.
        if self.left == 0 || (self.at == self.end && !self.is(EMPTY)) {
            return Ok(None);
        }
        self.left = self.left.wrapping_sub(1);
        let mut room = MAX_SCAN;
        if !self.is(EMPTY | LINES) && self.state & Self::IN_TOKEN == 0 {
            let (passed, found) = self.scan(&mut view, room, false)?;
            self.at = self.at.wrapping_add(passed.into());
            room = room.wrapping_sub(passed);
            if found.is_none() {
                return Ok((self.at != self.end).then_some(Range {
                    offset: self.at,
                    len: 0,
                    end: CUT,
                }));
            }
        }
        let (len, found) = self.scan(&mut view, room, true)?;
        let offset = self.at;
        self.at = offset.wrapping_add(len.into());
        self.state &= !Self::IN_TOKEN;
        let end = match found {
            Some(byte) => {
                self.at = self.at.wrapping_add(1);
                byte.into()
            }
            None if self.at == self.end => {
                self.left = 0;
                END
            }
            None => {
                self.state |= Self::IN_TOKEN;
                CUT
            }
        };
        Ok(Some(Range { offset, len, end }))
    }

    /// Looks at up to `room` bytes for one that is a delimiter, or for one that is none: how many come
    /// before it, and the byte, if there is one.
    fn scan<P: Pieces>(
        &self,
        view: &mut impl FnMut(u64, u32) -> P,
        room: u32,
        delimiter: bool,
    ) -> Result<(u32, Option<u8>), Errno> {
        let room = self.end.saturating_sub(self.at).min(room.into()) as u32;
        let mut pieces = view(self.at, room);
        let found = if !delimiter {
            first(&mut pieces, &Others(self.delimiters))
        } else if self.state & Self::SINGLE != 0 {
            first(&mut pieces, &Any([self.state as u8]))
        } else {
            first(&mut pieces, &self.delimiters)
        };
        match found? {
            Found::At(at, byte) => Ok((at as u32, Some(byte))),
            Found::End(passed) if passed == u64::from(room) => Ok((room, None)),
            Found::End(_) => Err(EFAULT),
        }
    }
}

/// An iterator's reference, which the instruction `insn` has just acquired, derives from what the dynptr
/// derives from: a record, a block of the heap, a file, a packet. That cannot be released then before the
/// iterator is destroyed: it would leak.
///
/// # Errors
///
/// [`Reject::BadSlot`] if there is no such reference.
pub fn tie<S: References>(state: &mut S, insn: u32, parent_id: u32) -> Result<(), Reject> {
    let mut last = None;
    let mut index = 0u32;
    while let Some(reference) = state.reference(index) {
        last = Some((index, reference.insn));
        index = index.wrapping_add(1);
    }
    match last {
        Some((index, acquired)) if acquired == insn as i32 => {
            state.set_parent(index, parent_id as i32);
            Ok(())
        }
        _ => Err(Reject::BadSlot),
    }
}
