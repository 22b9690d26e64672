// SPDX-License-Identifier: GPL-2.0

//! The verifier's environment and stack frames, answering to
//! `srctree/include/linux/bpf_verifier.h`. Applies what `logic::slot` decides.
//!
//! Locking: the verifier runs in one task; everything here belongs to that task's run.

use crate::{
    bindings,
    logic::{
        reject::Reject,
        slot::{
            self,
            Destroy,
            DynptrSlot,
            StackView, //
        }, //
    }, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    ffi::c_int,
    prelude::*, //
};

const STACK_DYNPTR: u8 = bindings::bpf_stack_slot_type_STACK_DYNPTR as u8;
/// `BPF_REG_SIZE`: bytes of a stack slot.
const SLOT_BYTES: i32 = 8;

/// A verifier run, borrowed for one call.
///
/// # Invariants
///
/// Points to the environment of the verifier run of the current task.
pub(crate) struct VerifierEnv<'a>(NonNull<bindings::bpf_verifier_env>, PhantomData<&'a ()>);

/// A stack frame of the program under verification.
///
/// # Invariants
///
/// Points to a `struct bpf_func_state` of a live verifier run whose `stack` has
/// `allocated_stack / 8` slots.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a>(NonNull<bindings::bpf_func_state>, PhantomData<&'a ()>);

impl<'a> Frame<'a> {
    /// # Safety
    ///
    /// `ptr` is a frame of the verifier run of the current task, for `'a`.
    pub(crate) unsafe fn from_raw(ptr: *mut bindings::bpf_func_state) -> Option<Self> {
        // INVARIANT: By this function's contract.
        NonNull::new(ptr).map(|ptr| Self(ptr, PhantomData))
    }

    fn slots(self) -> i32 {
        // SAFETY: By the type invariant.
        unsafe { (*self.0.as_ptr()).allocated_stack }
            .checked_div(SLOT_BYTES)
            .unwrap_or(0)
    }

    fn slot(self, spi: i32) -> Option<NonNull<bindings::bpf_stack_state>> {
        if spi < 0 || spi >= self.slots() {
            return None;
        }
        // SAFETY: By the type invariant.
        let stack = unsafe { (*self.0.as_ptr()).stack };
        NonNull::new(stack.wrapping_add(spi as usize))
    }

    /// The mark of slot `spi` if its byte `byte` says that a dynptr is there.
    ///
    /// C looks at byte 0 in some places and at byte 7 in others; STACK_DYNPTR is never partial.
    fn dynptr(self, spi: i32, byte: usize) -> Result<Option<DynptrSlot>, Reject> {
        let slot = self.slot(spi).ok_or(Reject::BadSlot)?.as_ptr();
        // SAFETY: `slot` is in bounds.
        let types = unsafe { (*slot).slot_type };
        if types.get(byte) != Some(&STACK_DYNPTR) {
            return Ok(None);
        }
        // SAFETY: `slot` is in bounds.
        let reg = unsafe { &raw mut (*slot).spilled_ptr };
        // SAFETY: `reg` is in bounds, and a STACK_DYNPTR slot uses the union's `dynptr` member.
        let mark = unsafe { (*reg).__bindgen_anon_1.dynptr };
        Ok(Some(DynptrSlot {
            first: mark.first_slot,
            class_raw: mark.type_,
            // SAFETY: As above.
            id: unsafe { (*reg).id },
            // SAFETY: As above.
            parent_id: unsafe { (*reg).parent_id },
        }))
    }
}

impl VerifierEnv<'_> {
    /// # Safety
    ///
    /// `ptr` is the environment of the verifier run of the current task.
    pub(crate) unsafe fn from_raw(ptr: *mut bindings::bpf_verifier_env) -> Option<Self> {
        // INVARIANT: By this function's contract.
        NonNull::new(ptr).map(|ptr| Self(ptr, PhantomData))
    }

    /// `destroy_if_dynptr_stack_slot()`: slot `spi` of `frame` is about to be overwritten.
    ///
    /// Returns 0, or after telling the log: -EINVAL for the last dynptr of a reference, or the
    /// error of `release_reference()`.
    pub(crate) fn destroy_dynptr(&mut self, frame: Frame<'_>, spi: i32) -> c_int {
        let view = CurrentState { env: self, frame };
        match slot::destroy(&view, spi) {
            Ok(Destroy::Nothing) => 0,
            Ok(Destroy::Release { id, spi }) => {
                let err = self.release_reference(id);
                if err == 0 {
                    self.mark_scratched(spi);
                    self.mark_scratched(spi.wrapping_sub(1));
                }
                err
            }
            Err(reject) => self.reject(reject),
        }
    }

    fn release_reference(&mut self, id: u32) -> c_int {
        // SAFETY: By the type invariant. Frees nothing that `self` borrows.
        unsafe { bindings::release_reference(self.0.as_ptr(), id as c_int) }
    }

    /// `mark_stack_slot_scratched()`: the next state line of the log prints the slot.
    fn mark_scratched(&mut self, spi: i32) {
        let bit = 1u64.checked_shl(spi as u32).unwrap_or(0);
        // SAFETY: By the type invariant.
        unsafe { (*self.0.as_ptr()).scratched_stack_slots |= bit };
    }

    /// Logs a reject, gives its diagnostic, and returns its errno.
    fn reject(&mut self, reject: Reject) -> c_int {
        let env = self.0.as_ptr();
        // SAFETY: By the type invariant; the text has no conversions.
        unsafe { bindings::bpf_verifier_log_write(env, reject.log().as_char_ptr()) };
        if let Some(diagnostic) = reject.diagnostic() {
            // SAFETY: By the type invariant.
            let insn = unsafe { (*env).insn_idx };
            // SAFETY: By the type invariant; the function copies the texts or keeps pointers to
            // them until the run ends, and they are static.
            unsafe {
                bindings::bpf_diag_res(
                    env,
                    insn,
                    diagnostic.problem.as_char_ptr(),
                    diagnostic.reason.as_char_ptr(),
                    diagnostic.suggestion.as_char_ptr(),
                )
            };
        }
        reject.errno().to_c_int()
    }

    /// The frames of the current state, outermost first.
    fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        // SAFETY: By the type invariant; a run has a current state while it checks instructions.
        let state = unsafe { (*self.0.as_ptr()).cur_state };
        // SAFETY: As above.
        let frames = unsafe { (*state).frame };
        // SAFETY: As above.
        let last = unsafe { (*state).curframe } as usize;
        frames
            .into_iter()
            .take(last.saturating_add(1))
            // SAFETY: Frames up to `curframe` are live.
            .filter_map(|frame| unsafe { Frame::from_raw(frame) })
    }
}

/// The state that a decision on `frame` looks at.
struct CurrentState<'a, 'b> {
    env: &'a VerifierEnv<'b>,
    frame: Frame<'a>,
}

impl StackView for CurrentState<'_, '_> {
    fn dynptr_slot(&self, spi: i32) -> Result<Option<DynptrSlot>, Reject> {
        self.frame.dynptr(spi, 0)
    }

    fn dynptrs_of_parent(&self, parent_id: u32) -> u32 {
        let mut count = 0u32;
        for frame in self.env.frames() {
            for spi in 0..frame.slots() {
                // C's iterator takes the slots whose byte 7 says dynptr, then asks byte 0.
                if let (Ok(Some(_)), Ok(Some(slot))) = (frame.dynptr(spi, 7), frame.dynptr(spi, 0))
                {
                    if slot.first && slot.parent_id == parent_id {
                        count = count.wrapping_add(1);
                    }
                }
            }
        }
        count
    }
}
