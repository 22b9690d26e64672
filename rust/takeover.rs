// SPDX-License-Identifier: GPL-2.0

//! Takes the C functions of the table over when the module is loaded, and gives them back.
//!
//! Order at load: check every row against the kernel's BTF, then jumps, probes, the binding of new
//! programs, the ends of frames, then the livepatch, which cannot be undone from here. A step that fails names its
//! function and undoes the steps before it. Order at unload: user space has disabled the livepatch
//! (it pins the module until then); no bound program is left (each pins the module); what remains,
//! binding, probes and jumps, is undone here. Unregistering an ftrace hook waits until nobody executes
//! the Rust function any more. Tasks that sleep in one are waited for after that: sleepable programs by
//! [`wait_for_sleepers`](crate::glue::module::wait_for_sleepers), others by [`wait_for_visits`].

mod bind;
mod frames;
mod hook;
mod jump;
mod patch;
mod probe;

use crate::{
    bindings,
    entry,
    glue::{
        btf::KernelBtf,
        faults,
        heap,
        module::{
            wait_for_visits,
            ModuleRef, //
        },
        own_kfuncs,
        programs::Program, //
    },
    stats,
    table::{
        Kind,
        Row, //
    }, //
};
use bind::Bind;
use core::ffi::CStr;
use frames::Frames;
use jump::Jumps;
use kernel::{
    ffi::c_ulong,
    fmt,
    macros::paste,
    prelude::*, //
};
use patch::Patch;
use probe::Probes;

macro_rules! define_addresses {
    ($($kind:ident $name:ident, $proto:literal, $source:literal;)*) => {
        paste! {
            /// The address of the Rust function that replaces `row`; 0 for those of the kinds *hold* and *hook*.
            fn plain_address(row: Row) -> usize {
                match row {
                    $(Row::$name => define_addresses!(@address $kind $name),)*
                }
            }
        }
    };
    (@address hook $name:ident) => { 0 };
    (@address hold $name:ident) => { 0 };
    (@address $kind:ident $name:ident) => { paste! { entry::[<rust_ $name>] as usize } };
}
takeover_rows!(define_addresses);

/// The address that stands in for the C function of `row`: the Rust function, or its counting stub.
fn rust_address(row: Row, counted: bool) -> usize {
    if counted {
        stats::stub(row)
    } else {
        plain_address(row)
    }
}

/// The address of the C function of `row`. The build has checked that its name is unique.
///
/// # Errors
///
/// `ENOENT` if the kernel has none; the log says so.
fn c_address(row: Row) -> Result<usize> {
    let name = CStr::from_bytes_with_nul(row.c_name()).map_err(|_| EINVAL)?;
    address_of(name)
}

/// The address of the kernel's function of this name.
///
/// # Errors
///
/// `ENOENT` if there is none; the log says so.
fn address_of(name: &CStr) -> Result<usize> {
    // SAFETY: `name` ends with a NUL.
    match unsafe { bindings::kallsyms_lookup_name(name.as_char_ptr()) } {
        0 => {
            let name = name.to_str().unwrap_or("?");
            pr_err!("{name}: this kernel has no such function\n");
            Err(ENOENT)
        }
        address => Ok(address),
    }
}

/// Where ftrace may patch the entry of the C function at `address`, of this name.
///
/// # Errors
///
/// `ENOENT` if it cannot be traced; the log says so.
fn traced_entry(name: &str, address: usize) -> Result<c_ulong> {
    // SAFETY: A lookup by address.
    match unsafe { bindings::ftrace_location(address as c_ulong) } {
        0 => {
            pr_err!("{name}: this kernel has no such traceable function\n");
            Err(ENOENT)
        }
        entry => Ok(entry),
    }
}

/// Rows of one kind.
fn rows_of(kind: Kind) -> impl Iterator<Item = Row> {
    Row::ALL
        .iter()
        .copied()
        .filter(move |row| row.kind() == kind)
}

kernel::sync::global_lock! {
    // SAFETY: Initialised in `Takeover::new`, before anybody can lock it.
    unsafe(uninit) static COUNTING_TURN: Mutex<()> = ();
}

/// Everything that is taken over while it lives.
pub(crate) struct Takeover {
    // Fields are dropped in this order.
    patch: Patch,
    _frames: Frames,
    _bind: Bind,
    probes: Probes,
    jumps: Jumps,
    _visits: Visits,
    module: ModuleRef,
}

/// Waits for who is still in Rust, when all else has been undone.
struct Visits;

impl Drop for Visits {
    fn drop(&mut self) {
        wait_for_visits();
        heap::wait_for_frees();
    }
}

impl Takeover {
    /// Takes over all rows of the table; with `count`, hits are counted from the start.
    ///
    /// # Errors
    ///
    /// Says in the kernel log which function it was. `ENOENT`: the kernel has no such function, or
    /// it cannot be traced. `EPROTO`: its prototype is another. `EBUSY`: somebody traces or patches
    /// it already. `ENOMEM`.
    pub(crate) fn new(module: &'static ThisModule, count: bool) -> Result<Self> {
        // SAFETY: The module is loaded once.
        unsafe { COUNTING_TURN.init() };
        let module = ModuleRef::new(module);
        let mut btf = Err(ENOENT);
        faults::step()?;
        for row in Row::ALL.iter().copied() {
            btf = Ok(KernelBtf::check(row)?);
        }
        let visits = Visits;
        faults::step()?;
        let jumps = Jumps::new()?;
        if count {
            faults::step()?;
            jumps.set_counted(true)?;
            stats::set_counting(true);
        }
        let probes = Probes::new()?;
        let bind = Bind::new(module, btf?.into_inner())?;
        faults::step()?;
        let frames = Frames::new()?;
        faults::step()?;
        own_kfuncs::register()?;
        let patch = Patch::new(module)?;
        Ok(Self {
            patch,
            _frames: frames,
            _bind: bind,
            probes,
            jumps,
            _visits: visits,
            module,
        })
    }

    fn state(&self, row: Row) -> &'static str {
        match row.kind() {
            Kind::jump => "active",
            Kind::bind => "active for programs loaded since",
            Kind::probe if self.probes.is_armed(row) => "active",
            Kind::probe => "off: kprobe disarmed",
            Kind::patch | Kind::hold if !self.patch.is_enabled() => "off: livepatch disabled",
            Kind::patch | Kind::hold if !self.patch.is_alone(row) => {
                "shared: another livepatch is on it"
            }
            Kind::patch | Kind::hold | Kind::hook => "active",
        }
    }

    /// Counts hits from now on, or no more; see [`stats`] for bound programs. May sleep.
    ///
    /// # Errors
    ///
    /// What ftrace gives; *jump* rows are counted as before then.
    pub(crate) fn set_counting(&self, on: bool) -> Result {
        let _turn = COUNTING_TURN.lock();
        self.jumps.set_counted(on)?;
        stats::set_counting(on);
        Ok(())
    }

    /// debugfs `takeover`: a line a row: C name, kind, hits, state.
    pub(crate) fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in Row::ALL.iter().copied() {
            writeln!(
                f,
                "{:<32} {:<6} {:>12} {}",
                row.name(),
                row.kind().name(),
                stats::hits(row),
                self.state(row)
            )?;
        }
        Ok(())
    }

    /// debugfs `programs`: a line a bound program: id and name. These pin the module.
    pub(crate) fn show_programs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut id = 1;
        while let Some(program) = Program::at_or_after(&mut id) {
            if program.holds(self.module) {
                let name = program.name();
                let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
                writeln!(f, "{id} {}", core::str::from_utf8(name).unwrap_or("?"))?;
            }
            let Some(next) = id.checked_add(1) else { break };
            id = next;
        }
        Ok(())
    }
}
