// SPDX-License-Identifier: GPL-2.0

//! The ring buffer's algorithm under loom: every schedule, and every reordering that the C11 memory
//! model allows, of small scenarios. The code under test is `logic::ring`, unchanged.
//!
//! Bounds: 2 or 3 threads, 1 or 2 records each, at most [`PREEMPTIONS`] forced switches a schedule.
//! loom treats `SeqCst` accesses as `AcqRel`, so C's fully ordered `xchg()` is a swap between two
//! `SeqCst` fences here. Control and address dependencies, on which the kernel's own model may rely,
//! are not modelled: what passes here needs none.

#![cfg(loom)]

mod ring_memory;

use loom::sync::{
    atomic::{
        AtomicBool,
        Ordering, //
    },
    Arc, //
};
use ring_memory::{
    Barriers,
    Consumer,
    Ring, //
};
use rust_dynptr_host::logic::ring;
use std::sync::{
    atomic::{
        AtomicU64,
        Ordering::Relaxed, //
    },
    Arc as StdArc, //
};

/// Forced switches in one schedule.
const PREEMPTIONS: usize = 3;

/// Runs all schedules of `scenario` and says how many there were.
fn explore(name: &str, scenario: impl Fn() + Sync + Send + 'static) {
    let count = StdArc::new(AtomicU64::new(0));
    let counted = count.clone();
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(PREEMPTIONS);
    model.check(move || {
        counted.fetch_add(1, Relaxed);
        scenario();
    });
    println!("loom: {name}: {} schedules", count.load(Relaxed));
}

/// Reserves, writes and commits a record; a wake-up sets `woken`. Whether there was room.
fn produce(memory: &Ring, payload: u32, discard: bool, woken: &AtomicBool) -> bool {
    let Some(hdr) = ring::reserve(memory, 8) else {
        return false;
    };
    memory.write(hdr, payload);
    if ring::commit(memory, hdr, discard, 0) {
        // Not a store: loom knows the order of read-modify-writes only.
        woken.swap(true, Ordering::AcqRel);
    }
    true
}

/// Two producers of `each` records, one of which discards its last, and a consumer. loom checks each
/// access to a payload.
fn two_producers_one_consumer(barriers: Barriers, each: u32) {
    let memory = Arc::new(Ring::new(128, false, barriers));
    let spawn = |first: u32, discards: bool| {
        let memory = memory.clone();
        loom::thread::spawn(move || {
            for payload in first..first + each {
                let discard = discards && payload + 1 == first + each;
                assert!(produce(&memory, payload, discard, &AtomicBool::new(false)));
            }
        })
    };
    let threads = [spawn(10, false), spawn(20, true)];
    let mut consumer = Consumer::new(false);
    let mut seen = consumer.take_all(&memory);
    for thread in threads {
        thread.join().unwrap();
    }
    seen.extend(consumer.take_all(&memory));
    assert_eq!(consumer.pos(), u64::from(each) * 32);
    // Each producer's in its order; of all, just the last of the second is not to be seen.
    let of = |first: u32| {
        seen.iter()
            .flatten()
            .filter(move |p| **p / 10 == first / 10)
            .copied()
    };
    assert!(of(10).eq(10..10 + each), "{seen:?}");
    assert!(of(20).eq(20..20 + each - 1), "{seen:?}");
    assert_eq!(seen.len(), 2 * each as usize);
}

/// Every record comes once and whole.
#[test]
fn records_are_never_torn_lost_or_doubled() {
    explore("two producers of 1 record, one consumer", || {
        two_producers_one_consumer(Barriers::Full, 1);
    });
    explore("two producers of 2 records, one consumer", || {
        two_producers_one_consumer(Barriers::Full, 2);
    });
}

/// The test above can fail: a commit that orders nothing lets the consumer read too early.
#[test]
#[should_panic]
fn control_a_commit_without_order_tears() {
    explore("control: commit without order", || {
        two_producers_one_consumer(Barriers::Relaxed, 1);
    });
}

/// A ring with room for one record: the second must wait for the consumer, and never overwrites what
/// is still read.
#[test]
fn a_full_ring_refuses() {
    explore("full ring", || {
        let memory = Arc::new(Ring::new(32, false, Barriers::Full));
        let producer = {
            let memory = memory.clone();
            loom::thread::spawn(move || {
                let woken = AtomicBool::new(false);
                (1..=2)
                    .filter(|payload| produce(&memory, *payload, false, &woken))
                    .collect()
            })
        };
        let mut consumer = Consumer::new(false);
        let mut seen = consumer.take_all(&memory);
        let made: Vec<u32> = producer.join().unwrap();
        seen.extend(consumer.take_all(&memory));
        let seen: Vec<u32> = seen.into_iter().flatten().collect();
        assert_eq!(seen, made);
        assert_eq!(made.first(), Some(&1));
    });
}

/// A consumer that waits for edges, as epoll with `EPOLLET`: it takes what is there, and again whenever
/// it was woken. When the producers are done it must have all, or another wake-up to come.
fn waits_for_edges(barriers: Barriers, fenced: bool) {
    let memory = Arc::new(Ring::new(64, false, barriers));
    let woken = Arc::new(AtomicBool::new(false));
    let producer = {
        let memory = memory.clone();
        let woken = woken.clone();
        loom::thread::spawn(move || {
            for payload in 1..=2 {
                assert!(produce(&memory, payload, false, &woken));
            }
        })
    };
    let mut consumer = Consumer::new(fenced);
    let mut seen = consumer.take_all(&memory).len();
    // One more pass, if an edge has come.
    if woken.swap(false, Ordering::AcqRel) {
        seen += consumer.take_all(&memory).len();
    }
    producer.join().unwrap();
    assert!(
        seen == 2 || woken.load(Ordering::Acquire),
        "asleep with {seen} of 2 records"
    );
}

/// The race of commit (header, then the consumer's position) and consumer (its position, then the
/// header): never both miss.
#[test]
fn no_wakeup_is_lost() {
    explore("commit and wake-up", || {
        waits_for_edges(Barriers::Full, true)
    });
}

/// The test above can fail: without the full barrier of `xchg()` it is lost.
#[test]
#[should_panic(expected = "asleep with")]
fn control_a_commit_without_full_barrier_loses_a_wakeup() {
    explore("control: commit without full barrier", || {
        waits_for_edges(Barriers::AcqRel, true);
    });
}

/// B13: nor can the ring help a consumer that does not order its own position before its next look, as
/// libbpf's: it must not wait for edges. The same with C.
#[test]
#[should_panic(expected = "asleep with")]
fn b13_a_consumer_without_barrier_loses_an_edge() {
    explore("B13: consumer without barrier", || {
        waits_for_edges(Barriers::Full, false);
    });
}

/// Overwriting: whoever sees a producer position sees an overwrite position that belongs to it or to a
/// later one, and it never leaves more than the ring between the two.
#[test]
fn overwrite_position_is_published_with_the_producers() {
    explore("overwriting", || {
        let memory = Arc::new(Ring::new(32, true, Barriers::Full));
        let producer = {
            let memory = memory.clone();
            loom::thread::spawn(move || {
                let woken = AtomicBool::new(false);
                for payload in 1..=3 {
                    assert!(produce(&memory, payload, false, &woken));
                }
            })
        };
        let (prod, over) = memory.ends();
        assert!(
            prod.wrapping_sub(over) <= 32 || over > prod,
            "{prod} {over}"
        );
        producer.join().unwrap();
        assert_eq!(memory.ends(), (48, 32));
    });
}

/// Two producers that overwrite: a record that is still written is in the way, never stepped over.
#[test]
fn overwriting_spares_busy_records() {
    explore("overwriting, two producers", || {
        let memory = Arc::new(Ring::new(32, true, Barriers::Full));
        let spawn = |payload| {
            let memory = memory.clone();
            loom::thread::spawn(move || {
                let woken = AtomicBool::new(false);
                produce(&memory, payload, false, &woken)
            })
        };
        let threads = [spawn(1), spawn(2)];
        let made = threads
            .into_iter()
            .filter_map(|t| t.join().ok())
            .filter(|ok| *ok);
        let made = made.count() as u64;
        let (prod, over) = memory.ends();
        assert!(made >= 1);
        assert_eq!(prod, made * 16);
        assert_eq!(over, (made - 1) * 16);
    });
}
