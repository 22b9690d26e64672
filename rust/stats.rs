// SPDX-License-Identifier: GPL-2.0

//! Hit counters: proof that Rust served a call. Off by default; the module parameter `count` or debugfs
//! `counting` switches them on.
//!
//! *jump* and *bind* rows are called all the time. A counted one is not the Rust function but a stub here
//! that counts and goes on to it; without counting the stub is not there: it costs nothing. (So a
//! program that was bound while nothing was counted stays uncounted.) The others count themselves.

mod strings;

pub(crate) use self::strings::{
    note_string,
    show_strings,
    StringCall, //
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

/// A call of one of our own kfuncs, which replaces nothing.
#[derive(Clone, Copy)]
pub(crate) enum Event {
    /// `bpf_iter_dynptr_new()`
    IteratorMade,
    /// `bpf_iter_dynptr_next()`
    IteratorNext,
    /// `bpf_iter_dynptr_advance()`
    IteratorAdvanced,
    /// `bpf_iter_dynptr_destroy()`
    IteratorDestroyed,
    /// `bpf_iter_dynptr_token_new()`
    TokensMade,
    /// `bpf_iter_dynptr_token_next()`
    TokensNext,
    /// `bpf_iter_dynptr_token_destroy()`
    TokensDestroyed,
}

/// The kfuncs of [`Event`], in its order.
const EVENT_NAMES: [&str; 7] = [
    "bpf_iter_dynptr_new",
    "bpf_iter_dynptr_next",
    "bpf_iter_dynptr_advance",
    "bpf_iter_dynptr_destroy",
    "bpf_iter_dynptr_token_new",
    "bpf_iter_dynptr_token_next",
    "bpf_iter_dynptr_token_destroy",
];

static EVENTS: [AtomicU64; EVENT_NAMES.len()] = [const { AtomicU64::new(0) }; EVENT_NAMES.len()];

/// Counts a call of a kfunc of ours, if hits are counted.
pub(crate) fn note(event: Event) {
    if counting() {
        if let Some(events) = EVENTS.get(event as usize) {
            events.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// debugfs `iterators`: calls while counting was on, since the module was loaded.
pub(crate) fn show_events(f: &mut kernel::fmt::Formatter<'_>) -> kernel::fmt::Result {
    for (name, events) in EVENT_NAMES.iter().zip(&EVENTS) {
        writeln!(f, "{name} {}", events.load(Ordering::Relaxed))?;
    }
    Ok(())
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
