// SPDX-License-Identifier: GPL-2.0

//! The end of a frame that has dynptrs, against what is to hold: every pointer into memory that a reference owns
//! is reachable from that reference, in every state.

use crate::{
    release::{
        all_places,
        any_state,
        descendants,
        place,
        slice, //
    },
    state::{
        Frame,
        State,
        LOCAL,
        RINGBUF, //
    }, //
};
use proptest::prelude::*;
use rust_dynptr_host::logic::{
    codes::*,
    frame_end::frame_ends,
    objects::Part,
    reject::Reject,
    release::release,
    slot::Slot, //
};

/// A record of reference 1 in the caller's frame; in the callee's a clone, 4, and slices of it everywhere.
fn outlived() -> State {
    let mut state = State::with_slots(4);
    state.put_reference(1, 0);
    state.put_dynptr(0, 3, RINGBUF, 2, 1);
    state.frames[0].registers[6] = slice(5, 4);
    state.put_spilled(0, 1, slice(0, 4));
    state.frames[0].arguments = vec![slice(0, 4)];
    state.frames.push(Frame::new(4));
    state.put_dynptr(1, 1, RINGBUF, 4, 1);
    state.frames[1].registers[0] = slice(0, 4);
    state
}

/// The frame ends, and its result is in R0.
fn end(state: &mut State) {
    frame_ends(state, state.frames.len() as u32 - 1);
    let callee = state.frames.pop().unwrap();
    state.frames.last_mut().unwrap().registers[0] = callee.registers[0];
}

const PLACES: [(Part, i32); 4] = [
    (Part::Registers, 0),
    (Part::Registers, 6),
    (Part::Stack, 1),
    (Part::Arguments, 0),
];

#[test]
fn a_slice_belongs_to_what_its_dynptr_derived_from() {
    let mut state = outlived();
    end(&mut state);
    for (part, index) in PLACES {
        let object = state.at(place(0, part, index)).unwrap();
        assert_eq!((object.parent_id, object.owner), (4, 1));
    }
    assert_eq!(release(&mut state, 1), Ok(()));
    for (part, index) in PLACES {
        let object = state.at(place(0, part, index)).unwrap();
        assert_eq!((object.type_raw, object.owner), (SCALAR_VALUE, 0));
    }
}

#[test]
fn releasing_something_else_leaves_it() {
    let mut state = outlived();
    state.put_reference(9, 0);
    end(&mut state);
    assert_eq!(release(&mut state, 9), Ok(()));
    assert_eq!(
        state.at(place(0, Part::Registers, 6)).unwrap().type_raw,
        PTR_TO_MEM
    );
}

#[test]
fn memory_that_nobody_releases_has_no_owner() {
    let mut state = State::with_slots(0);
    state.frames.push(Frame::new(2));
    state.put_dynptr(1, 1, LOCAL, 4, 0);
    state.frames[1].registers[0] = slice(0, 4);
    end(&mut state);
    assert_eq!(state.at(place(0, Part::Registers, 0)).unwrap().owner, 0);
}

#[test]
fn no_other_pointer_gets_one() {
    let mut state = outlived();
    state.frames[0].registers[7] = slice(0, 4);
    state.frames[0].registers[7].type_raw = PTR_TO_PACKET;
    state.frames[0].registers[8] = slice(0, 2);
    end(&mut state);
    for index in [7, 8] {
        assert_eq!(state.at(place(0, Part::Registers, index)).unwrap().owner, 0);
    }
}

#[test]
fn a_frame_that_is_none_has_no_end() {
    let mut state = outlived();
    let before = state.clone();
    frame_ends(&mut state, 2);
    assert_eq!(state, before);
}

/// What derives from what, as the verifier has it: each dynptr has an identity of its own; dynptrs derive from references, slices from dynptrs, and from a slice or
/// another register nothing. There is a caller.
fn as_the_verifier_has_it(mut state: State) -> State {
    if state.frames.len() == 1 {
        state.insert_frame(4);
    }
    let mut dynptrs = Vec::new();
    for frame in &mut state.frames {
        for pair in frame.slots.chunks_mut(2).filter(|pair| pair[0].is_dynptr()) {
            if dynptrs.contains(&pair[0].mark.id) {
                pair.fill(Slot::default());
            } else {
                dynptrs.push(pair[0].mark.id);
            }
        }
    }
    for frame in &mut state.frames {
        for slot in &mut frame.slots {
            if !slot.is_dynptr() {
                slot.mark.id = 0;
            } else if dynptrs.contains(&slot.mark.parent_id) {
                slot.mark.parent_id = 0;
            }
        }
        for reg in frame.registers.iter_mut().chain(&mut frame.arguments) {
            reg.id = 0;
        }
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn a_release_finds_all_slices_whatever_frame_has_ended(state in any_state(), id in 1..7u32) {
        let state = as_the_verifier_has_it(state);
        let gone = descendants(&state, id);
        let mut after = state.clone();
        frame_ends(&mut after, state.frames.len() as u32 - 1);
        after.frames.pop();
        let kept = after.clone();
        if let Err(reject) = release(&mut after, id) {
            let is_leak = matches!(reject, Reject::ChildLeaks { .. });
            prop_assert!(is_leak);
            return Ok(());
        }
        for place in all_places(&kept) {
            let before = state.at(place).unwrap();
            if !before.is_slice() {
                continue;
            }
            let now = after.at(place).unwrap();
            let is_gone = gone.contains(&before.id)
                || before.parent_id != 0 && gone.contains(&before.parent_id);
            prop_assert_eq!(now.type_raw == SCALAR_VALUE, is_gone, "{:?}", place);
        }
    }
}
