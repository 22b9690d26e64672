// SPDX-License-Identifier: GPL-2.0

//! The ring buffer's algorithm, answering to `srctree/kernel/bpf/ringbuf.c`:
//! `__bpf_ringbuf_reserve()`, `bpf_ringbuf_commit()`, `bpf_ringbuf_query()`.
//!
//! Positions count bytes from the ring's creation and wrap with 64 bits; a position's place in the
//! data is `pos & mask`. Memory is behind [`RingMem`], whose method names state the ordering of each
//! access; the order of the calls here is the order of C's accesses. C and Rust producers share
//! rings, so both, and the lock around [`reserve`], must stay exactly C's.

/// `BPF_RINGBUF_HDR_SZ`: the record header, in bytes.
pub const HDR_SIZE: u64 = 8;
/// `BPF_RINGBUF_BUSY_BIT` of the header's length: the producer is still writing.
pub const BUSY: u32 = 1 << 31;
/// `BPF_RINGBUF_DISCARD_BIT` of the header's length: the consumer skips the record.
pub const DISCARD: u32 = 1 << 30;
/// `RINGBUF_MAX_RECORD_SZ`: the largest payload, in bytes.
pub const MAX_RECORD_SIZE: u64 = (u32::MAX / 4) as u64;

/// `BPF_RB_NO_WAKEUP`: submit without waking the consumer.
pub const NO_WAKEUP: u64 = 1 << 0;
/// `BPF_RB_FORCE_WAKEUP`: submit and always wake the consumer.
pub const FORCE_WAKEUP: u64 = 1 << 1;

/// The memory of one ring. `_acquire`, `_release` and `_once` are C's `smp_load_acquire()`,
/// `smp_store_release()` and `READ_ONCE()`/`WRITE_ONCE()`; plain names need the ring's lock.
pub trait RingMem {
    /// Size of the data area minus 1; the size is a power of two.
    fn mask(&self) -> u64;
    /// The ring overwrites its oldest records instead of refusing new ones.
    fn overwrite_mode(&self) -> bool;
    /// User space writes this word: any value may come.
    fn consumer_pos_acquire(&self) -> u64;
    /// End of the newest reserved record.
    fn producer_pos_acquire(&self) -> u64;
    /// Start of the oldest record that is not overwritten.
    fn overwrite_pos_acquire(&self) -> u64;
    /// As [`Self::producer_pos_acquire`], under the lock.
    fn producer_pos(&self) -> u64;
    /// Start of the oldest record that is not committed, as far as somebody looked. Under the lock.
    fn pending_pos(&self) -> u64;
    /// Under the lock.
    fn set_pending_pos(&self, pos: u64);
    /// As [`Self::overwrite_pos_acquire`], under the lock.
    fn overwrite_pos(&self) -> u64;
    /// Under the lock; published by the next [`Self::set_producer_pos_release`].
    fn set_overwrite_pos_once(&self, pos: u64);
    /// Under the lock; makes the new record's header visible before its position.
    fn set_producer_pos_release(&self, pos: u64);
    /// The length word of the header at `pos`.
    fn hdr_len_once(&self, pos: u64) -> u32;
    /// Writes the header at `pos`: length word and distance to the ring's start in pages.
    fn write_hdr(&self, pos: u64, len: u32);
}

/// Bytes that a record with `size` bytes of payload takes, header and padding included.
///
/// `None` if it is larger than any record may be or than the ring: then nothing may be locked.
pub fn record_len<M: RingMem>(mem: &M, size: u64) -> Option<u32> {
    if size > MAX_RECORD_SIZE {
        return None;
    }
    let len = round_up_8(size.wrapping_add(HDR_SIZE)) as u32;
    (len <= total_size(mem)).then_some(len)
}

/// `ringbuf_total_data_sz()`: C keeps it in 32 bits.
fn total_size<M: RingMem>(mem: &M) -> u32 {
    mem.mask().wrapping_add(1) as u32
}

fn round_up_8(value: u64) -> u64 {
    value.wrapping_add(7) & !7
}

/// `bpf_ringbuf_round_up_hdr_len()`: bytes from a record to the next. 32 bits, as in C.
fn stride(hdr_len: u32) -> u64 {
    u64::from((hdr_len & !DISCARD).wrapping_add(8 + 7) & !7)
}

/// Reserves a record of `size` bytes of payload, `len` in all, and gives its position.
///
/// The caller holds the ring's lock, and read `cons_pos` by
/// [`RingMem::consumer_pos_acquire`] before it took the lock. `None` if there is no room.
pub fn reserve<M: RingMem>(mem: &M, size: u64, len: u32, cons_pos: u64) -> Option<u64> {
    let mask = mem.mask();
    let mut pend_pos = mem.pending_pos();
    let prod_pos = mem.producer_pos();
    let new_prod_pos = prod_pos.wrapping_add(u64::from(len));

    while prod_pos.wrapping_sub(pend_pos) > 0 {
        let hdr_len = mem.hdr_len_once(pend_pos);
        if hdr_len & BUSY != 0 {
            break;
        }
        pend_pos = pend_pos.wrapping_add(stride(hdr_len));
    }
    mem.set_pending_pos(pend_pos);

    if !has_space(mem, new_prod_pos, cons_pos, pend_pos) {
        return None;
    }
    if mem.overwrite_mode() {
        // Step over whole records until the new one fits. has_space() made sure that none of them
        // is still being written.
        let mut over_pos = mem.overwrite_pos();
        while new_prod_pos.wrapping_sub(over_pos) > mask {
            over_pos = over_pos.wrapping_add(stride(mem.hdr_len_once(over_pos)));
        }
        mem.set_overwrite_pos_once(over_pos);
    }
    mem.write_hdr(prod_pos, size as u32 | BUSY);
    mem.set_producer_pos_release(new_prod_pos);
    Some(prod_pos)
}

/// `bpf_ringbuf_has_space()`: neither the oldest uncommitted record nor, unless the ring
/// overwrites, the consumer is more than the ring's size minus 1 behind.
fn has_space<M: RingMem>(mem: &M, new_prod_pos: u64, cons_pos: u64, pend_pos: u64) -> bool {
    let mask = mem.mask();
    new_prod_pos.wrapping_sub(pend_pos) <= mask
        && (mem.overwrite_mode() || new_prod_pos.wrapping_sub(cons_pos) <= mask)
}

/// The length word of a committed record, from that of the busy one.
pub fn committed_len(hdr_len: u32, discard: bool) -> u32 {
    let len = hdr_len ^ BUSY;
    if discard {
        len | DISCARD
    } else {
        len
    }
}

/// Whether committing the record at data offset `rec_off` wakes the consumer: always when forced,
/// else when the consumer (at data offset `cons_off`) waits for just this record.
pub fn wakes(flags: u64, cons_off: u64, rec_off: u64) -> bool {
    flags & FORCE_WAKEUP != 0 || (cons_off == rec_off && flags & NO_WAKEUP == 0)
}

/// Whether `bpf_ringbuf_output()` takes these flags.
pub fn output_flags_valid(flags: u64) -> bool {
    flags & !(NO_WAKEUP | FORCE_WAKEUP) == 0
}

/// `ringbuf_avail_data_sz()`: bytes that a consumer has before it. Not synchronised with producers,
/// so it may exceed the ring's size.
pub fn avail_data<M: RingMem>(mem: &M) -> u64 {
    let cons_pos = mem.consumer_pos_acquire();
    if mem.overwrite_mode() {
        let over_pos = mem.overwrite_pos_acquire();
        let prod_pos = mem.producer_pos_acquire();
        return prod_pos
            .wrapping_sub(cons_pos)
            .min(prod_pos.wrapping_sub(over_pos));
    }
    mem.producer_pos_acquire().wrapping_sub(cons_pos)
}

/// `bpf_ringbuf_query()`: the value that `flags` (`BPF_RB_*`) asks for, 0 for an unknown one.
pub fn query<M: RingMem>(mem: &M, flags: u64) -> u64 {
    match flags {
        0 => avail_data(mem),
        1 => u64::from(total_size(mem)),
        2 => mem.consumer_pos_acquire(),
        3 => mem.producer_pos_acquire(),
        4 => mem.overwrite_pos_acquire(),
        _ => 0,
    }
}
