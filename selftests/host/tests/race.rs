// SPDX-License-Identifier: GPL-2.0

//! Real threads on the rings' algorithms, with plain memory for what C reads and writes plainly: for
//! ThreadSanitizer (scripts/test, part tsan), which knows of each access whether it was ordered. Without it
//! this is a stress test.
//!
//! `race`: two scenarios, `RACE_RECORDS` records a producer. `race --planted=commit`, `=drain`: the same with
//! an access that orders too little, which ThreadSanitizer must find.
//!
//! Not a test of libtest's: Debian's standard library is not instrumented, so nothing between the threads may
//! be its business. What is used of it here is generic or inlined, and so compiled with this file, or
//! `pthread_create()` and `pthread_join()`, which ThreadSanitizer knows.

#![cfg(not(loom))]

use rust_dynptr_host::logic::{
    ring::{
        self,
        Lost,
        RingMem,
        BUSY,
        DISCARD,
        HDR_SIZE, //
    },
    user_ring::{
        drain,
        UserRingMem, //
    }, //
};
use std::{
    cell::UnsafeCell,
    sync::atomic::{
        AtomicBool,
        AtomicU32,
        AtomicU64,
        Ordering::{
            Acquire,
            Relaxed,
            Release,
            SeqCst, //
        }, //
    },
    thread, //
};

/// Bytes of data: few, so that the rings wrap and are full all the time.
const SIZE: u64 = 512;
const WORDS: usize = (SIZE / 8) as usize;

/// A payload: who wrote it, which of its records it is, and the two again, turned round.
type Payload = [u64; 2];

fn payload(producer: u64, number: u64) -> Payload {
    let word = (producer << 32) | number;
    [word, !word]
}

/// Memory that is read and written plainly: who may when is the algorithm's business.
struct Plain<T>(UnsafeCell<T>);

// SAFETY: That nobody reads it while another writes it is what is tested here.
unsafe impl<T> Sync for Plain<T> {}

impl<T: Copy> Plain<T> {
    fn read(&self) -> T {
        // SAFETY: The cell's own memory; whether it may be read now, the sanitizer says.
        unsafe { self.0.get().read() }
    }

    fn write(&self, value: T) {
        // SAFETY: As above.
        unsafe { self.0.get().write(value) };
    }
}

/// A plain read of a word that others write atomically, as C reads under its lock.
fn plain_u64(word: &AtomicU64) -> u64 {
    // SAFETY: The word's own memory; whether it may be read now, the sanitizer says.
    unsafe { word.as_ptr().read() }
}

/// The same of 32 bits.
fn plain_u32(word: &AtomicU32) -> u32 {
    // SAFETY: As above.
    unsafe { word.as_ptr().read() }
}

/// A ring that either side can produce into.
struct Ring {
    locked: AtomicBool,
    /// Somebody drains a user-space ring.
    busy: AtomicBool,
    cons: AtomicU64,
    prod: AtomicU64,
    pend: Plain<u64>,
    hdrs: [AtomicU32; WORDS],
    payloads: [Plain<u64>; WORDS],
    /// Orders too little: the planted fault.
    planted: bool,
}

impl Ring {
    fn new(planted: bool) -> Self {
        Self {
            locked: AtomicBool::new(false),
            busy: AtomicBool::new(false),
            cons: AtomicU64::new(0),
            prod: AtomicU64::new(0),
            pend: Plain(UnsafeCell::new(0)),
            hdrs: [const { AtomicU32::new(0) }; WORDS],
            payloads: [const { Plain(UnsafeCell::new(0)) }; WORDS],
            planted,
        }
    }

    /// Writes `payload` behind the header at `offset`. It may go on at the data's start.
    fn write(&self, offset: u64, payload: Payload) {
        for (n, word) in (1..).zip(payload) {
            self.payloads[(offset as usize / 8 + n) % WORDS].write(word);
        }
    }

    fn read(&self, offset: u64) -> Payload {
        [1, 2].map(|n| self.payloads[(offset as usize / 8 + n) % WORDS].read())
    }

    fn hdr_at(&self, offset: u64) -> &AtomicU32 {
        &self.hdrs[offset as usize / 8]
    }
}

impl RingMem for &Ring {
    type Hdr = u64;
    type Lock = ();

    fn lock(&self) -> Option<()> {
        while self
            .locked
            .compare_exchange(false, true, Acquire, Relaxed)
            .is_err()
        {
            thread::yield_now();
        }
        Some(())
    }
    fn unlock(&self, (): (), reserved: Option<u64>) -> Option<u64> {
        self.locked.store(false, Release);
        reserved
    }
    fn lost(&self, _: u64, _: Lost) -> Option<u64> {
        None
    }
    fn lost_records(&self) -> u64 {
        0
    }
    fn mask(&self) -> u64 {
        SIZE - 1
    }
    fn overwrite_mode(&self) -> bool {
        false
    }
    fn consumer_pos_acquire(&self) -> u64 {
        self.cons.load(Acquire)
    }
    fn producer_pos_acquire(&self) -> u64 {
        self.prod.load(Acquire)
    }
    fn overwrite_pos_acquire(&self) -> u64 {
        0
    }
    fn producer_pos(&self) -> u64 {
        plain_u64(&self.prod)
    }
    fn pending_pos(&self) -> u64 {
        self.pend.read()
    }
    fn set_pending_pos(&self, pos: u64) {
        self.pend.write(pos);
    }
    fn overwrite_pos(&self) -> u64 {
        0
    }
    fn set_overwrite_pos_once(&self, _: u64) {}
    fn set_producer_pos_release(&self, pos: u64) {
        self.prod.store(pos, Release);
    }
    fn hdr(&self, offset: u64) -> u64 {
        offset
    }
    fn offset_of(&self, hdr: u64) -> u64 {
        hdr
    }
    fn hdr_len_once(&self, hdr: u64) -> u32 {
        self.hdr_at(hdr).load(Relaxed)
    }
    fn own_hdr_len(&self, hdr: u64) -> u32 {
        plain_u32(self.hdr_at(hdr))
    }
    fn write_hdr(&self, hdr: u64, len: u32) {
        self.hdr_at(hdr).store(len, Relaxed);
    }
    fn xchg_hdr_len_full(&self, hdr: u64, len: u32) {
        let order = if self.planted { Relaxed } else { SeqCst };
        self.hdr_at(hdr).swap(len, order);
    }
}

impl UserRingMem for Ring {
    fn mask(&self) -> u64 {
        SIZE - 1
    }
    fn producer_pos_acquire(&self) -> u64 {
        self.prod.load(Acquire)
    }
    fn consumer_pos_acquire(&self) -> u64 {
        self.cons.load(Acquire)
    }
    fn consumer_pos(&self) -> u64 {
        plain_u64(&self.cons)
    }
    fn set_consumer_pos_release(&self, pos: u64) {
        let order = if self.planted { Relaxed } else { Release };
        self.cons.store(pos, order);
    }
    fn hdr_len_acquire(&self, offset: u64) -> u32 {
        self.hdr_at(offset).load(Acquire)
    }
    fn try_set_busy(&self) -> bool {
        self.busy
            .compare_exchange(false, true, SeqCst, Relaxed)
            .is_ok()
    }
    fn clear_busy_release(&self) {
        self.busy.store(false, Release);
    }
}

/// What a consumer has seen: each producer's records come in order, none twice, none torn.
#[derive(Default)]
struct Seen {
    last: [u64; 4],
    count: u64,
}

impl Seen {
    fn take(&mut self, [word, turned]: Payload) {
        assert_eq!(word, !turned, "a torn record");
        let (producer, number) = ((word >> 32) as usize, word & 0xffff_ffff);
        assert!(
            number > self.last[producer],
            "a record twice, or out of order"
        );
        self.last[producer] = number;
        self.count += 1;
    }
}

/// `ringbuf_process_ring()` of libbpf: all records that are there.
fn consume(ring: &Ring, seen: &mut Seen) {
    let mut pos = plain_u64(&ring.cons);
    while pos < ring.prod.load(Acquire) {
        let offset = pos & (SIZE - 1);
        let len = ring.hdr_at(offset).load(Acquire);
        if len & BUSY != 0 {
            return;
        }
        if len & DISCARD == 0 {
            seen.take(ring.read(offset));
        }
        pos += (u64::from(len & !DISCARD) + HDR_SIZE).next_multiple_of(8);
        ring.cons.store(pos, Release);
    }
}

/// Three kernel producers, of which each discards every fourth record, and a consumer.
fn kernel_producers(records: u64, planted: bool) -> u64 {
    let ring = &Ring::new(planted);
    let made = records - records / 4;
    let mut seen = Seen::default();
    thread::scope(|scope| {
        let producers = [1, 2, 3].map(|producer| {
            scope.spawn(move || {
                for number in 1..=records {
                    let hdr = loop {
                        match ring::reserve(ring, 16) {
                            Some(hdr) => break hdr,
                            None => thread::yield_now(),
                        }
                    };
                    ring.write(hdr, payload(producer, number));
                    ring::commit(ring, hdr, number % 4 == 0, 0);
                }
            })
        });
        while seen.count < 3 * made {
            consume(ring, &mut seen);
            thread::yield_now();
        }
        for producer in producers {
            producer.join().unwrap();
        }
    });
    assert_eq!(seen.count, 3 * made);
    seen.count
}

/// `user_ring_buffer__reserve()` and `…__submit()` of libbpf: the next sample, if there is room.
fn submit(ring: &Ring, pos: &mut u64, sample: Payload) -> bool {
    if *pos + 24 - ring.cons.load(Acquire) > SIZE {
        return false;
    }
    let offset = *pos & (SIZE - 1);
    ring.hdr_at(offset).store(16 | BUSY, Release);
    *pos += 24;
    ring.prod.store(*pos, Release);
    ring.write(offset, sample);
    ring.hdr_at(offset).swap(16, SeqCst);
    true
}

/// A user-space producer and two that drain, one at a time.
fn user_producer(records: u64, planted: bool) -> u64 {
    let ring = &Ring::new(planted);
    // Who drains has it.
    let seen = &Plain(UnsafeCell::new((0u64, 0u64)));
    let done = &AtomicBool::new(false);
    thread::scope(|scope| {
        let producer = scope.spawn(move || {
            let mut pos = 0;
            for number in 1..=records {
                while !submit(ring, &mut pos, payload(1, number)) {
                    thread::yield_now();
                }
            }
        });
        let drains = [(); 2].map(|()| {
            scope.spawn(move || {
                while !done.load(Acquire) {
                    let _ = drain(ring, 0, |sample| {
                        // The payload's offset: behind the header.
                        let [word, turned] = ring.read(sample.offset.wrapping_sub(8) & (SIZE - 1));
                        assert_eq!(word, !turned, "a torn sample");
                        let (last, count) = seen.read();
                        assert_eq!(
                            word & 0xffff_ffff,
                            last + 1,
                            "a sample twice, or out of order"
                        );
                        seen.write((last + 1, count + 1));
                        if count + 1 == records {
                            done.store(true, Release);
                        }
                        0
                    });
                    thread::yield_now();
                }
            })
        });
        producer.join().unwrap();
        for drain in drains {
            drain.join().unwrap();
        }
    });
    assert_eq!(seen.read(), (records, records));
    records
}

fn main() {
    let planted = std::env::args().find_map(|arg| arg.strip_prefix("--planted=").map(String::from));
    let records = std::env::var("RACE_RECORDS").map_or(20_000, |n| n.parse().unwrap());
    println!("running 2 tests");
    let count = kernel_producers(records, planted.as_deref() == Some("commit"));
    println!("race: {count} records of 3 producers");
    println!("test producers_and_a_consumer ... ok");
    let count = user_producer(records, planted.as_deref() == Some("drain"));
    println!("race: {count} samples of a user-space producer, 2 that drain");
    println!("test a_user_space_producer_and_drains ... ok");
}
