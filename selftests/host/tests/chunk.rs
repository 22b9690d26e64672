// SPDX-License-Identifier: GPL-2.0

//! Copying through a small buffer, against copying at once.

use proptest::prelude::*;
use rust_dynptr_host::logic::chunk::{
    Chunk,
    Chunks,
    StringSteps,
    BUFFER, //
};

/// Sizes around the buffer's, and others.
fn size() -> impl Strategy<Value = u64> {
    prop_oneof![0..5u64, 250..260u64, 505..520u64, 0..5000u64]
}

/// `strncpy_from_*()` of one step: copies up to the NUL, or cuts and writes one.
fn copy_string(from: &[u8], at: usize, len: usize) -> Vec<u8> {
    let rest = from.get(at..).unwrap_or(&[]);
    let end = rest
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(rest.len());
    let mut copied = rest[..end.min(len - 1)].to_vec();
    copied.push(0);
    copied
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn chunks_follow_each_other(size in size()) {
        let mut at = 0;
        for chunk in Chunks::new(size) {
            prop_assert_eq!(chunk.at, at);
            prop_assert!(chunk.len >= 1 && chunk.len <= BUFFER);
            at += chunk.len as u64;
            // Only the last one is short.
            prop_assert!(chunk.len == BUFFER || at == size);
        }
        prop_assert_eq!(at, size);
    }

    #[test]
    fn a_string_in_steps_is_the_string(
        string in proptest::collection::vec(1..=255u8, 0..1200), room in size(),
    ) {
        let mut source = string.clone();
        source.push(0);
        let mut to = vec![0xaau8; room as usize];
        let mut steps = StringSteps::new(room);
        let mut length = None;
        while let Some(chunk) = steps.chunk() {
            let copied = copy_string(&source, chunk.at as usize, chunk.len);
            to[chunk.at as usize..][..copied.len()].copy_from_slice(&copied);
            length = steps.copied(chunk, copied.len());
            if length.is_some() {
                break;
            }
        }
        if room == 0 {
            prop_assert_eq!(length, None);
            prop_assert_eq!(steps.end(), 0);
        } else {
            let whole = copy_string(&source, 0, room as usize);
            prop_assert_eq!(length, Some(whole.len() as u64));
            prop_assert_eq!(&to[..whole.len()], &whole[..]);
            // Nothing is written behind its end.
            prop_assert!(to[whole.len()..].iter().all(|byte| *byte == 0xaa));
        }
    }
}

#[test]
fn sizes_at_the_end_of_the_range_do_not_wrap() {
    assert_eq!(
        Chunks::new(u64::MAX).next(),
        Some(Chunk { at: 0, len: BUFFER })
    );
    let mut steps = StringSteps::new(u64::MAX);
    let chunk = steps.chunk().unwrap();
    assert_eq!(steps.copied(chunk, BUFFER), None);
    assert_eq!(steps.chunk().unwrap().at, BUFFER as u64 - 1);
    assert_eq!(steps.end(), BUFFER as u64 - 1);
}
