// SPDX-License-Identifier: GPL-2.0

//! The dynptr rules against plain statements of what `kernel/bpf/helpers.c` does.

use proptest::prelude::*;
use rust_dynptr_host::logic::{
    dynptr::{
        self,
        Class,
        Refusal,
        View,
        Word,
        WriteClass, //
    },
    errno::{
        E2BIG,
        EACCES,
        EAGAIN,
        EBUSY,
        EFAULT,
        EINVAL,
        ENOMEM,
        EPERM,
        ERANGE, //
    }, //
};

/// Sizes and offsets: mostly small, sometimes at the edges of 24, 32 and 64 bits.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..100u64,
        Just((1 << 24) - 1),
        Just(1 << 24),
        Just(u64::from(u32::MAX)),
        Just(u64::MAX),
        any::<u64>(),
    ]
}

/// Flags: mostly none, as only then the rest is looked at.
fn flags() -> impl Strategy<Value = u64> {
    prop_oneof![3 => Just(0), 1 => number()]
}

/// A dynptr as plain data.
#[derive(Clone, Copy, Debug)]
struct Model {
    has_data: bool,
    word: Word,
    size: u64,
}

impl View for Model {
    fn is_null(self) -> bool {
        !self.has_data
    }

    fn word(self) -> Word {
        self.word
    }

    fn size(self) -> u64 {
        self.size
    }
}

/// Any dynptr that a program can hold, and words that no constructor makes; but a file is always
/// read-only.
fn view() -> impl Strategy<Value = Model> {
    (any::<u32>(), any::<bool>(), number()).prop_map(|(raw, has_data, file_size)| {
        let word = Word::from_raw(raw);
        let (word, size) = match word.class() {
            Some(Class::File) => (word.rdonly(), file_size),
            _ => (word, u64::from(word.size())),
        };
        Model {
            has_data,
            word,
            size,
        }
    })
}

/// The range check in arithmetic that cannot overflow.
fn out_of_bounds(view: &Model, offset: u64, len: u64) -> bool {
    u128::from(offset) + u128::from(len) > u128::from(view.size)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn word_keeps_its_parts(raw in any::<u32>()) {
        let word = Word::from_raw(raw);
        prop_assert_eq!(word.into_raw(), raw);
        prop_assert_eq!(word.size(), raw & 0xff_ffff);
        prop_assert_eq!(word.class_raw(), (raw >> 28) & 7);
        prop_assert_eq!(word.is_rdonly(), raw >> 31 == 1);
        prop_assert_eq!(word.class().map(Class::to_raw).unwrap_or(word.class_raw()), word.class_raw());
    }

    #[test]
    fn range_is_exact(size in number(), offset in number(), len in number()) {
        let fits = u128::from(offset) + u128::from(len) <= u128::from(size);
        prop_assert_eq!(dynptr::check_range(size, offset, len), if fits { Ok(()) } else { Err(E2BIG) });
    }

    #[test]
    fn from_mem_checks_size_before_flags(size in number(), flags in flags()) {
        let expected = if size >= 1 << 24 {
            Err(E2BIG)
        } else if flags != 0 {
            Err(EINVAL)
        } else {
            Ok(Word::from_raw((1 << 28) | size as u32))
        };
        prop_assert_eq!(dynptr::from_mem(size, flags), expected);
    }

    #[test]
    fn read_checks_in_c_order(view in view(), offset in number(), len in number(), flags in flags()) {
        let expected = if !view.has_data || flags != 0 {
            Err(EINVAL)
        } else if out_of_bounds(&view, offset, len) {
            Err(E2BIG)
        } else {
            Ok(())
        };
        prop_assert_eq!(dynptr::read(view, offset, len, flags), expected);
    }

    #[test]
    fn write_checks_in_c_order(view in view(), offset in number(), len in number(), flags in flags()) {
        let expected = if !view.has_data || view.word.is_rdonly() {
            Err(EINVAL.into())
        } else if out_of_bounds(&view, offset, len) {
            Err(E2BIG.into())
        } else {
            match view.word.class_raw() {
                1 | 2 if flags == 0 => Ok(WriteClass::Memory),
                4 if flags == 0 => Ok(WriteClass::Xdp),
                1 | 2 | 4 => Err(EINVAL.into()),
                3 => Ok(WriteClass::Skb),
                5 => Ok(WriteClass::SkbMeta),
                _ => Err(Refusal::UnknownClass),
            }
        };
        prop_assert_eq!(dynptr::write(view, offset, len, flags), expected);
    }

    #[test]
    fn data_is_given_for_writable_memory_only(view in view(), offset in number(), len in number()) {
        let usable = view.has_data && !out_of_bounds(&view, offset, len) && !view.word.is_rdonly();
        let expected = match view.word.class_raw() {
            _ if !usable => Ok(false),
            1 | 2 => Ok(true),
            3..=5 => Ok(false),
            _ => Err(Refusal::UnknownClass),
        };
        prop_assert_eq!(dynptr::data(view, offset, len), expected);
    }

    #[test]
    fn slice_checks_in_c_order(view in view(), offset in number(), len in number()) {
        let expected = if !view.has_data {
            Err(EINVAL)
        } else if out_of_bounds(&view, offset, len) {
            Err(E2BIG)
        } else {
            Ok(())
        };
        prop_assert_eq!(dynptr::slice(view, offset, len), expected);
        let expected = if view.word.is_rdonly() { Err(EINVAL) } else { expected };
        prop_assert_eq!(dynptr::slice_rdwr(view, offset, len), expected);
    }

    #[test]
    fn adjust_checks_in_c_order(view in view(), start in number(), end in number()) {
        let expected = if !view.has_data || start > end {
            Err(EINVAL)
        } else if start > view.size || end > view.size {
            Err(ERANGE)
        } else {
            Ok(view.size - (end - start))
        };
        prop_assert_eq!(dynptr::adjust(view, start, end), expected);
    }

    #[test]
    fn an_adjusted_view_is_within_the_old_one(
        view in view(), start in number(), end in number(), offset in number(), len in number(),
    ) {
        if let Ok(shorter) = dynptr::adjust(view, start, end) {
            let size = view.size.checked_sub(shorter);
            prop_assert_eq!(size, Some(end - start));
            if dynptr::check_range(size.unwrap(), offset, len).is_ok() {
                prop_assert!(dynptr::check_range(view.size, start + offset, len).is_ok());
            }
        }
    }

    #[test]
    fn words_change_one_part(raw in any::<u32>(), share in 0..=1_000_u64) {
        let word = Word::from_raw(raw);
        let by = (u64::from(word.size()) * share / 1_000) as u32;
        let shorter = word.shortened(by);
        prop_assert_eq!(shorter.size(), word.size() - by);
        prop_assert_eq!(shorter.into_raw() >> 24, raw >> 24);
        prop_assert!(word.rdonly().is_rdonly());
        prop_assert_eq!(word.rdonly().into_raw() | raw, word.rdonly().into_raw());
        prop_assert_eq!(word.rdonly().into_raw() & !(1 << 31), raw & !(1 << 31));
    }

    /// Suspect L9: a packet above 24 bits cannot change the class, as it could in C from 2^28 on.
    #[test]
    fn no_size_changes_the_class(size in any::<u32>(), flags in flags()) {
        for class in [Class::Skb, Class::Xdp, Class::SkbMeta] {
            match dynptr::construct(class, || size, flags) {
                Ok(word) => {
                    prop_assert_eq!(flags, 0);
                    prop_assert_eq!(word.class(), Some(class));
                    prop_assert!(!word.is_rdonly());
                    prop_assert_eq!(word.size(), size & 0xff_ffff);
                }
                Err(errno) => {
                    prop_assert_ne!(flags, 0);
                    prop_assert_eq!(errno, EINVAL);
                }
            }
        }
    }
}

#[test]
fn classes_are_numbered_as_in_c() {
    for (raw, class) in [
        (1, Class::Local),
        (2, Class::Ringbuf),
        (3, Class::Skb),
        (4, Class::Xdp),
        (5, Class::SkbMeta),
        (6, Class::File),
    ] {
        assert_eq!(Class::from_raw(raw), Some(class));
        assert_eq!(class.to_raw(), raw);
    }
    assert_eq!(Class::from_raw(0), None);
    assert_eq!(Class::from_raw(7), None);
}

/// `include/uapi/asm-generic/errno-base.h`, and what a program sees of them.
#[test]
fn errnos_are_the_kernels() {
    for (errno, number) in [
        (EPERM, 1),
        (E2BIG, 7),
        (EAGAIN, 11),
        (ENOMEM, 12),
        (EACCES, 13),
        (EFAULT, 14),
        (EBUSY, 16),
        (EINVAL, 22),
        (ERANGE, 34),
    ] {
        assert_eq!(errno.to_c_int(), -number);
        assert_eq!(errno.to_register(), (-i64::from(number)) as u64);
    }
}

#[test]
fn constructors_make_the_words_that_c_makes() {
    assert_eq!(dynptr::MAX_SIZE, 0xff_ffff);
    assert_eq!(Word::new(Class::Ringbuf, 0x12_3456).into_raw(), 0x2012_3456);
    assert_eq!(Word::new(Class::File, 0).rdonly().into_raw(), 0xe000_0000);
    let refused = dynptr::construct(Class::Skb, || unreachable!(), 1);
    assert_eq!(refused, Err(EINVAL));
}

/// A rule that only writes asks for the word's size, which is that of all that can be written to.
#[test]
fn what_can_be_written_has_its_size_in_the_word() {
    for class in [
        Class::Local,
        Class::Ringbuf,
        Class::Skb,
        Class::Xdp,
        Class::SkbMeta,
    ] {
        let word = Word::new(class, 16);
        let view = Model {
            has_data: true,
            word,
            size: 16,
        };
        assert_eq!(view.writable_size(), 16);
        assert!(dynptr::slice_rdwr(view, 0, 16).is_ok());
        assert_eq!(dynptr::slice_rdwr(view, 1, 16), Err(E2BIG));
    }
}
