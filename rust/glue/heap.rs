// SPDX-License-Identifier: GPL-2.0

//! Blocks of memory for heap dynptrs: the bodies of our own kfuncs (`rust/kfuncs/heap.c`), which mainline
//! does not have.
//!
//! A block belongs to a dynptr and its clones, whose one reference the verifier tracks, or to a heap
//! object (`struct bpf_dynptr_heap`), which a program may put into a map. A block counts its owners: there
//! may be several objects and dynptrs over one. Its header tells where the memory came from.
//!
//! Contexts: any, NMI included, for everything here.

mod zone;

use crate::{
    bindings::{
        self,
        bpf_dynptr_heap as Header,
        rust_dynptr_heap_event as Event, //
    },
    glue::{
        dynptr::Dynptr,
        faults::{
            self,
            HeapFault, //
        }, //
    },
    logic::{
        argument::HeapCall,
        dynptr::{
            self as rules,
            Word, //
        },
        errno::{
            Errno,
            ENOMEM, //
        },
        heap::{
            self,
            Limits,
            Origin,
            HEADER, //
        }, //
    }, //
};
use core::{
    mem::{
        offset_of,
        size_of, //
    },
    ptr::{
        null_mut,
        NonNull, //
    }, //
};
use kernel::{
    ffi::c_void,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed, //
    }, //
};

pub(crate) use self::zone::use_red_zones;

const _: () = assert!(size_of::<Header>() == HEADER);

/// Where a header has the node of a block that waits to be freed.
const NODE: usize = offset_of!(Header, node);

const LIMITS: Limits = Limits {
    slab: bindings::rust_dynptr_values_RUST_DYNPTR_SLAB_MAX as usize,
    pages: bindings::rust_dynptr_values_RUST_DYNPTR_PAGES_MAX as usize,
};

/// Memory for a block, and who pays for it.
struct Memory {
    start: NonNull<Header>,
    charged: *mut bindings::obj_cgroup,
}

impl Memory {
    /// `bytes` from this allocator, zeroed and charged to the memory cgroup of `owner`. `None` if there are
    /// none, or the cgroup may not have them.
    ///
    /// What is for any context is charged before it is allocated. (The allocators charge afterwards, and if
    /// that fails they free the memory as if one could wait for their locks here.)
    ///
    /// # Safety
    ///
    /// `owner` is an object from the slab allocator; the context may sleep for [`Origin::Virtual`].
    unsafe fn new(origin: Origin, bytes: usize, owner: *mut c_void) -> Option<Self> {
        let mut charged = null_mut();
        if origin != Origin::Virtual {
            // SAFETY: By this function's contract.
            if !unsafe { bindings::rust_dynptr_charge(owner, bytes, &raw mut charged) } {
                return None;
            }
        }
        let start = match origin {
            // SAFETY: Takes any size in any context; NULL if it cannot.
            Origin::Slab => unsafe { bindings::rust_dynptr_zalloc_nolock(bytes) },
            // SAFETY: Takes any size in any context; NULL if it cannot.
            Origin::Pages => unsafe { bindings::rust_dynptr_pages_nolock(bytes) },
            // SAFETY: By this function's contract.
            Origin::Virtual => unsafe { bindings::rust_dynptr_vzalloc(owner, bytes) },
        };
        let start = NonNull::new(start.cast());
        if start.is_none() {
            // SAFETY: Charged above, or NULL.
            unsafe { bindings::rust_dynptr_uncharge(charged, bytes) };
        }
        start.map(|start| Self { start, charged })
    }
}

/// A share in a block.
///
/// # Invariants
///
/// Points to the header of a block in which this object holds a reference.
pub(crate) struct Block(NonNull<Header>);

/// Counts `count` of something that happened.
fn note(event: Event, count: u64) {
    // SAFETY: Adds to this processor's counter, in any context.
    unsafe { bindings::rust_dynptr_heap_add(event, count) };
}

/// What happened since the module was loaded, over all processors.
fn sum(event: Event) -> u64 {
    // SAFETY: Reads the counters of all processors, whatever these do.
    unsafe { bindings::rust_dynptr_heap_sum(event) }
}

impl Block {
    /// A zeroed block of `size` bytes, at most [`rules::MAX_SIZE`], charged to the memory cgroup of `owner`.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`].
    ///
    /// # Safety
    ///
    /// `owner` is an object from the slab allocator.
    unsafe fn new(size: u32, owner: *mut c_void) -> Result<Self, Errno> {
        let bytes = heap::block_size(size, zone::are_used());
        // SAFETY: Looks at what this processor is doing.
        let origin = heap::origin(bytes, LIMITS, || unsafe {
            bindings::rust_dynptr_may_sleep()
        });
        // SAFETY: By this function's contract.
        let memory = origin.and_then(|origin| unsafe { Memory::new(origin, bytes, owner) });
        let (Some(origin), Some(memory)) = (origin, memory) else {
            // SAFETY: Counts and traces, in any context.
            unsafe { bindings::rust_dynptr_heap_failed(size) };
            return Err(ENOMEM);
        };
        let header = memory.start;
        let value = Header {
            size,
            origin: origin.to_raw(),
            references: if faults::has(HeapFault::Shared) {
                heap::MAX_REFERENCES.wrapping_sub(2)
            } else {
                1
            },
            unused: 0,
            charged: memory.charged,
            node: Default::default(),
        };
        // SAFETY: New memory, large enough, aligned as the allocators do.
        unsafe { header.write(value) };
        // INVARIANT: The first reference.
        let block = Self(header);
        block.note_birth();
        Ok(block)
    }

    fn note_birth(&self) {
        zone::mark(self);
        // SAFETY: A block that `self` holds; counts and traces, in any context.
        unsafe { bindings::rust_dynptr_heap_allocated(self.0.as_ptr()) };
    }

    /// A reference that was given away by [`into_raw`](Self::into_raw) or [`into_data`](Self::into_data).
    ///
    /// # Safety
    ///
    /// Whoever got it is done with it.
    pub(crate) unsafe fn from_raw(header: *mut Header) -> Option<Self> {
        // INVARIANT: By this function's contract.
        NonNull::new(header).map(Self)
    }

    /// The object that a program holds; with the reference.
    pub(crate) fn into_raw(self) -> *mut Header {
        core::mem::ManuallyDrop::new(self).0.as_ptr()
    }

    /// Where a dynptr points to; with the reference.
    fn into_data(self) -> *mut c_void {
        self.into_raw().wrapping_byte_add(HEADER).cast()
    }

    /// The program's bytes.
    fn size(&self) -> u32 {
        // SAFETY: By the type invariant; never changes.
        unsafe { (*self.0.as_ptr()).size }
    }

    fn references(&self) -> &Atomic<u32> {
        // SAFETY: By the type invariant.
        let count = unsafe { &raw mut (*self.0.as_ptr()).references };
        // SAFETY: Lives as long as the block; all accesses are atomic.
        unsafe { Atomic::from_ptr(count) }
    }

    /// A reference more. `None` if there are as many as can be counted, or if the last one is gone.
    pub(crate) fn share(&self) -> Option<Self> {
        let mut old = self.references().load(Relaxed);
        while heap::can_share(old) {
            match self.references().cmpxchg(old, old.wrapping_add(1), Relaxed) {
                // INVARIANT: The new reference.
                Ok(_) => return Some(Self(self.0)),
                Err(now) => old = now,
            }
        }
        None
    }

    /// Gives the memory back to where it came from, soon if that is not allowed here.
    ///
    /// # Safety
    ///
    /// The last reference is gone.
    unsafe fn free(header: NonNull<Header>) {
        // SAFETY: By this function's contract the block is nobody's; its memory is there until it is freed.
        let origin = Origin::from_raw(unsafe { header.as_ref() }.origin);
        // SAFETY: As above.
        let charged = unsafe { header.as_ref() }.charged;
        let is_allowed = if origin == Some(Origin::Slab) {
            // With the last reference to a cgroup locks are taken, whose holders have interrupts off.
            // SAFETY: Looks at what this processor is doing.
            charged.is_null() || unsafe { bindings::rust_dynptr_irqs_are_on() }
        } else {
            // SAFETY: As above.
            unsafe { bindings::rust_dynptr_may_sleep() }
        };
        if is_allowed {
            // SAFETY: By this function's contract, and as it is allowed here.
            unsafe { Self::free_now(header) };
        } else {
            let node = header.as_ptr().wrapping_byte_add(NODE).cast();
            // SAFETY: Nobody uses the block any more, and it stays until it comes back from the list.
            unsafe { bindings::rust_dynptr_defer(node) };
        }
    }

    /// Gives the memory back to where it came from. Only what is from the slab allocator, and charged to nobody,
    /// in any context; the rest not in NMI, nor below what may hold the locks of allocators and cgroups.
    ///
    /// (There is a `free_pages_nolock()`. It leaves the order in `page->private` when it defers more than one
    /// page, and the next owner of these pages is told of a bad page.)
    ///
    /// # Safety
    ///
    /// The last reference is gone.
    unsafe fn free_now(header: NonNull<Header>) {
        // SAFETY: By this function's contract the block is nobody's; its memory is there until it is freed.
        let size = unsafe { header.as_ref() }.size;
        // SAFETY: As above.
        let origin = unsafe { header.as_ref() }.origin;
        // SAFETY: As above.
        let charged = unsafe { header.as_ref() }.charged;
        let bytes = heap::block_size(size, zone::are_used());
        // SAFETY: `Memory::new()` charged as much, if anybody.
        unsafe { bindings::rust_dynptr_uncharge(charged, bytes) };
        let memory = header.as_ptr().cast::<c_void>();
        match Origin::from_raw(origin) {
            // SAFETY: From `kmalloc_nolock()`; nobody uses it.
            Some(Origin::Slab) => unsafe { bindings::kfree_nolock(memory) },
            // SAFETY: From `alloc_pages_nolock()`, of this size.
            Some(Origin::Pages) => unsafe { bindings::rust_dynptr_free_pages(memory, bytes) },
            // SAFETY: From `vzalloc()`; nobody uses it, and callers free it here only where one may sleep.
            Some(Origin::Virtual) => unsafe { bindings::vfree(memory) },
            // Somebody wrote over the header: leaked rather than given to the wrong allocator.
            None => note(bindings::rust_dynptr_heap_event_RUST_DYNPTR_HEAP_DAMAGED, 1),
        }
    }

    /// Frees a block that [`free`](Self::free) deferred.
    ///
    /// # Safety
    ///
    /// `node` comes from the list; this is an interrupt, not NMI.
    pub(crate) unsafe fn free_deferred(node: *mut bindings::llist_node) {
        let header = node.wrapping_byte_sub(NODE).cast();
        if let Some(header) = NonNull::new(header) {
            // SAFETY: By this function's contract.
            unsafe { Self::free_now(header) };
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let is_last = if self.references().load(Acquire) == 1 {
            // Who holds the only reference is alone: no atomic subtraction. But the tracepoint's programs see
            // the block, and shall get no reference.
            self.references().store(0u32, Relaxed);
            true
        } else {
            self.references().fetch_sub(1u32, Full) == 1
        };
        if faults::has(HeapFault::Early) {
            zone::spoil(self.0);
        }
        if !is_last || (self.size() == 64 && faults::has(HeapFault::Leak)) {
            return;
        }
        // SAFETY: The block is still there; counts and traces, in any context.
        unsafe { bindings::rust_dynptr_heap_freed(self.0.as_ptr()) };
        if let Some(header) = zone::retire(self.0) {
            // SAFETY: That was the last reference, of this block or of one that has waited since.
            unsafe { Self::free(header) };
        }
    }
}

impl Dynptr<'_> {
    /// `bpf_dynptr_alloc()`.
    ///
    /// # Errors
    ///
    /// Those of [`rules::alloc`]; [`ENOMEM`]. The dynptr is null then.
    ///
    /// # Safety
    ///
    /// `owner` is an object from the slab allocator.
    pub(crate) unsafe fn set_from_heap(
        self,
        size: u32,
        flags: u64,
        owner: *mut c_void,
    ) -> Result<(), Errno> {
        let zero = u64::from(bindings::rust_dynptr_values_RUST_DYNPTR_GFP_ZERO);
        let word = match rules::alloc(size, flags, zero) {
            Ok(word) => word,
            Err(errno) => return self.refuse(errno),
        };
        // SAFETY: By this function's contract.
        match unsafe { Block::new(size, owner) } {
            Ok(block) => self.set(block.into_data(), word),
            Err(errno) => return self.refuse(errno),
        }
        Ok(())
    }

    /// `bpf_dynptr_attach()`: a dynptr over the whole block, which has the reference.
    pub(crate) fn set_from_block(self, block: Block) {
        let word = Word::heap(block.size());
        self.set(block.into_data(), word);
    }

    /// `bpf_dynptr_put()` and `bpf_dynptr_detach()`: the dynptr is null then. `None` if it was, or is no
    /// heap dynptr.
    ///
    /// # Safety
    ///
    /// No clone of it is used any more.
    pub(crate) unsafe fn take_block(self) -> Option<Block> {
        if self.is_null() || !self.word().is_heap() {
            return None;
        }
        let header = self.data_ptr().wrapping_byte_sub(HEADER).cast();
        self.set_null();
        // SAFETY: The word says that `into_data()` made `data`; by this function's contract the dynptr
        // was done with.
        unsafe { Block::from_raw(header) }
    }
}

/// What a kfunc at this address does with its dynptr, if it is one of heap dynptrs.
pub(crate) fn call_of(address: usize) -> Option<HeapCall> {
    if address == bindings::bpf_dynptr_alloc as usize
        || address == bindings::bpf_dynptr_attach as usize
    {
        Some(HeapCall::Construct)
    } else if address == bindings::bpf_dynptr_put as usize
        || address == bindings::bpf_dynptr_detach as usize
    {
        Some(HeapCall::Release)
    } else {
        None
    }
}

/// Waits until all memory that was freed is given back, before the module goes. May sleep.
pub(crate) fn wait_for_frees() {
    zone::drain(|header| {
        // SAFETY: Its last reference is long gone.
        unsafe { Block::free(header) }
    });
    // SAFETY: Waits for the module's own interrupts: its caller, who unloads the module, may sleep.
    unsafe { bindings::rust_dynptr_defer_barrier() };
}

/// debugfs `heap`: blocks and bytes that live now, and what happened since the module was loaded.
pub(crate) fn show(f: &mut kernel::fmt::Formatter<'_>) -> kernel::fmt::Result {
    // Freed before allocated: a block counted as freed is counted as allocated too.
    let freed = sum(bindings::rust_dynptr_heap_event_RUST_DYNPTR_HEAP_FREED);
    let allocated = sum(bindings::rust_dynptr_heap_event_RUST_DYNPTR_HEAP_ALLOCATED);
    let freed_bytes = sum(bindings::rust_dynptr_heap_event_RUST_DYNPTR_HEAP_BYTES_FREED);
    let bytes = sum(bindings::rust_dynptr_heap_event_RUST_DYNPTR_HEAP_BYTES_ALLOCATED);
    writeln!(f, "live {}", allocated.wrapping_sub(freed))?;
    writeln!(f, "live_bytes {}", bytes.wrapping_sub(freed_bytes))?;
    writeln!(f, "allocated {allocated}")?;
    for (name, event) in [
        (
            "failed",
            bindings::rust_dynptr_heap_event_RUST_DYNPTR_HEAP_FAILED,
        ),
        (
            "damaged",
            bindings::rust_dynptr_heap_event_RUST_DYNPTR_HEAP_DAMAGED,
        ),
    ] {
        writeln!(f, "{name} {}", sum(event))?;
    }
    Ok(())
}
