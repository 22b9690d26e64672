// SPDX-License-Identifier: GPL-2.0

//! Releasing references and what derives from them, against `release_reference()`, `release_reg()`,
//! `release_reference_nomark()` and `clear_all_pkt_pointers()`.

use crate::state;
use crate::state::{
    Frame,
    Reg,
    State,
    LOCAL,
    RINGBUF, //
};
use proptest::prelude::*;
use rust_dynptr_host::logic::{
    codes::*,
    objects::{
        Object,
        Part,
        Place,
        Walk,
        What, //
    },
    reject::Reject,
    release::{
        find,
        forget,
        how,
        release,
        Release, //
    },
    slot::Offset, //
};
use std::collections::BTreeSet;

pub fn slice(id: u32, parent_id: u32) -> Reg {
    Reg {
        type_raw: PTR_TO_MEM,
        id,
        parent_id,
        owner: 0,
    }
}

pub fn place(frame: u32, part: Part, index: i32) -> Place {
    Place { frame, part, index }
}

/// A ring buffer dynptr over reference 1, its clone in the caller's frame, and slices of both.
fn ringbuf() -> State {
    let mut state = State::with_slots(8);
    state.put_reference(1, 0);
    state.put_dynptr(0, 3, RINGBUF, 2, 1);
    state.frames[0].registers[6] = slice(3, 2);
    state.frames.push(Frame::new(8));
    state.put_dynptr(1, 1, RINGBUF, 4, 1);
    state.put_spilled(1, 5, slice(5, 4));
    state.frames[1].arguments = vec![Reg::default(), slice(6, 4)];
    state
}

#[test]
fn a_reference_takes_dynptrs_clones_and_slices_along() {
    let mut state = ringbuf();
    assert_eq!(release(&mut state, 1), Ok(()));
    assert!(state.references.is_empty());
    assert_eq!(state.released, [1]);
    // Depth first: the last dynptr found is the first whose slices go.
    let expected = [
        (place(0, Part::Stack, 3), true),
        (place(1, Part::Stack, 1), true),
        (place(1, Part::Stack, 5), false),
        (place(1, Part::Arguments, 1), false),
        (place(0, Part::Registers, 6), false),
    ];
    assert_eq!(state.invalidated, expected);
}

#[test]
fn a_dynptr_takes_its_slices_only() {
    let mut state = ringbuf();
    assert_eq!(release(&mut state, 4), Ok(()));
    assert_eq!(state.references.len(), 1);
    assert!(state.released.is_empty());
    let expected = [
        (place(1, Part::Stack, 1), true),
        (place(1, Part::Stack, 5), false),
        (place(1, Part::Arguments, 1), false),
    ];
    assert_eq!(state.invalidated, expected);
}

#[test]
fn a_child_reference_would_leak() {
    // A file, a file dynptr's reference that derives from it, and the dynptr.
    let mut state = State::with_slots(2);
    state.put_reference(1, 0);
    state.put_reference(2, 1);
    state.put_dynptr(0, 1, state::FILE, 3, 2);
    assert_eq!(
        release(&mut state, 1),
        Err(Reject::ChildLeaks { id: 2, insn: 20 })
    );
    // The other way round is the right one.
    let mut state = State::with_slots(2);
    state.put_reference(1, 0);
    state.put_reference(2, 1);
    state.put_dynptr(0, 1, state::FILE, 3, 2);
    assert_eq!(release(&mut state, 2), Ok(()));
    assert_eq!(release(&mut state, 1), Ok(()));
    assert!(state.references.is_empty());
}

#[test]
fn locks_are_no_references_to_objects() {
    let mut state = State::with_slots(0);
    state.put_reference(7, 0);
    state.references[0].kind = REF_TYPE_PTR << 1;
    assert_eq!(find(&state, 7), None);
    assert_eq!(forget(&mut state, 7), Err(Reject::NoReference));
    state.references[0].parent_id = 9;
    assert_eq!(release(&mut state, 9), Ok(()));
    assert_eq!(state.references.len(), 1);
}

#[test]
fn forgetting_keeps_the_order_and_the_objects() {
    let mut state = ringbuf();
    state.put_reference(8, 0);
    state.put_reference(9, 0);
    assert_eq!(forget(&mut state, 8), Ok(()));
    let left: Vec<_> = state.references.iter().map(|r| r.id).collect();
    assert_eq!(left, [1, 9]);
    assert!(state.invalidated.is_empty());
    assert_eq!(state.released, [8]);
}

#[test]
fn nothing_derives_from_zero() {
    let mut state = ringbuf();
    assert_eq!(release(&mut state, 0), Ok(()));
    assert!(state.invalidated.is_empty());
}

#[test]
fn too_many_identities_are_a_bug() {
    let slots = 2 * (state::IDS + 1);
    let mut state = State::with_slots(slots);
    for n in 0..=state::IDS {
        state.put_dynptr(0, 2 * n + 1, LOCAL, 100 + n as u32, 1);
    }
    assert_eq!(release(&mut state, 1), Err(Reject::TooManyIds));
}

#[test]
fn how_a_register_is_released() {
    let null = Offset { value: 0, mask: 0 };
    let unknown = Offset {
        value: 0,
        mask: u64::MAX,
    };
    for to_rcu in [false, true] {
        for dynptr in [false, true] {
            for referenced in [false, true] {
                let of = |type_raw, offset| how(type_raw, offset, to_rcu, dynptr, referenced);
                assert_eq!(of(SCALAR_VALUE, null), Release::Nothing);
                let expected = match (dynptr, to_rcu, referenced) {
                    (true, _, _) => Release::Dynptr,
                    (_, true, _) => Release::ToRcu,
                    (_, _, true) => Release::Reference,
                    _ => Release::NoReference,
                };
                assert_eq!(of(SCALAR_VALUE, unknown), expected);
                assert_eq!(of(PTR_TO_STACK, null), expected);
            }
        }
    }
}

#[test]
fn what_points_into_a_packet() {
    let object = |what, type_raw| Object {
        what,
        type_raw,
        id: 0,
        parent_id: 0,
        owner: 0,
    };
    let maybe_null = 1 << 8;
    for (type_raw, expected) in [
        (PTR_TO_PACKET, true),
        (PTR_TO_PACKET_META, true),
        (PTR_TO_PACKET_END, true),
        (PTR_TO_PACKET | maybe_null, true),
        (PTR_TO_PACKET_END | maybe_null, false),
        (PTR_TO_MEM, false),
        (PTR_TO_MEM | maybe_null | DYNPTR_TYPE_SKB, true),
        (PTR_TO_MEM | DYNPTR_TYPE_XDP, true),
        (PTR_TO_MEM | DYNPTR_TYPE_SKB_META, true),
        (PTR_TO_MEM | DYNPTR_TYPE_LOCAL, false),
        (PTR_TO_MEM | DYNPTR_TYPE_RINGBUF, false),
        (PTR_TO_MEM | DYNPTR_TYPE_FILE, false),
        (PTR_TO_STACK | DYNPTR_TYPE_SKB, false),
        (SCALAR_VALUE, false),
        (NOT_INIT, false),
    ] {
        let register = object(What::Register, type_raw);
        assert_eq!(register.is_in_packet(), expected, "{type_raw:x}");
        let dynptr = object(What::Dynptr { first: true }, type_raw);
        assert!(!dynptr.is_in_packet());
    }
}

#[test]
fn per_cpu_objects_turn_into_rcu_protected_ones() {
    let object = |type_raw, id| Object {
        what: What::Register,
        type_raw,
        id,
        parent_id: 0,
        owner: 0,
    };
    let owned = 13 | MEM_ALLOC | MEM_PERCPU;
    assert_eq!(
        object(owned, 4).rcu_type(4),
        Some(13 | MEM_PERCPU | MEM_RCU)
    );
    assert_eq!(
        object(owned | MEM_RCU, 4).rcu_type(4),
        Some(13 | MEM_PERCPU | MEM_RCU)
    );
    assert_eq!(object(owned, 5).rcu_type(4), None);
    assert_eq!(object(13 | MEM_ALLOC, 4).rcu_type(4), None);
    assert_eq!(object(13 | MEM_PERCPU, 4).rcu_type(4), None);
}

/// Everything that a state tracks, in C's order, found without `Walk`.
pub fn all_places(state: &State) -> Vec<Place> {
    let mut places = Vec::new();
    for (number, frame) in state.frames.iter().enumerate() {
        let number = number as u32;
        for index in 0..frame.registers.len() as i32 {
            places.push(place(number, Part::Registers, index));
        }
        for (index, slot) in frame.slots.iter().enumerate() {
            if matches!(slot.types[7], STACK_SPILL | STACK_DYNPTR) {
                places.push(place(number, Part::Stack, index as i32));
            }
        }
        for (index, argument) in frame.arguments.iter().enumerate() {
            if argument.type_raw != NOT_INIT {
                places.push(place(number, Part::Arguments, index as i32));
            }
        }
    }
    places
}

/// A small forest of objects over a few identities, 0 to 6: an object's parent has a lower one, as in
/// the verifier, where identities grow.
pub fn any_state() -> impl Strategy<Value = State> {
    let reg = (
        0..7u32,
        0..7u32,
        prop_oneof![Just(NOT_INIT), Just(PTR_TO_MEM)],
    )
        .prop_map(|(id, parent, type_raw)| Reg {
            type_raw,
            id,
            parent_id: if parent < id { parent } else { 0 },
            owner: 0,
        });
    let frame = (
        proptest::collection::vec(reg.clone(), state::REGISTERS),
        proptest::collection::vec((0..4u8, 1..7u32, 0..7u32, 1..7u32), 0..8),
        proptest::collection::vec(reg, 0..3),
    );
    let references = proptest::collection::vec((1..7i32, 0..7i32, any::<bool>()), 0..4);
    (proptest::collection::vec(frame, 1..4), references).prop_map(|(frames, references)| {
        let mut state = State::default();
        for (number, (registers, pairs, arguments)) in frames.into_iter().enumerate() {
            let mut frame = Frame::new(2 * pairs.len());
            frame.registers = registers;
            frame.arguments = arguments;
            state.frames.push(frame);
            for (n, (kind, id, parent, class)) in pairs.into_iter().enumerate() {
                let parent = if parent < id { parent } else { 0 };
                match kind {
                    0 => state.put_dynptr(number, 2 * n + 1, class, id, parent),
                    1 => state.put_spilled(number, 2 * n, slice(id, parent)),
                    2 => state.put_spilled(number, 2 * n + 1, slice(id, parent)),
                    _ => {}
                }
            }
        }
        for (id, parent, is_pointer) in references {
            state.put_reference(id, if parent < id { parent } else { 0 });
            if !is_pointer {
                state.references.last_mut().unwrap().kind = REF_TYPE_PTR << 2;
            }
        }
        state
    })
}

/// What derives from `id`, it included, by objects that are still there.
pub fn descendants(state: &State, id: u32) -> BTreeSet<u32> {
    let objects: Vec<_> = all_places(state)
        .into_iter()
        .filter_map(|place| state.at(place))
        .collect();
    let mut found = BTreeSet::from([id]);
    loop {
        let before = found.len();
        for object in &objects {
            if object.parent_id != 0 && object.id != 0 && found.contains(&object.parent_id) {
                found.insert(object.id);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_walk_sees_every_object_once_in_order(state in any_state()) {
        let mut walk = Walk::new(&state);
        let mut seen = Vec::new();
        while let Some((place, _)) = walk.next(&state) {
            seen.push(place);
        }
        prop_assert_eq!(seen, all_places(&state));
    }

    #[test]
    fn all_that_derives_goes_and_nothing_else(state in any_state(), id in 1..7u32) {
            let mut after = state.clone();
        let result = release(&mut after, id);
        let gone = descendants(&state, id);
        // A reference other than the released one that derives from something released leaks.
        let held = state.references.iter().position(|r| r.kind == REF_TYPE_PTR && r.id == id as i32);
        let leaks = state.references.iter().enumerate().any(|(n, r)| {
            Some(n) != held && r.kind == REF_TYPE_PTR && gone.contains(&(r.parent_id as u32))
        });
        if leaks {
            let is_leak = matches!(result, Err(Reject::ChildLeaks { .. }));
            prop_assert!(is_leak);
            return Ok(());
        }
        prop_assert_eq!(result, Ok(()));
        let mut references = state.references.clone();
        if let Some(held) = held {
            references.remove(held);
        }
        prop_assert_eq!(&after.references, &references);
        for place in all_places(&state) {
            let before = state.at(place).unwrap();
            let is_gone = gone.contains(&before.id)
                || before.parent_id != 0 && gone.contains(&before.parent_id);
            match (before.what, after.at(place)) {
                (_, Some(now)) if !is_gone => prop_assert_eq!(now, before),
                (What::Register, Some(now)) => {
                    prop_assert_eq!((now.type_raw, now.id, now.parent_id), (SCALAR_VALUE, 0, 0));
                }
                (What::Dynptr { .. }, now) => prop_assert!(is_gone && now.is_none()),
                (_, None) => prop_assert!(false, "{:?} vanished", place),
            }
        }
    }
}
