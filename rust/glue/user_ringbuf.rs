// SPDX-License-Identifier: GPL-2.0

//! `struct bpf_ringbuf` behind [`UserRingMem`], for BPF programs that drain what user space produced,
//! answering to `bpf_user_ringbuf_drain()` in `srctree/kernel/bpf/ringbuf.c`.
//!
//! Locking: the word `busy`, not the lock: it is held while the program's callback runs, which may be
//! long and, in a sleepable program, may sleep.

use super::ringbuf::RingBuf;
use crate::{
    bindings::{
        self,
        layout, //
    },
    glue::ordered,
    logic::{
        dynptr::{
            Class,
            Word, //
        },
        errno::Errno,
        ring::RingMem,
        user_ring::{
            self,
            Sample,
            UserRingMem, //
        }, //
    }, //
};
use kernel::ffi::c_void;

/// The compiled callback of a BPF program: `bpf_callback_t`.
pub(crate) type Callback = unsafe extern "C" fn(u64, u64, u64, u64, u64) -> u64;

/// The ring of a `BPF_MAP_TYPE_USER_RINGBUF` map, borrowed for one call.
pub(crate) struct UserRingBuf<'a>(RingBuf<'a>);

impl UserRingBuf<'_> {
    /// # Safety
    ///
    /// `map` is a user ring buffer map that stays alive as long as this.
    pub(crate) unsafe fn from_map(map: *mut c_void) -> Self {
        // SAFETY: By this function's contract; both types share the structure.
        Self(unsafe { RingBuf::from_map(map) })
    }

    /// `bpf_user_ringbuf_drain()`: calls `callback(sample, context)` for each sample until it returns
    /// something else than 0. Gives the number of samples handed out.
    ///
    /// # Errors
    ///
    /// Those of [`user_ring::drain`].
    ///
    /// # Safety
    ///
    /// `callback` is a function of the running program (`ARG_PTR_TO_FUNC`) that was verified with a
    /// read-write local dynptr and `context` (`ARG_PTR_TO_STACK_OR_NULL`) as its arguments.
    pub(crate) unsafe fn drain(
        &self,
        callback: Callback,
        context: u64,
        flags: u64,
    ) -> Result<u32, Errno> {
        let drained = user_ring::drain(self, flags, |sample| {
            // SAFETY: By this function's contract.
            unsafe { self.hand_out(sample, callback, context) }
        })?;
        if drained.wake {
            self.0.wake();
        }
        drained.result
    }

    /// # Safety
    ///
    /// As [`Self::drain`].
    unsafe fn hand_out(&self, sample: Sample, callback: Callback, context: u64) -> u64 {
        let mut dynptr = bindings::bpf_dynptr_kern {
            data: self.0.data().wrapping_add(sample.offset as usize).cast(),
            size: Word::new(Class::Local, sample.size).into_raw(),
            offset: 0,
        };
        let ptr = &raw mut dynptr;
        // SAFETY: By this function's contract. The sample is within the data, which is mapped twice,
        // and user space may change its bytes but not unmap them.
        unsafe { callback(ptr as u64, context, 0, 0, 0) }
    }
}

impl UserRingMem for UserRingBuf<'_> {
    fn mask(&self) -> u64 {
        self.0.mask()
    }

    fn producer_pos_acquire(&self) -> u64 {
        self.0.producer_pos_acquire()
    }

    fn consumer_pos_acquire(&self) -> u64 {
        self.0.consumer_pos_acquire()
    }

    fn consumer_pos(&self) -> u64 {
        // SAFETY: A member of a live ring; only who holds `busy` writes it.
        unsafe { ordered::load_once(self.0.member(layout::bpf_ringbuf::CONSUMER_POS)) }
    }

    fn set_consumer_pos_release(&self, pos: u64) {
        // SAFETY: A member of a live ring; `busy` is held.
        unsafe { ordered::store_release(self.0.member(layout::bpf_ringbuf::CONSUMER_POS), pos) };
    }

    fn hdr_len_acquire(&self, offset: u64) -> u32 {
        let hdr = self.0.data().wrapping_add(offset as usize).cast();
        // SAFETY: Within the data of a live ring. User space may write it at any time.
        unsafe { ordered::load_acquire_u32(hdr) }
    }

    fn try_set_busy(&self) -> bool {
        // SAFETY: A member of a live ring, an `atomic_t`.
        unsafe { ordered::cmpxchg_u32(self.0.member(layout::bpf_ringbuf::BUSY), 0, 1) }
    }

    fn clear_busy_release(&self) {
        // SAFETY: As above.
        unsafe { ordered::store_release_u32(self.0.member(layout::bpf_ringbuf::BUSY), 0) };
    }
}
