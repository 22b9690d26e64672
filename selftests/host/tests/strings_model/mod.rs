// SPDX-License-Identifier: GPL-2.0

//! What strings and memory are, byte by byte, on bytes in one place: the loops of `bpf_str*()`, read with a 0
//! behind the last byte of the view.

use rust_dynptr_host::logic::{
    errno::{
        Errno,
        E2BIG,
        EINVAL,
        ENOENT,
        ERANGE, //
    },
    memory::NEEDLE_MAX,
    pieces::LIMIT,
};

type Found = Result<u64, Errno>;

/// The byte, the view's end being a 0.
fn at(bytes: &[u8], i: usize) -> u8 {
    bytes.get(i).copied().unwrap_or(0)
}

fn tolower(c: u8) -> u8 {
    let upper = c.is_ascii_uppercase() || ((192..=222).contains(&c) && c != 215);
    if upper {
        c + 32
    } else {
        c
    }
}

/// The string's bytes; an error if it has no end within the limit.
fn string(bytes: &[u8]) -> Result<&[u8], Errno> {
    for i in 0..LIMIT as usize {
        if at(bytes, i) == 0 {
            return Ok(&bytes[..i]);
        }
    }
    Err(E2BIG)
}

pub fn length(bytes: &[u8]) -> Found {
    string(bytes).map(|s| s.len() as u64)
}

pub fn find(bytes: &[u8], c: u8) -> Found {
    for i in 0..LIMIT as usize {
        if i == bytes.len() {
            return Err(ENOENT);
        }
        if bytes[i] == c {
            return Ok(i as u64);
        }
        if bytes[i] == 0 {
            return Err(ENOENT);
        }
    }
    Err(E2BIG)
}

pub fn find_or_end(bytes: &[u8], c: u8) -> Found {
    for i in 0..LIMIT as usize {
        if at(bytes, i) == 0 || bytes[i] == c {
            return Ok(i as u64);
        }
    }
    Err(E2BIG)
}

pub fn find_last(bytes: &[u8], c: u8) -> Found {
    let mut s = string(bytes)?;
    if s.len() < bytes.len() {
        s = &bytes[..=s.len()];
    }
    s.iter()
        .rposition(|b| *b == c)
        .map(|i| i as u64)
        .ok_or(ENOENT)
}

fn first_that(bytes: &[u8], is: impl Fn(u8) -> bool) -> Found {
    for i in 0..LIMIT as usize {
        if at(bytes, i) == 0 || is(bytes[i]) {
            return Ok(i as u64);
        }
    }
    Err(E2BIG)
}

pub fn span(bytes: &[u8], set: &[u8]) -> Found {
    first_that(bytes, |b| !set.contains(&b))
}

pub fn span_without(bytes: &[u8], set: &[u8]) -> Found {
    first_that(bytes, |b| set.contains(&b))
}

pub fn find_any(bytes: &[u8], set: &[u8]) -> Found {
    let i = span_without(bytes, set)?;
    if at(bytes, i as usize) == 0 {
        Err(ENOENT)
    } else {
        Ok(i)
    }
}

pub fn order(a: &[u8], b: &[u8], ignore_case: bool) -> Result<i32, Errno> {
    for i in 0..LIMIT as usize {
        let (mut c1, mut c2) = (at(a, i), at(b, i));
        if ignore_case {
            (c1, c2) = (tolower(c1), tolower(c2));
        }
        if c1 != c2 {
            return Ok(if c1 < c2 { -1 } else { 1 });
        }
        if c1 == 0 {
            return Ok(0);
        }
    }
    Err(E2BIG)
}

/// Of as many bytes as the longer has.
pub fn memory_order(a: &[u8], b: &[u8]) -> Result<i32, Errno> {
    let both = a.len().min(b.len());
    match a[..both].cmp(&b[..both]) {
        core::cmp::Ordering::Less => Ok(-1),
        core::cmp::Ordering::Greater => Ok(1),
        core::cmp::Ordering::Equal if a.len() != b.len() => Err(E2BIG),
        core::cmp::Ordering::Equal => Ok(0),
    }
}

/// In these bytes and `missing` that cannot be had.
pub fn memory_find(bytes: &[u8], needle: &[u8], missing: u64) -> Found {
    if needle.len() > NEEDLE_MAX {
        return Err(E2BIG);
    }
    for i in 0..=bytes.len() {
        if bytes[i..].starts_with(needle) {
            return Ok(i as u64);
        }
    }
    Err(if missing > 0 { E2BIG } else { ENOENT })
}

pub fn find_string(bytes: &[u8], needle: &[u8], ignore_case: bool) -> Found {
    let fold = |s: &[u8]| -> Vec<u8> {
        let same = |c: &u8| if ignore_case { tolower(*c) } else { *c };
        s.iter().map(same).collect()
    };
    let needle = string(needle)?;
    if needle.len() > NEEDLE_MAX {
        return Err(E2BIG);
    }
    let needle = fold(needle);
    let limit = &bytes[..bytes.len().min(LIMIT as usize)];
    let whole = string(bytes);
    let s = fold(whole.unwrap_or(limit));
    for i in 0..=s.len() {
        if s[i..].starts_with(&needle) {
            return Ok(i as u64);
        }
    }
    Err(whole.err().unwrap_or(ENOENT))
}

/// `__bpf_strtoull()`: value, bytes, minus.
pub fn number(text: &[u8], flags: u64) -> Result<(u128, u64, bool), Errno> {
    let mut base = (flags & 0x1f) as u32;
    if ![0, 8, 10, 16].contains(&base) || flags & !0x1f != 0 {
        return Err(EINVAL);
    }
    let space = |b: u8| [9, 10, 11, 12, 13, 32, 160].contains(&b);
    let mut i = 0;
    while i < text.len() && space(text[i]) {
        i += 1;
    }
    let minus = at(text, i) == b'-';
    i += usize::from(minus);
    let s = &text[i..text.len().min(i + 63)];
    let mut j = 0;
    let x = at(s, 0) == b'0' && at(s, 1).eq_ignore_ascii_case(&b'x');
    if base == 0 {
        base = match at(s, 0) {
            b'0' if x && at(s, 2).is_ascii_hexdigit() => 16,
            b'0' => 8,
            _ => 10,
        };
    }
    if base == 16 && x {
        j = 2;
    }
    let start = j;
    let mut value: u128 = 0;
    while let Some(digit) = (at(s, j) as char).to_digit(base) {
        value = value
            .saturating_mul(base.into())
            .saturating_add(digit.into());
        j += 1;
    }
    if value > u64::MAX.into() {
        return Err(ERANGE);
    }
    if j == start {
        return Err(EINVAL);
    }
    Ok((value, (i + j) as u64, minus))
}

pub fn signed((value, len, minus): (u128, u64, bool)) -> Result<(i64, u64), Errno> {
    let value = if minus {
        -(value as i128)
    } else {
        value as i128
    };
    i64::try_from(value)
        .map(|value| (value, len))
        .map_err(|_| ERANGE)
}

pub fn unsigned((value, len, minus): (u128, u64, bool)) -> Result<(u64, u64), Errno> {
    if minus {
        Err(EINVAL)
    } else {
        Ok((value as u64, len))
    }
}

/// Start, length, and where the next one may be.
pub fn token(bytes: &[u8], set: &[u8], empty: bool) -> Result<(u64, u64, Option<u64>), Errno> {
    let start = if empty { 0 } else { span(bytes, set)? };
    if !empty && at(bytes, start as usize) == 0 {
        return Err(ENOENT);
    }
    // All of it is within the limit, wherever it starts.
    let end = start + span_without(&bytes[start as usize..], set)?;
    if end >= LIMIT {
        return Err(E2BIG);
    }
    let next = (at(bytes, end as usize) != 0).then_some(end + 1);
    Ok((start, end - start, next))
}
