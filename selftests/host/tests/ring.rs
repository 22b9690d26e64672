// SPDX-License-Identifier: GPL-2.0

//! The ring buffer's algorithm against a sequential model: a queue of records.

use proptest::prelude::*;
use rust_dynptr_host::logic::ring::{
    self,
    Lost,
    RingMem,
    BUSY,
    DISCARD,
    HDR_SIZE, //
};
use std::{
    cell::{
        Cell,
        RefCell, //
    },
    collections::{
        BTreeMap,
        VecDeque, //
    }, //
};

/// One ring in host memory. Only headers are kept: payload is glue's business.
struct Fake {
    mask: u64,
    overwrite: bool,
    cons: Cell<u64>,
    prod: Cell<u64>,
    pend: Cell<u64>,
    over: Cell<u64>,
    hdrs: RefCell<BTreeMap<u64, u32>>,
    /// The lock: taken so often; cannot be had if it is stuck.
    locked: Cell<u32>,
    stuck: Cell<bool>,
    /// The records that were lost.
    lost: RefCell<Vec<(u64, Lost)>>,
}

impl Fake {
    /// An empty ring of `size` bytes whose positions start at `start`.
    fn new(size: u64, overwrite: bool, start: u64) -> Self {
        Self {
            mask: size - 1,
            overwrite,
            cons: Cell::new(start),
            prod: Cell::new(start),
            pend: Cell::new(start),
            over: Cell::new(start),
            hdrs: RefCell::new(BTreeMap::new()),
            locked: Cell::new(0),
            stuck: Cell::new(false),
            lost: RefCell::default(),
        }
    }

    /// The position of a new record.
    fn reserve(&self, size: u64) -> Option<u64> {
        let before = self.prod.get();
        let lost = self.lost.borrow().len();
        let hdr = ring::reserve(self, size);
        assert_eq!(self.locked.get(), 0, "the lock is given back");
        let told = self.lost.borrow().get(lost..).unwrap_or_default().to_vec();
        assert_eq!(told.len(), usize::from(hdr.is_none()), "told once");
        assert!(told.iter().all(|told| told.0 == size));
        let hdr = hdr?;
        assert_eq!(hdr, before & self.mask);
        Some(before)
    }

    /// Whether it wakes is whether the consumer is at just this record.
    fn commit(&self, pos: u64, discard: bool) {
        let caught_up = (self.cons.get() ^ pos) & self.mask == 0;
        let before = self.hdr_len(pos);
        for (flags, wakes) in [(0, caught_up), (1, false), (2, true), (3, true)] {
            self.hdrs.borrow_mut().insert(pos & self.mask, before);
            let woken = ring::commit(self, pos & self.mask, discard, flags);
            assert_eq!(woken, wakes, "{flags}");
            let expected = before & !BUSY | if discard { DISCARD } else { 0 };
            assert_eq!(self.hdr_len(pos), expected);
        }
    }

    fn hdr_len(&self, pos: u64) -> u32 {
        (&self).hdr_len_once(pos & self.mask)
    }
}

impl RingMem for &Fake {
    type Hdr = u64;
    type Lock = ();

    fn lock(&self) -> Option<()> {
        if self.stuck.get() {
            return None;
        }
        self.locked.set(self.locked.get() + 1);
        Some(())
    }
    fn unlock(&self, (): (), reserved: Option<u64>) -> Option<u64> {
        self.locked.set(self.locked.get() - 1);
        reserved
    }
    fn lost(&self, size: u64, why: Lost) -> Option<u64> {
        assert_eq!(self.locked.get(), 0, "told without the lock");
        self.lost.borrow_mut().push((size, why));
        None
    }
    fn lost_records(&self) -> u64 {
        self.lost.borrow().len() as u64
    }
    fn mask(&self) -> u64 {
        self.mask
    }
    fn overwrite_mode(&self) -> bool {
        self.overwrite
    }
    fn consumer_pos_acquire(&self) -> u64 {
        self.cons.get()
    }
    fn producer_pos_acquire(&self) -> u64 {
        self.prod.get()
    }
    fn overwrite_pos_acquire(&self) -> u64 {
        self.over.get()
    }
    fn producer_pos(&self) -> u64 {
        self.prod.get()
    }
    fn pending_pos(&self) -> u64 {
        self.pend.get()
    }
    fn set_pending_pos(&self, pos: u64) {
        self.pend.set(pos);
    }
    fn overwrite_pos(&self) -> u64 {
        self.over.get()
    }
    fn set_overwrite_pos_once(&self, pos: u64) {
        self.over.set(pos);
    }
    fn set_producer_pos_release(&self, pos: u64) {
        self.prod.set(pos);
    }
    fn hdr(&self, offset: u64) -> u64 {
        assert!(offset <= self.mask);
        offset
    }
    fn offset_of(&self, hdr: u64) -> u64 {
        hdr
    }
    fn hdr_len_once(&self, hdr: u64) -> u32 {
        self.hdrs.borrow()[&hdr]
    }
    fn own_hdr_len(&self, hdr: u64) -> u32 {
        self.hdr_len_once(hdr)
    }
    fn write_hdr(&self, hdr: u64, len: u32) {
        self.hdrs.borrow_mut().insert(hdr, len);
    }
    fn xchg_hdr_len_full(&self, hdr: u64, len: u32) {
        self.hdrs.borrow_mut().insert(hdr, len);
    }
}

/// What happens to the ring.
#[derive(Clone, Debug)]
enum Op {
    Reserve(u64),
    /// Commits the n-th record (modulo their number) that is still busy.
    Commit(usize, bool),
    /// Consumes the oldest record if it is committed.
    Consume,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0..600u64).prop_map(Op::Reserve),
        1 => prop_oneof![Just(4088u64), Just(4089), Just(1 << 30), Just(u64::MAX)].prop_map(Op::Reserve),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(n, discard)| Op::Commit(n, discard)),
        3 => Just(Op::Consume),
    ]
}

/// A record of the model: position, bytes it takes, still busy.
#[derive(Clone, Debug)]
struct Record {
    pos: u64,
    len: u64,
    busy: bool,
}

const SIZE: u64 = 4096;

/// Bytes that a record takes.
fn taken(size: u64) -> u64 {
    (size.saturating_add(HDR_SIZE).saturating_add(7)) / 8 * 8
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// Positions may start anywhere, so they also wrap around 2^64 in the middle of a run.
    #[test]
    fn reserves_exactly_when_the_model_has_room(
        start in prop_oneof![Just(0u64), Just(u64::MAX - 2047), any::<u64>().prop_map(|n| n & !7)],
        ops in prop::collection::vec(op(), 1..200),
    ) {
        let fake = Fake::new(SIZE, false, start);
        let mut model: VecDeque<Record> = VecDeque::new();
        let mut next = start;
        for op in ops {
            match op {
                Op::Reserve(size) => {
                    let used = next.wrapping_sub(model.front().map_or(next, |r| r.pos));
                    let fits = size <= ring::MAX_RECORD_SIZE && taken(size) <= SIZE
                        && used + taken(size) < SIZE;
                    let got = fake.reserve(size);
                    prop_assert_eq!(got, fits.then_some(next));
                    if fits {
                        prop_assert_eq!(fake.hdr_len(next), size as u32 | BUSY);
                        model.push_back(Record { pos: next, len: taken(size), busy: true });
                        next = next.wrapping_add(taken(size));
                    }
                }
                Op::Commit(n, discard) => {
                    let busy: Vec<_> = model.iter_mut().filter(|r| r.busy).collect();
                    let count = busy.len();
                    if let Some(record) = busy.into_iter().nth(n.checked_rem(count).unwrap_or(0)) {
                        fake.commit(record.pos, discard);
                        record.busy = false;
                        let hdr = fake.hdr_len(record.pos);
                        prop_assert_eq!(hdr & BUSY, 0);
                        prop_assert_eq!(hdr & DISCARD != 0, discard);
                    }
                }
                Op::Consume => {
                    if model.front().is_some_and(|r| !r.busy) {
                        let record = model.pop_front().unwrap();
                        fake.cons.set(record.pos.wrapping_add(record.len));
                    }
                }
            }
            prop_assert_eq!(fake.prod.get(), next);
            let available = next.wrapping_sub(fake.cons.get());
            prop_assert_eq!(ring::avail_data(&fake), available);
            prop_assert_eq!(ring::query(&fake, 0), available);
            prop_assert_eq!(ring::query(&fake, 1), SIZE);
            prop_assert_eq!(ring::query(&fake, 3), next);
        }
    }

    /// With overwriting, only busy records can be in the way; the overwrite position stays on record
    /// boundaries and no more is overwritten than must be.
    #[test]
    fn overwrites_the_oldest_whole_records(ops in prop::collection::vec(op(), 1..200)) {
        let fake = Fake::new(SIZE, true, 0);
        let mut model: VecDeque<Record> = VecDeque::new();
        let mut next = 0u64;
        for op in ops {
            match op {
                Op::Reserve(size) => {
                    let oldest_busy = model.iter().find(|r| r.busy).map_or(next, |r| r.pos);
                    let fits = size <= ring::MAX_RECORD_SIZE && taken(size) <= SIZE
                        && next + taken(size) - oldest_busy < SIZE;
                    prop_assert_eq!(fake.reserve(size), fits.then_some(next));
                    if fits {
                        model.push_back(Record { pos: next, len: taken(size), busy: true });
                        next += taken(size);
                        while next - model.front().unwrap().pos >= SIZE {
                            model.pop_front();
                        }
                        prop_assert_eq!(fake.over.get(), model.front().unwrap().pos);
                    }
                }
                Op::Commit(n, discard) => {
                    let busy: Vec<_> = model.iter_mut().filter(|r| r.busy).collect();
                    let count = busy.len();
                    if let Some(record) = busy.into_iter().nth(n.checked_rem(count).unwrap_or(0)) {
                        fake.commit(record.pos, discard);
                        record.busy = false;
                    }
                }
                Op::Consume => {}
            }
        }
    }

    #[test]
    fn wakes_as_documented(flags in 0..4u64, cons in 0..4u64, rec in 0..4u64) {
        let forced = flags & 2 != 0;
        let caught_up = cons == rec && flags & 1 == 0;
        prop_assert_eq!(ring::wakes(flags, cons, rec), forced || caught_up);
    }
}

/// B9 (CVE-2024-41009): a consumer position that user space pushed forward must not make room over a
/// record that is still pending.
#[test]
fn forged_consumer_position_gives_no_overlap() {
    let fake = Fake::new(0x4000, false, 0);
    fake.cons.set(0x3000);
    assert_eq!(fake.reserve(0x3000), Some(0));
    assert_eq!(fake.reserve(0x3000), None);
}

/// B1 (CVE-2021-3489): nothing larger than the ring, whatever the consumer position says.
#[test]
fn nothing_larger_than_the_ring() {
    let fake = Fake::new(SIZE, false, 0);
    for cons in [0, SIZE, 1 << 20, u64::MAX] {
        fake.cons.set(cons);
        assert_eq!(fake.reserve(SIZE), None);
        assert_eq!(fake.reserve(u64::MAX), None);
    }
}

#[test]
fn unknown_query_is_zero() {
    let fake = Fake::new(SIZE, false, 800);
    assert_eq!(ring::query(&fake, 5), 0);
    assert_eq!(ring::query(&fake, u64::MAX), 0);
    assert!(ring::wakeup_flags_valid(3));
    assert!(!ring::wakeup_flags_valid(4));
}

/// Each record that is not reserved is counted, with the reason.
#[test]
fn lost_records_are_counted() {
    for overwrite in [false, true] {
        let fake = Fake::new(SIZE, overwrite, 800);
        assert_eq!(ring::query(&fake, ring::QUERY_LOST), 0);
        assert_eq!(ring::query(&fake, ring::QUERY_COUNTS_LOST), 1);
        assert_eq!(fake.reserve(SIZE), None);
        assert!(fake.reserve(SIZE - 64).is_some());
        assert_eq!(fake.reserve(100), None);
        fake.stuck.set(true);
        assert_eq!(fake.reserve(8), None);
        let told = [(SIZE, Lost::TooLarge), (100, Lost::Full), (8, Lost::Locked)];
        assert_eq!(*fake.lost.borrow(), told);
        assert_eq!(ring::query(&fake, ring::QUERY_LOST), 3);
    }
}

/// The numbers of `include/uapi/linux/bpf.h` and of `ringbuf.c`.
#[test]
fn numbers_are_cs() {
    assert_eq!(HDR_SIZE, 8);
    assert_eq!(BUSY, 0x8000_0000);
    assert_eq!(DISCARD, 0x4000_0000);
    assert_eq!(ring::MAX_RECORD_SIZE, 0x3fff_ffff);
    assert_eq!((ring::NO_WAKEUP, ring::FORCE_WAKEUP), (1, 2));
    assert_eq!(
        ring::QUERY_LOST >> 32,
        u64::from(u32::from_be_bytes(*b"rust"))
    );
    assert_eq!(ring::QUERY_COUNTS_LOST, ring::QUERY_LOST + 1);
}

/// A ring whose lock cannot be had is as it was.
#[test]
fn without_the_lock_nothing_changes() {
    for overwrite in [false, true] {
        let fake = Fake::new(SIZE, overwrite, 4000);
        fake.stuck.set(true);
        assert_eq!(fake.reserve(8), None);
        assert_eq!((fake.prod.get(), fake.pend.get()), (4000, 4000));
        assert!(fake.hdrs.borrow().is_empty());
    }
}

/// What can never fit is refused before anything is locked.
#[test]
fn too_large_is_told_without_the_lock() {
    let large = Fake::new(1 << 31, false, 0);
    let small = Fake::new(SIZE, false, 0);
    for fake in [&large, &small] {
        fake.stuck.set(true);
    }
    assert_eq!(ring::record_len(&&large, 0x3fff_ffff), Some(0x4000_0008));
    assert_eq!(ring::record_len(&&large, 0x4000_0000), None);
    assert_eq!(ring::record_len(&&large, 1 << 32), None);
    assert_eq!(ring::record_len(&&small, SIZE - 8), Some(SIZE as u32));
    assert_eq!(ring::record_len(&&small, SIZE - 7), None);
    assert_eq!(ring::record_len(&&small, 0), Some(8));
    assert_eq!(ring::record_len(&&small, 1), Some(16));
}

/// `ringbuf_map_poll_kern()` and `_user()`: something to read, room to write.
#[test]
fn polls_look_at_what_is_there() {
    let fake = Fake::new(SIZE, false, 0);
    for (consumer, producer, readable, writable) in [
        (0, 0, false, true),
        (0, 8, true, true),
        (0, SIZE - 8, true, true),
        (0, SIZE, true, false),
        (8, SIZE, true, true),
        (SIZE, SIZE, false, true),
        (u64::MAX - 7, SIZE - 8, true, false),
    ] {
        fake.cons.set(consumer);
        fake.prod.set(producer);
        assert_eq!(ring::is_readable(&fake), readable, "{consumer} {producer}");
        assert_eq!(ring::is_writable(&fake), writable, "{consumer} {producer}");
    }
}

/// `bpf_ringbuf_query()`: each flag its word; in a ring that overwrites, what is there is at most what was
/// not overwritten.
#[test]
fn queries_tell_each_word() {
    for overwrite in [false, true] {
        let fake = Fake::new(SIZE, overwrite, 0);
        fake.cons.set(16);
        fake.over.set(1000);
        fake.prod.set(3000);
        let available = if overwrite { 2000 } else { 2984 };
        let expected = [available, SIZE, 16, 3000, 1000, 0];
        for (flags, value) in (0..).zip(expected) {
            assert_eq!(ring::query(&fake, flags), value, "{overwrite} {flags}");
        }
        // A consumer that is further than what was overwritten.
        fake.cons.set(2000);
        assert_eq!(ring::avail_data(&fake), 1000);
    }
}

/// `bpf_ringbuf_has_space()`: the ring's size minus 1 is the most that the new end may be ahead, to the byte.
/// Only a consumer position that user space made up is not a multiple of 8.
#[test]
fn the_last_byte_counts() {
    for (consumer, fits) in [(0, false), (1, true), (8, true)] {
        let fake = Fake::new(SIZE, false, 0);
        fake.cons.set(consumer);
        fake.pend.set(8);
        fake.prod.set(8);
        assert_eq!(fake.reserve(SIZE - 16).is_some(), fits, "{consumer}");
    }
}
