// SPDX-License-Identifier: GPL-2.0

//! Arguments that must be dynptrs, against `process_dynptr_func()` and what gcc inlines into it.

use crate::state::{
    dynptr,
    stack,
    State,
    FILE,
    LOCAL,
    RINGBUF,
    SKB, //
};
use proptest::prelude::*;
use rust_dynptr_host::logic::{
    argno::{
        ArgNo,
        Position, //
    },
    argument::{
        check_slice_buffer,
        construct,
        judge,
        slice_of,
        ArgType,
        Judgement,
        New,
        Parent,
        Parents,
        Register,
        Slice,
        Source, //
    },
    codes::*,
    reject::Reject,
    slot::{
        Mark,
        NoPlace,
        Offset,
        HEAP_RAW, //
    },
    text::Text, //
};

const MARK: Mark = Mark {
    first: true,
    class_raw: LOCAL,
    id: 7,
    parent_id: 5,
};

/// A pointer to a const dynptr.
fn lent() -> Register {
    Register {
        type_raw: CONST_PTR_TO_DYNPTR,
        mark: MARK,
        ..stack(0)
    }
}

fn arg(flags: u32) -> ArgType {
    ArgType(ARG_PTR_TO_DYNPTR | flags)
}

/// Eight slots; a local dynptr at fp-32.
fn with_dynptr() -> State {
    let mut state = State::with_slots(8);
    state.put_dynptr(0, 3, LOCAL, 7, 5);
    state
}

#[test]
fn an_initialized_dynptr_is_used() {
    let used = Judgement::Use {
        spi: Some(3),
        mark: MARK,
    };
    for flags in [
        0,
        DYNPTR_TYPE_LOCAL,
        OBJ_RELEASE,
        DYNPTR_TYPE_LOCAL | OBJ_RELEASE,
    ] {
        assert_eq!(judge(&stack(-32), arg(flags), &with_dynptr()), Ok(used));
    }
}

#[test]
fn a_lent_dynptr_is_used_but_not_released() {
    let used = Judgement::Use {
        spi: None,
        mark: MARK,
    };
    let nowhere = State::with_slots(0);
    for flags in [0, DYNPTR_TYPE_LOCAL] {
        assert_eq!(judge(&lent(), arg(flags), &nowhere), Ok(used));
        assert_eq!(
            judge(&lent(), arg(flags | OBJ_RELEASE), &nowhere),
            Err(Reject::ConstReleased)
        );
    }
    assert_eq!(
        judge(&lent(), arg(MEM_UNINIT), &nowhere),
        Err(Reject::NotConstructible(None))
    );
}

#[test]
fn nothing_but_the_stack_and_lent_dynptrs() {
    for type_raw in (0..256).filter(|t| ![PTR_TO_STACK, CONST_PTR_TO_DYNPTR].contains(t)) {
        let reg = Register {
            type_raw,
            ..stack(-32)
        };
        for flags in [0, MEM_UNINIT, OBJ_RELEASE] {
            assert_eq!(
                judge(&reg, arg(flags), &with_dynptr()),
                Err(Reject::NotADynptr)
            );
        }
    }
    // Flags make another type.
    let maybe_null = Register {
        type_raw: PTR_TO_STACK | (1 << 8),
        ..stack(-32)
    };
    assert_eq!(
        judge(&maybe_null, arg(0), &with_dynptr()),
        Err(Reject::NotADynptr)
    );
}

#[test]
fn constructed_where_two_slots_are_even_if_not_yet_of_the_stack() {
    for offset in [-16, -24, -32, -64, -512] {
        assert_eq!(
            judge(&stack(offset), arg(MEM_UNINIT), &with_dynptr()),
            Ok(Judgement::Construct),
            "{offset}"
        );
    }
    for offset in [0, 8, -8, -15, -20] {
        assert_eq!(
            judge(&stack(offset), arg(MEM_UNINIT), &with_dynptr()),
            Err(Reject::NotConstructible(Some(NoPlace::BadOffset(
                offset as i32
            ))))
        );
    }
    let variable = Register {
        offset: Offset {
            value: -32i64 as u64,
            mask: 8,
        },
        ..stack(0)
    };
    assert_eq!(
        judge(&variable, arg(MEM_UNINIT), &with_dynptr()),
        Err(Reject::NotConstructible(Some(NoPlace::NotConstant)))
    );
    assert_eq!(
        judge(&variable, arg(0), &with_dynptr()),
        Err(Reject::NotInitialized(Some(NoPlace::NotConstant)))
    );
}

#[test]
fn used_only_whole_and_from_the_first_slot() {
    let not = Err(Reject::NotInitialized(None));
    // Beside it, and its second slot.
    for offset in [-16, -24, -40, -48] {
        assert_eq!(
            judge(&stack(offset), arg(0), &with_dynptr()),
            not,
            "{offset}"
        );
    }
    // Not of the stack yet.
    assert_eq!(
        judge(&stack(-72), arg(0), &with_dynptr()),
        Err(Reject::NotInitialized(Some(NoPlace::OutOfStack)))
    );
    // The second slot of one, and the first of the next: both slots are dynptr slots.
    let mut state = with_dynptr();
    state.put_dynptr(0, 1, LOCAL, 9, 0);
    assert_eq!(judge(&stack(-24), arg(0), &state), not);
    // Every byte must be.
    for byte in 0..8 {
        for spi in [3, 2] {
            let mut state = with_dynptr();
            state.frames[0].slots[spi].types[byte] = STACK_MISC;
            assert_eq!(judge(&stack(-32), arg(0), &state), not);
        }
    }
}

#[test]
fn the_type_must_be_the_expected() {
    let flags = [
        DYNPTR_TYPE_LOCAL,
        DYNPTR_TYPE_RINGBUF,
        DYNPTR_TYPE_SKB,
        DYNPTR_TYPE_XDP,
        DYNPTR_TYPE_SKB_META,
        DYNPTR_TYPE_FILE,
        DYNPTR_TYPE_HEAP,
    ];
    for actual in 1..=HEAP_RAW {
        let mut state = State::with_slots(2);
        let (class, parent) = match actual {
            LOCAL => (LOCAL, 0),
            HEAP_RAW => (LOCAL, 5),
            _ => (actual, 5),
        };
        state.put_dynptr(0, 1, class, 7, parent);
        for (expected, flag) in (1..).zip(flags) {
            for release in [0, OBJ_RELEASE] {
                let judged = judge(&stack(-16), arg(flag | release), &state);
                // A heap dynptr is local memory, but local memory is not on the heap.
                if expected == actual || (expected, actual) == (LOCAL, HEAP_RAW) {
                    assert!(judged.is_ok());
                } else {
                    assert_eq!(judged, Err(Reject::WrongType { expected, actual }));
                }
            }
        }
        // Any other flag asks for a type too, and for none that there is.
        assert_eq!(
            judge(&stack(-16), arg(1 << 9), &state),
            Err(Reject::WrongType {
                expected: 0,
                actual
            })
        );
        assert!(judge(&stack(-16), arg(0), &state).is_ok());
    }
}

const NO_SOURCE: Source = Source {
    class_raw: 0,
    parent_id: 99,
};
const NO_PARENTS: Parents = Parents { id: 0, count: 0 };

#[test]
fn constructors_hang_off_what_they_hold() {
    let object = Parents { id: 3, count: 1 };
    for (flag, class_raw) in [(DYNPTR_TYPE_RINGBUF, RINGBUF), (DYNPTR_TYPE_FILE, FILE)] {
        for parents in [NO_PARENTS, object] {
            let parent = Parent::Acquire(parents.id);
            assert_eq!(
                construct(arg(MEM_UNINIT | flag), NO_SOURCE, parents),
                Ok(New { class_raw, parent })
            );
        }
    }
    for (flag, class_raw) in [(DYNPTR_TYPE_LOCAL, LOCAL), (DYNPTR_TYPE_SKB, SKB)] {
        for parents in [NO_PARENTS, object] {
            let parent = Parent::Is(parents.id);
            assert_eq!(
                construct(arg(MEM_UNINIT | flag), NO_SOURCE, parents),
                Ok(New { class_raw, parent })
            );
        }
    }
}

#[test]
fn clones_share_the_originals_parent() {
    let source = Source {
        class_raw: RINGBUF,
        parent_id: 5,
    };
    // Whatever else is among the arguments.
    for parents in [NO_PARENTS, Parents { id: 3, count: 2 }] {
        assert_eq!(
            construct(arg(MEM_UNINIT | DYNPTR_TYPE_RINGBUF), source, parents),
            Ok(New {
                class_raw: RINGBUF,
                parent: Parent::Is(5)
            })
        );
    }
}

#[test]
fn constructors_that_cannot_be() {
    assert_eq!(
        construct(arg(MEM_UNINIT), NO_SOURCE, NO_PARENTS),
        Err(Reject::NoType)
    );
    let several = DYNPTR_TYPE_LOCAL | DYNPTR_TYPE_SKB;
    assert_eq!(
        construct(arg(MEM_UNINIT | several), NO_SOURCE, NO_PARENTS),
        Err(Reject::NoType)
    );
    assert_eq!(
        construct(
            arg(MEM_UNINIT | DYNPTR_TYPE_SKB),
            NO_SOURCE,
            Parents { id: 3, count: 2 }
        ),
        Err(Reject::SeveralParents(2))
    );
}

#[test]
fn slices_that_may_be_a_stack_buffer() {
    assert_eq!(slice_of(b"bpf_dynptr_slice"), Some(Slice::ReadOnly));
    assert_eq!(slice_of(b"bpf_dynptr_slice_rdwr"), Some(Slice::Writable));
    assert_eq!(slice_of(b"bpf_dynptr_data"), None);
    // Classes 1 to 6: local, ringbuf, skb, xdp, skb_meta, file.
    for class in 0..8 {
        for slice in [Slice::ReadOnly, Slice::Writable] {
            for shows_pointers in [false, true] {
                let refused = match slice {
                    Slice::Writable => [3, 4].contains(&class),
                    Slice::ReadOnly => [3, 4, 6].contains(&class) && !shows_pointers,
                };
                let check = |buffer| check_slice_buffer(slice, class, buffer, shows_pointers);
                assert_eq!(check(PTR_TO_STACK).is_err(), refused, "{class} {slice:?}");
                for elsewhere in [SCALAR_VALUE, PTR_TO_MEM, 4] {
                    assert_eq!(check(elsewhere), Ok(()));
                }
            }
        }
    }
}

fn name(argno: i32) -> String {
    let mut text = Text::<32>::new();
    ArgNo(argno).write_name(&mut text);
    let bytes = text.as_bytes_with_nul();
    String::from_utf8(bytes[..bytes.len() - 1].to_vec()).unwrap()
}

#[test]
fn arguments_are_named_by_register_or_stack() {
    let position = |arg, register, on_stack| Position {
        arg,
        register,
        on_stack,
    };
    for (argno, text, at) in [
        (1, "R1", position(1, 1, -1)),
        (5, "R5", position(5, 5, -1)),
        (0, "R0", position(-1, 0, -1)),
        (10, "R10", position(-1, 10, -1)),
        (-1, "R1", position(1, 1, -1)),
        (-5, "R5", position(5, 5, -1)),
        (-6, "*(R11-8)", position(6, -1, 0)),
        (-12, "*(R11-56)", position(12, -1, 6)),
    ] {
        assert_eq!(name(argno), text);
        assert_eq!(ArgNo(argno).position(), at, "{argno}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Used is exactly what is two whole slots, the first marked so, of the right type.
    #[test]
    fn used_is_what_c_uses(slots in proptest::collection::vec((0..6u8, any::<bool>(), 1..7u32), 0..6),
                           offset in -6i64..1, flag in 0..7usize) {
        let mut state = State::with_slots(0);
        for (kind, first, class) in slots {
            let mut slot = dynptr(first, class, 7, 5);
            if kind == 0 {
                slot.types = [STACK_SPILL; 8];
            }
            if kind == 1 {
                slot.types[3] = STACK_MISC;
            }
            state.frames[0].slots.push(slot);
            state.frames[0].spilled.push(0);
        }
        let flags = [0, DYNPTR_TYPE_LOCAL, DYNPTR_TYPE_RINGBUF, DYNPTR_TYPE_SKB, DYNPTR_TYPE_XDP,
            DYNPTR_TYPE_SKB_META, DYNPTR_TYPE_FILE];
        let spi = -offset - 1;
        let slots = &state.frames[0].slots;
        let at = |spi: i64| usize::try_from(spi).ok().and_then(|spi| slots.get(spi));
        let good = match (at(spi), at(spi - 1)) {
            (Some(first), Some(second)) => {
                first.mark.first
                    && first.types == [STACK_DYNPTR; 8]
                    && second.types == [STACK_DYNPTR; 8]
                    && (flag == 0 || first.mark.class_raw == flag as u32)
            }
            _ => false,
        };
        let judged = judge(&stack(offset * 8), arg(flags[flag]), &state);
        prop_assert_eq!(judged.is_ok(), good);
    }

    #[test]
    fn numbers_are_printed_as_c_prints_them(number in any::<i32>()) {
        let mut text = Text::<64>::new();
        text.push_signed(number);
        text.push(b" ");
        text.push_unsigned(number as u32);
        let expected = format!("{number} {}\0", number as u32);
        prop_assert_eq!(text.as_bytes_with_nul(), expected.as_bytes());
    }

    #[test]
    fn whatever_the_room_it_ends_with_a_nul(text in "[a-z]{0,4}") {
        let mut none = Text::<0>::default();
        none.push(text.as_bytes());
        prop_assert!(none.as_bytes_with_nul().is_empty());
        prop_assert!(none.is_empty());
        let mut one = Text::<1>::default();
        one.push(text.as_bytes());
        prop_assert_eq!(one.as_bytes_with_nul(), b"\0");
        let mut two = Text::<2>::default();
        two.push(text.as_bytes());
        prop_assert_eq!(two.is_empty(), text.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_dropped(pieces in proptest::collection::vec("[a-z]{0,9}", 0..6)) {
        let mut text = Text::<16>::new();
        for piece in &pieces {
            text.push(piece.as_bytes());
        }
        let mut expected = pieces.concat();
        expected.truncate(15);
        expected.push('\0');
        prop_assert_eq!(text.as_bytes_with_nul(), expected.as_bytes());
    }
}
