// SPDX-License-Identifier: GPL-2.0

//! Integers in strings: the helpers `bpf_strtol()` and `bpf_strtoul()` of `srctree/kernel/bpf/helpers.c` and
//! `_parse_integer()` of `srctree/lib/kstrtox.c`.

use super::{
    errno::{
        Errno,
        EINVAL,
        ERANGE, //
    },
    pieces::{
        at_limit,
        Bytes,
        Pieces, //
    }, //
};

/// `BPF_STRTOX_BASE_MASK`: the bits of the flags that are the base.
const BASES: u64 = 0x1f;
/// The most bytes behind the sign that are looked at.
const DIGITS: usize = 63;

/// An integer and how many bytes of the string it takes, with what is in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<T> {
    /// The value.
    pub value: T,
    /// Bytes.
    pub len: u64,
}

/// The kernel's `isspace()`.
fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 160)
}

/// What is in front of the digits, and as many bytes as can be digits.
struct Text {
    /// Bytes of space and sign.
    before: u64,
    is_negative: bool,
    bytes: [u8; DIGITS],
    len: usize,
}

impl Text {
    fn new(pieces: &mut impl Pieces) -> Result<Self, Errno> {
        let mut text = Self {
            before: 0,
            is_negative: false,
            bytes: [0; DIGITS],
            len: 0,
        };
        let mut is_begun = false;
        while let Some(piece) = pieces.next()? {
            let mut at = 0;
            while let Some(byte) = piece.byte(at) {
                at = at.wrapping_add(1);
                if !is_begun && (is_space(byte) || byte == b'-') {
                    text.before = text.before.wrapping_add(1);
                    text.is_negative = byte == b'-';
                    is_begun = text.is_negative;
                    continue;
                }
                is_begun = true;
                let Some(place) = text.bytes.get_mut(text.len) else {
                    return Ok(text);
                };
                *place = byte;
                text.len = text.len.wrapping_add(1);
            }
        }
        at_limit(text.before)?;
        Ok(text)
    }

    /// The byte at `at`; 0 behind the last.
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// `_parse_integer_fixup_radix()`: the base, and where the digits start.
    fn base(&self, asked: u64) -> (u64, usize) {
        let has_x = self.byte(0) == b'0' && self.byte(1) | 0x20 == b'x';
        let base = match asked {
            0 if has_x && self.byte(2).is_ascii_hexdigit() => 16,
            0 if self.byte(0) == b'0' => 8,
            0 => 10,
            asked => asked,
        };
        (base, if base == 16 && has_x { 2 } else { 0 })
    }

    /// The digits' value, and where they end.
    ///
    /// # Errors
    ///
    /// [`EINVAL`], [`ERANGE`].
    fn digits(&self, asked: u64) -> Result<Number<u64>, Errno> {
        let (base, start) = self.base(asked);
        let mut value = Some(0_u64);
        let mut at = start;
        while let Some(digit) = char::from(self.byte(at)).to_digit(16) {
            let digit = u64::from(digit);
            if digit >= base {
                break;
            }
            value = value
                .and_then(|value| value.checked_mul(base))
                .and_then(|value| value.checked_add(digit));
            at = at.wrapping_add(1);
        }
        let value = value.ok_or(ERANGE)?;
        if at == start {
            return Err(EINVAL);
        }
        Ok(Number {
            value,
            len: self.before.wrapping_add(at as u64),
        })
    }
}

/// An absolute value, how many bytes it takes, and whether there is a minus.
#[inline(never)]
fn parse(pieces: &mut impl Pieces, flags: u64) -> Result<(Number<u64>, bool), Errno> {
    let base = flags & BASES;
    if flags != base || !matches!(base, 0 | 8 | 10 | 16) {
        return Err(EINVAL);
    }
    let text = Text::new(pieces)?;
    Ok((text.digits(base)?, text.is_negative))
}

/// `bpf_strtol()`.
///
/// # Errors
///
/// [`EINVAL`] for flags that are not a base of 0, 8, 10 or 16, or if there is no digit; [`ERANGE`];
/// [`E2BIG`](super::errno::E2BIG) if there is nothing but space; what reading the memory gives.
pub fn signed(pieces: &mut impl Pieces, flags: u64) -> Result<Number<i64>, Errno> {
    let (Number { value, len }, is_negative) = parse(pieces, flags)?;
    let value = if is_negative {
        0_i64.checked_sub_unsigned(value)
    } else {
        i64::try_from(value).ok()
    };
    Ok(Number {
        value: value.ok_or(ERANGE)?,
        len,
    })
}

/// `bpf_strtoul()`.
///
/// # Errors
///
/// Those of [`signed`]; [`EINVAL`] if there is a minus.
pub fn unsigned(pieces: &mut impl Pieces, flags: u64) -> Result<Number<u64>, Errno> {
    let (number, is_negative) = parse(pieces, flags)?;
    if is_negative {
        return Err(EINVAL);
    }
    Ok(number)
}
