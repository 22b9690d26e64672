// SPDX-License-Identifier: GPL-2.0

//! Red zones, for tests: writes behind a block, and into one that was freed, are seen. Asked for by the
//! module parameter `heap_red_zones`; nothing here costs more than a test of a flag without.
//!
//! A block gets a zone behind its bytes. Freed, it is filled and kept back for [`KEPT`] others; what it was
//! filled with must still be there then.

use super::{
    note,
    Block,
    Header, //
};
use crate::{
    bindings,
    glue::faults::{
        self,
        HeapFault, //
    },
    logic::heap::{
        is_intact,
        FREED_BYTE,
        HEADER,
        ZONE,
        ZONE_BYTE, //
    }, //
};
use core::{
    ptr::NonNull,
    slice,
    sync::atomic::{
        AtomicBool,
        AtomicPtr,
        AtomicUsize,
        Ordering, //
    }, //
};
use kernel::prelude::*;

static USED: AtomicBool = AtomicBool::new(false);

/// Blocks that are kept back.
const KEPT: usize = 256;
static KEEP: [AtomicPtr<Header>; KEPT] = [const { AtomicPtr::new(core::ptr::null_mut()) }; KEPT];
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Whether blocks get red zones. Before the first block.
pub(crate) fn use_red_zones(on: bool) {
    USED.store(on, Ordering::Relaxed);
}

/// Whether blocks have red zones.
pub(super) fn are_used() -> bool {
    USED.load(Ordering::Relaxed)
}

/// The program's bytes of a block, and the zone behind them.
///
/// # Safety
///
/// Nobody else uses the block, which has a zone, for `'a`.
unsafe fn parts<'a>(header: NonNull<Header>) -> (&'a mut [u8], &'a mut [u8]) {
    // SAFETY: By this function's contract.
    let size = unsafe { header.as_ref() }.size as usize;
    let data = header.as_ptr().wrapping_byte_add(HEADER).cast::<u8>();
    // SAFETY: The block is a header, `size` bytes and the zone.
    let all = unsafe { slice::from_raw_parts_mut(data, size.wrapping_add(ZONE)) };
    all.split_at_mut_checked(size).unwrap_or_default()
}

/// Gives a new block its zone.
pub(super) fn mark(block: &Block) {
    if are_used() {
        // SAFETY: A new block, which nobody else knows.
        let (data, zone) = unsafe { parts(block.0) };
        zone.fill(ZONE_BYTE);
        if faults::has(HeapFault::Dirty) {
            data.fill(ZONE_BYTE);
        }
    }
}

fn report(is_damaged: bool, what: &str) {
    if is_damaged {
        note(bindings::rust_dynptr_heap_event_RUST_DYNPTR_HEAP_DAMAGED, 1);
        pr_err!("a heap dynptr's memory was written {what}\n");
    }
}

/// What [`HeapFault::Early`] asks for.
pub(super) fn spoil(header: NonNull<Header>) {
    if are_used() {
        // SAFETY: The block is still there, and somebody may use it: that is the fault.
        let (data, _) = unsafe { parts(header) };
        data.fill(FREED_BYTE);
    }
}

/// A block without owners: the one to free now, which was kept back before or is this one.
pub(super) fn retire(header: NonNull<Header>) -> Option<NonNull<Header>> {
    if !are_used() {
        return Some(header);
    }
    // SAFETY: Its last reference is gone, and nobody gets one any more: its bytes are nobody's.
    let (data, zone) = unsafe { parts(header) };
    report(!is_intact(zone, ZONE_BYTE), "behind its end");
    data.fill(FREED_BYTE);
    zone.fill(FREED_BYTE);
    let turn = NEXT.fetch_add(1, Ordering::Relaxed) % KEPT;
    let place = KEEP.get(turn)?;
    release_kept(place.swap(header.as_ptr(), Ordering::AcqRel))
}

/// A block that was kept back long enough.
fn release_kept(header: *mut Header) -> Option<NonNull<Header>> {
    let header = NonNull::new(header)?;
    // SAFETY: Its last reference is long gone, and this took it out of the place where it waited.
    let (data, zone) = unsafe { parts(header) };
    let is_damaged = !is_intact(data, FREED_BYTE) || !is_intact(zone, FREED_BYTE);
    report(is_damaged, "after it was freed");
    Some(header)
}

/// Lets all go that are kept back.
pub(super) fn drain(free: impl Fn(NonNull<Header>)) {
    for place in &KEEP {
        if let Some(header) = release_kept(place.swap(core::ptr::null_mut(), Ordering::AcqRel)) {
            free(header);
        }
    }
}
