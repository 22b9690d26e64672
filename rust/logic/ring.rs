// SPDX-License-Identifier: GPL-2.0

//! The algorithm of rings that the kernel produces into, answering to
//! `srctree/kernel/bpf/ringbuf.c`: `__bpf_ringbuf_reserve()`, `bpf_ringbuf_commit()`,
//! `bpf_ringbuf_query()`.
//!
//! Positions count bytes from the ring's creation and wrap with 64 bits; a position's place in the
//! data is `pos & mask`. Memory is behind [`RingMem`], whose method names state the ordering of each
//! access; the order of the calls here is the order of C's accesses. C and Rust producers share
//! rings, so both, and the lock around a reservation, must stay exactly C's.

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

/// What only this module knows of the flags of `bpf_ringbuf_query()`: records that were lost, see
/// [`RingMem::lost`]. C has 0 to 4 and will have more numbers like these; this is "rust" and a 0.
pub const QUERY_LOST: u64 = 0x7275_7374_0000_0000;
/// The same: 1, which tells a program that who serves it counts lost records. C says 0.
pub const QUERY_COUNTS_LOST: u64 = 0x7275_7374_0000_0001;

/// Why a record that a program asked for was lost: it has not been reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Lost {
    /// There was no room.
    Full,
    /// The lock could not be had: a deadlock, or a time-out.
    Locked,
    /// It is larger than any record, than the ring, or than a dynptr may be.
    TooLarge,
}

/// The memory of one ring, or a reference to it. `_acquire`, `_release` and `_once` are C's `smp_load_acquire()`,
/// `smp_store_release()` and `READ_ONCE()`/`WRITE_ONCE()`, `_full` its fully ordered `xchg()`; plain
/// names need the ring's lock.
pub trait RingMem: Copy {
    /// The place of a record's header.
    type Hdr: Copy;
    /// Proof that the lock is held: what [`Self::unlock`] needs.
    type Lock;

    /// `raw_res_spin_lock_irqsave()`; `None` if it cannot be had: a deadlock, or a time-out.
    fn lock(&self) -> Option<Self::Lock>;
    /// `raw_res_spin_unlock_irqrestore()`; gives back what was reserved, so that this can be a caller's
    /// last act.
    fn unlock(&self, lock: Self::Lock, reserved: Option<Self::Hdr>) -> Option<Self::Hdr>;
    /// [`Self::unlock`] with nothing reserved, and [`Self::lost`], for want of room for `size` bytes.
    #[inline(always)]
    fn unlock_full(&self, lock: Self::Lock, size: u64) -> Option<Self::Hdr> {
        self.unlock(lock, None);
        self.lost(size, Lost::Full)
    }
    /// Counts a record of `size` bytes that is lost; gives nothing, so that this can be a caller's last act.
    /// Without the lock.
    fn lost(&self, size: u64, why: Lost) -> Option<Self::Hdr>;
    /// Records that were counted since the ring's creation.
    fn lost_records(&self) -> u64;
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
    /// The header at `offset` of the data, 0 to `mask`. No access.
    fn hdr(&self, offset: u64) -> Self::Hdr;
    /// The offset in the data of a header. No access.
    fn offset_of(&self, hdr: Self::Hdr) -> u64;
    /// The length word, which its producer may change at the same time.
    fn hdr_len_once(&self, hdr: Self::Hdr) -> u32;
    /// The length word of a record that the caller reserved: nobody else changes it.
    fn own_hdr_len(&self, hdr: Self::Hdr) -> u32;
    /// Writes the length word and the distance to the ring's start in pages. Under the lock.
    fn write_hdr(&self, hdr: Self::Hdr, len: u32);
    /// Replaces the length word: what the producer wrote is visible before it, and it before the
    /// producer reads the consumer's position.
    fn xchg_hdr_len_full(&self, hdr: Self::Hdr, len: u32);
}

/// Bytes that a record with `size` bytes of payload takes, header and padding included.
///
/// `None` if it is larger than any record may be or than the ring: then nothing may be locked.
#[inline(always)]
pub fn record_len<M: RingMem>(mem: &M, size: u64) -> Option<u32> {
    if size > MAX_RECORD_SIZE {
        return None;
    }
    let len = round_up_8((size as u32).wrapping_add(HDR_SIZE as u32));
    (len <= total_size(mem)).then_some(len)
}

/// `ringbuf_total_data_sz()`: C keeps it in 32 bits.
#[inline(always)]
fn total_size<M: RingMem>(mem: &M) -> u32 {
    (mem.mask() as u32).wrapping_add(1)
}

#[inline(always)]
pub(super) fn round_up_8(value: u32) -> u32 {
    value.wrapping_add(7) & !7
}

/// `bpf_ringbuf_round_up_hdr_len()`: bytes from a record to the next. 32 bits, as in C.
#[inline(always)]
fn stride(hdr_len: u32) -> u64 {
    u64::from(round_up_8(
        (hdr_len & !DISCARD).wrapping_add(HDR_SIZE as u32),
    ))
}

/// `__bpf_ringbuf_reserve()`: reserves a record of `size` bytes of payload and gives its header, which
/// is busy.
///
/// `None` if it is too large, there is no room, or the lock cannot be had.
#[inline(always)]
pub fn reserve<M: RingMem>(mem: M, size: u64) -> Option<M::Hdr> {
    let Some(len) = record_len(&mem, size) else {
        return mem.lost(size, Lost::TooLarge);
    };
    let cons_pos = mem.consumer_pos_acquire();
    let Some(lock) = mem.lock() else {
        return mem.lost(size, Lost::Locked);
    };
    if mem.overwrite_mode() {
        return reserve_overwriting(mem, lock, size as u32, len);
    }
    let room = Room::look(mem, len);
    // Neither the oldest uncommitted record nor the consumer may be more than the ring's size minus 1
    // behind: bpf_ringbuf_has_space().
    if room.is_too_far(room.pend_pos) || room.is_too_far(cons_pos) {
        return mem.unlock_full(lock, size);
    }
    let hdr = room.take(mem, size as u32);
    mem.unlock(lock, Some(hdr))
}

/// The same, from the lock on, for a ring that overwrites: the consumer is not waited for. Such rings
/// are few: this is out of the others' way.
#[cold]
#[inline(never)]
fn reserve_overwriting<M: RingMem>(mem: M, lock: M::Lock, size: u32, len: u32) -> Option<M::Hdr> {
    let room = Room::look(mem, len);
    if room.is_too_far(room.pend_pos) {
        return mem.unlock_full(lock, size.into());
    }
    // Step over whole old records until the new one fits. None of them is still being written, as the
    // oldest of those is not in the way.
    let mut over_pos = mem.overwrite_pos();
    while room.is_too_far(over_pos) {
        let hdr_len = mem.hdr_len_once(mem.hdr(over_pos & room.mask));
        over_pos = over_pos.wrapping_add(stride(hdr_len));
    }
    mem.set_overwrite_pos_once(over_pos);
    let hdr = room.take(mem, size);
    mem.unlock(lock, Some(hdr))
}

/// Where a new record would go. Under the lock.
struct Room {
    mask: u64,
    prod_pos: u64,
    new_prod_pos: u64,
    pend_pos: u64,
}

impl Room {
    /// For a record that takes `len` bytes; passes by what has been committed.
    #[inline(always)]
    fn look<M: RingMem>(mem: M, len: u32) -> Self {
        let mask = mem.mask();
        let prod_pos = mem.producer_pos();
        let pend_pos = skip_committed(&mem, mem.pending_pos(), prod_pos, mask);
        mem.set_pending_pos(pend_pos);
        Self {
            mask,
            prod_pos,
            new_prod_pos: prod_pos.wrapping_add(u64::from(len)),
            pend_pos,
        }
    }

    /// Whether the record's end would be more than the ring's size minus 1 behind `pos`.
    #[inline(always)]
    fn is_too_far(&self, pos: u64) -> bool {
        self.new_prod_pos.wrapping_sub(pos) > self.mask
    }

    /// Makes the record, busy.
    #[inline(always)]
    fn take<M: RingMem>(&self, mem: M, size: u32) -> M::Hdr {
        let hdr = mem.hdr(self.prod_pos & self.mask);
        mem.write_hdr(hdr, size | BUSY);
        mem.set_producer_pos_release(self.new_prod_pos);
        hdr
    }
}

/// The first position from `pos` on whose record is not committed; `prod_pos` if all are.
#[inline(always)]
fn skip_committed<M: RingMem>(mem: &M, mut pos: u64, prod_pos: u64, mask: u64) -> u64 {
    // As positions wrap, this is the only order that they have.
    while prod_pos.wrapping_sub(pos) > 0 {
        let hdr_len = mem.hdr_len_once(mem.hdr(pos & mask));
        if hdr_len & BUSY != 0 {
            break;
        }
        pos = pos.wrapping_add(stride(hdr_len));
    }
    pos
}

/// `bpf_ringbuf_commit()`: ends the record at `hdr`, which this producer reserved. Whether the
/// consumer must be woken.
#[inline(always)]
pub fn commit<M: RingMem>(mem: M, hdr: M::Hdr, discard: bool, flags: u64) -> bool {
    let busy = mem.own_hdr_len(hdr);
    mem.xchg_hdr_len_full(hdr, committed_len(busy, discard));
    let cons_off = mem.consumer_pos_acquire() & mem.mask();
    wakes(flags, cons_off, mem.offset_of(hdr))
}

/// The length word of a committed record, from that of the busy one.
#[inline(always)]
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
#[inline(always)]
pub fn wakes(flags: u64, cons_off: u64, rec_off: u64) -> bool {
    flags & FORCE_WAKEUP != 0 || (cons_off == rec_off && flags & NO_WAKEUP == 0)
}

/// Whether these are nothing but wake-up flags, as `bpf_ringbuf_output()` and
/// `bpf_user_ringbuf_drain()` take them.
#[inline(always)]
pub fn wakeup_flags_valid(flags: u64) -> bool {
    flags & !(NO_WAKEUP | FORCE_WAKEUP) == 0
}

/// `ringbuf_avail_data_sz()`: bytes that a consumer has before it. Not synchronised with producers,
/// so it may exceed the ring's size.
#[inline(always)]
pub fn avail_data<M: RingMem>(mem: M) -> u64 {
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

/// Whether a consumer that polls the ring has something to read.
pub fn is_readable<M: RingMem>(mem: M) -> bool {
    avail_data(mem) != 0
}

/// Whether a user-space producer that polls the ring has room to write.
pub fn is_writable<M: RingMem>(mem: M) -> bool {
    avail_data(mem) < u64::from(total_size(&mem))
}

/// `bpf_ringbuf_query()`: the value that `flags` (`BPF_RB_*`) asks for, 0 for an unknown one.
#[inline(always)]
pub fn query<M: RingMem>(mem: M, flags: u64) -> u64 {
    match flags {
        0 => avail_data(mem),
        1 => u64::from(total_size(&mem)),
        2 => mem.consumer_pos_acquire(),
        3 => mem.producer_pos_acquire(),
        4 => mem.overwrite_pos_acquire(),
        QUERY_LOST => mem.lost_records(),
        QUERY_COUNTS_LOST => 1,
        _ => 0,
    }
}
