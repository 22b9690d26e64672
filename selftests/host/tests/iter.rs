// SPDX-License-Identifier: GPL-2.0

//! Iterators: ranges over random contents, against simple models, and what they promise of any.

use crate::state::State;
use proptest::prelude::*;
use rust_dynptr_host::logic::{
    dynptr::MAX_SIZE,
    errno::{
        Errno,
        E2BIG,
        EFAULT,
        EINVAL,
        ERANGE, //
    },
    iter::{
        tie,
        Range,
        Steps,
        Tokens,
        BYTE,
        CUT,
        EMPTY,
        END,
        LINES,
        MAX_RANGES,
        MAX_SCAN, //
    },
    pieces::{
        Pieces,
        Whole, //
    },
    reject::Reject,
    release::release, //
};
use std::{
    cell::Cell,
    slice::Chunks, //
};

/// A view in pieces of one size, which are made as they are asked for: a token may need the first only.
struct Parts<'a>(Chunks<'a, u8>);

impl Pieces for Parts<'_> {
    type Piece<'b>
        = &'b [u8]
    where
        Self: 'b;

    fn next(&mut self) -> Result<Option<&[u8]>, Errno> {
        Ok(self.0.next())
    }
}

/// So many of `bytes`, at an offset, in pieces of `size`.
fn part<'a>(bytes: &'a [u8], size: usize) -> impl Fn(u64, u32) -> Parts<'a> {
    move |at, len| Parts(bytes[at as usize..][..len as usize].chunks(size))
}

/// What must not be read.
fn unread(_: u64, _: u32) -> Parts<'static> {
    panic!("read")
}

/// Commas, and letters: as many as are looked at for one token.
static COMMAS: [u8; MAX_SCAN as usize] = [b','; MAX_SCAN as usize];
static LETTERS: [u8; MAX_SCAN as usize] = [b'x'; MAX_SCAN as usize];

/// So many of `bytes`, the same ones at every offset.
fn all_the_same(bytes: &'static [u8]) -> impl Fn(u64, u32) -> Whole<&'static [u8]> {
    move |_, len| Whole::new(&bytes[..len as usize])
}

/// Pieces, and how many bytes were taken.
struct Counted<'a>(Parts<'a>, &'a Cell<u32>);

impl Pieces for Counted<'_> {
    type Piece<'b>
        = &'b [u8]
    where
        Self: 'b;

    fn next(&mut self) -> Result<Option<&[u8]>, Errno> {
        let piece = self.0.next()?;
        self.1
            .set(self.1.get() + piece.map_or(0, |piece| piece.len() as u32));
        Ok(piece)
    }
}

/// What cannot be read.
struct Bad;

impl Pieces for Bad {
    type Piece<'a> = &'a [u8];

    fn next(&mut self) -> Result<Option<&[u8]>, Errno> {
        Err(EFAULT)
    }
}

/// All tokens of `bytes`, which come in pieces of `size`.
fn tokens_of(bytes: &[u8], size: usize, delimiters: &[u8], flags: u64) -> Vec<Range> {
    let mut it = Tokens::new(bytes.len() as u64, delimiters, flags).unwrap();
    let mut found = Vec::new();
    while let Some(range) = it.next_range(part(bytes, size)) {
        found.push(*range);
    }
    // For ever.
    assert_eq!(it.next_range(unread), None);
    found
}

fn tokens(bytes: &[u8], delimiters: &[u8], flags: u64) -> Vec<Range> {
    tokens_of(bytes, usize::MAX, delimiters, flags)
}

fn steps(size: u64, step: u64) -> Vec<Range> {
    let mut it = Steps::new(size, step, 0).unwrap();
    let mut found = Vec::new();
    while let Some(range) = it.next_range() {
        found.push(*range);
    }
    assert_eq!(it.next_range(), None);
    found
}

/// What tokens hold, with the parts of each put together; and what ends each.
fn texts<'a>(bytes: &'a [u8], ranges: &[Range]) -> Vec<(&'a [u8], i32)> {
    let mut out = Vec::new();
    let mut from = None;
    for range in ranges {
        if range.len == 0 && range.end == CUT {
            // Delimiters before a token, more than a call looks at.
            continue;
        }
        let start = *from.get_or_insert(range.offset as usize);
        if range.end != CUT {
            let end = range.offset as usize + range.len as usize;
            out.push((&bytes[start..end], range.end));
            from = None;
        }
    }
    out
}

/// The same by the standard library.
fn split<'a>(bytes: &'a [u8], delimiters: &[u8], flags: u64) -> Vec<(&'a [u8], i32)> {
    let mut at = 0;
    let mut out: Vec<_> = bytes
        .split(|byte| delimiters.contains(byte))
        .map(|text| {
            at += text.len() + 1;
            (text, bytes.get(at - 1).map_or(END, |byte| i32::from(*byte)))
        })
        .collect();
    if flags & LINES != 0 && out.last().is_some_and(|(text, _)| text.is_empty()) {
        out.pop();
    }
    if flags & (EMPTY | LINES) == 0 {
        out.retain(|(text, _)| !text.is_empty());
    }
    out
}

/// How many cases: as many, or `ITER_CASES`.
fn cases(default: u32) -> u32 {
    std::env::var("ITER_CASES").map_or(default, |cases| cases.parse().unwrap())
}

/// Few bytes of which many are delimiters, and runs.
fn contents() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(b'a'), Just(b'\n'), Just(b' '), Just(0u8), any::<u8>()];
    let short = proptest::collection::vec(byte, 0..300);
    let runs = proptest::collection::vec((0..3usize, 0..150usize), 0..12).prop_map(|runs| {
        runs.into_iter()
            .flat_map(|(kind, len)| vec![[b'x', b'\n', b' '][kind]; len])
            .collect()
    });
    prop_oneof![short, runs]
}

fn kind() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(EMPTY), Just(LINES)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(20_000)))]

    #[test]
    fn tokens_are_what_a_split_gives(
        bytes in contents(), delimiters in proptest::collection::vec(any::<u8>(), 0..3), kind in kind(),
        byte in proptest::option::of(any::<u8>()), plain in any::<bool>(), size in 1..100usize,
    ) {
        let mut set = delimiters.clone();
        if plain {
            set.push(b'\n');
        }
        let given = set.clone();
        let flags = kind | byte.map_or(0, |byte| BYTE | u64::from(byte));
        set.extend(byte);
        if set.is_empty() {
            prop_assert_eq!(Tokens::new(1, &given[..], flags).err(), Some(EINVAL));
            return Ok(());
        }
        let found = tokens_of(&bytes, size, &given, flags);
        prop_assert!(found.iter().all(|range| range.end != CUT));
        prop_assert_eq!(texts(&bytes, &found), split(&bytes, &set, kind));
    }

    #[test]
    fn steps_cover_the_view(size in 0..5000u64, step in 1..600u64) {
        let found = steps(size, step);
        prop_assert_eq!(found.len() as u64, size.div_ceil(step));
        let mut at = 0;
        for range in &found {
            prop_assert_eq!(range.offset, at);
            prop_assert_eq!(u64::from(range.len), step.min(size - at));
            at += u64::from(range.len);
            prop_assert_eq!(range.end, if at == size { END } else { CUT });
        }
        prop_assert_eq!(at, size);
    }

    #[test]
    fn advancing_goes_where_it_says(
        size in 1..3000u64, step in 1..100u64, by in proptest::collection::vec(0..200u64, 1..60),
    ) {
        let mut it = Steps::new(size, step, 0).unwrap();
        prop_assert_eq!(it.advance(1), Err(EINVAL));
        let mut at = 0;
        for by in by {
            let Some(range) = it.next_range().copied() else {
                prop_assert_eq!(at, size);
                prop_assert_eq!(it.advance(1), Err(EINVAL));
                return Ok(());
            };
            prop_assert_eq!((range.offset, u64::from(range.len)), (at, step.min(size - at)));
            // The last one counts.
            prop_assert_eq!(it.advance(size - at), Ok(()));
            let result = it.advance(by);
            if by == 0 || by > size - at {
                prop_assert_eq!(result, if by == 0 { Ok(()) } else { Err(ERANGE) });
                prop_assert_eq!(it.next_range(), None);
                return Ok(());
            }
            prop_assert_eq!(result, Ok(()));
            at += by;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(20_000) / 300))]

    /// Tokens and runs of delimiters around the limit of one call.
    #[test]
    fn long_tokens_come_in_parts(
        runs in proptest::collection::vec((any::<bool>(), 0..3u32, -2..3i32), 1..6), kind in kind(),
    ) {
        let mut bytes = Vec::new();
        for (delimiter, limits, more) in runs {
            let len = (limits * MAX_SCAN) as i32 + more;
            bytes.extend(vec![if delimiter { b',' } else { b'x' }; len.max(0) as usize]);
        }
        let mut it = Tokens::new(bytes.len() as u64, &b","[..], kind).unwrap();
        let mut found = Vec::new();
        let seen = Cell::new(0);
        while let Some(range) = it.next_range(|at, len| {
            Counted(part(&bytes, 64)(at, len), &seen)
        }) {
            // What is looked at twice is the rest of a piece.
            prop_assert!(seen.get() <= MAX_SCAN + 64, "{} bytes in one call", seen.get());
            prop_assert!(range.len <= MAX_SCAN);
            seen.set(0);
            found.push(*range);
        }
        // Without the values: there are too many.
        prop_assert!(texts(&bytes, &found) == split(&bytes, b",", kind));
        let mut at = 0;
        for range in &found {
            prop_assert!(range.offset >= at);
            at = range.offset + u64::from(range.len);
        }
    }
}

#[test]
fn arguments_that_make_no_iterator() {
    assert_eq!(Steps::new(10, 0, 0).err(), Some(EINVAL));
    assert_eq!(Steps::new(10, 1, 1).err(), Some(EINVAL));
    assert_eq!(Steps::new(10, 0, 1).err(), Some(EINVAL));
    let max = u64::from(MAX_SIZE);
    assert_eq!(Steps::new(10, max + 1, 0).err(), Some(E2BIG));
    assert_eq!(Steps::new(10, u64::MAX, 0).err(), Some(E2BIG));
    assert!(Steps::new(10, max, 0).is_ok());
    let ranges = u64::from(MAX_RANGES);
    assert!(Steps::new(ranges, 1, 0).is_ok());
    assert_eq!(Steps::new(ranges + 1, 1, 0).err(), Some(E2BIG));
    assert!(Steps::new(ranges * 100, 100, 0).is_ok());
    assert_eq!(Steps::new(ranges * 100 + 1, 100, 0).err(), Some(E2BIG));
    assert_eq!(Steps::new(u64::MAX, max, 0).err(), Some(E2BIG));
    for flags in [
        1,
        b'a'.into(),
        1 << 11,
        1 << 63,
        EMPTY | LINES,
        EMPTY | LINES | BYTE,
    ] {
        assert_eq!(
            Tokens::new(10, &b","[..], flags).err(),
            Some(EINVAL),
            "{flags:#x}"
        );
    }
    assert_eq!(Tokens::new(10, &b""[..], 0).err(), Some(EINVAL));
    assert!(Tokens::new(10, &b""[..], BYTE).is_ok());
    assert!(Tokens::new(10, &b","[..], BYTE | LINES).is_ok());
}

/// As `include/rust_dynptr_iter.bpf.h` has them.
#[test]
fn numbers_are_those_of_the_header() {
    assert_eq!((END, CUT), (-1, -2));
    assert_eq!((BYTE, EMPTY, LINES), (256, 512, 1024));
}

#[test]
fn a_long_token_goes_on_where_it_was_cut() {
    let limit = u64::from(MAX_SCAN);
    let mut bytes = vec![b'x'; MAX_SCAN as usize];
    bytes.extend(b",,y");
    let range = |offset, len, end| Range { offset, len, end };
    let comma = i32::from(b',');
    for kind in [0, EMPTY, LINES] {
        let mut expected = vec![range(0, MAX_SCAN, CUT), range(limit, 0, comma)];
        if kind != 0 {
            expected.push(range(limit + 1, 0, comma));
        }
        expected.push(range(limit + 2, 1, END));
        assert_eq!(tokens(&bytes, b",", kind), expected);
    }
}

#[test]
fn nothing_gives_nothing() {
    assert_eq!({ Steps::NONE }.next_range(), None);
    assert_eq!({ Steps::NONE }.advance(1), Err(EINVAL));
    assert_eq!({ Tokens::NONE }.next_range(unread), None);
    assert_eq!(steps(0, 1), []);
    assert_eq!(tokens(b"", b",", 0), []);
    assert_eq!(tokens(b"", b",", LINES), []);
    let empty = Range {
        offset: 0,
        len: 0,
        end: END,
    };
    assert_eq!(tokens(b"", b",", EMPTY), [empty]);
}

#[test]
fn there_are_no_more_than_so_many_ranges() {
    let size = u64::from(MAX_RANGES) + 100;
    let mut it = Steps::new(size, 2, 0).unwrap();
    let mut count = 0u32;
    // Programs may go slower than the steps.
    while it.next_range().is_some() {
        count += 1;
        it.advance(1).unwrap();
    }
    assert_eq!(count, MAX_RANGES);
    let mut it = Tokens::new(size, &b","[..], LINES).unwrap();
    let commas = all_the_same(&COMMAS);
    let mut count = 0u32;
    while it.next_range(&commas).is_some() {
        count += 1;
    }
    assert_eq!(count, MAX_RANGES);
}

#[test]
fn offsets_at_the_end_of_the_range_do_not_wrap() {
    let mut it = Tokens::new(u64::MAX, &b","[..], LINES).unwrap();
    let letters = all_the_same(&LETTERS);
    let mut last = Range::default();
    for _ in 0..3 {
        last = *it.next_range(&letters).unwrap();
    }
    assert_eq!(last.offset, 2 * u64::from(MAX_SCAN));
    let mut it = Steps::new(u64::from(MAX_SIZE) * 8, MAX_SIZE.into(), 0).unwrap();
    it.next_range().unwrap();
    assert_eq!(it.advance(u64::MAX), Err(ERANGE));
    assert_eq!(it.next_range(), None);
}

#[test]
fn what_cannot_be_read_ends_it() {
    for kind in [0, EMPTY, LINES] {
        let mut it = Tokens::new(100, &b","[..], kind).unwrap();
        let one = it
            .next_range(part(&[b"yxxxx,", &[b'x'; 94][..]].concat(), 9))
            .copied();
        assert_eq!(one.map(|range| range.len), Some(5));
        assert_eq!(it.next_range(|_, _| Bad), None);
        assert_eq!(it.next_range(unread), None);
        // Less than was asked for.
        let mut it = Tokens::new(100, &b","[..], kind).unwrap();
        assert_eq!(it.next_range(|_, _| Whole::new(&b"xxx"[..])), None);
        assert_eq!(it.next_range(unread), None);
    }
}

#[test]
fn an_iterator_is_a_child_of_what_it_reads() {
    // A record's reference, and an iterator's, which instruction 20 acquires.
    let mut state = State::with_slots(0);
    state.put_reference(1, 0);
    state.put_reference(2, 0);
    assert_eq!(tie(&mut state, 20, 1), Ok(()));
    assert_eq!(
        release(&mut state, 1),
        Err(Reject::ChildLeaks { id: 2, insn: 20 })
    );
    let mut state = State::with_slots(0);
    state.put_reference(1, 0);
    state.put_reference(2, 0);
    assert_eq!(tie(&mut state, 20, 1), Ok(()));
    assert_eq!(state.references[0].parent_id, 0);
    assert_eq!(release(&mut state, 2), Ok(()));
    assert_eq!(release(&mut state, 1), Ok(()));
    // Memory that nobody can release.
    let mut state = State::with_slots(0);
    state.put_reference(1, 0);
    state.put_reference(2, 0);
    assert_eq!(tie(&mut state, 20, 0), Ok(()));
    assert_eq!(release(&mut state, 1), Ok(()));
}

#[test]
fn only_the_reference_that_was_just_acquired_is_tied() {
    let mut state = State::with_slots(0);
    assert_eq!(tie(&mut state, 20, 1), Err(Reject::BadSlot));
    state.put_reference(2, 0);
    state.put_reference(3, 0);
    assert_eq!(tie(&mut state, 20, 1), Err(Reject::BadSlot));
    assert_eq!(state.references[0].parent_id, 0);
    assert_eq!(state.references[1].parent_id, 0);
}
