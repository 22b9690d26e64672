// SPDX-License-Identifier: GPL-2.0

//! A ring in host memory, with the consumer of libbpf's protocol
//! (`tools/lib/bpf/ringbuf.c`: `ringbuf_process_ring()`): loom's memory, for every schedule, or the
//! machine's, for the native benchmark (`selftests/native`). Positions, lock and records lie as in the
//! kernel, each position on a page of its own, so that the same cache lines are fought for.
//!
//! What C reads plainly is read with `unsync_load()`: loom then checks that nobody writes at the same
//! time. It must not be an atomic load, for another reason too: loom (0.5.6) remembers only the last
//! access to an atomic, so a thread's own load before its store would hide another thread's load before
//! that, and half of the schedules would not be explored.

// Each user has its part of this.
#![allow(dead_code)]

mod sync;

use rust_dynptr_host::logic::ring::{
    Lost,
    RingMem,
    BUSY,
    DISCARD,
    HDR_SIZE, //
};
#[cfg(not(loom))]
use sync::UnsyncLoad;
use sync::{
    fence,
    AtomicU32,
    AtomicU64,
    Mutex,
    MutexGuard,
    Ordering,
    UnsafeCell, //
};

/// What the `xchg()` of a commit orders.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Barriers {
    /// Everything, as in C.
    Full,
    /// Only what an acquire-release operation does: for showing that the tests can fail.
    AcqRel,
    /// Nothing: the same.
    Relaxed,
}

/// What has a page of its own; not with loom, whose threads have few pages of stack.
#[cfg_attr(not(loom), repr(align(4096)))]
struct Page<T>(T);

/// What producers write, all but the lock under it.
struct Produced {
    prod: AtomicU64,
    pend: AtomicU64,
    over: AtomicU64,
}

/// 8 bytes of the data: a header's length word, or the start of a payload.
struct Word {
    len: AtomicU32,
    payload: UnsafeCell<u32>,
}

/// A ring of some words. Of a record's payload only the first 4 bytes can be written.
pub struct Ring {
    mask: u64,
    overwrite: bool,
    barriers: Barriers,
    lock: Page<Mutex<()>>,
    cons: Page<AtomicU64>,
    produced: Page<Produced>,
    words: Vec<Word>,
}

// SAFETY: A payload is its producer's until the record is committed, and then the consumer's; loom checks.
unsafe impl Sync for Ring {}
// SAFETY: As above.
unsafe impl Send for Ring {}

impl Ring {
    /// An empty ring of `size` bytes, a power of two.
    pub fn new(size: u64, overwrite: bool, barriers: Barriers) -> Self {
        let words = size / 8;
        Self {
            mask: size - 1,
            overwrite,
            barriers,
            lock: Page(Mutex::new(())),
            cons: Page(AtomicU64::new(0)),
            produced: Page(Produced {
                prod: AtomicU64::new(0),
                pend: AtomicU64::new(0),
                over: AtomicU64::new(0),
            }),
            words: (0..words)
                .map(|_| Word {
                    len: AtomicU32::new(0),
                    payload: UnsafeCell::new(0),
                })
                .collect(),
        }
    }

    fn payload_of(&self, hdr: usize) -> &UnsafeCell<u32> {
        &self.words[(hdr + 1) % self.words.len()].payload
    }

    /// The producer's write into the record at `hdr`.
    pub fn write(&self, hdr: usize, payload: u32) {
        // SAFETY: The record is the caller's; loom checks.
        self.payload_of(hdr)
            .with_mut(|place| unsafe { *place = payload });
    }

    /// Moves the consumer's position to the newest record's end, as one does who skips all.
    pub fn skip_all(&self) {
        let prod = self.produced.0.prod.load(Ordering::Acquire);
        self.cons.0.store(prod, Ordering::Release);
    }

    /// Producer and overwrite position, in the order in which a consumer reads them.
    pub fn ends(&self) -> (u64, u64) {
        let prod = self.produced.0.prod.load(Ordering::Acquire);
        (prod, self.produced.0.over.load(Ordering::Relaxed))
    }
}

impl RingMem for &Ring {
    type Hdr = usize;
    type Lock = LockToken;

    fn lock(&self) -> Option<LockToken> {
        let guard = self.lock.0.lock().unwrap();
        // SAFETY: The guard's lifetime is the ring's, which outlives the token.
        Some(LockToken(unsafe {
            std::mem::transmute::<MutexGuard<'_, ()>, MutexGuard<'static, ()>>(guard)
        }))
    }
    fn unlock(&self, token: LockToken, reserved: Option<usize>) -> Option<usize> {
        drop(token);
        reserved
    }
    fn lost(&self, _: u64, _: Lost) -> Option<usize> {
        None
    }
    fn lost_records(&self) -> u64 {
        0
    }
    fn mask(&self) -> u64 {
        self.mask
    }
    fn overwrite_mode(&self) -> bool {
        self.overwrite
    }
    fn consumer_pos_acquire(&self) -> u64 {
        self.cons.0.load(Ordering::Acquire)
    }
    fn producer_pos_acquire(&self) -> u64 {
        self.produced.0.prod.load(Ordering::Acquire)
    }
    fn overwrite_pos_acquire(&self) -> u64 {
        self.produced.0.over.load(Ordering::Acquire)
    }
    fn producer_pos(&self) -> u64 {
        // SAFETY: The lock is held; loom checks.
        unsafe { self.produced.0.prod.unsync_load() }
    }
    fn pending_pos(&self) -> u64 {
        // SAFETY: As above.
        unsafe { self.produced.0.pend.unsync_load() }
    }
    fn set_pending_pos(&self, pos: u64) {
        self.produced.0.pend.store(pos, Ordering::Relaxed);
    }
    fn overwrite_pos(&self) -> u64 {
        // SAFETY: As above.
        unsafe { self.produced.0.over.unsync_load() }
    }
    fn set_overwrite_pos_once(&self, pos: u64) {
        self.produced.0.over.store(pos, Ordering::Relaxed);
    }
    fn set_producer_pos_release(&self, pos: u64) {
        self.produced.0.prod.store(pos, Ordering::Release);
    }
    fn hdr(&self, offset: u64) -> usize {
        (offset / 8) as usize
    }
    fn offset_of(&self, hdr: usize) -> u64 {
        hdr as u64 * 8
    }
    fn hdr_len_once(&self, hdr: usize) -> u32 {
        self.words[hdr].len.load(Ordering::Relaxed)
    }
    fn own_hdr_len(&self, hdr: usize) -> u32 {
        // SAFETY: The record is the caller's; loom checks.
        unsafe { self.words[hdr].len.unsync_load() }
    }
    fn write_hdr(&self, hdr: usize, len: u32) {
        self.words[hdr].len.store(len, Ordering::Relaxed);
    }
    fn xchg_hdr_len_full(&self, hdr: usize, len: u32) {
        match self.barriers {
            // On x86 an instruction that is all that; loom takes `SeqCst` for `AcqRel`.
            Barriers::Full if !cfg!(loom) => {
                self.words[hdr].len.swap(len, Ordering::SeqCst);
            }
            Barriers::Full => {
                fence(Ordering::SeqCst);
                self.words[hdr].len.swap(len, Ordering::AcqRel);
                fence(Ordering::SeqCst);
            }
            Barriers::AcqRel => {
                self.words[hdr].len.swap(len, Ordering::AcqRel);
            }
            Barriers::Relaxed => {
                self.words[hdr].len.swap(len, Ordering::Relaxed);
            }
        }
    }
}

/// The ring's lock is held.
pub struct LockToken(MutexGuard<'static, ()>);

/// The one consumer.
pub struct Consumer {
    pos: u64,
    /// Orders its position before what it reads next, as a consumer that waits for edges must.
    fenced: bool,
}

impl Consumer {
    /// At the start of a ring.
    pub fn new(fenced: bool) -> Self {
        Self { pos: 0, fenced }
    }

    /// Bytes consumed so far.
    pub fn pos(&self) -> u64 {
        self.pos
    }

    /// The payload of the next record, `Some(None)` for a discarded one, `None` if there is none yet.
    pub fn take(&mut self, ring: &Ring) -> Option<Option<u32>> {
        let prod = ring.produced.0.prod.load(Ordering::Acquire);
        if self.pos >= prod {
            return None;
        }
        let hdr = ((self.pos & ring.mask) / 8) as usize;
        let len = ring.words[hdr].len.load(Ordering::Acquire);
        if len & BUSY != 0 {
            return None;
        }
        let payload = if len & DISCARD != 0 {
            None
        } else {
            // SAFETY: The record is committed; loom checks.
            Some(ring.payload_of(hdr).with(|place| unsafe { *place }))
        };
        let size = u64::from(len & !DISCARD);
        self.pos += (size + HDR_SIZE).next_multiple_of(8);
        ring.cons.0.store(self.pos, Ordering::Release);
        if self.fenced {
            fence(Ordering::SeqCst);
        }
        Some(payload)
    }

    /// All records that are there.
    pub fn take_all(&mut self, ring: &Ring) -> Vec<Option<u32>> {
        std::iter::from_fn(|| self.take(ring)).collect()
    }
}
