// SPDX-License-Identifier: GPL-2.0

//! Rings that user space produces into and a BPF program drains, answering to
//! `srctree/kernel/bpf/ringbuf.c`: `__bpf_user_ringbuf_peek()`,
//! `__bpf_user_ringbuf_sample_release()`, `bpf_user_ringbuf_drain()`.
//!
//! The producer position and all data are user space's, which may write anything at any time: each
//! word is read once, and what was read is checked before it is used. The consumer position is ours;
//! user space can only read it.

use super::{
    dynptr::check_size,
    errno::{
        Errno,
        E2BIG,
        EBUSY,
        EINVAL, //
    },
    ring::{
        round_up_8,
        wakeup_flags_valid,
        BUSY,
        DISCARD,
        FORCE_WAKEUP,
        HDR_SIZE,
        NO_WAKEUP, //
    }, //
};

/// `BPF_MAX_USER_RINGBUF_SAMPLES`: samples that one call drains at most.
pub const MAX_SAMPLES: u32 = 128 * 1024;

/// The memory of one ring. Names as in [`RingMem`](super::ring::RingMem).
pub trait UserRingMem {
    /// Size of the data area minus 1; the size is a power of two.
    fn mask(&self) -> u64;
    /// User space writes this word: any value may come.
    fn producer_pos_acquire(&self) -> u64;
    /// Whose samples are taken up to here.
    fn consumer_pos_acquire(&self) -> u64;
    /// The same, for the only one who may change it.
    fn consumer_pos(&self) -> u64;
    /// Gives the bytes before `pos` back to the producer.
    fn set_consumer_pos_release(&self, pos: u64);
    /// The length word of the header at `offset` of the data. User space's, as the rest of the data.
    fn hdr_len_acquire(&self, offset: u64) -> u32;
    /// Makes the caller the only one who drains; `false` if somebody is.
    fn try_set_busy(&self) -> bool;
    /// The other way round; positions are visible before.
    fn clear_busy_release(&self);
}

/// A sample, as its header said when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The place of its payload in the data.
    pub offset: u64,
    /// Bytes of payload; fits a dynptr.
    pub size: u32,
}

/// What is next in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing, or a sample that is still being written.
    Nothing,
    /// A discarded sample, which has been stepped over.
    Discarded,
    /// A sample to hand out.
    Sample(Sample),
}

/// Bytes that a sample takes with its header.
fn taken(size: u32) -> u32 {
    round_up_8(size.wrapping_add(HDR_SIZE as u32))
}

/// `__bpf_user_ringbuf_peek()`: looks at the next sample.
///
/// # Errors
///
/// In this order: [`EINVAL`] for a producer position that is not a multiple of 8; [`EINVAL`] for a
/// sample that goes beyond that position; [`E2BIG`] for one that is larger than the ring or a dynptr.
#[inline(always)]
pub fn peek<M: UserRingMem>(mem: &M) -> Result<Next, Errno> {
    let prod_pos = mem.producer_pos_acquire();
    if prod_pos & 7 != 0 {
        return Err(EINVAL);
    }
    let cons_pos = mem.consumer_pos_acquire();
    if cons_pos >= prod_pos {
        return Ok(Next::Nothing);
    }
    let mask = mem.mask();
    let hdr_len = mem.hdr_len_acquire(cons_pos & mask);
    let size = hdr_len & !(BUSY | DISCARD);
    let total = taken(size);
    if u64::from(total) > prod_pos.wrapping_sub(cons_pos) {
        return Err(EINVAL);
    }
    if total > (mask as u32).wrapping_add(1) || check_size(size.into()).is_err() {
        return Err(E2BIG);
    }
    if hdr_len & DISCARD != 0 {
        mem.set_consumer_pos_release(cons_pos.wrapping_add(total.into()));
        return Ok(Next::Discarded);
    }
    if hdr_len & BUSY != 0 {
        return Ok(Next::Nothing);
    }
    let offset = cons_pos.wrapping_add(HDR_SIZE) & mask;
    Ok(Next::Sample(Sample { offset, size }))
}

/// `__bpf_user_ringbuf_sample_release()`: gives the sample's bytes back to the producer.
fn release<M: UserRingMem>(mem: &M, size: u32) {
    let pos = mem.consumer_pos();
    mem.set_consumer_pos_release(pos.wrapping_add(taken(size).into()));
}

/// What became of a drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Samples handed out, or the error that ended it.
    pub result: Result<u32, Errno>,
    /// The producer must be woken.
    pub wake: bool,
}

/// `bpf_user_ringbuf_drain()`: hands samples to `each` until it says stop (not 0), there is none, or
/// [`MAX_SAMPLES`] were seen, discarded ones included.
///
/// # Errors
///
/// In this order: [`EINVAL`] for unknown flags; [`EBUSY`] if somebody else drains. Errors of [`peek`]
/// come in [`Drained::result`], after what was taken before.
#[inline(always)]
pub fn drain<M: UserRingMem>(
    mem: &M,
    flags: u64,
    each: impl FnMut(Sample) -> u64,
) -> Result<Drained, Errno> {
    if !wakeup_flags_valid(flags) {
        return Err(EINVAL);
    }
    if !mem.try_set_busy() {
        return Err(EBUSY);
    }
    let first = peek(mem);
    if first == Ok(Next::Nothing) {
        mem.clear_busy_release();
        return Ok(Drained {
            result: Ok(0),
            wake: flags & FORCE_WAKEUP != 0,
        });
    }
    Ok(drain_from(mem, first, flags, each))
}

/// The rest of [`drain`], which found `first`.
#[inline(always)]
fn drain_from<M: UserRingMem>(
    mem: &M,
    first: Result<Next, Errno>,
    flags: u64,
    mut each: impl FnMut(Sample) -> u64,
) -> Drained {
    let mut next = first;
    let mut seen = 0u32;
    let mut discarded = 0u32;
    let mut stop = false;
    let result = loop {
        match next {
            Ok(Next::Nothing) => break Ok(()),
            Ok(Next::Discarded) => discarded = discarded.wrapping_add(1),
            Ok(Next::Sample(sample)) => {
                stop = each(sample) != 0;
                release(mem, sample.size);
            }
            Err(errno) => break Err(errno),
        }
        seen = seen.wrapping_add(1);
        if seen >= MAX_SAMPLES || stop {
            break Ok(());
        }
        next = peek(mem);
    };
    mem.clear_busy_release();
    Drained {
        result: result.map(|()| seen.wrapping_sub(discarded)),
        wake: flags & FORCE_WAKEUP != 0 || (flags & NO_WAKEUP == 0 && seen > 0),
    }
}
