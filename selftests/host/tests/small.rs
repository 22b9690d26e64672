// SPDX-License-Identifier: GPL-2.0

//! Exhaustive small models: every state of some slots, every forest of some objects, every argument
//! number near the limits, each against the C function written down again. What a property test may
//! miss, this does not.

use crate::state::{
    dynptr,
    stack,
    Reg,
    State,
    LOCAL,
    RINGBUF, //
};
use rust_dynptr_host::logic::{
    argno::{
        ArgNo,
        Position, //
    },
    argument::{
        judge,
        ArgType,
        Judgement, //
    },
    codes::*,
    reject::Reject,
    release::release,
    slot::{
        destroy,
        Destroy,
        NoPlace,
        Slot, //
    },
    soundness::Level,
    text::Text, //
};
use std::collections::BTreeSet;

/// What a slot of the models can be: nothing, or a slot of a dynptr that is local or of a ring buffer,
/// derives from nothing or from 5; or one of which a byte was overwritten.
fn slots() -> Vec<Slot> {
    let mut all = vec![Slot {
        types: [STACK_MISC; 8],
        ..Slot::default()
    }];
    for first in [true, false] {
        for class in [LOCAL, RINGBUF] {
            for parent in [0, 5] {
                all.push(dynptr(first, class, 7 + class, parent));
            }
        }
        let mut broken = dynptr(first, LOCAL, 7, 0);
        broken.types[7] = STACK_MISC;
        all.push(broken);
    }
    all
}

/// Every stack of three such slots.
fn stacks() -> impl Iterator<Item = State> {
    let kinds = slots();
    let count = kinds.len();
    (0..count.pow(3)).map(move |n| {
        let mut state = State::with_slots(3);
        for (place, digit) in [n % count, n / count % count, n / count / count]
            .into_iter()
            .enumerate()
        {
            state.frames[0].slots[place] = kinds[digit];
        }
        state
    })
}

/// `dynptr_type_referenced()`, heap dynptrs included: local ones that derive from something.
fn referenced(slot: &Slot) -> bool {
    slot.mark.class_raw == RINGBUF || slot.mark.class_raw == LOCAL && slot.mark.parent_id != 0
}

/// `destroy_if_dynptr_stack_slot()`, up to the release.
fn c_destroy(state: &State, spi: i32) -> Result<Destroy, Reject> {
    let slots = &state.frames[0].slots;
    let at = |spi: i32| {
        usize::try_from(spi)
            .ok()
            .and_then(|spi| slots.get(spi))
            .ok_or(Reject::BadSlot)
    };
    if at(spi)?.types[0] != STACK_DYNPTR {
        return Ok(Destroy::Nothing);
    }
    let spi = if at(spi)?.mark.first { spi } else { spi + 1 };
    let slot = at(spi)?;
    // dynptr_ref_cnt(): first slots with this parent.
    let sharing = slots
        .iter()
        .filter(|s| s.types[0] == STACK_DYNPTR && s.mark.first)
        .filter(|s| s.mark.parent_id == slot.mark.parent_id)
        .count();
    if referenced(slot) && sharing <= 1 {
        return Err(Reject::OverwriteReferenced);
    }
    Ok(Destroy::Release {
        id: slot.mark.id,
        spi,
    })
}

#[test]
fn overwriting_any_small_stack_is_as_in_c() {
    let mut cases = 0;
    for state in stacks() {
        for spi in -1..=3 {
            assert_eq!(
                destroy(&state, spi),
                c_destroy(&state, spi),
                "{state:?} {spi}"
            );
            cases += 1;
        }
    }
    println!("model: {cases} overwrites");
    assert_eq!(cases, 11 * 11 * 11 * 5);
}

/// `process_dynptr_func()`'s second half for a pointer to the stack, at a constant offset.
fn c_use(state: &State, offset: i64, arg: u32) -> Result<Judgement, Reject> {
    let slots = &state.frames[0].slots;
    if offset >= 0 || offset % 8 != 0 || offset > -16 {
        let why = NoPlace::BadOffset(offset as i32);
        return Err(Reject::NotInitialized(Some(why)));
    }
    let spi = (-offset - 1) / 8;
    let Some(first) = slots.get(spi as usize) else {
        return Err(Reject::NotInitialized(Some(NoPlace::OutOfStack)));
    };
    let second = &slots[spi as usize - 1];
    let whole = |slot: &Slot| slot.types == [STACK_DYNPTR; 8];
    if !first.mark.first || !whole(first) || !whole(second) {
        return Err(Reject::NotInitialized(None));
    }
    let is_heap = first.mark.class_raw == LOCAL && first.mark.parent_id != 0;
    let expected = match arg & DYNPTR_TYPES {
        0 => None,
        DYNPTR_TYPE_LOCAL => Some(1),
        DYNPTR_TYPE_RINGBUF => Some(2),
        _ => Some(7),
    };
    let actual = if is_heap { 7 } else { first.mark.class_raw };
    match expected {
        Some(expected) if expected != actual && !(is_heap && expected == 1) => {
            Err(Reject::WrongType { expected, actual })
        }
        _ => Ok(Judgement::Use {
            spi: Some(spi as i32),
            mark: first.mark,
        }),
    }
}

#[test]
fn using_any_small_stack_is_as_in_c() {
    let types = [0, DYNPTR_TYPE_LOCAL, DYNPTR_TYPE_RINGBUF, DYNPTR_TYPE_HEAP];
    let mut cases = 0;
    for state in stacks() {
        for offset in -40..=8 {
            for flags in types {
                for release in [0, OBJ_RELEASE] {
                    let arg = ArgType(ARG_PTR_TO_DYNPTR | flags | release);
                    let judged = judge(&stack(offset), arg, &state);
                    assert_eq!(
                        judged,
                        c_use(&state, offset, arg.0),
                        "{state:?} {offset} {arg:?}"
                    );
                    cases += 1;
                }
            }
        }
    }
    println!("model: {cases} uses");
    assert_eq!(cases, 11 * 11 * 11 * 49 * 8);
}

/// `is_dynptr_reg_valid_uninit()`: whatever is there, it may be constructed where two slots can be.
#[test]
fn constructing_on_any_small_stack_is_as_in_c() {
    for state in stacks() {
        for offset in -40..=8 {
            let good = offset <= -16 && offset % 8 == 0;
            let judged = judge(
                &stack(offset),
                ArgType(ARG_PTR_TO_DYNPTR | MEM_UNINIT),
                &state,
            );
            let why = NoPlace::BadOffset(offset as i32);
            let expected = if good {
                Ok(Judgement::Construct)
            } else {
                Err(Reject::NotConstructible(Some(why)))
            };
            assert_eq!(judged, expected);
        }
    }
}

/// Identities of the forests below: 1 to this.
const IDS: u32 = 3;

/// An object's identity and parent: a parent has a lower identity, as identities grow.
fn links() -> Vec<(u32, u32)> {
    (0..=IDS)
        .flat_map(|id| (0..id.max(1)).map(move |parent| (id, parent)))
        .collect()
}

/// A state with two registers, two dynptrs and two references with these links; a link of identity 0 is
/// nothing.
fn forest(objects: &[(u32, u32); 4], references: &[(u32, u32); 2]) -> State {
    let mut state = State::with_slots(4);
    for (place, (id, parent_id)) in [1usize, 6].into_iter().zip(&objects[..2]) {
        state.frames[0].registers[place] = Reg {
            type_raw: if *id == 0 { NOT_INIT } else { PTR_TO_MEM },
            id: *id,
            parent_id: *parent_id,
            owner: 0,
        };
    }
    for (spi, (id, parent)) in [1usize, 3].into_iter().zip(&objects[2..]) {
        if *id != 0 {
            state.put_dynptr(0, spi, LOCAL, *id, *parent);
        }
    }
    for (id, parent) in references.iter().filter(|(id, _)| *id != 0) {
        state.put_reference(*id as i32, *parent as i32);
    }
    state
}

/// What is void after the release of `id`: it, and whatever derives from it.
fn void(objects: &[(u32, u32)], id: u32) -> BTreeSet<u32> {
    let mut void = BTreeSet::from([id]);
    for _ in 0..=IDS {
        for (object, parent) in objects {
            if *object != 0 && *parent != 0 && void.contains(parent) {
                void.insert(*object);
            }
        }
    }
    void
}

/// `release_reference()`: a held reference goes; no other may derive from what is void; objects that are
/// void, or derive from such a thing, go; all else stays.
#[test]
fn releasing_in_any_small_forest_is_as_in_c() {
    let links = links();
    let count = links.len();
    let mut cases = 0;
    for n in 0..count.pow(6) {
        let digit = |place: u32| links[n / count.pow(place) % count];
        let objects = [digit(0), digit(1), digit(2), digit(3)];
        let references = [digit(4), digit(5)];
        // The order of equal things is of no interest here.
        if objects[0] > objects[1] || objects[2] > objects[3] || references[0].0 > references[1].0 {
            continue;
        }
        let before = forest(&objects, &references);
        for id in 1..=IDS {
            let mut after = before.clone();
            let result = release(&mut after, id);
            cases += 1;
            let void = void(&objects, id);
            let held: Vec<_> = references.iter().filter(|(r, _)| *r != 0).collect();
            let released = held.iter().position(|(r, _)| *r == id);
            let leaks = held
                .iter()
                .enumerate()
                .any(|(n, (_, parent))| Some(n) != released && void.contains(parent));
            if leaks {
                assert!(
                    matches!(result, Err(Reject::ChildLeaks { .. })),
                    "{before:?} {id}"
                );
                continue;
            }
            assert_eq!(result, Ok(()), "{before:?} {id}");
            let mut left = before.references.clone();
            if let Some(released) = released {
                left.remove(released);
            }
            assert_eq!(after.references, left);
            let goes = |(object, parent): (u32, u32)| {
                object != 0 && void.contains(&object) || parent != 0 && void.contains(&parent)
            };
            for (place, link) in [1usize, 6].into_iter().zip(&objects[..2]) {
                let register = after.frames[0].registers[place];
                if goes(*link) {
                    assert_eq!(register.type_raw, SCALAR_VALUE, "{before:?} {id}");
                } else {
                    assert_eq!(register, before.frames[0].registers[place]);
                }
            }
            for (spi, link) in [1usize, 3].into_iter().zip(&objects[2..]) {
                let there = after.frames[0].slots[spi].is_dynptr();
                assert_eq!(there, link.0 != 0 && !goes(*link), "{before:?} {id}");
            }
        }
    }
    println!("model: {cases} releases");
    assert!(cases > 10_000, "{cases}");
}

/// `reg_from_argno()`, `arg_from_argno()`, `reg_arg_name()`, `bpf_diag_call_arg()`.
#[test]
fn any_argument_number_is_as_in_c() {
    for argno in -100..=100 {
        let reg = match argno {
            0.. => argno,
            -5..0 => -argno,
            _ => -1,
        };
        let place = if argno < 0 { -argno } else { -1 };
        let mut text = Text::<32>::new();
        ArgNo(argno).write_name(&mut text);
        let name = if reg >= 0 {
            format!("R{reg}\0")
        } else {
            format!("*(R11-{})\0", (place - 5) * 8)
        };
        assert_eq!(text.as_bytes_with_nul(), name.as_bytes(), "{argno}");
        // A register that holds an argument is that argument.
        let arg = match place {
            -1 if (1..=5).contains(&reg) => reg,
            _ => place,
        };
        let expected = Position {
            arg,
            register: reg,
            on_stack: if arg > 5 { arg - 6 } else { -1 },
        };
        assert_eq!(ArgNo(argno).position(), expected, "{argno}");
    }
}

#[test]
fn each_level_of_soundness_is_stricter() {
    let levels = [0, 1, 2, 3].map(Level::from_raw);
    assert_eq!(
        levels,
        [Level::C, Level::Sound, Level::Strict, Level::Strict]
    );
    assert!(Level::C < Level::Sound && Level::Sound < Level::Strict);
}
