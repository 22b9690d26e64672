// SPDX-License-Identifier: GPL-2.0

//! `struct bpf_ringbuf` behind [`RingMem`], and the lock around a reservation, answering to
//! `srctree/kernel/bpf/ringbuf.c`. The structure is private to that file: its offsets come from BTF.
//!
//! Locking: `spinlock` (an rqspinlock, IRQs off) guards the positions while a record is reserved.
//! C and Rust producers share rings, so the protocol is C's. Committing takes no lock.

use crate::{
    bindings::{
        self,
        layout, //
    },
    glue::ordered,
    logic::{
        errno::{
            Errno,
            EAGAIN,
            EINVAL, //
        },
        ring::{
            self,
            RingMem, //
        }, //
    }, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::ffi::c_void;

const PAGE_SHIFT: usize = 12;
const PAGE_MASK: usize = !((1 << PAGE_SHIFT) - 1);
const _: () = assert!(1usize << PAGE_SHIFT == kernel::page::PAGE_SIZE);

/// A ring buffer, borrowed for one helper call.
///
/// # Invariants
///
/// Points to a live `struct bpf_ringbuf`: the program holds the map, the map holds the ring.
#[derive(Clone, Copy)]
pub(crate) struct RingBuf<'a>(NonNull<u8>, PhantomData<&'a ()>);

impl<'a> RingBuf<'a> {
    /// The ring of a ring buffer map.
    ///
    /// # Safety
    ///
    /// `map` is a ring buffer map (`ARG_CONST_MAP_PTR`, checked by `check_map_func_compatibility()`)
    /// that stays alive for `'a`.
    #[inline(always)]
    pub(crate) unsafe fn from_map(map: *mut c_void) -> Self {
        let slot = map
            .cast::<u8>()
            .wrapping_add(layout::bpf_ringbuf_map::RB)
            .cast::<*mut u8>();
        // SAFETY: The map is embedded at offset 0 of a `struct bpf_ringbuf_map`, whose `rb` is set
        // before the map is visible and never changes.
        let ring = unsafe { slot.read() };
        // INVARIANT: By this function's contract.
        // SAFETY: A map without a ring is never published.
        Self(unsafe { NonNull::new_unchecked(ring) }, PhantomData)
    }

    #[inline(always)]
    fn member<T>(&self, offset: usize) -> *mut T {
        self.0.as_ptr().wrapping_add(offset).cast()
    }

    /// The header at `pos`. Data is mapped twice in a row, so a record never wraps.
    #[inline(always)]
    fn hdr(&self, pos: u64) -> *mut u32 {
        let offset = (pos & self.mask()) as usize;
        self.member(offset.wrapping_add(layout::bpf_ringbuf::DATA))
    }

    /// `__bpf_ringbuf_reserve()`: a record with `size` bytes of payload.
    ///
    /// # Errors
    ///
    /// [`EAGAIN`] if it is too large, there is no room, or the lock cannot be had (deadlock or
    /// time-out, in a producer that interrupted another).
    #[inline(always)]
    pub(crate) fn reserve(self, size: u64) -> Result<Record<'a>, Errno> {
        let len = ring::record_len(&self, size).ok_or(EAGAIN)?;
        let cons_pos = self.consumer_pos_acquire();
        let lock = self.member(layout::bpf_ringbuf::SPINLOCK);
        let mut flags = 0;
        // SAFETY: By the type invariant `lock` is the ring's lock.
        if unsafe { bindings::rust_dynptr_lock_irqsave(lock, &mut flags) } != 0 {
            return Err(EAGAIN);
        }
        let pos = ring::reserve(&self, size, len, cons_pos);
        // SAFETY: Taken above, on this CPU, with these flags.
        unsafe { bindings::rust_dynptr_unlock_irqrestore(lock, flags) };
        // INVARIANT: The record was just reserved and nobody else commits it.
        pos.map(|pos| Record { ring: self, pos }).ok_or(EAGAIN)
    }

    /// `bpf_ringbuf_output()`: copies `size` bytes at `data` into a record of its own.
    ///
    /// # Errors
    ///
    /// In this order: [`EINVAL`] for unknown `flags`; [`EAGAIN`] as [`Self::reserve`].
    ///
    /// # Safety
    ///
    /// `data` is valid for reads of `size` bytes.
    #[inline(always)]
    pub(crate) unsafe fn output(
        self,
        data: *const c_void,
        size: u64,
        flags: u64,
    ) -> Result<(), Errno> {
        if !ring::output_flags_valid(flags) {
            return Err(EINVAL);
        }
        let record = self.reserve(size)?;
        // SAFETY: The record has `size` bytes, which only this call knows; `data` by contract.
        unsafe {
            core::ptr::copy_nonoverlapping(data.cast::<u8>(), record.payload(), size as usize)
        };
        record.submit(flags);
        Ok(())
    }

    /// `bpf_ringbuf_query()`.
    #[inline(always)]
    pub(crate) fn query(self, flags: u64) -> u64 {
        ring::query(&self, flags)
    }
}

/// A record that is reserved and not yet committed.
///
/// # Invariants
///
/// `pos` is the record's position in `ring`, and its busy bit is set.
#[must_use = "a record that is never committed blocks its ring"]
pub(crate) struct Record<'a> {
    ring: RingBuf<'a>,
    pos: u64,
}

impl Record<'_> {
    /// The first byte of the payload, 8-aligned.
    #[inline(always)]
    fn payload(&self) -> *mut u8 {
        self.ring
            .hdr(self.pos)
            .cast::<u8>()
            .wrapping_add(ring::HDR_SIZE as usize)
    }

    /// `bpf_ringbuf_commit()` without the discard bit; `flags` are `BPF_RB_*_WAKEUP`.
    #[inline(always)]
    fn submit(self, flags: u64) {
        let hdr = self.ring.hdr(self.pos);
        // SAFETY: By the type invariant the header is this record's, which nobody else writes.
        let busy = unsafe { ordered::load_once_u32(hdr) };
        // SAFETY: As above. Fully ordered: the payload is visible before the header, and the header
        // before the consumer's position is read.
        unsafe { ordered::xchg_u32(hdr, ring::committed_len(busy, false)) };
        let cons_off = self.ring.consumer_pos_acquire() & self.ring.mask();
        if ring::wakes(flags, cons_off, self.pos & self.ring.mask()) {
            // SAFETY: By the ring's invariant this is its irq_work; queueing is NMI-safe.
            unsafe { bindings::irq_work_queue(self.ring.member(layout::bpf_ringbuf::WORK)) };
        }
    }
}

impl RingMem for RingBuf<'_> {
    #[inline(always)]
    fn mask(&self) -> u64 {
        // SAFETY: By the type invariant; never changes after creation.
        unsafe { self.member::<u64>(layout::bpf_ringbuf::MASK).read() }
    }

    #[inline(always)]
    fn overwrite_mode(&self) -> bool {
        // SAFETY: By the type invariant; never changes after creation. Read as a byte: Rust's
        // `bool` must not be made of C memory.
        unsafe {
            self.member::<u8>(layout::bpf_ringbuf::OVERWRITE_MODE)
                .read()
                != 0
        }
    }

    #[inline(always)]
    fn consumer_pos_acquire(&self) -> u64 {
        // SAFETY: By the type invariant. User space may write this word at any time.
        unsafe { ordered::load_acquire(self.member(layout::bpf_ringbuf::CONSUMER_POS)) }
    }

    #[inline(always)]
    fn producer_pos_acquire(&self) -> u64 {
        // SAFETY: By the type invariant.
        unsafe { ordered::load_acquire(self.member(layout::bpf_ringbuf::PRODUCER_POS)) }
    }

    #[inline(always)]
    fn overwrite_pos_acquire(&self) -> u64 {
        // SAFETY: By the type invariant.
        unsafe { ordered::load_acquire(self.member(layout::bpf_ringbuf::OVERWRITE_POS)) }
    }

    #[inline(always)]
    fn producer_pos(&self) -> u64 {
        // SAFETY: By the type invariant. C reads it plainly, as the lock is held.
        unsafe { ordered::load_once(self.member(layout::bpf_ringbuf::PRODUCER_POS)) }
    }

    #[inline(always)]
    fn pending_pos(&self) -> u64 {
        // SAFETY: By the type invariant.
        unsafe { ordered::load_once(self.member(layout::bpf_ringbuf::PENDING_POS)) }
    }

    #[inline(always)]
    fn set_pending_pos(&self, pos: u64) {
        // SAFETY: By the type invariant; the lock is held.
        unsafe { ordered::store_once(self.member(layout::bpf_ringbuf::PENDING_POS), pos) };
    }

    #[inline(always)]
    fn overwrite_pos(&self) -> u64 {
        // SAFETY: By the type invariant.
        unsafe { ordered::load_once(self.member(layout::bpf_ringbuf::OVERWRITE_POS)) }
    }

    #[inline(always)]
    fn set_overwrite_pos_once(&self, pos: u64) {
        // SAFETY: By the type invariant; the lock is held.
        unsafe { ordered::store_once(self.member(layout::bpf_ringbuf::OVERWRITE_POS), pos) };
    }

    #[inline(always)]
    fn set_producer_pos_release(&self, pos: u64) {
        // SAFETY: By the type invariant; the lock is held.
        unsafe { ordered::store_release(self.member(layout::bpf_ringbuf::PRODUCER_POS), pos) };
    }

    #[inline(always)]
    fn hdr_len_once(&self, pos: u64) -> u32 {
        // SAFETY: By the type invariant; `hdr` masks `pos` into the data area.
        unsafe { ordered::load_once_u32(self.hdr(pos)) }
    }

    #[inline(always)]
    fn write_hdr(&self, pos: u64, len: u32) {
        let hdr = self.hdr(pos);
        let distance = (hdr as usize).wrapping_sub(self.0.as_ptr() as usize);
        let pg_off = (distance & PAGE_MASK) >> PAGE_SHIFT;
        // SAFETY: By the type invariant; the lock is held and the bytes are free.
        unsafe { ordered::store_once_u32(hdr, len) };
        // SAFETY: As above, the second word of the header.
        unsafe { ordered::store_once_u32(hdr.wrapping_add(1), pg_off as u32) };
    }
}
