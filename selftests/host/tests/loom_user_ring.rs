// SPDX-License-Identifier: GPL-2.0

//! Draining a user-space ring under loom: `logic::user_ring`, unchanged, against a producer that keeps
//! the protocol of libbpf (`tools/lib/bpf/ringbuf.c`: `user_ring_buffer__reserve()`, `…__submit()`).
//! Bounds as in `loom_ring.rs`.

#![cfg(loom)]

use loom::{
    cell::UnsafeCell,
    sync::{
        atomic::{
            AtomicBool,
            AtomicU32,
            AtomicU64,
            Ordering, //
        },
        Arc, //
    }, //
};
use rust_dynptr_host::logic::{
    errno::EBUSY,
    ring::{
        BUSY,
        DISCARD, //
    },
    user_ring::{
        drain,
        UserRingMem, //
    }, //
};
use std::sync::{
    atomic::{
        AtomicU64 as Counter,
        Ordering::Relaxed, //
    },
    Arc as StdArc, //
};

/// Forced switches in one schedule.
const PREEMPTIONS: usize = 3;
/// Bytes of data.
const SIZE: u64 = 64;
/// Bytes of a sample with its header.
const TAKEN: u64 = 16;

/// A ring of some words; a sample's payload is the 8 bytes behind its header.
struct Ring {
    /// How the consumer's position is published: released, or not, for showing that the tests can fail.
    publishes: Ordering,
    cons: AtomicU64,
    prod: AtomicU64,
    busy: AtomicBool,
    hdrs: Vec<AtomicU32>,
    payloads: Vec<UnsafeCell<u32>>,
}

// SAFETY: loom checks that nobody reads a payload while another writes it.
unsafe impl Sync for Ring {}
// SAFETY: As above.
unsafe impl Send for Ring {}

impl Ring {
    fn new(publishes: Ordering) -> Self {
        Self {
            publishes,
            cons: AtomicU64::new(0),
            prod: AtomicU64::new(0),
            busy: AtomicBool::new(false),
            hdrs: (0..SIZE / 8).map(|_| AtomicU32::new(0)).collect(),
            payloads: (0..SIZE / 8).map(|_| UnsafeCell::new(0)).collect(),
        }
    }

    /// The producer's next sample, at its position `pos`. Whether there was room.
    fn produce(&self, pos: &mut u64, payload: u32, discard: bool) -> bool {
        if *pos + TAKEN - self.cons.load(Ordering::Acquire) > SIZE {
            return false;
        }
        let hdr = (*pos % SIZE / 8) as usize;
        self.hdrs[hdr].store(8 | BUSY, Ordering::Release);
        *pos += TAKEN;
        self.prod.store(*pos, Ordering::Release);
        // SAFETY: The sample is the producer's while it is busy; loom checks.
        self.payloads[hdr + 1].with_mut(|place| unsafe { *place = payload });
        let flag = if discard { DISCARD } else { 0 };
        self.hdrs[hdr].swap(8 | flag, Ordering::AcqRel);
        true
    }

    /// All samples that are there; `None` if somebody else drains.
    fn take_all(&self) -> Option<Vec<u32>> {
        let mut seen = Vec::new();
        let drained = drain(self, 0, |sample| {
            assert_eq!(sample.size, 8);
            let place = &self.payloads[(sample.offset / 8) as usize];
            // SAFETY: The sample was submitted; loom checks.
            seen.push(place.with(|payload| unsafe { *payload }));
            0
        });
        match drained {
            Ok(drained) => {
                assert_eq!(drained.result, Ok(seen.len() as u32));
                Some(seen)
            }
            Err(errno) => {
                assert_eq!(errno, EBUSY);
                None
            }
        }
    }
}

impl UserRingMem for Ring {
    fn mask(&self) -> u64 {
        SIZE - 1
    }
    fn producer_pos_acquire(&self) -> u64 {
        self.prod.load(Ordering::Acquire)
    }
    fn consumer_pos_acquire(&self) -> u64 {
        self.cons.load(Ordering::Acquire)
    }
    fn consumer_pos(&self) -> u64 {
        // SAFETY: Only who drains writes it; loom checks.
        unsafe { self.cons.unsync_load() }
    }
    fn set_consumer_pos_release(&self, pos: u64) {
        self.cons.store(pos, self.publishes);
    }
    fn hdr_len_acquire(&self, offset: u64) -> u32 {
        self.hdrs[(offset / 8) as usize].load(Ordering::Acquire)
    }
    fn try_set_busy(&self) -> bool {
        self.busy
            .compare_exchange(false, true, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
    fn clear_busy_release(&self) {
        self.busy.store(false, Ordering::Release);
    }
}

fn explore(name: &str, scenario: impl Fn() + Sync + Send + 'static) {
    let count = StdArc::new(Counter::new(0));
    let counted = count.clone();
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(PREEMPTIONS);
    model.check(move || {
        counted.fetch_add(1, Relaxed);
        scenario();
    });
    println!("loom: {name}: {} schedules", count.load(Relaxed));
}

/// A producer of up to five samples, for which there is not room at once, and a drain.
fn producer_and_drain(name: &str, publishes: Ordering) {
    explore(name, move || {
        let ring = Arc::new(Ring::new(publishes));
        let producer = {
            let ring = ring.clone();
            loom::thread::spawn(move || {
                let mut pos = 0;
                let discards = [false, true, false, false, false];
                (1u32..)
                    .zip(discards)
                    .filter(|(payload, discard)| ring.produce(&mut pos, *payload, *discard))
                    .filter(|(_, discard)| !discard)
                    .map(|(payload, _)| payload)
                    .collect::<Vec<_>>()
            })
        };
        let mut seen = ring.take_all().unwrap();
        let made = producer.join().unwrap();
        seen.extend(ring.take_all().unwrap());
        assert_eq!(seen, made);
    });
}

/// Samples come once, whole, in order; discarded ones never.
#[test]
fn samples_are_never_torn_lost_or_doubled() {
    producer_and_drain("user ring: producer and drain", Ordering::Release);
}

/// The test above can fail: a position that orders nothing lets the producer write over what is read.
#[test]
#[should_panic]
fn control_a_position_without_order_tears() {
    producer_and_drain("control: position without order", Ordering::Relaxed);
}

/// Two that drain exclude each other, and what the first leaves the second finds.
#[test]
fn drains_exclude_each_other() {
    explore("user ring: two drains", || {
        let ring = Arc::new(Ring::new(Ordering::Release));
        let mut pos = 0;
        assert!(ring.produce(&mut pos, 1, false));
        assert!(ring.produce(&mut pos, 2, false));
        let other = {
            let ring = ring.clone();
            loom::thread::spawn(move || ring.take_all())
        };
        let mine = ring.take_all();
        let other = other.join().unwrap();
        let mut all: Vec<u32> = [mine, other].into_iter().flatten().flatten().collect();
        all.extend(ring.take_all().unwrap());
        assert_eq!(all, [1, 2]);
    });
}
