// SPDX-License-Identifier: GPL-2.0

//! The rules of ring buffer maps, answering to the map operations of
//! `srctree/kernel/bpf/ringbuf.c`: which maps can be made, of which pages a ring consists, what may be
//! mapped to user space.
//!
//! A ring is `meta` pages (its structure, the last two of them the consumer's and the producer's page)
//! and then its data pages, which are mapped twice in a row so that no record wraps.

use super::errno::{
    Errno,
    EINVAL,
    EPERM, //
};

const PAGE_SHIFT: u32 = 12;
const PAGE_SIZE: u64 = 1 << PAGE_SHIFT;
/// `RINGBUF_POS_PAGES`: the consumer's and the producer's page.
const POS_PAGES: u32 = 2;

/// `BPF_F_NUMA_NODE`: `numa_node` of the request counts.
pub const NUMA_NODE: u32 = 1 << 2;
/// `BPF_F_RB_OVERWRITE`: new records overwrite the oldest ones.
pub const OVERWRITE: u32 = 1 << 19;

/// Who produces into a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Producer {
    /// BPF programs: `BPF_MAP_TYPE_RINGBUF`.
    Kernel,
    /// User space: `BPF_MAP_TYPE_USER_RINGBUF`.
    User,
}

/// What user space asks for: members of `union bpf_attr`.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// From `map_type`.
    pub producer: Producer,
    /// Must be 0.
    pub key_size: u32,
    /// Must be 0.
    pub value_size: u32,
    /// Bytes of data.
    pub max_entries: u32,
    /// `BPF_F_*`.
    pub flags: u32,
}

/// The ring to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Bytes of data minus 1.
    pub mask: u64,
    /// New records overwrite the oldest ones.
    pub overwrite: bool,
    /// The pages.
    pub pages: Pages,
}

/// `ringbuf_map_alloc()`: what to make.
///
/// # Errors
///
/// [`EINVAL`] for unknown flags, overwriting by user space, a key or value size, or data that is not a
/// power of two of at least a page.
pub fn plan(request: Request, pg_off: u32) -> Result<Plan, Errno> {
    let overwrite = request.flags & OVERWRITE != 0;
    if request.flags & !(NUMA_NODE | OVERWRITE) != 0
        || (overwrite && request.producer != Producer::Kernel)
        || request.key_size != 0
        || request.value_size != 0
        || !request.max_entries.is_power_of_two()
        || u64::from(request.max_entries) & (PAGE_SIZE - 1) != 0
    {
        return Err(EINVAL);
    }
    Ok(Plan {
        mask: u64::from(request.max_entries).wrapping_sub(1),
        overwrite,
        pages: Pages::new(request.max_entries, pg_off),
    })
}

/// The pages of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pages {
    meta: u32,
    data: u32,
}

impl Pages {
    /// For `data_size` bytes of data behind a structure whose consumer page is number `pg_off`.
    pub fn new(data_size: u32, pg_off: u32) -> Self {
        Self {
            meta: pg_off.wrapping_add(POS_PAGES),
            data: data_size >> PAGE_SHIFT,
        }
    }

    /// Pages that exist.
    pub fn count(self) -> u32 {
        self.meta.wrapping_add(self.data)
    }

    /// Pages that are mapped: data counts twice.
    pub fn mapped(self) -> u32 {
        self.count().wrapping_add(self.data)
    }

    /// Where page `index` (below [`Self::count`]) is mapped a second time, if it is.
    pub fn second(self, index: u32) -> Option<u32> {
        (index >= self.meta).then_some(index.wrapping_add(self.data))
    }
}

/// `ringbuf_map_mem_usage()`: bytes of a ring that has `nr_pages` pages, of its map (`map_size`), and of
/// the list of its pages (`pages`, pointers).
pub fn mem_usage(map_size: u64, nr_pages: u32, pages: Pages) -> u64 {
    map_size
        .wrapping_add(u64::from(nr_pages) << PAGE_SHIFT)
        .wrapping_add(u64::from(pages.mapped()).wrapping_mul(size_of::<u64>() as u64))
}

/// A mapping that user space asks for.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    /// `VM_WRITE`.
    pub writable: bool,
    /// First page, from the consumer's page on.
    pub pgoff: u64,
    /// Bytes.
    pub len: u64,
}

/// `ringbuf_map_mmap_kern()`, `ringbuf_map_mmap_user()`: whether it may be. The size and the end are
/// checked by who maps it.
///
/// # Errors
///
/// [`EPERM`] if it would let user space write what is not its own: with a kernel producer all but the
/// consumer's page alone; with a user-space producer the consumer's page.
pub fn mmap(producer: Producer, mapping: Mapping) -> Result<(), Errno> {
    let allowed = match producer {
        Producer::Kernel => mapping.pgoff == 0 && mapping.len == PAGE_SIZE,
        Producer::User => mapping.pgoff != 0,
    };
    if mapping.writable && !allowed {
        return Err(EPERM);
    }
    Ok(())
}
