// SPDX-License-Identifier: GPL-2.0

//! The verifier's environment, answering to `srctree/include/linux/bpf_verifier.h`: what its functions
//! that the module replaces read and change, and how a program is refused. Applies what `logic` decides.
//!
//! Everything that outlives a call is in C's structures, as C has it: C reads it afterwards.
//!
//! Locking: the verifier runs in one task; everything here belongs to that task's run.

mod argument;
mod frame;
mod objects;
mod references;

pub(crate) use self::{
    argument::DynptrArgument,
    frame::{
        type_name,
        Frame,
        Reg, //
    }, //
};

use crate::{
    bindings,
    glue::c_bytes,
    logic::{
        argno::{
            ArgNo,
            NAME_CAPACITY, //
        },
        codes,
        reject::{
            write_no_place,
            Diagnostic,
            Message,
            Reject,
            Subject, //
        },
        slot::{
            self,
            Destroy,
            Stack, //
        },
        text::Text, //
    }, //
};
use core::{
    marker::PhantomData,
    ptr::{
        self,
        NonNull, //
    }, //
};
use kernel::{
    ffi::{
        c_char,
        c_int, //
    },
    prelude::*,
    str::CStr, //
};

/// A verifier run, borrowed for one call.
///
/// # Invariants
///
/// Points to the environment of the verifier run of the current task, which has a current state: the
/// run is checking instructions.
pub(crate) struct VerifierEnv<'a>(NonNull<bindings::bpf_verifier_env>, PhantomData<&'a ()>);

impl<'a> VerifierEnv<'a> {
    /// # Safety
    ///
    /// `ptr` is the environment of the verifier run of the current task, which is checking
    /// instructions, for `'a`.
    pub(crate) unsafe fn from_raw(ptr: *mut bindings::bpf_verifier_env) -> Option<Self> {
        // INVARIANT: By this function's contract.
        NonNull::new(ptr).map(|ptr| Self(ptr, PhantomData))
    }

    fn as_ptr(&self) -> *mut bindings::bpf_verifier_env {
        self.0.as_ptr()
    }

    /// The current state.
    fn state(&self) -> *mut bindings::bpf_verifier_state {
        // SAFETY: By the type invariant.
        unsafe { (*self.as_ptr()).cur_state }
    }

    /// The index of the current instruction.
    fn insn(&self) -> u32 {
        // SAFETY: By the type invariant.
        unsafe { (*self.as_ptr()).insn_idx }
    }

    /// Frame `number` of the current state: `None` if it has none.
    fn frame_at(&self, number: u32) -> Option<Frame<'a>> {
        let state = self.state();
        // SAFETY: By the type invariant there is a current state.
        if number > unsafe { (*state).curframe } {
            return None;
        }
        // SAFETY: As above.
        let frames: *const [_] = unsafe { &raw const (*state).frame };
        if number as usize >= frames.len() {
            return None;
        }
        let frame = frames
            .cast::<*mut bindings::bpf_func_state>()
            .wrapping_add(number as usize);
        // SAFETY: `number` is below the array's length.
        let frame = unsafe { frame.read() };
        // SAFETY: Frames up to `curframe` are live.
        unsafe { Frame::from_raw(frame) }
    }

    /// The number of the frame of the current instruction.
    fn current_frame_number(&self) -> u32 {
        // SAFETY: By the type invariant there is a current state.
        unsafe { (*self.state()).curframe }
    }

    /// The frame of the current instruction.
    fn current_frame(&self) -> Option<Frame<'a>> {
        self.frame_at(self.current_frame_number())
    }

    /// A fresh identity: `++env->id_gen`.
    fn new_id(&mut self) -> u32 {
        // SAFETY: By the type invariant.
        let last = unsafe { &mut (*self.as_ptr()).id_gen };
        *last = last.wrapping_add(1);
        *last
    }

    /// `env->allow_ptr_leaks`
    fn allows_ptr_leaks(&self) -> bool {
        // SAFETY: By the type invariant.
        let flag = unsafe { &raw const (*self.as_ptr()).allow_ptr_leaks };
        // SAFETY: As above; a byte.
        unsafe { flag.cast::<u8>().read() != 0 }
    }

    /// `env->bpf_capable`
    fn is_bpf_capable(&self) -> bool {
        // SAFETY: By the type invariant.
        let flag = unsafe { &raw const (*self.as_ptr()).bpf_capable };
        // SAFETY: As above; a byte.
        unsafe { flag.cast::<u8>().read() != 0 }
    }

    /// `mark_stack_slot_scratched()`: the next state line of the log prints the slot.
    fn mark_scratched(&mut self, spi: i32) {
        let bit = 1u64.checked_shl(spi as u32).unwrap_or(0);
        // SAFETY: By the type invariant.
        unsafe { (*self.as_ptr()).scratched_stack_slots |= bit };
    }

    /// Both slots of the dynptr at `spi`.
    fn mark_dynptr_scratched(&mut self, spi: i32) {
        self.mark_scratched(spi);
        self.mark_scratched(spi.wrapping_sub(1));
    }

    /// `destroy_if_dynptr_stack_slot()`: slot `spi` of `frame` is about to be overwritten.
    ///
    /// # Errors
    ///
    /// After telling the log: -EINVAL for the last dynptr of a reference; what [`Self::release`] gives.
    pub(crate) fn destroy_dynptr(&mut self, frame: Frame<'_>, spi: i32) -> Result<(), c_int> {
        match slot::destroy(&frame::InState { env: self, frame }, spi) {
            Ok(Destroy::Nothing) => Ok(()),
            Ok(Destroy::Release { id, spi }) => {
                self.release(id)?;
                self.mark_dynptr_scratched(spi);
                Ok(())
            }
            Err(reject) => Err(self.refuse(reject)),
        }
    }

    /// `stack_slot_obj_get_spi()`: the first slot of an object of `count` slots that `reg` points to; a
    /// `kind` for the log.
    ///
    /// # Errors
    ///
    /// After telling the log -EINVAL; -ERANGE, silently, if the slots are not part of the stack yet.
    pub(crate) fn object_place(
        &mut self,
        reg: Reg<'_>,
        kind: &[u8],
        count: c_int,
    ) -> Result<c_int, c_int> {
        let slots = self.frame_of(reg).map_or(0, |frame| frame.slots());
        slot::place(reg.offset(), count, slots).map_err(|why| {
            let mut text = Message::new();
            write_no_place(why, kind, &mut text);
            let err = Reject::NoPlace(why).errno().to_c_int();
            self.log(&text, err);
            err
        })
    }

    /// The frame that a pointer to the stack points into: `bpf_func()`.
    fn frame_of(&self, reg: Reg<'_>) -> Option<Frame<'a>> {
        if reg.type_raw() != codes::PTR_TO_STACK {
            return None;
        }
        self.frame_at(reg.frameno())
    }

    /// Tells why the program is refused, with this error: the verifier's log, if there is one, and who
    /// traces that. Not the latter what the processor alone might do: C goes on then, with a barrier.
    fn log(&mut self, text: &Message, err: c_int) {
        let reason = text.as_bytes_with_nul().as_ptr();
        // SAFETY: By the type invariant; the format takes one string.
        unsafe { bindings::bpf_verifier_log_write(self.as_ptr(), c"%s".as_char_ptr(), reason) };
        // SAFETY: By the type invariant there is a current state.
        let is_speculative = unsafe { (*self.state()).speculative };
        if !text.is_empty() && !is_speculative {
            // SAFETY: By the type invariant; a C string, which the function does not keep.
            unsafe { bindings::rust_dynptr_refused(self.as_ptr(), err, reason) };
        }
    }

    /// Refuses the program for a reason that is not about an argument; returns the errno.
    fn refuse(&mut self, reject: Reject) -> c_int {
        let subject = Subject {
            arg: ArgNo(0),
            is: b"",
            type_name,
        };
        self.write_log(reject, &subject);
        if let Some(Diagnostic::Resource {
            problem,
            reason,
            suggestion,
        }) = reject.diagnostic()
        {
            self.diagnose(self.insn(), problem, reason, suggestion);
        }
        reject.errno().to_c_int()
    }

    /// Refuses the program because of an argument of its call: log, diagnostic, errno.
    #[cold]
    fn refuse_argument(&mut self, reject: Reject, argument: &DynptrArgument<'_>) -> c_int {
        let subject = Subject {
            arg: argument.no,
            is: match reject {
                Reject::NotADynptr => self.type_in_words(argument.reg),
                _ => b"",
            },
            type_name,
        };
        self.write_log(reject, &subject);
        match reject.diagnostic() {
            Some(Diagnostic::Resource {
                problem,
                reason,
                suggestion,
            }) => self.diagnose(argument.insn, problem, reason, suggestion),
            Some(Diagnostic::Argument { suggestion }) => {
                let mut reason = Message::new();
                reject.write_reason(&subject, &mut reason);
                self.diagnose_argument(argument, &reason, suggestion);
            }
            None => {}
        }
        reject.errno().to_c_int()
    }

    #[inline(never)]
    fn write_log(&mut self, reject: Reject, subject: &Subject<'_>) {
        if let Reject::SeveralParents(count) = reject {
            // SAFETY: By the type invariant.
            unsafe { bindings::rust_dynptr_bug_several_parents(self.as_ptr(), count) };
            return;
        }
        let mut text = Message::new();
        reject.write_log(subject, &mut text);
        self.log(&text, reject.errno().to_c_int());
    }

    /// `bpf_diag_reg_type_plain()`: what a register holds, in words; valid until it is asked again.
    fn type_in_words(&self, reg: Reg<'_>) -> &'a [u8] {
        // SAFETY: By the type invariant.
        let words = unsafe { bindings::bpf_diag_reg_type_plain(self.as_ptr(), reg.type_raw()) };
        // SAFETY: It gives a C string: a constant, or one in the environment that the next call changes.
        unsafe { c_bytes(words) }
    }

    fn diagnose(&mut self, insn: u32, problem: &CStr, reason: &CStr, suggestion: &CStr) {
        // SAFETY: By the type invariant; C strings, which the function does not keep.
        unsafe {
            bindings::bpf_diag_res(
                self.as_ptr(),
                insn,
                problem.as_char_ptr(),
                reason.as_char_ptr(),
                suggestion.as_char_ptr(),
            )
        };
    }

    /// `bpf_diag_call_arg()`
    #[inline(never)]
    fn diagnose_argument(
        &mut self,
        argument: &DynptrArgument<'_>,
        reason: &Message,
        suggestion: &CStr,
    ) {
        let position = argument.no.position();
        let mut name = Text::<NAME_CAPACITY>::new();
        argument.no.write_name(&mut name);
        let reason = self.keep_reason(reason);
        // SAFETY: By the type invariant; C strings, which the function does not keep.
        unsafe {
            bindings::bpf_diag_call_type(
                self.as_ptr(),
                argument.insn,
                position.arg,
                position.register,
                position.on_stack,
                argument.call_name,
                name.as_bytes_with_nul().as_ptr(),
                reason,
                suggestion.as_char_ptr(),
            )
        };
    }

    /// The reason in the diagnostics' own memory, where C has it, as a C string that lives as long as the
    /// environment. Empty if there is no memory, as in C.
    fn keep_reason(&mut self, reason: &Message) -> *const c_char {
        let bytes = reason.as_bytes_with_nul();
        // SAFETY: By the type invariant.
        let kept = unsafe { bindings::bpf_diag_fmt_buf(self.as_ptr(), bytes.len()) };
        if kept.is_null() {
            return c"".as_char_ptr();
        }
        // SAFETY: New memory of that size, which nobody else knows.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), kept.cast(), bytes.len()) };
        kept
    }
}

/// What C warns of once: a stack slot of a type that it does not have.
fn warn_slot_type(types: &[u8]) {
    let last = types.last().copied().unwrap_or(0);
    // SAFETY: Only prints, once, in any context; takes any number.
    unsafe { bindings::rust_dynptr_warn_slot_type(last.into()) };
}

/// What C warns of once: a dynptr of a type that it does not have. Returns the name that it gives it.
pub(crate) fn unknown_type(class_raw: u32) -> &'static CStr {
    // SAFETY: Only prints, once, in any context; takes any number.
    unsafe { bindings::rust_dynptr_warn_dynptr_type(class_raw) };
    c"<unknown>"
}

// `logic` has the verifier's numbers, as it compiles without the kernel: they are the kernel's.
macro_rules! same_codes {
    ($($prefix:ident: $($name:ident)*;)*) => {
        kernel::macros::paste! {
            const _: () = {
                $($(assert!(codes::$name as u64 == bindings::[<$prefix _ $name>] as u64);)*)*
            };
        }
    };
}
same_codes! {
    bpf_reg_type: NOT_INIT SCALAR_VALUE PTR_TO_STACK PTR_TO_PACKET_META PTR_TO_PACKET
        PTR_TO_PACKET_END PTR_TO_MEM CONST_PTR_TO_DYNPTR;
    bpf_arg_type: ARG_PTR_TO_DYNPTR;
    bpf_type_flag: OBJ_RELEASE MEM_UNINIT MEM_ALLOC MEM_PERCPU MEM_RCU DYNPTR_TYPE_LOCAL
        DYNPTR_TYPE_RINGBUF DYNPTR_TYPE_SKB DYNPTR_TYPE_XDP DYNPTR_TYPE_SKB_META DYNPTR_TYPE_FILE;
    bpf_stack_slot_type: STACK_INVALID STACK_SPILL STACK_MISC STACK_ZERO STACK_DYNPTR STACK_ITER
        STACK_IRQ_FLAG STACK_POISON;
    bpf_reference_state_ref_state_type: REF_TYPE_PTR;
}
