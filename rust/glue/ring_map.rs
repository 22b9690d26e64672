// SPDX-License-Identifier: GPL-2.0

//! Ring buffer maps: `struct bpf_ringbuf_map` and the memory of its ring, answering to the map
//! operations of `srctree/kernel/bpf/ringbuf.c`. Structures that are private to that file have their
//! offsets from BTF.
//!
//! C and Rust share maps: either may free what the other made. So a map that is made here is made of
//! what C would have taken, has C's operations, and points to nothing of this module: it neither
//! holds the module nor notices when it goes.

use super::{
    ringbuf::RingBuf, //
};
use crate::{
    bindings::{
        self,
        layout, //
    },
    logic::{
        errno::{
            Errno,
            EINVAL,
            ENOMEM, //
        },
        ring,
        ring_map::{
            self,
            Mapping,
            Pages,
            Plan,
            Producer,
            Request, //
        }, //
    }, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::ffi::{
    c_int,
    c_ulong,
    c_void, //
};

const PAGE_SHIFT: u32 = 12;
/// `RINGBUF_PGOFF`: the number of the consumer's page.
const PG_OFF: u32 = (layout::bpf_ringbuf::CONSUMER_POS >> PAGE_SHIFT) as u32;
/// `NUMA_NO_NODE`.
const NO_NODE: c_int = -1;

// A map's first member is what C code knows of it.
const _: () = assert!(layout::bpf_ringbuf_map::MAP == 0);

/// Reads a member at `offset` of a structure.
///
/// # Safety
///
/// `base` is valid, and has a `T` there that nobody writes during the call.
unsafe fn member<T: Copy>(base: *const c_void, offset: usize) -> T {
    // SAFETY: By this function's contract.
    unsafe { base.wrapping_byte_add(offset).cast::<T>().read() }
}

/// Sets a member at `offset` of a structure.
///
/// # Safety
///
/// `base` is valid, has a `T` there, and nobody else knows it yet.
unsafe fn set_member<T>(base: *mut c_void, offset: usize, value: T) {
    // SAFETY: By this function's contract.
    unsafe { base.wrapping_byte_add(offset).cast::<T>().write(value) };
}

/// A ring buffer map, borrowed for one call.
///
/// # Invariants
///
/// Points to a live `struct bpf_ringbuf_map`.
#[derive(Clone, Copy)]
pub(crate) struct RingMap<'a>(NonNull<c_void>, PhantomData<&'a ()>);

impl<'a> RingMap<'a> {
    /// # Safety
    ///
    /// `map` is the map of an operation of `ringbuf_map_ops` or `user_ringbuf_map_ops`, whose caller
    /// holds it for `'a`.
    pub(crate) unsafe fn from_raw(map: *mut c_void) -> Option<Self> {
        // INVARIANT: By this function's contract.
        NonNull::new(map).map(|map| Self(map, PhantomData))
    }

    fn ring(self) -> RingBuf<'a> {
        // SAFETY: By the type invariant.
        unsafe { RingBuf::from_map(self.0.as_ptr()) }
    }

    /// The address of the ring, for the functions that take it.
    fn ring_ptr(self) -> *mut c_void {
        self.ring().member(0)
    }

    /// `ringbuf_map_mem_usage()`: bytes.
    pub(crate) fn mem_usage(self) -> u64 {
        // SAFETY: By the type invariant; never changes.
        let nr_pages = unsafe { member::<u32>(self.ring_ptr(), layout::bpf_ringbuf::NR_PAGES) };
        // SAFETY: As above.
        let size = unsafe { member::<u32>(self.0.as_ptr(), layout::bpf_map::MAX_ENTRIES) };
        let map_size = layout::bpf_ringbuf_map::SIZE_OF as u64;
        ring_map::mem_usage(map_size, nr_pages, Pages::new(size, PG_OFF))
    }

    /// `ringbuf_map_mmap_kern()`, `ringbuf_map_mmap_user()`: maps pages of the ring, from the
    /// consumer's on. 0 or a negative errno: -EPERM, see [`ring_map::mmap`]; -EINVAL for pages that the
    /// ring does not have.
    ///
    /// # Safety
    ///
    /// `vma` is being made and locked by the caller.
    pub(crate) unsafe fn mmap(
        self,
        producer: Producer,
        vma: *mut bindings::vm_area_struct,
    ) -> c_int {
        let vma_at = vma.cast::<c_void>();
        // SAFETY: By this function's contract.
        let flags = unsafe { member::<c_ulong>(vma_at, layout::vm_area_struct::VM_FLAGS) };
        // SAFETY: As above.
        let start = unsafe { member::<c_ulong>(vma_at, layout::vm_area_struct::VM_START) };
        // SAFETY: As above.
        let end = unsafe { member::<c_ulong>(vma_at, layout::vm_area_struct::VM_END) };
        // SAFETY: As above.
        let pgoff = unsafe { member::<c_ulong>(vma_at, layout::vm_area_struct::VM_PGOFF) };
        let mapping = Mapping {
            writable: flags & VM_WRITE != 0,
            pgoff: pgoff as u64,
            len: end.wrapping_sub(start) as u64,
        };
        if let Err(errno) = ring_map::mmap(producer, mapping) {
            return errno.to_c_int();
        }
        let first = pgoff.wrapping_add(PG_OFF as c_ulong);
        // SAFETY: A live ring, made by `vmap()` with `VM_USERMAP`; the function checks the range.
        unsafe { bindings::remap_vmalloc_range(vma, self.ring_ptr(), first) }
    }

    /// `ringbuf_map_poll_kern()`, `ringbuf_map_poll_user()`: puts the caller on the ring's list of
    /// waiters and says what is possible now, as `EPOLL*` bits. May sleep.
    ///
    /// # Safety
    ///
    /// `file` and `table` are the caller's of a poll in progress.
    unsafe fn poll(
        self,
        producer: Producer,
        file: *mut bindings::file,
        table: *mut bindings::poll_table_struct,
    ) -> u32 {
        let ring = self.ring();
        let waitq = ring.member(layout::bpf_ringbuf::WAITQ);
        // SAFETY: The wait queue of a live ring; the rest by this function's contract.
        unsafe { bindings::rust_dynptr_poll_wait(file, waitq, table) };
        let (ready, event) = match producer {
            Producer::Kernel => (ring::is_readable(ring), POLL_READABLE),
            Producer::User => (ring::is_writable(ring), POLL_WRITABLE),
        };
        if ready {
            event
        } else {
            0
        }
    }

    /// `ringbuf_map_free()`: ends the map and its ring. May sleep: a wake-up that is still queued uses
    /// the ring.
    ///
    /// # Safety
    ///
    /// Nobody uses the map any more.
    pub(crate) unsafe fn free(self) {
        let ring = self.ring();
        // SAFETY: The irq_work of a live ring. Waits for it: freeing a map may sleep.
        unsafe { bindings::irq_work_sync(ring.member(layout::bpf_ringbuf::WORK)) };
        // SAFETY: A live ring; its pages are those that it was made of.
        let pages = unsafe { PageList::of_ring(ring) };
        // SAFETY: Made by `vmap()`, and used no more by this function's contract.
        unsafe { bindings::vunmap(ring.member(0)) };
        drop(pages);
        // SAFETY: Allocated by `bpf_map_area_alloc()`, and used no more.
        unsafe { bindings::bpf_map_area_free(self.0.as_ptr()) };
    }
}

const VM_WRITE: c_ulong = bindings::rust_dynptr_values_RUST_DYNPTR_VM_WRITE as c_ulong;
const POLL_READABLE: u32 = bindings::rust_dynptr_values_RUST_DYNPTR_POLL_READABLE;
const POLL_WRITABLE: u32 = bindings::rust_dynptr_values_RUST_DYNPTR_POLL_WRITABLE;

/// Who fills a ring of this type (`enum bpf_map_type`); `None` for other maps.
fn producer_of(map_type: u32) -> Option<Producer> {
    match map_type {
        bindings::bpf_map_type_BPF_MAP_TYPE_RINGBUF => Some(Producer::Kernel),
        bindings::bpf_map_type_BPF_MAP_TYPE_USER_RINGBUF => Some(Producer::User),
        _ => None,
    }
}

/// Notes in the ring of a map whose records the kernel produces that it is this map's, and gives the ring;
/// `None` for other maps. Any context.
///
/// # Safety
///
/// `map` is a map that is held for `'a`.
pub(super) unsafe fn note_map<'a>(map: *mut c_void) -> Option<RingBuf<'a>> {
    // SAFETY: By this function's contract; never changes.
    let map_type = unsafe { member::<u32>(map, layout::bpf_map::MAP_TYPE) };
    if producer_of(map_type) != Some(Producer::Kernel) {
        return None;
    }
    // SAFETY: A ring buffer map, by its type.
    let ring = unsafe { RingBuf::from_map(map) };
    // SAFETY: It is that map's.
    unsafe { ring.note_map(map) };
    Some(ring)
}

/// A ring buffer map that the kernel produces into, held.
///
/// # Invariants
///
/// Points to a map with a reference that this object owns.
struct HeldMap(NonNull<bindings::bpf_map>);

impl HeldMap {
    /// The first map whose id is at least `id`; `id` becomes its id. May sleep.
    fn at_or_after(id: &mut u32) -> Option<Self> {
        // SAFETY: `id` is the caller's variable, which nobody else uses during the call.
        let map = unsafe { bindings::bpf_map_get_curr_or_next(id) };
        // INVARIANT: The function returns a new reference, or NULL at the end.
        NonNull::new(map).map(Self)
    }

    fn name(&self) -> [u8; 16] {
        // SAFETY: By the type invariant; an array of `BPF_OBJ_NAME_LEN` bytes that never changes.
        unsafe { member(self.0.as_ptr().cast(), layout::bpf_map::NAME) }
    }

    fn max_entries(&self) -> u32 {
        // SAFETY: By the type invariant; never changes.
        unsafe { member(self.0.as_ptr().cast(), layout::bpf_map::MAX_ENTRIES) }
    }
}

impl Drop for HeldMap {
    fn drop(&mut self) {
        // SAFETY: The reference of `self`.
        unsafe { bindings::bpf_map_put(self.0.as_ptr()) };
    }
}

/// debugfs `rings`: a line a map that the kernel produces into: id, name, size in bytes, records that were
/// asked for and not reserved while Rust served who asked. May sleep.
pub(crate) fn show(f: &mut kernel::fmt::Formatter<'_>) -> kernel::fmt::Result {
    let mut id = 1;
    while let Some(map) = HeldMap::at_or_after(&mut id) {
        // SAFETY: Held.
        if let Some(ring) = unsafe { note_map(map.0.as_ptr().cast()) } {
            let name = map.name();
            let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
            let name = core::str::from_utf8(name).unwrap_or("?");
            let lost = ring::query(ring, ring::QUERY_LOST);
            writeln!(f, "{id} {name} {} {lost}", map.max_entries())?;
        }
        let Some(next) = id.checked_add(1) else { break };
        id = next;
    }
    Ok(())
}

/// `bpf_map_poll()`: what can be done with the map behind `file` now, as `EPOLL*` bits. May sleep.
///
/// # Safety
///
/// `file` is a map's, and the caller holds it; `table` is that of a poll in progress.
pub(crate) unsafe fn poll(
    file: *mut bindings::file,
    table: *mut bindings::poll_table_struct,
) -> u32 {
    // SAFETY: Set when the file was made, for its lifetime.
    let map = unsafe { member::<*mut c_void>(file.cast(), layout::file::PRIVATE_DATA) };
    // SAFETY: The file holds its map, whose type never changes.
    let map_type = unsafe { member::<u32>(map, layout::bpf_map::MAP_TYPE) };
    if let Some(producer) = producer_of(map_type) {
        // SAFETY: A live ring buffer map, by its type.
        if let Some(map) = unsafe { RingMap::from_raw(map) } {
            // SAFETY: By this function's contract.
            return unsafe { map.poll(producer, file, table) };
        }
    }
    // SAFETY: By this function's contract.
    unsafe { bindings::rust_dynptr_poll_other(map.cast(), file, table) }
}

/// `ringbuf_map_alloc()`: makes the map that `attr` asks for. May sleep.
///
/// # Errors
///
/// Those of [`ring_map::plan`]; [`ENOMEM`].
///
/// # Safety
///
/// `attr` is the attribute of a `BPF_MAP_CREATE` of one of the two ring buffer types.
pub(crate) unsafe fn alloc(attr: *mut bindings::bpf_attr) -> Result<*mut c_void, Errno> {
    // SAFETY: By this function's contract.
    let request = unsafe { request(attr.cast()) }?;
    let plan = ring_map::plan(request, PG_OFF)?;
    let size = layout::bpf_ringbuf_map::SIZE_OF as u64;
    // SAFETY: Takes any size; its callers may sleep, as all map operations may.
    let map = unsafe { bindings::bpf_map_area_alloc(size, NO_NODE) };
    if map.is_null() {
        return Err(ENOMEM);
    }
    // SAFETY: Memory of the map's size; its first member is the `struct bpf_map`.
    unsafe { bindings::bpf_map_init_from_attr(map.cast(), attr) };
    // SAFETY: `bpf_map_init_from_attr()` has set it; nobody else knows the map.
    let node = unsafe { member::<c_int>(map, layout::bpf_map::NUMA_NODE) };
    let Some(ring) = make_ring(plan, node) else {
        // SAFETY: Allocated above, and nobody knows it.
        unsafe { bindings::bpf_map_area_free(map) };
        return Err(ENOMEM);
    };
    // SAFETY: The pointer member of the map.
    unsafe { set_member(map, layout::bpf_ringbuf_map::RB, ring.as_ptr()) };
    // SAFETY: Just made.
    unsafe { note_map(map) };
    Ok(map)
}

/// The members of `union bpf_attr` that count.
///
/// # Errors
///
/// [`EINVAL`] for another map type, with which the kernel does not call this.
///
/// # Safety
///
/// As [`alloc`].
unsafe fn request(attr: *const c_void) -> Result<Request, Errno> {
    // SAFETY: By this function's contract, here and below: 32-bit members of the union's first struct.
    let word = |offset| unsafe { member::<u32>(attr, offset) };
    Ok(Request {
        producer: producer_of(word(layout::bpf_attr::MAP_TYPE)).ok_or(EINVAL)?,
        key_size: word(layout::bpf_attr::KEY_SIZE),
        value_size: word(layout::bpf_attr::VALUE_SIZE),
        max_entries: word(layout::bpf_attr::MAX_ENTRIES),
        flags: word(layout::bpf_attr::MAP_FLAGS),
    })
}

/// `bpf_ringbuf_alloc()`: an empty ring, of zeroed pages near `node`; `None` without memory.
fn make_ring(plan: Plan, node: c_int) -> Option<NonNull<u8>> {
    let pages = PageList::alloc(plan.pages, node)?;
    let count = plan.pages.mapped();
    // SAFETY: The list has that many entries, and each is a page: of a data page two are.
    let ring = unsafe { bindings::rust_dynptr_vmap_ring(pages.list.as_ptr(), count) };
    let ring = NonNull::new(ring.cast::<u8>())?;
    let (list, nr_pages) = pages.into_raw();
    let at = ring.as_ptr().cast::<c_void>();
    // SAFETY: Here and below: members of a new ring, the rest of which is zero.
    unsafe { set_member(at, layout::bpf_ringbuf::PAGES, list) };
    // SAFETY: As above.
    unsafe { set_member(at, layout::bpf_ringbuf::NR_PAGES, nr_pages) };
    // SAFETY: As above.
    unsafe { set_member(at, layout::bpf_ringbuf::MASK, plan.mask) };
    // SAFETY: As above; a `bool` is a byte in C too.
    unsafe { set_member(at, layout::bpf_ringbuf::OVERWRITE_MODE, plan.overwrite) };
    // SAFETY: The ring, as above; all its pages are mapped.
    let fresh = unsafe { RingBuf::from_raw(ring) };
    // SAFETY: As above.
    unsafe { bindings::rust_dynptr_lock_init(fresh.member(layout::bpf_ringbuf::SPINLOCK)) };
    // Any data of the kernel, which stays: the ring may outlive this module.
    let key = (&raw const bindings::rcu_tasks_trace_srcu_struct).cast::<c_void>();
    // SAFETY: As above.
    unsafe { bindings::rust_dynptr_init_wait(fresh.member(layout::bpf_ringbuf::WAITQ), key) };
    let work = fresh.member(layout::bpf_ringbuf::WORK);
    // C's function, as the ring may outlive this module.
    // SAFETY: As above.
    unsafe { bindings::rust_dynptr_init_irq_work(work, Some(bindings::bpf_ringbuf_notify)) };
    Some(ring)
}

/// The pages of a ring and the list of them, which has an entry for each time that a page is mapped.
///
/// # Invariants
///
/// `list` came from `bpf_map_area_alloc()`; its first `count` entries are pages that this owns.
struct PageList {
    list: NonNull<*mut bindings::page>,
    count: u32,
}

impl PageList {
    /// `None` without memory.
    fn alloc(pages: Pages, node: c_int) -> Option<Self> {
        let size = u64::from(pages.mapped()).wrapping_mul(size_of::<*mut bindings::page>() as u64);
        // SAFETY: Takes any size; its callers may sleep, as all map operations may.
        let list = unsafe { bindings::bpf_map_area_alloc(size, node) };
        let list = NonNull::new(list.cast::<*mut bindings::page>())?;
        // INVARIANT: No page yet.
        let mut this = Self { list, count: 0 };
        for index in 0..pages.count() {
            // SAFETY: Its callers may sleep, as all map operations may.
            let page = unsafe { bindings::rust_dynptr_alloc_page(node) };
            if page.is_null() {
                return None;
            }
            let entry = list.as_ptr().wrapping_add(index as usize);
            // SAFETY: The list has an entry for each page.
            unsafe { entry.write(page) };
            // INVARIANT: The entry is a page.
            this.count = index.wrapping_add(1);
            if let Some(second) = pages.second(index) {
                let entry = list.as_ptr().wrapping_add(second as usize);
                // SAFETY: And one for each second mapping.
                unsafe { entry.write(page) };
            }
        }
        Some(this)
    }

    /// What a ring was made of, to be freed.
    ///
    /// # Safety
    ///
    /// `ring` is a live ring that is not used any more once this is dropped.
    unsafe fn of_ring(ring: RingBuf<'_>) -> Option<Self> {
        // SAFETY: A member of a live ring, which never changes.
        let list = unsafe { member(ring.member(0), layout::bpf_ringbuf::PAGES) };
        // SAFETY: As above.
        let count = unsafe { member(ring.member(0), layout::bpf_ringbuf::NR_PAGES) };
        // INVARIANT: Set by `make_ring` or by C, with the same allocators.
        NonNull::new(list).map(|list| Self { list, count })
    }

    /// The list and its number of pages, which somebody else owns now.
    fn into_raw(self) -> (*mut *mut bindings::page, u32) {
        let raw = (self.list.as_ptr(), self.count);
        core::mem::forget(self);
        raw
    }
}

impl Drop for PageList {
    fn drop(&mut self) {
        for index in 0..self.count as usize {
            // SAFETY: By the type invariant.
            let page = unsafe { self.list.as_ptr().wrapping_add(index).read() };
            // SAFETY: By the type invariant.
            unsafe { bindings::rust_dynptr_free_page(page) };
        }
        // SAFETY: By the type invariant.
        unsafe { bindings::bpf_map_area_free(self.list.as_ptr().cast()) };
    }
}
