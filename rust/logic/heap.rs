// SPDX-License-Identifier: GPL-2.0

//! Where the memory of a heap dynptr comes from, and how damage to it is seen. There is no such thing in
//! the kernel: `bpf_dynptr_alloc()` was posted, and never merged.
//!
//! A block is a header and the program's bytes. Sizes are bytes.

/// Bytes in front of the program's: `struct bpf_dynptr_heap`.
pub const HEADER: usize = 32;

/// Bytes behind the program's if red zones are asked for, all [`ZONE_BYTE`].
pub const ZONE: usize = 64;
/// What a red zone is full of.
pub const ZONE_BYTE: u8 = 0xbb;
/// What a block is full of when nobody may use it any more.
pub const FREED_BYTE: u8 = 0x6b;

/// An allocator. What it gives is zeroed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `kmalloc_nolock()`: any context.
    Slab,
    /// `alloc_pages_nolock()`: any context; whole powers of two of pages.
    Pages,
    /// `vzalloc()`: where one may sleep. Whole pages, where `kvzalloc()` might round up to twice the size.
    Virtual,
}

impl Origin {
    /// As a block's header keeps it.
    pub const fn to_raw(self) -> u32 {
        match self {
            Self::Slab => 0,
            Self::Pages => 1,
            Self::Virtual => 2,
        }
    }

    /// What the header keeps.
    pub const fn from_raw(raw: u32) -> Option<Self> {
        Some(match raw {
            0 => Self::Slab,
            1 => Self::Pages,
            2 => Self::Virtual,
            _ => return None,
        })
    }
}

/// How much the allocators for any context can give at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `KMALLOC_MAX_CACHE_SIZE`
    pub slab: usize,
    /// Pages of order `PAGE_ALLOC_COSTLY_ORDER`.
    pub pages: usize,
}

/// Bytes of a whole block for `size` bytes of the program, at most
/// [`MAX_SIZE`](super::dynptr::MAX_SIZE).
pub const fn block_size(size: u32, with_zone: bool) -> usize {
    let zone = if with_zone { ZONE } else { 0 };
    (size as usize).wrapping_add(HEADER).wrapping_add(zone)
}

/// Who gives a block of `bytes`. `None` if nobody can in this context.
pub fn origin(bytes: usize, limits: Limits, may_sleep: impl FnOnce() -> bool) -> Option<Origin> {
    if bytes <= limits.slab {
        Some(Origin::Slab)
    } else if may_sleep() {
        Some(Origin::Virtual)
    } else if bytes <= limits.pages {
        Some(Origin::Pages)
    } else {
        None
    }
}

/// As many references of a block are counted; who wants one more gets none.
pub const MAX_REFERENCES: u32 = i32::MAX as u32;

/// Whether a reference more can be counted: there are `references`. Not of a block that has lost its last one, of
/// which tracepoints still tell; nor so many that the count would wrap.
pub const fn can_share(references: u32) -> bool {
    references != 0 && references < MAX_REFERENCES
}

/// Whether all of `bytes` are still what they were filled with.
pub fn is_intact(bytes: &[u8], with: u8) -> bool {
    bytes.iter().all(|byte| *byte == with)
}
