// SPDX-License-Identifier: GPL-2.0

//! What becomes of slices when the frame of their dynptr ends: answers to `prepare_func_exit()` of
//! `srctree/kernel/bpf/verifier.c`, which frees the frame, and to nothing else in C.
//!
//! A slice's parent is its dynptr. The frame's end takes the dynptr away without overwriting it, and with it
//! what leads from the reference that owns the memory to the slice: its release would not find the slice.
//! So the slice gets an *owner*: what its dynptr derived from. Releasing that takes the slice along
//! ([`super::release`]). Its parent stays what it was, as it is part of the log.
//!
//! The owner is where the verifier compares it when paths meet, and renames it together with the
//! references: two states with different owners are two states.

use super::{
    codes::{
        BASE_TYPE,
        PTR_TO_MEM, //
    },
    objects::{
        Object,
        Objects,
        Part,
        Place,
        Walk,
        What, //
    }, //
};

/// Slices that can be given an owner.
pub trait Owners: Objects {
    /// The slice at `place` belongs to `owner` from now on, which is not 0.
    fn set_owner(&mut self, place: Place, owner: u32);
}

impl Object {
    /// Whether it is a slice, or may be: no other pointer to plain memory derives from a dynptr.
    pub fn is_slice(&self) -> bool {
        self.what == What::Register && self.type_raw & BASE_TYPE == PTR_TO_MEM
    }
}

/// Frame `number`, the innermost, is about to end: slices of its dynptrs get what those derive from as their
/// owner, in all frames. A dynptr that derives from nothing has memory that nobody releases.
pub fn frame_ends<S: Owners>(state: &mut S, number: u32) {
    let Some(frame) = state.frame(number) else {
        return;
    };
    for index in 0..state.places(frame, Part::Stack) {
        let Some(object) = state.object(frame, Part::Stack, index) else {
            continue;
        };
        if object.what == (What::Dynptr { first: true }) && object.parent_id != 0 {
            own_slices(state, object.id, object.parent_id);
        }
    }
}

/// The slices of the dynptr `id` belong to `owner`.
fn own_slices<S: Owners>(state: &mut S, id: u32, owner: u32) {
    let mut walk = Walk::new(state);
    while let Some((place, object)) = walk.next(state) {
        if object.is_slice() && object.parent_id == id {
            state.set_owner(place, owner);
        }
    }
}
