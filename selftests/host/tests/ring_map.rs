// SPDX-License-Identifier: GPL-2.0

//! The rules of ring buffer maps: each flag and size against a plain statement of the rule, and the
//! pages of a ring against a list of them.

use proptest::prelude::*;
use rust_dynptr_host::logic::{
    errno::{
        EINVAL,
        EPERM, //
    },
    ring_map::{
        self,
        mem_usage,
        plan,
        Mapping,
        Pages,
        Producer,
        Request,
        NUMA_NODE,
        OVERWRITE, //
    }, //
};

/// `RINGBUF_PGOFF` of the target kernel.
const PG_OFF: u32 = 1;

fn request(producer: Producer, max_entries: u32, flags: u32) -> Request {
    Request {
        producer,
        key_size: 0,
        value_size: 0,
        max_entries,
        flags,
    }
}

fn producers() -> impl Strategy<Value = Producer> {
    prop_oneof![Just(Producer::Kernel), Just(Producer::User)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn only_powers_of_two_of_pages_with_known_flags(
        producer in producers(),
        max_entries in prop_oneof![(0..32u32).prop_map(|n| 1 << n), any::<u32>(), (0..64u32).prop_map(|n| n * 4096)],
        flags in prop_oneof![(0..32u32).prop_map(|n| 1 << n), Just(0), Just(NUMA_NODE | OVERWRITE), any::<u32>()],
        key_size in prop_oneof![4 => Just(0u32), 1 => any::<u32>()],
        value_size in prop_oneof![4 => Just(0u32), 1 => any::<u32>()],
    ) {
        let fits = max_entries >= 4096 && max_entries.count_ones() == 1;
        let known = flags & !((1 << 2) | (1 << 19)) == 0;
        let may_overwrite = producer == Producer::Kernel || flags & (1 << 19) == 0;
        let good = fits && known && may_overwrite && key_size == 0 && value_size == 0;
        let got = plan(Request { producer, key_size, value_size, max_entries, flags }, PG_OFF);
        match got {
            Ok(plan) => {
                prop_assert!(good);
                prop_assert_eq!(plan.mask, u64::from(max_entries) - 1);
                prop_assert_eq!(plan.overwrite, flags & (1 << 19) != 0);
                prop_assert_eq!(plan.pages, Pages::new(max_entries, PG_OFF));
            }
            Err(errno) => prop_assert!(!good && errno == EINVAL),
        }
    }

    /// Meta pages once, in order; data pages in order, and all of them again behind the last.
    #[test]
    fn data_pages_are_mapped_twice(data in 1..300u32, pg_off in 0..4u32) {
        let pages = Pages::new(data << 12, pg_off);
        let mut mapped = vec![None; pages.mapped() as usize];
        for page in 0..pages.count() {
            for place in std::iter::once(page).chain(pages.second(page)) {
                let entry = &mut mapped[place as usize];
                prop_assert!(entry.is_none());
                *entry = Some(page);
            }
        }
        let meta = pg_off + 2;
        let data = meta..meta + data;
        let expected: Vec<_> = (0..meta).chain(data.clone()).chain(data).map(Some).collect();
        prop_assert_eq!(mapped, expected);
    }

    /// B2: what user space may write is its own: the consumer's page of a ring that the kernel produces
    /// into, all but that page of a ring that user space produces into.
    #[test]
    fn b2_only_its_own_pages_are_writable(
        producer in producers(), writable in any::<bool>(),
        pgoff in prop_oneof![0..4u64, any::<u64>()],
        len in prop_oneof![(0..4u64).prop_map(|n| n * 4096), any::<u64>()],
    ) {
        let allowed = !writable || match producer {
            Producer::Kernel => pgoff == 0 && len == 4096,
            Producer::User => pgoff > 0,
        };
        let got = ring_map::mmap(producer, Mapping { writable, pgoff, len });
        prop_assert_eq!(got, if allowed { Ok(()) } else { Err(EPERM) });
    }
}

#[test]
fn plans_of_the_ends() {
    for producer in [Producer::Kernel, Producer::User] {
        let largest = plan(request(producer, 1 << 31, 0), PG_OFF).unwrap();
        assert_eq!(largest.pages.mapped(), 3 + 2 * (1 << 19));
        for size in [0, 1, 2048, 4097, 3 << 12, u32::MAX] {
            assert_eq!(plan(request(producer, size, 0), PG_OFF), Err(EINVAL));
        }
    }
}

/// The map, each page once, and a pointer for each time that one is mapped.
#[test]
fn mem_usage_counts_pages_once_and_pointers_as_mapped() {
    let pages = Pages::new(4 << 12, PG_OFF);
    assert_eq!(
        mem_usage(288, pages.count(), pages),
        288 + 7 * 4096 + 11 * 8
    );
}
