// SPDX-License-Identifier: GPL-2.0

//! The BPF dynptr and ring buffer subsystem in Rust, taking over from the C code of the running
//! kernel.
//!
//! * `table` (rows in `takeover/rows.rs`): what is taken over, and how.
//! * `takeover`: hooks the rows in and out.
//! * `entry`: the C edge, one function a row; calls `glue`.
//! * `glue`: the kernel's objects as safe types, all unsafe code; calls `logic`.
//! * `logic`: the rules; pure, also compiled and tested on the host.
//! * `stats`, debugfs: what Rust served.

// What the kernel's own list of lints (srctree/Makefile) leaves out. Not `as_conversions`: lengths and
// positions are cut to 32 bits just where C cuts them, and `as` cannot panic.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_safety_doc,
    clippy::multiple_unsafe_ops_per_block,
    clippy::panic,
    clippy::todo,
    clippy::undocumented_unsafe_blocks,
    clippy::unimplemented,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod bindings;
mod entry;
mod glue;
#[forbid(unsafe_code)]
#[allow(unreachable_pub, reason = "the host crate's tests reach it")]
mod logic;
#[macro_use]
mod table;
mod stats;
mod takeover;

use kernel::{
    debugfs::Scope,
    fmt,
    prelude::*,
    uaccess::UserSliceReader, //
};
use takeover::Takeover;

module! {
    type: RustDynptr,
    name: "rust_dynptr",
    authors: ["The rust_dynptr developers"],
    description: "BPF dynptrs and ring buffer in Rust, in place of the kernel's C code",
    license: "GPL",
    params: {
        count: bool {
            default: false,
            description: "Count hits from the start (see debugfs rust_dynptr/takeover)",
        },
        heap_red_zones: bool {
            default: false,
            description: "Look for writes behind and after heap dynptrs' memory (slow; see debugfs rust_dynptr/heap)",
        },
    },
}

/// The loaded module.
#[pin_data]
struct RustDynptr {
    #[pin]
    takeover: Scope<Takeover>,
}

impl kernel::InPlaceModule for RustDynptr {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            takeover <- Scope::dir(
                // Lazily, in place: nothing after it can fail.
                pin_init::init_scope(move || -> Result<Result<Takeover>> {
                    #[cfg(rust_dynptr_faults)]
                    glue::planted::bugs()?;
                    glue::heap::use_red_zones(module_parameters::heap_red_zones.value());
                    let takeover = Takeover::new(module, module_parameters::count.value())?;
                    pr_info!("{} C functions taken over\n", table::Row::REPLACED);
                    Ok(Ok(takeover))
                }),
                c"rust_dynptr",
                |takeover, dir| {
                    dir.read_callback_file(c"takeover", takeover, &Takeover::show);
                    dir.read_callback_file(c"programs", takeover, &Takeover::show_programs);
                    dir.read_callback_file(c"heap", takeover, &show_heap);
                    dir.read_callback_file(c"iterators", takeover, &show_iterators);
                    dir.read_callback_file(c"rings", takeover, &show_rings);
                    dir.read_callback_file(c"strings", takeover, &show_strings);
                    dir.read_callback_file(c"soundness", takeover, &show_soundness);
                    dir.read_write_callback_file(
                        c"counting",
                        takeover,
                        &show_counting,
                        &write_counting,
                    );
                },
            ),
        })
    }
}

/// debugfs `heap`: see [`glue::heap::show`].
fn show_heap(_: &Takeover, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    glue::heap::show(f)
}

/// debugfs `iterators`: see [`stats::IterKfunc::show`].
fn show_iterators(_: &Takeover, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    stats::IterKfunc::show(f)
}

/// debugfs `rings`: see [`glue::ring_map::show`].
fn show_rings(_: &Takeover, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    glue::ring_map::show(f)
}

/// debugfs `strings`: see [`stats::StringKfunc::show`].
fn show_strings(_: &Takeover, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    stats::StringKfunc::show(f)
}

/// debugfs `soundness`: see [`glue::judge::show`].
fn show_soundness(_: &Takeover, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    glue::judge::show(f)
}

/// debugfs `counting`: 1 if hits are counted.
fn show_counting(_: &Takeover, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "{}", u8::from(stats::counting()))
}

/// debugfs `counting`: 0 or 1.
///
/// # Errors
///
/// `EINVAL` for anything else; what ftrace gives.
fn write_counting(takeover: &Takeover, reader: &mut UserSliceReader) -> Result {
    let on = match reader.read::<u8>()? {
        b'0' => false,
        b'1' => true,
        _ => return Err(EINVAL),
    };
    takeover.set_counting(on)
}
