// SPDX-License-Identifier: GPL-2.0

//! `struct bpf_ringbuf` behind [`RingMem`], for BPF programs that produce into it, answering to
//! `srctree/kernel/bpf/ringbuf.c`. The structure is private to that file: its offsets come from BTF.
//!
//! Locking: `spinlock` (an rqspinlock, IRQs off) guards the positions while a record is reserved.
//! C and Rust producers share rings, so the protocol is C's. Committing takes no lock.

use super::dynptr::Dynptr;
use crate::{
    bindings::{
        self,
        layout,
        rust_dynptr_ring_slot as Slot, //
    },
    glue::ordered,
    logic::{
        dynptr::{
            check_size,
            Class,
            Word, //
        },
        errno::{
            Errno,
            EAGAIN,
            EINVAL, //
        },
        ring::{
            self,
            Lost,
            RingMem, //
        }, //
    }, //
};
use core::{
    marker::PhantomData,
    ptr::{
        null_mut,
        NonNull, //
    }, //
};
use kernel::ffi::{
    c_ulong,
    c_void, //
};

const PAGE_SHIFT: usize = 12;
const PAGE_MASK: usize = !((1 << PAGE_SHIFT) - 1);

/// Where a ring has what this module knows of it ([`Slot`]): the last cache line of its first page, which
/// no structure member has (see `include/layout`), which is zero when C or Rust makes a ring, and which
/// user space cannot map. So rings of C have it too, and it stays when the module goes and comes.
const SLOT: usize = bindings::rust_dynptr_values_RUST_DYNPTR_RING_SLOT as usize;
const _: () = assert!(SLOT + size_of::<Slot>() <= layout::bpf_ringbuf::CONSUMER_POS);
const _: () = assert!(layout::bpf_ringbuf::BUSY + size_of::<bindings::atomic_t>() <= SLOT);
const _: () = assert!(1usize << PAGE_SHIFT == kernel::page::PAGE_SIZE);

/// A ring buffer, borrowed for one call.
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

    /// The ring at this address.
    ///
    /// # Safety
    ///
    /// `ring` is a `struct bpf_ringbuf` that stays alive for `'a`.
    #[inline(always)]
    pub(super) unsafe fn from_raw(ring: NonNull<u8>) -> Self {
        // INVARIANT: By this function's contract.
        Self(ring, PhantomData)
    }

    /// A member, by its offset.
    #[inline(always)]
    pub(super) fn member<T>(&self, offset: usize) -> *mut T {
        self.0.as_ptr().wrapping_add(offset).cast()
    }

    /// The first byte of the data.
    #[inline(always)]
    pub(super) fn data(&self) -> *mut u8 {
        self.member(layout::bpf_ringbuf::DATA)
    }

    /// What this module keeps in the ring.
    #[inline(always)]
    fn slot(&self) -> *mut Slot {
        self.member(SLOT)
    }

    /// The address of the lock, to unlock it, computed a second time: LLVM would keep the first in a register
    /// all the while, which costs more, as the register must be saved.
    #[inline(always)]
    #[allow(
        clippy::pointers_in_nomem_asm_block,
        reason = "only the address is computed"
    )]
    fn lock_again(&self) -> *mut bindings::rqspinlock_t {
        let lock: *mut bindings::rqspinlock_t;
        // SAFETY: Adds a constant.
        unsafe {
            core::arch::asm!(
                "lea {at}({ring}), {lock}",
                at = const layout::bpf_ringbuf::SPINLOCK,
                ring = in(reg) self.0.as_ptr(),
                lock = lateout(reg) lock,
                options(att_syntax, pure, nomem, nostack, preserves_flags)
            )
        };
        lock
    }

    /// Notes whose ring this is, for who is told of lost records. Any context.
    ///
    /// # Safety
    ///
    /// `map` is the map that has this ring.
    pub(super) unsafe fn note_map(&self, map: *mut c_void) {
        let slot = self.slot();
        // SAFETY: By the type invariant; nobody but this module knows the slot.
        let place = unsafe { &raw mut (*slot).map };
        // SAFETY: As above; whoever writes at the same time writes the same.
        unsafe { ordered::store_once(place.cast(), map as u64) };
    }

    /// Wakes who waits for the ring, by way of an interrupt: safe in any context.
    #[inline(always)]
    pub(super) fn wake(&self) {
        // SAFETY: By the type invariant this is the ring's irq_work; queueing is NMI-safe.
        unsafe { bindings::irq_work_queue(self.member(layout::bpf_ringbuf::WORK)) };
    }

    /// `bpf_ringbuf_reserve()`: a record with `size` bytes of payload, or `None`: it is too large,
    /// there is no room, or the lock cannot be had (deadlock or time-out, in a producer that
    /// interrupted another).
    #[inline(always)]
    pub(crate) fn reserve(self, size: u64) -> Option<Record<'a>> {
        // INVARIANT: The record was just reserved and nobody else commits it.
        ring::reserve(self, size).map(|payload| Record {
            ring: self,
            payload,
        })
    }

    /// `bpf_ringbuf_reserve_dynptr()`: makes `ptr` a dynptr over a record of `size` bytes.
    ///
    /// # Errors
    ///
    /// In this order: [`EINVAL`] if `flags` is not 0; `E2BIG` for a size that no dynptr can have;
    /// [`EINVAL`] where [`Self::reserve`] gives nothing. `ptr` is null then.
    #[inline(always)]
    pub(crate) fn reserve_dynptr(
        self,
        size: u32,
        flags: u64,
        ptr: Dynptr<'_>,
    ) -> Result<(), Errno> {
        match self.reserve_sized(size, flags) {
            Ok(record) => {
                ptr.set(
                    record.into_payload().cast(),
                    Word::new(Class::Ringbuf, size),
                );
                Ok(())
            }
            Err(errno) => {
                ptr.set_null();
                Err(errno)
            }
        }
    }

    #[inline(always)]
    fn reserve_sized(self, size: u32, flags: u64) -> Result<Record<'a>, Errno> {
        if flags != 0 {
            return Err(EINVAL);
        }
        if let Err(errno) = check_size(size.into()) {
            note_lost(self, size.into(), Lost::TooLarge);
            return Err(errno);
        }
        self.reserve(size.into()).ok_or(EINVAL)
    }

    /// `bpf_ringbuf_output()`: copies `size` bytes at `data` into a record of its own.
    ///
    /// # Errors
    ///
    /// In this order: [`EINVAL`] for unknown `flags`; [`EAGAIN`] where [`Self::reserve`] gives nothing.
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
        if !ring::wakeup_flags_valid(flags) {
            return Err(EINVAL);
        }
        let record = self.reserve(size).ok_or(EAGAIN)?;
        // SAFETY: The record has `size` bytes, which only this call knows; `data` by contract.
        unsafe {
            core::ptr::copy_nonoverlapping(data.cast::<u8>(), record.payload(), size as usize)
        };
        record.commit(false, flags);
        Ok(())
    }

    /// `bpf_ringbuf_query()`.
    #[inline(always)]
    pub(crate) fn query(self, flags: u64) -> u64 {
        ring::query(self, flags)
    }
}

/// A record that is reserved and not yet committed.
///
/// # Invariants
///
/// `payload` is the record's in the data of `ring`; its header, the 8 bytes before it, has the busy bit
/// set, and nobody else commits it.
#[must_use = "a record that is never committed blocks its ring"]
pub(crate) struct Record<'a> {
    ring: RingBuf<'a>,
    payload: NonNull<u64>,
}

impl Record<'_> {
    /// The record of a payload that was handed out: `bpf_ringbuf_restore_from_rec()`.
    ///
    /// # Safety
    ///
    /// `payload` came from [`Self::into_payload`] or from C's `__bpf_ringbuf_reserve()`, and the record
    /// has not been committed since.
    #[inline(always)]
    pub(crate) unsafe fn from_payload(payload: *mut c_void) -> Self {
        let hdr = hdr_of(payload.cast());
        // SAFETY: By contract this is the record's header; its second word never changes.
        let pg_off = unsafe { hdr.wrapping_add(1).read() };
        let page = hdr.map_addr(|address| address & PAGE_MASK);
        let ring = page.wrapping_byte_sub((pg_off as usize) << PAGE_SHIFT);
        // SAFETY: The header is that many pages behind the ring, which is not at address 0.
        let ring = unsafe { NonNull::new_unchecked(ring.cast()) };
        // SAFETY: By contract a payload, which is not at address 0.
        let payload = unsafe { NonNull::new_unchecked(payload.cast()) };
        // SAFETY: As above; the program holds the ring's map.
        let ring = unsafe { RingBuf::from_raw(ring) };
        // INVARIANT: By this function's contract.
        Self { ring, payload }
    }

    /// The first byte of the payload, 8-aligned.
    #[inline(always)]
    fn payload(&self) -> *mut u8 {
        self.payload.as_ptr().cast()
    }

    /// Hands the record out, as the address of its payload.
    #[inline(always)]
    pub(crate) fn into_payload(self) -> *mut u8 {
        self.payload()
    }

    /// `bpf_ringbuf_commit()`: submits or discards the record; `flags` are `BPF_RB_*_WAKEUP`, others
    /// mean nothing.
    #[inline(always)]
    pub(crate) fn commit(self, discard: bool, flags: u64) {
        if ring::commit(self.ring, self.payload, discard, flags) {
            self.ring.wake();
        }
    }
}

/// `bpf_ringbuf_submit_dynptr()`, `bpf_ringbuf_discard_dynptr()`: commits the record of `ptr`, which is
/// null then. Nothing happens to a null one.
///
/// # Safety
///
/// `ptr` is a dynptr that `bpf_ringbuf_reserve_dynptr()` made or nulled (`DYNPTR_TYPE_RINGBUF |
/// OBJ_RELEASE`).
#[inline(always)]
pub(crate) unsafe fn commit_dynptr(ptr: Dynptr<'_>, discard: bool, flags: u64) {
    if ptr.is_null() {
        return;
    }
    // SAFETY: The verifier releases a record once. A dynptr's data is the payload's start, however it
    // was adjusted.
    let record = unsafe { Record::from_payload(ptr.data_ptr()) };
    record.commit(discard, flags);
    ptr.set_null();
}

/// Counts and traces. Takes the ring by value: by reference it would be in memory in who calls this.
#[cold]
#[inline(never)]
fn note_lost(ring: RingBuf<'_>, size: u64, why: Lost) -> Option<NonNull<u64>> {
    // SAFETY: By the type invariant; in any context.
    NonNull::new(unsafe { bindings::rust_dynptr_lost(ring.member(0), size, why as u32) }.cast())
}

/// The header of the record with this payload: length word, distance to the ring in pages.
#[inline(always)]
fn hdr_of(payload: *mut u64) -> *mut u32 {
    payload.wrapping_sub(1).cast()
}

impl RingMem for RingBuf<'_> {
    /// Of the payload, which is what programs want: the header is just before it.
    type Hdr = NonNull<u64>;
    /// IRQ flags of before.
    type Lock = c_ulong;

    #[inline(always)]
    fn lock(&self) -> Option<c_ulong> {
        // SAFETY: By the type invariant this is the ring's lock.
        let flags = unsafe {
            bindings::rust_dynptr_lock_irqsave(self.member(layout::bpf_ringbuf::SPINLOCK))
        };
        (flags >= 0).then_some(flags as c_ulong)
    }

    #[inline(always)]
    fn unlock(&self, flags: c_ulong, reserved: Option<NonNull<u64>>) -> Option<NonNull<u64>> {
        let lock = self.lock_again();
        let reserved = reserved.map_or(null_mut(), NonNull::as_ptr);
        // SAFETY: Taken by `lock` on this CPU, with these flags.
        let same = unsafe { bindings::rust_dynptr_unlock_irqrestore(lock, flags, reserved.cast()) };
        NonNull::new(same.cast())
    }

    #[inline(always)]
    fn unlock_full(&self, flags: c_ulong, size: u64) -> Option<NonNull<u64>> {
        let lock = self.lock_again();
        // SAFETY: Taken by `lock` on this CPU, with these flags.
        let none = unsafe { bindings::rust_dynptr_unlock_full(lock, flags, self.member(0), size) };
        NonNull::new(none.cast())
    }

    #[inline(always)]
    fn lost(&self, size: u64, why: Lost) -> Option<NonNull<u64>> {
        note_lost(*self, size, why)
    }

    #[inline(always)]
    fn lost_records(&self) -> u64 {
        // SAFETY: By the type invariant: the first word of the slot, which is only counted up.
        unsafe { ordered::load_once(self.slot().cast()) }
    }

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

    /// Data is mapped twice in a row, so a record never wraps.
    #[inline(always)]
    fn hdr(&self, offset: u64) -> NonNull<u64> {
        let payload = self.data().wrapping_add((offset as usize).wrapping_add(8));
        // SAFETY: Within the ring's memory, or just behind it: not at address 0.
        unsafe { NonNull::new_unchecked(payload.cast()) }
    }

    #[inline(always)]
    fn offset_of(&self, record: NonNull<u64>) -> u64 {
        (hdr_of(record.as_ptr()) as usize).wrapping_sub(self.data() as usize) as u64
    }

    #[inline(always)]
    fn hdr_len_once(&self, record: NonNull<u64>) -> u32 {
        // SAFETY: By the type invariant; callers keep offsets within the mask.
        unsafe { ordered::load_once_u32(hdr_of(record.as_ptr())) }
    }

    #[inline(always)]
    fn own_hdr_len(&self, record: NonNull<u64>) -> u32 {
        self.hdr_len_once(record)
    }

    #[inline(always)]
    fn write_hdr(&self, record: NonNull<u64>, len: u32) {
        let hdr = hdr_of(record.as_ptr());
        let distance = (hdr as usize).wrapping_sub(self.0.as_ptr() as usize);
        // SAFETY: By the type invariant; the lock is held and the bytes are free.
        unsafe { ordered::store_once_u32(hdr, len) };
        // SAFETY: As above, the second word of the header.
        unsafe { ordered::store_once_u32(hdr.wrapping_add(1), (distance >> PAGE_SHIFT) as u32) };
    }

    #[inline(always)]
    fn xchg_hdr_len_full(&self, record: NonNull<u64>, len: u32) {
        // SAFETY: By the invariant of the record that is committed: its header.
        unsafe { ordered::xchg_u32(hdr_of(record.as_ptr()), len) };
    }
}
