// SPDX-License-Identifier: GPL-2.0

//! Hit counters: proof that Rust served a call. Off by default, and then a `nop` in each function
//! (a static key); the module parameter `count` or debugfs `counting` switches them on.

use crate::table::Row;
use core::sync::atomic::{
    AtomicU64,
    Ordering, //
};

static HITS: [AtomicU64; Row::COUNT] = [const { AtomicU64::new(0) }; Row::COUNT];

/// Counts a call of `row` if counting is on. Safe in any context, NMI included.
#[inline(always)]
pub(crate) fn hit(row: Row) {
    if crate::glue::module::counting() {
        count(row);
    }
}

#[cold]
fn count(row: Row) {
    if let Some(hits) = HITS.get(row as usize) {
        hits.fetch_add(1, Ordering::Relaxed);
    }
}

/// Calls of `row` while counting was on, since the module was loaded.
pub(crate) fn hits(row: Row) -> u64 {
    HITS.get(row as usize)
        .map_or(0, |hits| hits.load(Ordering::Relaxed))
}
