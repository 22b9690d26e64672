// SPDX-License-Identifier: GPL-2.0

//! Strings and memory in pieces against a plain model: the loops of the kernel's `bpf_str*()` and of the C
//! library, on bytes in one place. Random contents, cut at random places: a million cases.

use crate::strings_model as model;
use rust_dynptr_host::logic::{
    errno::{
        Errno,
        E2BIG,
        EFAULT,
        EINVAL,
        ENOENT,
        ERANGE, //
    },
    memory::{
        self,
        Needle,
        NEEDLE_MAX, //
    },
    number::{
        signed,
        unsigned,
        Number, //
    },
    pieces::{
        Exact,
        IgnoreCase,
        Memory,
        Pieces,
        Rule,
        Whole,
        LIMIT, //
    },
    strings::{
        self,
        token,
        Token, //
    },
};

/// Cases of all operations together.
const CASES: u64 = 1_000_000;

/// Pieces, the first one last.
struct Cut<'a>(Vec<&'a [u8]>);

impl<'a> Cut<'a> {
    /// `bytes` in pieces of as many as `size` says for what is left, 1 at least.
    fn new(bytes: &'a [u8], mut size: impl FnMut(usize) -> usize) -> Self {
        let mut pieces = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(size(rest.len()).clamp(1, rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        pieces.reverse();
        Self(pieces)
    }
}

impl Pieces for Cut<'_> {
    type Piece<'b>
        = &'b [u8]
    where
        Self: 'b;

    fn next(&mut self) -> Result<Option<&[u8]>, Errno> {
        Ok(self.0.pop())
    }
}

/// xorshift64*: the same cases every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// Few different bytes, so that much is equal; now and then any.
    fn byte(&mut self) -> u8 {
        const USUAL: &[u8] = b"aAbB ,0x1-zZ\xc0\xe0\xd7\xf7\x80\xff";
        match self.below(40) {
            0 => 0,
            1 => self.next() as u8,
            _ => USUAL[self.below(USUAL.len())],
        }
    }

    /// Mostly short, sometimes around what a call looks at.
    fn len(&mut self) -> usize {
        match self.below(4000) {
            0 => LIMIT as usize - 3 + self.below(6),
            n if n < 40 => self.below(700),
            n if n < 1000 => self.below(100),
            _ => self.below(24),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let len = self.len();
        if len > 1000 {
            // One byte all over, so that nothing is found before the end.
            let byte = self.byte().max(1);
            let mut bytes = vec![byte; len];
            if self.one_in(2) {
                let at = len - 1 - self.below(8);
                bytes[at] = self.byte();
            }
            return bytes;
        }
        (0..len).map(|_| self.byte()).collect()
    }

    /// `bytes`, with some changed at the end; or others.
    fn like(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.one_in(5) {
            return self.bytes();
        }
        let mut other = bytes.to_vec();
        match self.below(4) {
            0 => other.truncate(self.below(bytes.len() + 1)),
            1 => other.extend(self.bytes()),
            2 if !other.is_empty() => {
                let at = self.below(other.len());
                other[at] = self.byte();
            }
            _ => other
                .iter_mut()
                .filter(|_| self.one_in(2))
                .for_each(|byte| *byte = byte.to_ascii_uppercase()),
        }
        other
    }

    fn set(&mut self) -> Vec<u8> {
        (0..self.below(5)).map(|_| self.byte().max(1)).collect()
    }

    /// Some of `bytes`, or others.
    fn needle(&mut self, bytes: &[u8]) -> Vec<u8> {
        if bytes.is_empty() || self.one_in(8) {
            let mut needle = self.bytes();
            needle.truncate(300);
            return needle;
        }
        let start = self.below(bytes.len());
        let len = self.below((bytes.len() - start).min(20) + 1);
        let mut needle = bytes[start..start + len].to_vec();
        if self.one_in(4) {
            let byte = self.byte();
            needle.push(byte);
        }
        needle
    }

    /// Digits, more or less.
    fn number(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        for (often, what) in [(3, &b" \t\n\x0b\xa0"[..]), (3, b"-"), (3, b"0"), (3, b"xX")] {
            if self.one_in(often) {
                text.push(what[self.below(what.len())]);
            }
        }
        let digits: &[u8] =
            [&b"0123456789"[..], b"01234567", b"0123456789abcdefABCDEFgG"][self.below(3)];
        let most = [4, 18, 24, 80][self.below(4)];
        for _ in 0..self.below(most) {
            text.push(digits[self.below(digits.len())]);
        }
        if self.one_in(8) {
            text.extend(self.bytes());
        }
        text
    }

    /// The bytes cut into pieces.
    fn cut<'a>(&mut self, bytes: &'a [u8]) -> Cut<'a> {
        let most = [usize::MAX, 3, 9, 40, 300][self.below(5)];
        Cut::new(bytes, |left| 1 + self.below(left.min(most)))
    }
}

/// What to look for.
fn read_needle<R: Rule>(pieces: &mut impl Pieces) -> Result<Needle, Errno> {
    let mut needle = Needle::default();
    needle.read::<R>(pieces)?;
    Ok(needle)
}

/// A view of at most what a call looks at.
fn view(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(LIMIT as usize)]
}

/// One case of one operation: what came of it and what the model says.
fn case(operation: usize, r: &mut Random) -> (String, String) {
    let bytes = r.bytes();
    let bytes = view(&bytes);
    let byte = r.byte();
    match operation {
        0 => same(strings::length(&mut r.cut(bytes)), model::length(bytes)),
        1 => same(
            strings::find(&mut r.cut(bytes), byte),
            model::find(bytes, byte),
        ),
        2 => same(
            strings::find_or_end(&mut r.cut(bytes), byte),
            model::find_or_end(bytes, byte),
        ),
        3 => same(
            strings::find_last(&mut r.cut(bytes), byte),
            model::find_last(bytes, byte),
        ),
        4..=6 => {
            let set = r.set();
            let (cut, set) = (&mut r.cut(bytes), &set[..]);
            match operation {
                4 => same(strings::span(cut, set), model::span(bytes, set)),
                5 => same(
                    strings::span_without(cut, set),
                    model::span_without(bytes, set),
                ),
                _ => same(strings::find_any(cut, set), model::find_any(bytes, set)),
            }
        }
        7 | 8 => {
            let other = r.like(bytes);
            let other = view(&other);
            let (a, b) = (&mut r.cut(bytes), &mut r.cut(other));
            if operation == 7 {
                same(
                    strings::order::<Exact>(a, b),
                    model::order(bytes, other, false),
                )
            } else {
                same(
                    strings::order::<IgnoreCase>(a, b),
                    model::order(bytes, other, true),
                )
            }
        }
        9 => {
            let other = r.like(bytes);
            let other = view(&other);
            let len = bytes.len().max(other.len()) as u64;
            let (a, b) = (&mut r.cut(bytes), &mut r.cut(other));
            same(memory::order(a, b, len), model::memory_order(bytes, other))
        }
        10 => {
            let missing = u64::from(r.one_in(8));
            let found = memory::find(&mut r.cut(bytes), byte, bytes.len() as u64 + missing);
            same(found, model::memory_find(bytes, &[byte], missing))
        }
        11 => {
            let missing = u64::from(r.one_in(8));
            let needle = r.needle(bytes);
            let found = read_needle::<Memory>(&mut r.cut(&needle)).and_then(|needle| {
                memory::find_needle(&mut r.cut(bytes), &needle, bytes.len() as u64 + missing)
            });
            same(found, model::memory_find(bytes, &needle, missing))
        }
        12 | 13 => {
            let mut needle = r.needle(bytes);
            if operation == 13 && r.one_in(2) {
                needle.make_ascii_uppercase();
            }
            let (cut, of) = (&mut r.cut(bytes), &mut r.cut(&needle));
            if operation == 12 {
                let found = read_needle::<Exact>(of)
                    .and_then(|needle| memory::find_string::<Exact>(cut, &needle));
                same(found, model::find_string(bytes, &needle, false))
            } else {
                let found = read_needle::<IgnoreCase>(of)
                    .and_then(|needle| memory::find_string::<IgnoreCase>(cut, &needle));
                same(found, model::find_string(bytes, &needle, true))
            }
        }
        14 | 15 => {
            let text = r.number();
            let flags = [0, 8, 10, 16, 2, 32, 10 | (1 << 40)][r.below(7).min(r.below(7))];
            let cut = &mut r.cut(&text);
            let number = model::number(&text, flags);
            if operation == 14 {
                let expected = number.and_then(model::signed);
                same(signed(cut, flags).map(|n| (n.value, n.len)), expected)
            } else {
                let expected = number.and_then(model::unsigned);
                same(unsigned(cut, flags).map(|n| (n.value, n.len)), expected)
            }
        }
        _ => {
            let (set, empty) = (r.set(), r.one_in(2));
            let found = token(&mut r.cut(bytes), &set[..], empty);
            same(
                found.map(|t| (t.start, t.len, t.next)),
                model::token(bytes, &set, empty),
            )
        }
    }
}

fn same<T: core::fmt::Debug>(
    found: Result<T, Errno>,
    expected: Result<T, Errno>,
) -> (String, String) {
    (format!("{found:?}"), format!("{expected:?}"))
}

/// One operation a test, so that they run beside each other.
fn cases(operation: usize) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 + operation as u64);
    for number in 0..CASES / 17 + 1 {
        let before = random.0;
        let (found, expected) = case(operation, &mut random);
        assert_eq!(
            found, expected,
            "case {number} of operation {operation}, from {before:#x}"
        );
    }
}

macro_rules! operations {
    ($($name:ident $number:literal;)*) => { $(#[test] fn $name() { cases($number); })* };
}
operations! {
    lengths 0;
    bytes_found 1;
    bytes_found_or_the_end 2;
    last_bytes_found 3;
    spans 4;
    complement_spans 5;
    bytes_of_a_set_found 6;
    strings_compared 7;
    strings_compared_without_case 8;
    memory_compared 9;
    memory_searched_for_bytes 10;
    memory_searched_for_memory 11;
    substrings_found 12;
    substrings_found_without_case 13;
    signed_numbers 14;
    unsigned_numbers 15;
    tokens 16;
}

/// Every string of three letters with every cut, every needle of up to three.
#[test]
fn all_small_needles() {
    let words = |len: u32| {
        (0..3_u32.pow(len)).map(move |n| {
            (0..len)
                .map(|i| b'a' + (n / 3_u32.pow(i) % 3) as u8)
                .collect::<Vec<u8>>()
        })
    };
    for needle in (0..4).flat_map(words) {
        let search = read_needle::<Memory>(&mut Whole::new(&needle[..])).unwrap();
        for text in (0..7).flat_map(words) {
            for cut in 0..=text.len() {
                let (a, b) = text.split_at(cut);
                let pieces = [b, a]
                    .into_iter()
                    .filter(|piece| !piece.is_empty())
                    .collect();
                assert_eq!(
                    memory::find_needle(&mut Cut(pieces), &search, text.len() as u64),
                    model::memory_find(&text, &needle, 0)
                );
            }
        }
    }
}

/// A piece that cannot be read.
struct Bad(u32);

impl Pieces for Bad {
    type Piece<'a> = &'a [u8];

    fn next(&mut self) -> Result<Option<&[u8]>, Errno> {
        self.0 = self.0.checked_sub(1).ok_or(EFAULT)?;
        Ok(Some(b"aaa"))
    }
}

#[test]
fn an_error_of_the_memory_is_the_result() {
    let needle = read_needle::<Memory>(&mut Whole::new(&b"b"[..])).unwrap();
    for good in 0..2 {
        assert_eq!(strings::length(&mut Bad(good)), Err(EFAULT));
        assert_eq!(strings::find_last(&mut Bad(good), b'a'), Err(EFAULT));
        assert_eq!(token(&mut Bad(good), &b"b"[..], false), Err(EFAULT));
        assert_eq!(
            memory::find_needle(&mut Bad(good), &needle, 99),
            Err(EFAULT)
        );
        assert_eq!(
            memory::order(&mut Bad(good), &mut Bad(good), 99),
            Err(EFAULT)
        );
        assert_eq!(memory::order(&mut Bad(3), &mut Bad(good), 99), Err(EFAULT));
        assert_eq!(unsigned(&mut Bad(good), 16), Err(EFAULT));
        assert!(read_needle::<Memory>(&mut Bad(good)).is_err_and(|errno| errno == EFAULT));
    }
}

#[test]
fn limits() {
    let long = vec![b' '; LIMIT as usize];
    let whole = || Whole::new(&long[..]);
    assert_eq!(strings::length(&mut whole()), Err(E2BIG));
    assert_eq!(strings::find(&mut whole(), b'x'), Err(E2BIG));
    assert_eq!(unsigned(&mut whole(), 10), Err(E2BIG));
    assert_eq!(
        strings::order::<Exact>(&mut whole(), &mut whole()),
        Err(E2BIG)
    );
    let of = |len: usize| read_needle::<Memory>(&mut Whole::new(&long[..len]));
    assert!(of(NEEDLE_MAX + 1).is_err_and(|errno| errno == E2BIG));
    let most = of(NEEDLE_MAX).unwrap();
    assert_eq!(memory::find_needle(&mut whole(), &most, LIMIT), Ok(0));
    assert_eq!(
        signed(&mut Whole::new(&b"-9223372036854775808"[..]), 10),
        Ok(Number {
            value: i64::MIN,
            len: 20
        })
    );
    assert_eq!(
        signed(&mut Whole::new(&b"-9223372036854775809"[..]), 10),
        Err(ERANGE)
    );
    assert_eq!(unsigned(&mut Whole::new(&b"-1"[..]), 10), Err(EINVAL));
    let end = Token {
        start: 3,
        len: 1,
        next: None,
    };
    assert_eq!(
        token(&mut Whole::new(&b"   a"[..]), &b" "[..], false),
        Ok(end)
    );
    assert_eq!(
        token(&mut Whole::new(&b"  "[..]), &b" "[..], false),
        Err(ENOENT)
    );
    assert_eq!(Errno::from_c_int(-2), Some(ENOENT));
    assert_eq!(Errno::from_c_int(0), None);
}
