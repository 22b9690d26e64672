// SPDX-License-Identifier: GPL-2.0

//! Overwriting a dynptr's stack slots, against `destroy_if_dynptr_stack_slot()`.

use rust_dynptr_host::logic::{
    errno::EINVAL,
    reject::Reject,
    slot::{
        destroy,
        Destroy,
        DynptrSlot,
        StackView, //
    }, //
};

const LOCAL: u32 = 1;
const RINGBUF: u32 = 2;
const FILE: u32 = 6;

/// Frames of slots; the last one is the frame in question.
struct Stack(Vec<Vec<Option<DynptrSlot>>>);

impl Stack {
    /// A single frame of four slots with a dynptr at 3 and 2.
    fn with(class_raw: u32, parent_id: u32) -> Self {
        let mut frame = vec![None; 4];
        put(&mut frame, 3, class_raw, 7, parent_id);
        Self(vec![frame])
    }
}

fn put(frame: &mut [Option<DynptrSlot>], spi: usize, class_raw: u32, id: u32, parent_id: u32) {
    for (place, first) in [(spi, true), (spi - 1, false)] {
        frame[place] = Some(DynptrSlot {
            first,
            class_raw,
            id,
            parent_id,
        });
    }
}

impl StackView for Stack {
    fn dynptr_slot(&self, spi: i32) -> Result<Option<DynptrSlot>, Reject> {
        let frame = self.0.last().unwrap();
        usize::try_from(spi)
            .ok()
            .and_then(|spi| frame.get(spi).copied())
            .ok_or(Reject::BadSlot)
    }

    fn dynptrs_of_parent(&self, parent_id: u32) -> u32 {
        let slots = self.0.iter().flatten().flatten();
        slots
            .filter(|s| s.first && s.parent_id == parent_id)
            .count() as u32
    }
}

#[test]
fn nothing_there() {
    assert_eq!(destroy(&Stack::with(LOCAL, 0), 0), Ok(Destroy::Nothing));
}

#[test]
fn either_slot_releases_the_dynptr_from_its_first() {
    for spi in [3, 2] {
        assert_eq!(
            destroy(&Stack::with(LOCAL, 0), spi),
            Ok(Destroy::Release { id: 7, spi: 3 })
        );
    }
}

#[test]
fn last_holder_of_a_reference_is_kept() {
    for class in [RINGBUF, FILE] {
        for spi in [3, 2] {
            let reject = destroy(&Stack::with(class, 5), spi).unwrap_err();
            assert_eq!(reject, Reject::OverwriteReferenced);
            assert_eq!(reject.errno(), EINVAL);
            assert_eq!(reject.log(), c"cannot overwrite referenced dynptr\n");
            assert!(reject.diagnostic().is_some());
        }
    }
}

#[test]
fn a_clone_anywhere_lets_it_go() {
    let mut stack = Stack::with(RINGBUF, 5);
    let mut caller = vec![None; 2];
    put(&mut caller, 1, RINGBUF, 9, 5);
    stack.0.insert(0, caller);
    assert_eq!(destroy(&stack, 2), Ok(Destroy::Release { id: 7, spi: 3 }));
}

#[test]
fn a_clone_of_another_reference_does_not_count() {
    let mut stack = Stack::with(RINGBUF, 5);
    let mut caller = vec![None; 2];
    put(&mut caller, 1, RINGBUF, 9, 6);
    stack.0.insert(0, caller);
    assert_eq!(destroy(&stack, 3), Err(Reject::OverwriteReferenced));
}

#[test]
fn a_state_that_cannot_be_is_refused() {
    let mut stack = Stack::with(LOCAL, 0);
    // A second slot at the top of the stack, without its first.
    stack.0[0].push(Some(DynptrSlot {
        first: false,
        class_raw: LOCAL,
        id: 1,
        parent_id: 0,
    }));
    assert_eq!(destroy(&stack, 4), Err(Reject::BadSlot));
    assert_eq!(destroy(&stack, -1), Err(Reject::BadSlot));
    assert_eq!(destroy(&stack, 99), Err(Reject::BadSlot));
    stack.0[0].push(None);
    assert_eq!(destroy(&stack, 4), Err(Reject::BadSlot));
}
