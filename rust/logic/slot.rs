// SPDX-License-Identifier: GPL-2.0

//! Stack slots that hold a dynptr: where one may be, and what a write to one does. Answers to
//! `srctree/kernel/bpf/verifier.c`: `stack_slot_obj_get_spi()`, `destroy_if_dynptr_stack_slot()`,
//! `dynptr_ref_cnt()`, `dynptr_type_referenced()`, `is_stack_slot_special()`, and `dynptr_type_str()` of
//! `log.c`.
//!
//! A stack slot has 8 bytes and an index, `spi`, that grows downwards from 0. A dynptr takes two:
//! its first slot at `spi`, its second at `spi - 1`. Decisions come back as plain data; `glue::env`
//! applies them. docs/dynptr-lifetime.md is the whole state machine.

use super::{
    codes::{
        DYNPTR_SLOTS,
        SLOT_BYTES,
        STACK_DYNPTR,
        STACK_INVALID,
        STACK_IRQ_FLAG,
        STACK_ITER,
        STACK_MISC,
        STACK_POISON,
        STACK_SPILL,
        STACK_ZERO, //
    },
    dynptr::Class,
    reject::Reject, //
};
use core::ffi::CStr;

/// The number that stands for heap dynptrs where types are compared and named. `enum bpf_dynptr_type`
/// ends before it, and it is never written to the verifier's state: there, a heap dynptr is
/// [`Class::Local`] with a parent, the reference that the program must release. No other local dynptr has
/// one: its memory is a map value's, and those are not referenced.
pub const HEAP_RAW: u32 = 7;

/// What the verifier knows of a dynptr: in each of its stack slots, and in a register that points to
/// a const one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// This is the dynptr's first slot.
    pub first: bool,
    /// `enum bpf_dynptr_type`.
    pub class_raw: u32,
    /// Identity of the dynptr; what derives from it has it as its parent.
    pub id: u32,
    /// Identity of the reference or object that it derives from, or 0.
    pub parent_id: u32,
}

impl Mark {
    /// `enum bpf_dynptr_type`, or [`HEAP_RAW`].
    pub fn type_raw(&self) -> u32 {
        if self.class_raw == Class::Local.to_raw() && self.parent_id != 0 {
            HEAP_RAW
        } else {
            self.class_raw
        }
    }

    /// Whether the dynptr owns or protects a reference that must be released.
    pub fn is_referenced(&self) -> bool {
        is_referenced(self.type_raw())
    }
}

/// A stack slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// What each of its bytes holds: the `STACK_*` of [`codes`](super::codes).
    pub types: [u8; SLOT_BYTES as usize],
    /// Its mark, which means something only if a dynptr is there.
    pub mark: Mark,
}

impl Slot {
    /// Whether a dynptr is there. All bytes say so or none: the first speaks for them.
    pub fn is_dynptr(&self) -> bool {
        self.types.first() == Some(&STACK_DYNPTR)
    }

    /// Whether every byte says that a dynptr is there.
    pub fn is_whole_dynptr(&self) -> bool {
        self.types.iter().all(|byte| *byte == STACK_DYNPTR)
    }

    /// The reference or object to release when the program releases the dynptr of this first slot:
    /// what it holds, with all that shares it, or, if it holds nothing, itself.
    pub fn released_id(&self) -> u32 {
        if self.mark.is_referenced() {
            self.mark.parent_id
        } else {
            self.mark.id
        }
    }
}

/// The stack of a frame, read-only.
pub trait Stack {
    /// The number of slots that the frame has so far.
    fn slots(&self) -> i32;

    /// The slot `spi`.
    ///
    /// # Errors
    ///
    /// [`Reject::BadSlot`] if the frame has no such slot.
    fn slot(&self, spi: i32) -> Result<Slot, Reject>;
}

/// The verifier's current state, read-only.
pub trait State: Stack {
    /// The number of dynptrs in all frames, counted by first slots, whose parent is `parent_id`.
    fn dynptrs_of_parent(&self, parent_id: u32) -> u32;
}

/// What a register may add to the address that it points to: `var_off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// The bits that are known.
    pub value: u64,
    /// The bits that are not.
    pub mask: u64,
}

/// Why there is no stack slot for an object where a register points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// The offset is not a constant.
    NotConstant,
    /// The offset, in bytes from the frame pointer, is not that of a slot or leaves too little room.
    BadOffset(i32),
    /// The slots are not part of the stack yet. Not an error for who is about to write there.
    OutOfStack,
}

/// The first slot of an object of `count` slots that a register with `offset` points to, in a frame
/// that has `slots`.
///
/// # Errors
///
/// See [`NoPlace`].
pub fn place(offset: Offset, count: i32, slots: i32) -> Result<i32, NoPlace> {
    if offset.mask != 0 {
        return Err(NoPlace::NotConstant);
    }
    // As C: the low 32 bits.
    let bytes = offset.value as i32;
    if bytes >= 0 || bytes % SLOT_BYTES != 0 {
        return Err(NoPlace::BadOffset(bytes));
    }
    let spi = (!bytes) / SLOT_BYTES;
    if spi.wrapping_add(1) < count {
        return Err(NoPlace::BadOffset(bytes));
    }
    let last = spi.wrapping_sub(count).wrapping_add(1);
    if last >= 0 && spi < slots {
        Ok(spi)
    } else {
        Err(NoPlace::OutOfStack)
    }
}

/// The first slot of a dynptr that a register with `offset` points to.
///
/// # Errors
///
/// See [`NoPlace`].
pub fn dynptr_place<S: Stack>(offset: Offset, stack: &S) -> Result<i32, NoPlace> {
    place(offset, DYNPTR_SLOTS, stack.slots())
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

/// Whether dynptrs of this type ([`Mark::type_raw`]) own or protect a reference that must be released.
pub fn is_referenced(type_raw: u32) -> bool {
    type_raw == HEAP_RAW
        || matches!(
            Class::from_raw(type_raw),
            Some(Class::Ringbuf | Class::File)
        )
}

/// What happens when slot `spi` is overwritten.
///
/// # Errors
///
/// [`Reject::OverwriteReferenced`] if this dynptr is the last that can release its reference.
pub fn destroy<S: State>(state: &S, spi: i32) -> Result<Destroy, Reject> {
    let slot = state.slot(spi)?;
    if !slot.is_dynptr() {
        return Ok(Destroy::Nothing);
    }
    let (spi, mark) = if slot.mark.first {
        (spi, slot.mark)
    } else {
        let spi = spi.wrapping_add(1);
        (spi, state.slot(spi)?.mark)
    };
    if mark.is_referenced() && state.dynptrs_of_parent(mark.parent_id) <= 1 {
        return Err(Reject::OverwriteReferenced);
    }
    Ok(Destroy::Release { id: mark.id, spi })
}

/// What a slot's bytes become when data is written over some of them: special ones (a spilled
/// register, a dynptr, an iterator, IRQ flags, as its last byte says) turn into plain data, so that
/// nothing of the object is left. `None` if the type is none that the verifier has.
pub fn scrub(types: [u8; SLOT_BYTES as usize]) -> Option<[u8; SLOT_BYTES as usize]> {
    match types.last() {
        Some(&(STACK_SPILL | STACK_DYNPTR | STACK_ITER | STACK_IRQ_FLAG)) => Some(to_data(types)),
        Some(&(STACK_INVALID | STACK_POISON | STACK_MISC | STACK_ZERO)) => Some(types),
        _ => None,
    }
}

/// Bytes that hold something hold plain data now: `scrub_spilled_slot()` for each.
pub fn to_data(types: [u8; SLOT_BYTES as usize]) -> [u8; SLOT_BYTES as usize] {
    types.map(|byte| match byte {
        STACK_INVALID | STACK_POISON => byte,
        _ => STACK_MISC,
    })
}

/// The name of `enum bpf_dynptr_type` in the log. `None` if the number names none.
pub const fn type_name(class_raw: u32) -> Option<&'static CStr> {
    Some(match (Class::from_raw(class_raw), class_raw) {
        (Some(Class::Local), _) => c"local",
        (Some(Class::Ringbuf), _) => c"ringbuf",
        (Some(Class::Skb), _) => c"skb",
        (Some(Class::Xdp), _) => c"xdp",
        (Some(Class::SkbMeta), _) => c"skb_meta",
        (Some(Class::File), _) => c"file",
        (None, 0) => c"<invalid>",
        (None, _) => return None,
    })
}
