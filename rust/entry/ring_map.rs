// SPDX-License-Identifier: GPL-2.0

//! The operations of both ring buffer map types, of `srctree/kernel/bpf/ringbuf.c`. Called through
//! `ringbuf_map_ops` and `user_ringbuf_map_ops` by system calls and, to free a map, by a kernel worker;
//! may sleep. Nothing holds the module meanwhile, so each visit is counted.
//!
//! # Safety
//!
//! For every function here: the arguments are those of the map operation that it stands for, see
//! `struct bpf_map_ops`; `map` is a map of one of the two types that the caller holds.

use crate::{
    bindings::{
        bpf_attr,
        file,
        poll_table_struct,
        vm_area_struct, //
    },
    glue::{
        module::Visit,
        ring_map::{
            self,
            RingMap, //
        }, //
    },
    logic::{
        errno::{
            Errno,
            EINVAL, //
        },
        ring_map::Producer, //
    },
    stats::hit,
    table::Row, //
};
use kernel::ffi::{
    c_int,
    c_void, //
};

/// `ringbuf_map_alloc(attr)`: the map, or `ERR_PTR()` of EINVAL (what is asked for makes no ring) or
/// ENOMEM.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_ringbuf_map_alloc(attr: *mut bpf_attr) -> *mut c_void {
    let _visit = Visit::begin();
    hit(Row::ringbuf_map_alloc);
    // SAFETY: The module's contract.
    match unsafe { ring_map::alloc(attr) } {
        Ok(map) => map,
        Err(errno) => errno.to_register() as *mut c_void,
    }
}

/// `ringbuf_map_free(map)`: frees the map and its ring, which nobody uses any more; waits for a wake-up
/// that is still queued.
///
/// # Safety
///
/// See the module; this is the map's end.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_ringbuf_map_free(map: *mut c_void) {
    let _visit = Visit::begin();
    hit(Row::ringbuf_map_free);
    // SAFETY: The module's contract.
    if let Some(map) = unsafe { RingMap::from_raw(map) } {
        // SAFETY: By this function's contract.
        unsafe { map.free() };
    }
}

/// # Safety
///
/// See the module.
unsafe fn mmap(producer: Producer, map: *mut c_void, vma: *mut vm_area_struct) -> c_int {
    // SAFETY: The module's contract.
    unsafe { RingMap::from_raw(map) }.map_or(Errno::to_c_int(EINVAL), |map| {
        // SAFETY: The module's contract.
        unsafe { map.mmap(producer, vma) }
    })
}

/// `ringbuf_map_mmap_kern(map, vma)`: 0; -EPERM for a writable mapping of more than the consumer's page;
/// -EINVAL for pages that the ring does not have.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_ringbuf_map_mmap_kern(
    map: *mut c_void,
    vma: *mut vm_area_struct,
) -> c_int {
    let _visit = Visit::begin();
    hit(Row::ringbuf_map_mmap_kern);
    // SAFETY: The module's contract.
    unsafe { mmap(Producer::Kernel, map, vma) }
}

/// `ringbuf_map_mmap_user(map, vma)`: 0; -EPERM for a writable mapping of the consumer's page; -EINVAL
/// for pages that the ring does not have.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_ringbuf_map_mmap_user(
    map: *mut c_void,
    vma: *mut vm_area_struct,
) -> c_int {
    let _visit = Visit::begin();
    hit(Row::ringbuf_map_mmap_user);
    // SAFETY: The module's contract.
    unsafe { mmap(Producer::User, map, vma) }
}

/// `bpf_map_poll(filp, pts)` of `srctree/kernel/bpf/syscall.c`, through which alone the rings' own
/// operations are called: of a ring buffer `EPOLLIN | EPOLLRDNORM` if there is something to read
/// (`ringbuf_map_poll_kern()`), of a user ring buffer `EPOLLOUT | EPOLLWRNORM` if there is room to write
/// (`ringbuf_map_poll_user()`). Other maps answer for themselves.
///
/// # Safety
///
/// `file` is a map's, whose caller holds it; `table` is the caller's of a poll in progress.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_map_poll(
    file: *mut file,
    table: *mut poll_table_struct,
) -> u32 {
    let _visit = Visit::begin();
    // SAFETY: By this function's contract.
    unsafe { ring_map::poll(file, table) }
}

/// `ringbuf_map_mem_usage(map)`: bytes of the map, its ring and the list of the ring's pages.
///
/// # Safety
///
/// See the module.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_ringbuf_map_mem_usage(map: *const c_void) -> u64 {
    let _visit = Visit::begin();
    hit(Row::ringbuf_map_mem_usage);
    // SAFETY: The module's contract.
    unsafe { RingMap::from_raw(map.cast_mut()) }.map_or(0, RingMap::mem_usage)
}
