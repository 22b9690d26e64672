// SPDX-License-Identifier: GPL-2.0

//! The ring buffer helpers of `srctree/kernel/bpf/ringbuf.c`. Called by JITed programs that were
//! loaded while the module was. Contexts: any in which a BPF program runs, NMI included.

use crate::{
    glue::ringbuf::RingBuf,
    stats::hit,
    table::Row, //
};
use kernel::ffi::c_void;

/// `bpf_ringbuf_output(map, data, size, flags)`.
///
/// Returns 0; -EINVAL for unknown flags; -EAGAIN if there is no room or the lock cannot be had.
///
/// # Safety
///
/// The proto's arguments: `map` is `ARG_CONST_MAP_PTR`, and `check_map_func_compatibility()` lets
/// only `BPF_MAP_TYPE_RINGBUF` through; `data` is `ARG_PTR_TO_MEM | MEM_RDONLY` of `size` bytes.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_ringbuf_output(
    map: u64,
    data: u64,
    size: u64,
    flags: u64,
    _: u64,
) -> u64 {
    hit(Row::bpf_ringbuf_output);
    // SAFETY: `map` is a ring buffer map that the running program holds.
    let ring = unsafe { RingBuf::from_map(map as *mut c_void) };
    // SAFETY: The verifier checked `data` for `size` bytes.
    match unsafe { ring.output(data as *const c_void, size, flags) } {
        Ok(()) => 0,
        Err(errno) => errno.to_register(),
    }
}

/// `bpf_ringbuf_query(map, flags)`.
///
/// Returns what `flags` (`BPF_RB_AVAIL_DATA`, `_RING_SIZE`, `_CONS_POS`, `_PROD_POS`,
/// `_OVERWRITE_POS`) asks for, in bytes; 0 for anything else. A snapshot without any lock.
///
/// # Safety
///
/// As [`rust_bpf_ringbuf_output`] for `map`.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_bpf_ringbuf_query(
    map: u64,
    flags: u64,
    _: u64,
    _: u64,
    _: u64,
) -> u64 {
    hit(Row::bpf_ringbuf_query);
    // SAFETY: `map` is a ring buffer map that the running program holds.
    let ring = unsafe { RingBuf::from_map(map as *mut c_void) };
    ring.query(flags)
}
