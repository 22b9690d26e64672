// SPDX-License-Identifier: GPL-2.0

//! Heap dynptrs: words, blocks, and what the verifier makes of the kfuncs' arguments. C has none of this.

use crate::state::{
    stack,
    State,
    LOCAL,
    RINGBUF, //
};
use proptest::prelude::*;
use rust_dynptr_host::logic::{
    argument::{
        construct,
        judge,
        ArgType,
        HeapCall,
        Judgement,
        New,
        Parent,
        Parents,
        Register,
        Source, //
    },
    bind::module_kfunc,
    codes::*,
    dynptr::{
        alloc,
        Class,
        Word,
        MAX_SIZE, //
    },
    errno::{
        E2BIG,
        EINVAL, //
    },
    heap::*,
    reject::Reject,
    slot::{
        destroy,
        Destroy,
        Mark,
        HEAP_RAW, //
    }, //
};

const ZERO: u64 = 0x100;
const LIMITS: Limits = Limits {
    slab: 8192,
    pages: 32768,
};

fn put() -> ArgType {
    ArgType(ARG_PTR_TO_DYNPTR).of_heap(HeapCall::Release)
}

fn state_with(class: u32, parent: u32) -> State {
    let mut state = State::with_slots(8);
    state.put_dynptr(0, 3, class, 7, parent);
    state
}

proptest! {
    #[test]
    fn alloc_checks_size_before_flags(
        size in prop_oneof![Just(MAX_SIZE), Just(MAX_SIZE + 1), 0..2 * MAX_SIZE, any::<u32>()],
        flags in prop_oneof![Just(0), Just(ZERO), Just(ZERO | 1), any::<u64>()],
    ) {
        let expected = if size > MAX_SIZE {
            Err(E2BIG)
        } else if flags != 0 && flags != ZERO {
            Err(EINVAL)
        } else {
            Ok(Word::heap(size))
        };
        prop_assert_eq!(alloc(size, flags, ZERO), expected);
    }

    #[test]
    fn a_heap_word_is_local_memory_and_stays_one(size in 0..=MAX_SIZE, share in 0..=1_000_u64) {
        let by = (u64::from(size) * share / 1_000) as u32;
        let word = Word::heap(size);
        for word in [word, word.rdonly(), word.shortened(by)] {
            prop_assert!(word.is_heap());
            prop_assert_eq!(word.class(), Some(Class::Local));
        }
        prop_assert_eq!(word.size(), size);
        prop_assert_eq!(word.shortened(by).size(), size - by);
    }

    #[test]
    fn no_other_constructor_makes_a_heap_word(size in any::<u32>(), class in 1..=6_u32) {
        let word = Word::new(Class::from_raw(class).unwrap(), size);
        prop_assert!(!word.is_heap());
        prop_assert!(!word.rdonly().is_heap());
    }

    #[test]
    fn the_origin_can_give_the_block(size in 0..=MAX_SIZE, zone in any::<bool>(), sleeps in any::<bool>()) {
        let bytes = block_size(size, zone);
        prop_assert_eq!(bytes, size as usize + HEADER + if zone { ZONE } else { 0 });
        match origin(bytes, LIMITS, || sleeps) {
            Some(Origin::Slab) => prop_assert!(bytes <= LIMITS.slab),
            Some(Origin::Pages) => prop_assert!(!sleeps && bytes <= LIMITS.pages),
            Some(Origin::Virtual) => prop_assert!(sleeps && bytes > LIMITS.slab),
            None => prop_assert!(!sleeps && bytes > LIMITS.pages),
        }
    }

    #[test]
    fn damage_anywhere_is_seen(len in 1..300_usize, at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let mut bytes = vec![FREED_BYTE; len];
        prop_assert!(is_intact(&bytes, FREED_BYTE));
        bytes[at.index(len)] ^= flip;
        prop_assert!(!is_intact(&bytes, FREED_BYTE));
    }
}

#[test]
fn origins_are_what_a_header_keeps() {
    for origin in [Origin::Slab, Origin::Pages, Origin::Virtual] {
        assert_eq!(Origin::from_raw(origin.to_raw()), Some(origin));
    }
    assert_eq!(Origin::from_raw(3), None);
    assert_eq!(Origin::from_raw(u32::MAX), None);
}

#[test]
fn references_never_wrap() {
    assert!(!can_share(0));
    assert!(can_share(1));
    assert!(can_share(i32::MAX as u32 - 1));
    assert!(!can_share(i32::MAX as u32));
    assert!(!can_share(u32::MAX));
}

#[test]
fn only_kfuncs_of_modules_are_looked_up() {
    assert_eq!(module_kfunc(0x85, 2, 1), Some(1));
    assert_eq!(module_kfunc(0x85, 2, 0), None);
    assert_eq!(module_kfunc(0x85, 2, -1), None);
    assert_eq!(module_kfunc(0x85, 1, 1), None);
    assert_eq!(module_kfunc(0x85, 0, 1), None);
    assert_eq!(module_kfunc(0x95, 2, 1), None);
}

#[test]
fn a_constructor_acquires_whatever_else_it_is_given() {
    let arg = ArgType(ARG_PTR_TO_DYNPTR | MEM_UNINIT).of_heap(HeapCall::Construct);
    let new = New {
        class_raw: LOCAL,
        parent: Parent::Acquire(0),
    };
    for parents in [
        Parents { id: 0, count: 0 },
        Parents { id: 9, count: 1 },
        Parents { id: 9, count: 2 },
    ] {
        for class_raw in [0, LOCAL, RINGBUF] {
            let source = Source {
                class_raw,
                parent_id: 4,
            };
            assert_eq!(construct(arg, source, parents), Ok(new));
        }
    }
    assert_eq!(
        judge(&stack(-16), arg, &State::with_slots(2)),
        Ok(Judgement::Construct)
    );
}

#[test]
fn a_clone_shares_the_reference() {
    // As the kernel's verifier asks for it: of the type that it knows.
    let arg = ArgType(ARG_PTR_TO_DYNPTR | MEM_UNINIT | DYNPTR_TYPE_LOCAL);
    let source = Source {
        class_raw: LOCAL,
        parent_id: 5,
    };
    let new = construct(arg, source, Parents { id: 0, count: 0 }).unwrap();
    assert_eq!(new.parent, Parent::Is(5));
    let mark = Mark {
        class_raw: new.class_raw,
        parent_id: 5,
        ..Mark::default()
    };
    assert_eq!(mark.type_raw(), HEAP_RAW);
}

#[test]
fn only_heap_dynptrs_can_be_put() {
    assert!(judge(&stack(-32), put(), &state_with(LOCAL, 5)).is_ok());
    for (class, parent) in [(LOCAL, 0), (RINGBUF, 5)] {
        let refused = judge(&stack(-32), put(), &state_with(class, parent));
        let reject = Reject::WrongType {
            expected: HEAP_RAW,
            actual: class,
        };
        assert_eq!(refused, Err(reject));
    }
    assert_eq!(
        judge(&stack(-32), put(), &State::with_slots(8)),
        Err(Reject::NotInitialized(None))
    );
    let lent = Register {
        type_raw: CONST_PTR_TO_DYNPTR,
        ..stack(0)
    };
    assert_eq!(
        judge(&lent, put(), &State::with_slots(8)),
        Err(Reject::ConstReleased)
    );
}

#[test]
fn the_last_holder_cannot_be_overwritten() {
    let mut state = state_with(LOCAL, 5);
    assert_eq!(destroy(&state, 3), Err(Reject::OverwriteReferenced));
    assert_eq!(destroy(&state, 2), Err(Reject::OverwriteReferenced));
    state.put_dynptr(0, 5, LOCAL, 8, 5);
    assert_eq!(destroy(&state, 3), Ok(Destroy::Release { id: 7, spi: 3 }));
}

/// Each allocator gives its largest size itself, and one byte more comes from the next.
#[test]
fn origins_at_the_limits() {
    for (bytes, sleeping, atomic) in [
        (8192, Some(Origin::Slab), Some(Origin::Slab)),
        (8193, Some(Origin::Virtual), Some(Origin::Pages)),
        (32768, Some(Origin::Virtual), Some(Origin::Pages)),
        (32769, Some(Origin::Virtual), None),
    ] {
        assert_eq!(origin(bytes, LIMITS, || true), sleeping);
        assert_eq!(origin(bytes, LIMITS, || false), atomic);
    }
    assert_eq!((HEADER, ZONE), (32, 64));
}

/// Bit 24 alone says nothing: C leaves it where it is.
#[test]
fn a_heap_word_is_local_and_has_the_bit() {
    for raw in 0..=0xff_u32 {
        let word = Word::from_raw((raw << 24) | 5);
        let expected = raw & 1 == 1 && (raw >> 4) & 7 == 1;
        assert_eq!(word.is_heap(), expected, "{raw:x}");
    }
    assert_eq!(Word::heap(5).into_raw(), 0x1100_0005);
}
