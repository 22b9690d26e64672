// SPDX-License-Identifier: GPL-2.0

//! Reserving and committing records with `logic::ring`, unchanged, on this machine's processors: time a
//! record against the number of threads that produce into one ring.
//!
//! The ring lies in memory as the kernel's does, but the lock is `std`'s (a futex), not the kernel's queued
//! spinlock, nothing turns interrupts off, and nobody writes the payload: this shows what the algorithm
//! costs and where threads wait for each other's cache lines, not what a BPF program pays.

use criterion::{
    criterion_group,
    criterion_main,
    BenchmarkId,
    Criterion, //
};
use rust_dynptr_host::logic::ring;
use std::{
    hint::black_box,
    sync::{
        atomic::{
            AtomicBool,
            Ordering, //
        },
        Barrier, //
    },
    thread,
    time::{
        Duration,
        Instant, //
    }, //
};

#[path = "../../host/tests/ring_memory/mod.rs"]
mod ring_memory;

use ring_memory::{
    Barriers,
    Consumer,
    Ring, //
};

/// Bytes of data of a ring.
const RING: u64 = 1 << 20;
/// Bytes of payload of a record.
const SIZES: [u64; 3] = [8, 256, 4096];

/// Reserves a record, after others' commits and room if need be, and commits it. Who finds the ring full
/// makes room if `skips`: it is its own consumer.
fn produce(memory: &Ring, size: u64, skips: bool) {
    let mut waited = false;
    let hdr = loop {
        if let Some(hdr) = ring::reserve(memory, size) {
            break hdr;
        }
        if skips {
            memory.skip_all();
        }
        // Still none: a thread that has no processor now holds a record.
        if waited || !skips {
            thread::yield_now();
        }
        waited = true;
    };
    black_box(ring::commit(memory, hdr, false, 0));
}

/// Time that `threads` need for `records` together, from the first's start to the last's end.
fn run(threads: usize, records: u64, size: u64, consumed: bool) -> Duration {
    let memory = Ring::new(RING, false, Barriers::Full);
    let each = records.div_ceil(threads as u64);
    let start = Barrier::new(threads);
    let done = AtomicBool::new(false);
    let (first, last) = thread::scope(|scope| {
        if consumed {
            scope.spawn(|| consume(&memory, &done));
        }
        let producers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    let begin = Instant::now();
                    for _ in 0..each {
                        produce(&memory, size, !consumed);
                    }
                    (begin, Instant::now())
                })
            })
            .collect();
        let ended: Vec<_> = producers
            .into_iter()
            .map(|producer| producer.join())
            .collect();
        done.store(true, Ordering::Relaxed);
        let times: Vec<_> = ended.into_iter().map(Result::unwrap).collect();
        let first = times.iter().map(|(begin, _)| *begin).min().unwrap();
        let last = times.iter().map(|(_, end)| *end).max().unwrap();
        (first, last)
    });
    // As if it had been just as many as asked for.
    (last - first).mul_f64(records as f64 / (each * threads as u64) as f64)
}

/// Takes records as libbpf does until nobody makes any.
fn consume(memory: &Ring, done: &AtomicBool) {
    let mut consumer = Consumer::new(false);
    while !done.load(Ordering::Relaxed) {
        if consumer.take(memory).is_none() {
            thread::yield_now();
        }
    }
}

/// 1, 2, 4, as many as there are processors, and twice as many.
fn thread_counts() -> Vec<usize> {
    let processors = thread::available_parallelism().map_or(1, |n| n.get());
    let mut counts = vec![1, 2, 4, processors, 2 * processors];
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// All sizes with a ring that its producers empty, and one with a consumer.
fn reserve_and_commit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ring");
    for threads in thread_counts() {
        for size in SIZES {
            let id = BenchmarkId::new(format!("{size} bytes"), threads);
            group.bench_function(id, |b| {
                b.iter_custom(|records| run(threads, records, size, false));
            });
        }
        let id = BenchmarkId::new("256 bytes and a consumer", threads);
        group.bench_function(id, |b| {
            b.iter_custom(|records| run(threads, records, 256, true));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20)
        .nresamples(10_000);
    targets = reserve_and_commit
}
criterion_main!(benches);
