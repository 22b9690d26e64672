// SPDX-License-Identifier: GPL-2.0

//! Releasing a reference or an object with all that derives from it, answering to
//! `release_reference()` and `release_reg()` of `srctree/kernel/bpf/verifier.c`.
//!
//! Objects form a forest by their identities: a slice's parent is its dynptr, a dynptr's may be a
//! reference, a reference's may be another. What derives from something released is void: registers
//! become unusable, stack slots of dynptrs empty. A reference must not be among it: the program could
//! never release that one. A slice whose dynptr is gone derives from its owner ([`super::frame_end`]).

use super::{
    codes::{
        REF_TYPE_PTR,
        SCALAR_VALUE, //
    },
    objects::{
        Objects,
        Place,
        Walk,
        What, //
    },
    reject::Reject,
    slot::Offset, //
};

/// A reference that the program holds: `struct bpf_reference_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// `enum ref_state_type`.
    pub kind: u32,
    /// Its identity.
    pub id: i32,
    /// The instruction that acquired it.
    pub insn: i32,
    /// What it derives from, if it is a pointer.
    pub parent_id: i32,
}

impl Reference {
    fn is_pointer(&self) -> bool {
        self.kind == REF_TYPE_PTR
    }
}

/// The references that the program holds, in the order of their acquisition.
pub trait References {
    /// Reference `index`, `None` after the last.
    fn reference(&self, index: u32) -> Option<Reference>;

    /// Removes reference `index`, which is there; the order of the others stays.
    fn remove_reference(&mut self, index: u32);

    /// Reference `index`, which is there and to a pointer, derives from `parent_id` from now on.
    fn set_parent(&mut self, index: u32, parent_id: i32);

    /// Tells the diagnostics that the reference `id` was released by the current instruction.
    fn record_release(&mut self, id: i32);
}

/// A stack of identities: `struct bpf_idmap` as `idstack_push()` and `idstack_pop()` use it. It is
/// too large for the kernel's own stack.
pub trait Ids {
    /// Empties it.
    fn clear(&mut self);

    /// Puts `id` on top, unless it is in there; 0 is none.
    ///
    /// # Errors
    ///
    /// [`Reject::TooManyIds`] if it is full.
    fn push(&mut self, id: u32) -> Result<(), Reject>;

    /// Takes the top.
    fn pop(&mut self) -> Option<u32>;
}

/// Making objects void.
pub trait Invalidate {
    /// The register, spilled register or argument at `place` must not be used any more.
    fn invalidate_register(&mut self, place: Place);

    /// The dynptr whose first slot is `spi` is gone from the frame.
    ///
    /// # Errors
    ///
    /// [`Reject::BadSlot`] if the frame has no such slots.
    fn invalidate_dynptr(&mut self, frame: u32, spi: i32) -> Result<(), Reject>;
}

/// The reference `id`, if the program holds it: its index.
pub fn find<S: References>(state: &S, id: i32) -> Option<u32> {
    let mut index = 0u32;
    while let Some(reference) = state.reference(index) {
        if reference.is_pointer() && reference.id == id {
            return Some(index);
        }
        index = index.wrapping_add(1);
    }
    None
}

/// The program no longer holds the reference `id`; nothing is invalidated:
/// `release_reference_nomark()`.
///
/// # Errors
///
/// [`Reject::NoReference`] if it did not hold it.
pub fn forget<S: References>(state: &mut S, id: i32) -> Result<(), Reject> {
    let index = find(state, id).ok_or(Reject::NoReference)?;
    state.remove_reference(index);
    state.record_release(id);
    Ok(())
}

/// Releases the reference or object `id` and invalidates what derives from it, at any depth. The
/// objects themselves go in C's order: depth first, a level's in the order of the walk.
///
/// # Errors
///
/// [`Reject::ChildLeaks`] if a reference derives from it; [`Reject::TooManyIds`];
/// [`Reject::BadSlot`]. The state is changed in part then; the program is refused.
pub fn release<S>(state: &mut S, id: u32) -> Result<(), Reject>
where
    S: References + Objects + Ids + Invalidate,
{
    state.clear();
    state.push(id)?;
    if find(state, id as i32).is_some() {
        forget(state, id as i32)?;
    }
    while let Some(id) = state.pop() {
        no_child_reference(state, id as i32)?;
        invalidate_level(state, id)?;
    }
    Ok(())
}

/// References that derive from `id` could not be reached any more: they would leak.
fn no_child_reference<S: References>(state: &S, id: i32) -> Result<(), Reject> {
    let mut index = 0u32;
    while let Some(child) = state.reference(index) {
        if child.is_pointer() && child.parent_id == id {
            return Err(Reject::ChildLeaks {
                id: child.id,
                insn: child.insn,
            });
        }
        index = index.wrapping_add(1);
    }
    Ok(())
}

/// Invalidates the objects that are `id`, which is not 0, or derive from it directly; the latter's
/// identities wait for their turn.
fn invalidate_level<S>(state: &mut S, id: u32) -> Result<(), Reject>
where
    S: Objects + Ids + Invalidate,
{
    let mut walk = Walk::new(state);
    while let Some((place, object)) = walk.next(state) {
        let derives = object.parent_id == id || object.owner == id;
        if object.id != id && !derives {
            continue;
        }
        if derives {
            state.push(object.id)?;
        }
        match object.what {
            What::Register => state.invalidate_register(place),
            What::Dynptr { first } => {
                let spi = place.index.wrapping_add(i32::from(!first));
                state.invalidate_dynptr(place.frame, spi)?;
            }
        }
    }
    Ok(())
}

/// How a register's object is released by the call that it is an argument of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// It is NULL: not at all.
    Nothing,
    /// The dynptr that it points to.
    Dynptr,
    /// Its reference turns into RCU protection.
    ToRcu,
    /// Its reference.
    Reference,
    /// It has none: [`Reject::NoReference`].
    NoReference,
}

/// How a register's object is released: `release_reg()`. `type_raw` and `offset` are the register's;
/// `to_rcu` and `dynptr` say what the call does; `referenced` that the program holds a reference to it.
pub fn how(type_raw: u32, offset: Offset, to_rcu: bool, dynptr: bool, referenced: bool) -> Release {
    let null = Offset { value: 0, mask: 0 };
    if type_raw == SCALAR_VALUE && offset == null {
        Release::Nothing
    } else if dynptr {
        Release::Dynptr
    } else if to_rcu {
        Release::ToRcu
    } else if referenced {
        Release::Reference
    } else {
        Release::NoReference
    }
}
