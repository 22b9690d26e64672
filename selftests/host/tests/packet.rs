// SPDX-License-Identifier: GPL-2.0

//! Where the bytes of packets and frames are, against plain statements of what `bpf_xdp_pointer()`
//! and `skb_pointer_if_linear()` do.

use proptest::prelude::*;
use rust_dynptr_host::logic::{
    errno::{
        EFAULT,
        EINVAL, //
    },
    packet::{
        find,
        is_in_head,
        is_linear,
        part_in_head,
        Place, //
    },
};

/// Offsets and lengths: mostly of small frames, sometimes around the largest that are taken.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![0..40u32, 65_530..65_540u32, Just(u32::MAX), any::<u32>()]
}

/// The sizes of the parts of a frame: the first one and its fragments.
fn parts() -> impl Strategy<Value = (u32, Vec<u32>)> {
    let size = || prop_oneof![4 => 0..20u32, 1 => 30_000..40_000u32];
    (size(), prop::collection::vec(size(), 0..5))
}

/// The part that a byte is in, 0 for the first, and where.
fn part_of(parts: &[u32], byte: u32) -> Option<(usize, u32)> {
    let mut start = 0;
    for (index, size) in parts.iter().enumerate() {
        if byte < start + size {
            return Some((index, byte - start));
        }
        start += size;
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn linear_is_within_the_head(headlen in any::<u32>(), offset in any::<u32>(), len in any::<u32>()) {
        let expected = u64::from(offset) + u64::from(len) <= u64::from(headlen);
        prop_assert_eq!(is_linear(headlen, offset, len), expected);
    }

    #[test]
    fn bytes_of_a_frame_are_found(
        (headlen, fragments) in parts(), offset in number(), len in number(),
    ) {
        let mut all = vec![headlen];
        all.extend(&fragments);
        let size: u32 = all.iter().sum();
        let found = find(size, headlen, fragments.iter().copied(), offset, len);
        let expected = if offset > 65_535 || len > 65_535 {
            Err(EFAULT)
        } else if offset + len > size {
            Err(EINVAL)
        } else {
            // The part of the first byte, even of none; behind the last, it is the start of all.
            let (index, at) = part_of(&all, offset).unwrap_or((0, 0));
            Ok(match index {
                _ if at + len > all[index] => Place::Apart,
                0 => Place::Head(at),
                _ => Place::Fragment(index - 1, at),
            })
        };
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn the_part_in_the_head_is_there(headlen in number(), offset in number(), len in number()) {
        let there = |at: u64| at < u64::from(headlen);
        let part = u64::from(part_in_head(headlen, offset, len));
        let (offset, len) = (u64::from(offset), u64::from(len));
        prop_assert!(part <= len);
        prop_assert!(part == 0 || there(offset + part - 1));
        prop_assert!(part == len || !there(offset + part));
    }

    #[test]
    fn the_short_way_finds_the_same(
        (headlen, fragments) in parts(), offset in number(), len in number(),
    ) {
        if is_in_head(headlen, offset, len) {
            let size = headlen + fragments.iter().sum::<u32>();
            prop_assert_eq!(
                find(size, headlen, fragments.iter().copied(), offset, len),
                Ok(Place::Head(offset))
            );
        }
    }

    #[test]
    fn the_short_way_is_gone_where_it_can(headlen in 0..=65_535_u32, offset in 0..65_535_u32, len in 0..65_535_u32) {
        prop_assert_eq!(is_in_head(headlen, offset, len), offset < headlen && offset + len <= headlen);
    }
}
