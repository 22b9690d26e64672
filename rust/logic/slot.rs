// SPDX-License-Identifier: GPL-2.0

//! Decisions on stack slots that hold a dynptr, answering to `srctree/kernel/bpf/verifier.c`:
//! `destroy_if_dynptr_stack_slot()`, `dynptr_ref_cnt()`, `dynptr_type_referenced()`.
//!
//! A stack slot has 8 bytes and an index, `spi`, that grows downwards from 0. A dynptr takes two:
//! its first slot at `spi`, its second at `spi - 1`. Decisions come back as plain data; `glue::env`
//! applies them.

use super::{
    dynptr::Class,
    reject::Reject, //
};

/// A slot that belongs to a dynptr, as the verifier marked it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DynptrSlot {
    /// This is the dynptr's first slot.
    pub first: bool,
    /// `enum bpf_dynptr_type`.
    pub class_raw: u32,
    /// Identity of the dynptr; what derives from it has it as its parent.
    pub id: u32,
    /// Identity of the reference or object that it derives from, or 0.
    pub parent_id: u32,
}

/// The verifier's current state, read-only.
pub trait StackView {
    /// The slot `spi` of the frame in question: `Ok(None)` if it belongs to no dynptr.
    ///
    /// # Errors
    ///
    /// [`Reject::BadSlot`] if the frame has no such slot.
    fn dynptr_slot(&self, spi: i32) -> Result<Option<DynptrSlot>, Reject>;

    /// The number of dynptrs in all frames, counted by first slots, whose parent is `parent_id`.
    fn dynptrs_of_parent(&self, parent_id: u32) -> u32;
}

/// What a write to a slot does to the dynptr there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destroy {
    /// There is none.
    Nothing,
    /// Invalidate the dynptr `id` and all that derives from it; then mark its two slots, `spi` and
    /// `spi - 1`, as changed for the log.
    Release {
        /// The dynptr's identity.
        id: u32,
        /// Its first slot.
        spi: i32,
    },
}

/// Whether dynptrs of this class own or protect a reference that must be released.
pub fn is_referenced(class_raw: u32) -> bool {
    matches!(
        Class::from_raw(class_raw),
        Some(Class::Ringbuf | Class::File)
    )
}

/// What happens when slot `spi` is overwritten.
///
/// # Errors
///
/// [`Reject::OverwriteReferenced`] if this dynptr is the last that can release its reference.
pub fn destroy<S: StackView>(stack: &S, spi: i32) -> Result<Destroy, Reject> {
    let Some(slot) = stack.dynptr_slot(spi)? else {
        return Ok(Destroy::Nothing);
    };
    let (spi, slot) = if slot.first {
        (spi, slot)
    } else {
        let spi = spi.wrapping_add(1);
        (spi, stack.dynptr_slot(spi)?.ok_or(Reject::BadSlot)?)
    };
    if is_referenced(slot.class_raw) && stack.dynptrs_of_parent(slot.parent_id) <= 1 {
        return Err(Reject::OverwriteReferenced);
    }
    Ok(Destroy::Release { id: slot.id, spi })
}
