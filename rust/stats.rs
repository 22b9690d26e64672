// SPDX-License-Identifier: GPL-2.0

//! Hit counters: proof that Rust served a call. Off by default; the module parameter `count` or debugfs
//! `counting` switches them on.
//!
//! *jump* and *bind* rows are called all the time. A counted one is not the Rust function but a stub here
//! that counts and goes on to it; without counting the stub is not there: it costs nothing. (So a
//! program that was bound while nothing was counted stays uncounted.) The others count themselves.

mod kfuncs;

pub(crate) use self::kfuncs::{
    IterKfunc,
    StringKfunc, //
};

use crate::{
    entry,
    table::Row, //
};
use core::sync::atomic::{
    AtomicBool,
    AtomicU64,
    Ordering, //
};
use kernel::macros::paste;

static COUNTING: AtomicBool = AtomicBool::new(false);
static HITS: [AtomicU64; Row::COUNT] = [const { AtomicU64::new(0) }; Row::COUNT];

/// Whether hits are counted.
pub(crate) fn counting() -> bool {
    COUNTING.load(Ordering::Relaxed)
}

/// Switches the counting of what is not counted by stubs, and which stubs new programs get.
pub(crate) fn set_counting(on: bool) {
    COUNTING.store(on, Ordering::Relaxed);
}

/// Counts a call of `row`, which has no stub, if hits are counted.
pub(crate) fn hit(row: Row) {
    if counting() {
        if let Some(hits) = HITS.get(row as usize) {
            hits.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Calls of `row` while counting was on, since the module was loaded.
pub(crate) fn hits(row: Row) -> u64 {
    HITS.get(row as usize)
        .map_or(0, |hits| hits.load(Ordering::Relaxed))
}

macro_rules! define_stubs {
    ($($kind:ident $name:ident, $proto:literal, $source:literal;)*) => {
        $(define_stubs!(@stub $kind $name);)*

        /// The stub that counts a call of a *jump* or *bind* row; 0 for the others.
        pub(crate) fn stub(row: Row) -> usize {
            match row {
                $(Row::$name => define_stubs!(@address $kind $name),)*
            }
        }
    };
    (@stub jump $name:ident) => { define_stubs!(@stub $name); };
    (@stub bind $name:ident) => { define_stubs!(@stub $name); };
    (@stub $kind:ident $name:ident) => {};
    (@stub $name:ident) => {
        paste! {
            extern "C" {
                fn [<rust_dynptr_count_ $name>]();
            }
            // It keeps every register, so it stands before a function of any prototype.
            core::arch::global_asm!(
                ".pushsection .text",
                ".balign 16",
                concat!(".type rust_dynptr_count_", stringify!($name), ", @function"),
                concat!("rust_dynptr_count_", stringify!($name), ":"),
                "endbr64",
                "lock incq {hits}+{at}(%rip)",
                "jmp {function}",
                concat!(".size rust_dynptr_count_", stringify!($name), ", . - rust_dynptr_count_", stringify!($name)),
                ".popsection",
                hits = sym HITS,
                at = const Row::$name as usize * size_of::<AtomicU64>(),
                function = sym entry::[<rust_ $name>],
                options(att_syntax)
            );
        }
    };
    (@address bind $name:ident) => { define_stubs!(@address jump $name) };
    (@address jump $name:ident) => { paste! { [<rust_dynptr_count_ $name>] as usize } };
    (@address $kind:ident $name:ident) => { 0 };
}
takeover_rows!(define_stubs);
