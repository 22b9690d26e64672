// SPDX-License-Identifier: GPL-2.0

//! Stack slots of dynptrs: where one may be, and overwriting one, against
//! `stack_slot_obj_get_spi()` and `destroy_if_dynptr_stack_slot()`.

use crate::state::{
    dynptr,
    State,
    FILE,
    LOCAL,
    RINGBUF, //
};
use proptest::prelude::*;
use rust_dynptr_host::logic::{
    codes::*,
    reject::Reject,
    slot::{
        destroy,
        dynptr_place,
        is_referenced,
        place,
        scrub,
        type_name,
        Destroy,
        NoPlace,
        Offset,
        Slot, //
        HEAP_RAW,
    }, //
};

/// A single frame of four slots with a dynptr at 3 and 2.
fn with(class_raw: u32, parent_id: u32) -> State {
    let mut state = State::with_slots(4);
    state.put_dynptr(0, 3, class_raw, 7, parent_id);
    state
}

#[test]
fn nothing_there() {
    assert_eq!(destroy(&with(LOCAL, 0), 0), Ok(Destroy::Nothing));
}

#[test]
fn either_slot_releases_the_dynptr_from_its_first() {
    for spi in [3, 2] {
        assert_eq!(
            destroy(&with(LOCAL, 0), spi),
            Ok(Destroy::Release { id: 7, spi: 3 })
        );
    }
}

#[test]
fn last_holder_of_a_reference_is_kept() {
    for class in [RINGBUF, FILE] {
        for spi in [3, 2] {
            assert_eq!(
                destroy(&with(class, 5), spi),
                Err(Reject::OverwriteReferenced)
            );
        }
    }
}

#[test]
fn a_clone_anywhere_lets_it_go() {
    let mut state = with(RINGBUF, 5);
    let caller = state.insert_frame(2);
    state.put_dynptr(caller, 1, RINGBUF, 9, 5);
    assert_eq!(destroy(&state, 2), Ok(Destroy::Release { id: 7, spi: 3 }));
}

#[test]
fn a_clone_of_another_reference_does_not_count() {
    let mut state = with(RINGBUF, 5);
    let caller = state.insert_frame(2);
    state.put_dynptr(caller, 1, RINGBUF, 9, 6);
    assert_eq!(destroy(&state, 3), Err(Reject::OverwriteReferenced));
}

#[test]
fn a_state_that_cannot_be_is_refused() {
    let mut state = with(LOCAL, 0);
    // A second slot at the top of the stack, without its first.
    state.frames[0].slots.push(dynptr(false, LOCAL, 1, 0));
    assert_eq!(destroy(&state, 4), Err(Reject::BadSlot));
    assert_eq!(destroy(&state, -1), Err(Reject::BadSlot));
    assert_eq!(destroy(&state, 99), Err(Reject::BadSlot));
}

#[test]
fn only_classes_that_hold_something_are_referenced() {
    for class in 0..=8 {
        assert_eq!(
            is_referenced(class),
            [RINGBUF, FILE, HEAP_RAW].contains(&class)
        );
    }
}

#[test]
fn released_is_the_reference_or_the_dynptr_itself() {
    for class in 1..=6 {
        // Local memory with a parent is on the heap.
        let id = if is_referenced(class) || class == LOCAL {
            5
        } else {
            7
        };
        assert_eq!(dynptr(true, class, 7, 5).released_id(), id);
        assert_eq!(dynptr(true, class, 7, 0).mark.type_raw(), class);
    }
}

#[test]
fn type_names_are_the_logs() {
    let names = (0..8).map(|class| type_name(class).map(|name| name.to_str().unwrap()));
    let expected = [
        Some("<invalid>"),
        Some("local"),
        Some("ringbuf"),
        Some("skb"),
        Some("xdp"),
        Some("skb_meta"),
        Some("file"),
        None,
    ];
    assert!(names.eq(expected));
}

/// The C code, in arithmetic that cannot overflow.
fn c_place(offset: Offset, count: i32, slots: i32) -> Result<i32, NoPlace> {
    if offset.mask != 0 {
        return Err(NoPlace::NotConstant);
    }
    let off = offset.value as i32;
    let wide = i64::from(off);
    if off >= 0 || off % 8 != 0 {
        return Err(NoPlace::BadOffset(off));
    }
    let spi = (-wide - 1) / 8;
    if spi + 1 < i64::from(count) {
        return Err(NoPlace::BadOffset(off));
    }
    if spi - i64::from(count) + 1 >= 0 && spi < i64::from(slots) {
        Ok(spi as i32)
    } else {
        Err(NoPlace::OutOfStack)
    }
}

#[test]
fn place_is_the_c_codes_for_every_offset_of_the_stack() {
    for value in -600i64..=600 {
        for count in 1..=8 {
            for slots in 0..=66 {
                let offset = Offset {
                    value: value as u64,
                    mask: 0,
                };
                let expected = c_place(offset, count, slots);
                assert_eq!(
                    place(offset, count, slots),
                    expected,
                    "{value} {count} {slots}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn place_is_the_c_codes(value in any::<u64>(), mask in prop_oneof![Just(0u64), any::<u64>()],
                            count in 1..9i32, slots in 0..65i32) {
        let offset = Offset { value, mask };
        prop_assert_eq!(place(offset, count, slots), c_place(offset, count, slots));
    }

    #[test]
    fn scrubbing_leaves_nothing_special(types in proptest::array::uniform8(0..8u8)) {
        let after = scrub(types).unwrap();
        let special = matches!(types[7], STACK_SPILL | STACK_DYNPTR | STACK_ITER | STACK_IRQ_FLAG);
        for (before, after) in types.into_iter().zip(after) {
            let expected = match before {
                STACK_INVALID | STACK_POISON => before,
                _ if special => STACK_MISC,
                _ => before,
            };
            prop_assert_eq!(after, expected);
        }
        prop_assert!(scrub([9; 8]).is_none());
    }

    #[test]
    fn a_slot_is_whole_or_none(types in proptest::array::uniform8(3..5u8)) {
        let slot = Slot { types, ..Slot::default() };
        prop_assert_eq!(slot.is_whole_dynptr(), types == [STACK_DYNPTR; 8]);
        prop_assert_eq!(slot.is_dynptr(), types[0] == STACK_DYNPTR);
    }
}

/// `dynptr_get_spi()`: a dynptr takes two slots.
#[test]
fn a_dynptr_is_where_two_slots_are() {
    let state = State::with_slots(4);
    for value in -48..=8 {
        let offset = Offset {
            value: value as u64,
            mask: 0,
        };
        assert_eq!(dynptr_place(offset, &state), c_place(offset, 2, 4));
    }
}

/// The numbers of `include/linux/bpf.h` and `bpf_verifier.h`. `glue::env` compares them with the kernel that
/// the module is built for; this with what they were when the rules were written.
#[test]
fn codes_are_the_kernels() {
    assert_eq!(
        [
            NOT_INIT,
            SCALAR_VALUE,
            PTR_TO_STACK,
            PTR_TO_PACKET_META,
            PTR_TO_PACKET
        ],
        [0, 1, 6, 7, 8]
    );
    assert_eq!(
        [
            PTR_TO_PACKET_END,
            PTR_TO_MEM,
            CONST_PTR_TO_DYNPTR,
            BASE_TYPE,
            ARG_PTR_TO_DYNPTR
        ],
        [9, 17, 22, 0xff, 24]
    );
    for (flag, bit) in [
        (MEM_PERCPU, 12),
        (OBJ_RELEASE, 13),
        (MEM_UNINIT, 15),
        (DYNPTR_TYPE_LOCAL, 16),
        (DYNPTR_TYPE_RINGBUF, 17),
        (MEM_ALLOC, 19),
        (MEM_RCU, 21),
        (DYNPTR_TYPE_SKB, 23),
        (DYNPTR_TYPE_XDP, 24),
        (DYNPTR_TYPE_SKB_META, 27),
        (DYNPTR_TYPE_FILE, 28),
        (DYNPTR_TYPE_HEAP, 29),
    ] {
        assert_eq!(flag.trailing_zeros(), bit);
        assert_eq!(flag.count_ones(), 1);
    }
    assert_eq!(DYNPTR_TYPES, 0x3983_0000);
    assert_eq!(
        [STACK_INVALID, STACK_SPILL, STACK_MISC, STACK_ZERO],
        [0, 1, 2, 3]
    );
    assert_eq!(
        [STACK_DYNPTR, STACK_ITER, STACK_IRQ_FLAG, STACK_POISON],
        [4, 5, 6, 7]
    );
    assert_eq!(
        (REF_TYPE_PTR, SLOT_BYTES, DYNPTR_SLOTS, REGISTER_ARGS),
        (2, 8, 2, 5)
    );
}
