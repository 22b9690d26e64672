// SPDX-License-Identifier: GPL-2.0

//! Draining a ring that user space produces into: a producer that keeps the protocol against a model,
//! one that writes anything at any time, and the limits.

use proptest::prelude::*;
use rust_dynptr_host::logic::{
    errno::{
        E2BIG,
        EBUSY,
        EINVAL, //
    },
    ring::{
        BUSY,
        DISCARD, //
    },
    user_ring::{
        drain,
        Drained,
        Sample,
        UserRingMem,
        MAX_SAMPLES, //
    }, //
};
use std::{
    cell::{
        Cell,
        RefCell, //
    },
    collections::HashMap, //
};

/// A ring in host memory. Only headers are kept.
struct Fake {
    mask: u64,
    prod: Cell<u64>,
    cons: Cell<u64>,
    hdrs: RefCell<HashMap<u64, u32>>,
    busy: Cell<bool>,
    /// What user space writes at each look at its words: producer position and header.
    hostile: RefCell<Vec<(u64, u32)>>,
    header_reads: RefCell<Vec<u64>>,
}

impl Fake {
    fn new(size: u64, start: u64) -> Self {
        Self {
            mask: size - 1,
            prod: Cell::new(start),
            cons: Cell::new(start),
            hdrs: RefCell::default(),
            busy: Cell::new(false),
            hostile: RefCell::default(),
            header_reads: RefCell::default(),
        }
    }

    /// A sample with this header at the producer's position, which moves behind it.
    fn push(&self, hdr: u32) {
        let pos = self.prod.get();
        self.hdrs.borrow_mut().insert(pos & self.mask, hdr);
        self.prod.set(pos + taken(hdr));
    }

    fn drain(&self, flags: u64, each: impl FnMut(Sample) -> u64) -> Drained {
        let drained = drain(self, flags, each).unwrap();
        assert!(!self.busy.get());
        drained
    }
}

/// Bytes that a sample takes.
fn taken(hdr: u32) -> u64 {
    (u64::from(hdr & !(BUSY | DISCARD)) + 8).next_multiple_of(8)
}

impl UserRingMem for Fake {
    fn mask(&self) -> u64 {
        self.mask
    }
    fn producer_pos_acquire(&self) -> u64 {
        match self.hostile.borrow().last() {
            Some((prod, _)) => *prod,
            None => self.prod.get(),
        }
    }
    fn consumer_pos_acquire(&self) -> u64 {
        self.cons.get()
    }
    fn consumer_pos(&self) -> u64 {
        self.cons.get()
    }
    fn set_consumer_pos_release(&self, pos: u64) {
        assert!(self.busy.get());
        self.cons.set(pos);
    }
    fn hdr_len_acquire(&self, offset: u64) -> u32 {
        assert!(offset <= self.mask && offset % 8 == 0);
        self.header_reads.borrow_mut().push(offset);
        if let Some((_, hdr)) = self.hostile.borrow_mut().pop() {
            return hdr;
        }
        self.hdrs.borrow().get(&offset).copied().unwrap_or(0)
    }
    fn try_set_busy(&self) -> bool {
        !self.busy.replace(true)
    }
    fn clear_busy_release(&self) {
        assert!(self.busy.replace(false));
    }
}

const SIZE: u64 = 4096;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// What is submitted is handed out in order until the callback stops or a sample is busy; discarded
    /// ones are stepped over; the consumer's position ends behind what was taken.
    #[test]
    fn hands_out_what_was_submitted(
        samples in prop::collection::vec((0..300u32, prop_oneof![6 => Just(0u32), 2 => Just(DISCARD), 1 => Just(BUSY)]), 0..12),
        stop_at in 0..14usize,
        flags in 0..4u64,
    ) {
        let ring = Fake::new(SIZE, 0);
        for (size, flag) in &samples {
            ring.push(size | flag);
        }
        let mut expected = Vec::new();
        let (mut pos, mut seen) = (0u64, 0u32);
        for (size, flag) in &samples {
            if *flag == BUSY || expected.len() > stop_at {
                break;
            }
            if *flag == 0 {
                expected.push(Sample { offset: (pos + 8) & (SIZE - 1), size: *size });
            }
            seen += 1;
            pos += taken(*size);
        }
        // The callback that stops still had its sample; discarded ones behind it stay.
        let mut got = Vec::new();
        let drained = ring.drain(flags, |sample| {
            got.push(sample);
            u64::from(got.len() > stop_at)
        });
        prop_assert_eq!(&got, &expected);
        prop_assert_eq!(drained.result, Ok(got.len() as u32));
        prop_assert_eq!(ring.cons.get(), pos);
        let wake = flags & 2 != 0 || (flags & 1 == 0 && seen > 0);
        prop_assert_eq!(drained.wake, wake);
    }

    /// B17: whatever user space writes, whenever: each header is read once a sample, and a sample that is
    /// handed out lies within the ring's data, which is mapped twice, and within a dynptr.
    #[test]
    fn b17_never_believes_what_it_does_not_check(
        start in (0..1u64 << 40).prop_map(|n| n * 8),
        writes in prop::collection::vec(
            (prop_oneof![any::<u64>(), (0..4096u64).prop_map(|n| n * 8), Just(u64::MAX - 7)],
             prop_oneof![any::<u32>(), 0..5000u32, (0..5000u32).prop_map(|n| n | DISCARD)]),
            0..40),
    ) {
        let ring = Fake::new(SIZE, start);
        let looks = writes.len();
        *ring.hostile.borrow_mut() = writes
            .into_iter()
            .map(|(prod, hdr)| (prod.wrapping_add(start), hdr))
            .collect();
        let mut handed_out = 0;
        let drained = ring.drain(0, |sample| {
            assert!(sample.offset < SIZE);
            assert!(u64::from(sample.size) + 8 <= SIZE);
            assert!(sample.size < 1 << 24);
            handed_out += 1;
            0
        });
        prop_assert!(ring.header_reads.borrow().len() <= looks + 1);
        match drained.result {
            Ok(count) => prop_assert_eq!(count, handed_out),
            Err(errno) => prop_assert!(errno == EINVAL || errno == E2BIG),
        }
        prop_assert_eq!(ring.cons.get() % 8, 0);
    }
}

/// One sample with this header, `ahead` bytes before the producer's position: what the drain says.
fn result_of(
    size: u64,
    hdr: u32,
    ahead: u64,
) -> Result<u32, rust_dynptr_host::logic::errno::Errno> {
    let ring = Fake::new(size, 0);
    ring.push(hdr);
    ring.prod.set(ahead);
    ring.drain(0, |_| 0).result
}

#[test]
fn refuses_what_makes_no_sense() {
    assert_eq!(result_of(SIZE, 8, 12), Err(EINVAL)); // not a multiple of 8
    assert_eq!(result_of(SIZE, 16, 16), Err(EINVAL)); // beyond the producer's position
    assert_eq!(result_of(SIZE, 16, 24), Ok(1));
    assert_eq!(result_of(SIZE, 5000, 1 << 20), Err(E2BIG)); // larger than the ring
    assert_eq!(result_of(SIZE, 4088, 4096), Ok(1));
    assert_eq!(result_of(1 << 28, 1 << 24, 1 << 27), Err(E2BIG)); // larger than a dynptr
    assert_eq!(result_of(1 << 28, (1 << 24) - 1, (1 << 24) + 8), Ok(1));
    assert_eq!(result_of(SIZE, 16 | DISCARD, 16), Err(EINVAL)); // also if it is discarded
    assert_eq!(result_of(SIZE, BUSY | 16, 24), Ok(0));
}

#[test]
fn an_error_comes_after_what_was_taken_before() {
    let ring = Fake::new(SIZE, 0);
    ring.push(8);
    ring.push(5000);
    let mut seen = 0;
    let drained = ring.drain(0, |_| {
        seen += 1;
        0
    });
    assert_eq!((drained.result, drained.wake, seen), (Err(E2BIG), true, 1));
    assert_eq!(ring.cons.get(), 16);
}

#[test]
fn drains_no_more_than_the_limit() {
    let ring = Fake::new(1 << 22, 0);
    for n in 0..MAX_SAMPLES + 10 {
        ring.push(if n % 2 == 0 { 0 } else { DISCARD });
    }
    assert_eq!(ring.drain(0, |_| 0).result, Ok(MAX_SAMPLES / 2));
    assert_eq!(ring.cons.get(), u64::from(MAX_SAMPLES) * 8);
    assert_eq!(ring.drain(0, |_| 0).result, Ok(5));
}

#[test]
fn flags_then_busy() {
    let ring = Fake::new(SIZE, 0);
    for flags in [4, 1 << 63, u64::MAX] {
        assert_eq!(drain(&ring, flags, |_| 0), Err(EINVAL));
    }
    ring.busy.set(true);
    assert_eq!(drain(&ring, 4, |_| 0), Err(EINVAL));
    assert_eq!(drain(&ring, 0, |_| 0), Err(EBUSY));
    assert!(ring.busy.get());
}

/// `BPF_MAX_USER_RINGBUF_SAMPLES`, as C has it.
#[test]
fn the_limit_is_cs() {
    assert_eq!(MAX_SAMPLES, 131_072);
}

/// `schedule_work_return` of C: a drain whose first sample is bad has seen none, so it wakes only by force.
#[test]
fn an_error_at_once_wakes_nobody_unless_forced() {
    for flags in 0..4 {
        let ring = Fake::new(SIZE, 0);
        ring.push(5000);
        let drained = ring.drain(flags, |_| unreachable!());
        assert_eq!((drained.result, drained.wake), (Err(E2BIG), flags & 2 != 0));
        assert_eq!(ring.cons.get(), 0);
    }
}
