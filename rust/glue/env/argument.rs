// SPDX-License-Identifier: GPL-2.0

//! An argument that must be a dynptr: `process_dynptr_func()` of `srctree/kernel/bpf/verifier.c`.

use super::{
    frame::{
        Frame,
        Reg, //
    },
    VerifierEnv, //
};
use crate::{
    bindings,
    glue::{
        c_bytes,
        faults::{
            self,
            HeapFault, //
        },
        heap,
        iter,
        judge,
        programs::called_kfunc, //
    },
    logic::{
        self,
        argno::ArgNo,
        argument::{
            self,
            ArgType,
            Judgement,
            Parent,
            Parents,
            Source, //
        },
        codes::{
            DYNPTR_SLOTS,
            DYNPTR_TYPE_HEAP,
            SLOT_BYTES, //
        },
        reject::Reject,
        slot::Mark,
        soundness::Level, //
    }, //
};
use core::ptr::NonNull;
use kernel::{
    ffi::{
        c_char,
        c_int, //
    },
    str::CStrExt as _, //
};

/// The buffer of `bpf_dynptr_slice()` and `bpf_dynptr_slice_rdwr()` is their third argument.
const BUFFER_REGISTER: i32 = 3;

/// The argument of a kfunc of heap dynptrs, or a wrong one if a test asks for it.
fn with_faults(ty: ArgType) -> ArgType {
    if ty.releases() && faults::has(HeapFault::Type) {
        ArgType(ty.0 & !DYNPTR_TYPE_HEAP)
    } else {
        ty
    }
}

/// An argument of a helper, kfunc or global subprogram that must be a dynptr.
///
/// # Invariants
///
/// `desc` is none or the call's `struct bpf_dynptr_desc`, `parents` is null or points to its
/// `struct ref_obj_desc`, `call_name` to a C string.
pub(crate) struct DynptrArgument<'a> {
    /// The register that it is in.
    pub(super) reg: Reg<'a>,
    /// Which argument it is.
    pub(super) no: ArgNo,
    /// The call instruction.
    pub(super) insn: u32,
    /// What is called, for the diagnostics.
    pub(super) call_name: *const c_char,
    ty: ArgType,
    parents: *const bindings::ref_obj_desc,
    desc: Option<NonNull<bindings::bpf_dynptr_desc>>,
}

impl<'a> DynptrArgument<'a> {
    /// # Safety
    ///
    /// `parents` is null or valid for reads, `desc` null or valid, `call_name` null or a C string, for
    /// `'a`.
    pub(crate) unsafe fn from_raw(
        reg: Reg<'a>,
        argno: bindings::argno,
        insn: c_int,
        call_name: *const c_char,
        arg_type: u32,
        parents: *const bindings::ref_obj_desc,
        desc: *mut bindings::bpf_dynptr_desc,
    ) -> Self {
        // SAFETY: By this function's contract.
        let is_named = !unsafe { c_bytes(call_name) }.is_empty();
        // INVARIANT: By this function's contract.
        Self {
            reg,
            no: ArgNo(argno.argno),
            insn: insn as u32,
            call_name: if is_named {
                call_name
            } else {
                c"call".as_char_ptr()
            },
            ty: ArgType(arg_type),
            parents,
            desc: NonNull::new(desc),
        }
    }

    /// Referenced objects among the arguments before it.
    fn parents(&self) -> Result<Parents, Reject> {
        if self.parents.is_null() {
            return Err(Reject::BadSlot);
        }
        // SAFETY: By the type invariant.
        let parents = unsafe { &*self.parents };
        Ok(Parents {
            id: parents.id,
            count: parents.cnt,
        })
    }

    /// The dynptr among the arguments before it.
    fn source(&self) -> Result<Source, Reject> {
        let desc = self.desc.ok_or(Reject::BadSlot)?;
        // SAFETY: By the type invariant.
        let desc = unsafe { desc.as_ref() };
        Ok(Source {
            class_raw: desc.type_,
            parent_id: desc.parent_id,
        })
    }

    /// Tells the caller which dynptr it is.
    fn describe(&self, mark: Mark) {
        let Some(desc) = self.desc else { return };
        let desc = desc.as_ptr();
        // SAFETY: By the type invariant.
        unsafe { (*desc).type_ = mark.class_raw };
        // SAFETY: By the type invariant.
        unsafe { (*desc).id = mark.id };
        // SAFETY: By the type invariant.
        unsafe { (*desc).parent_id = mark.parent_id };
    }
}

impl VerifierEnv<'_> {
    /// `process_dynptr_func()`: checks the argument; a dynptr that the call constructs is marked on
    /// the stack, one that it uses described to the caller. May sleep.
    ///
    /// # Errors
    ///
    /// After telling the log: -EINVAL; what checking the writes or releasing what was in the slots
    /// gives; -ENOMEM, -EFAULT.
    pub(crate) fn check_dynptr_argument(&mut self, arg: &DynptrArgument<'_>) -> Result<(), c_int> {
        let frame = self.frame_of(arg.reg);
        let called = self.called(arg);
        let ty = match called.and_then(heap::call_of) {
            Some(call) => with_faults(arg.ty.of_heap(call)),
            None => arg.ty,
        };
        match argument::judge(&arg.reg.view(), ty, &frame) {
            Ok(Judgement::Construct) => self.construct_dynptr(arg, ty),
            Ok(Judgement::Use { spi, mark }) => {
                self.check_slice_buffer(arg, mark)?;
                if let Some(spi) = spi {
                    self.mark_dynptr_scratched(spi);
                }
                arg.describe(mark);
                if called.is_some_and(iter::is_constructor) && !faults::has(HeapFault::Untied) {
                    logic::iter::tie(self, arg.insn, mark.parent_id)
                        .map_err(|reject| self.refuse(reject))?;
                }
                Ok(())
            }
            Err(reject) => Err(self.refuse_argument(reject, arg)),
        }
    }

    /// The address of the kfunc that is called, if it is a module's. Of our own the kernel's verifier knows
    /// less than we do.
    fn called(&self, arg: &DynptrArgument<'_>) -> Option<usize> {
        // SAFETY: By the type invariant; the program is complete, and the instruction in it.
        unsafe { called_kfunc(self.as_ptr(), arg.insn) }
    }

    /// Refuses slices that may be a buffer on the stack, at the level that wants it.
    fn check_slice_buffer(&mut self, arg: &DynptrArgument<'_>, mark: Mark) -> Result<(), c_int> {
        if judge::level() < Level::Strict {
            return Ok(());
        }
        // SAFETY: By the type invariant, a C string.
        let Some(slice) = argument::slice_of(unsafe { c_bytes(arg.call_name) }) else {
            return Ok(());
        };
        let buffer = self
            .current_frame()
            .and_then(|frame| frame.register(BUFFER_REGISTER));
        let Some(buffer) = buffer else { return Ok(()) };
        argument::check_slice_buffer(
            slice,
            mark.class_raw,
            buffer.type_raw(),
            self.allows_ptr_leaks(),
        )
        .map_err(|reject| self.refuse_argument(reject, arg))
    }

    fn construct_dynptr(&mut self, arg: &DynptrArgument<'_>, ty: ArgType) -> Result<(), c_int> {
        for slot in 0..DYNPTR_SLOTS {
            self.check_slot_write(arg, slot)?;
        }
        // That may have moved the frame's stack.
        let frame = self.frame_of(arg.reg);
        let spi = self.dynptr_place(arg.reg)?;
        let Some(frame) = frame else {
            return Err(self.refuse(Reject::BadSlot));
        };
        // The two slots may belong to two dynptrs. If they are one's, the second finds nothing.
        self.destroy_dynptr(frame, spi)?;
        self.destroy_dynptr(frame, spi.wrapping_sub(1))?;
        self.mark_new_dynptr(arg, ty, frame, spi)
            .map_err(|reject| self.refuse(reject))
    }

    /// The rest of `mark_stack_slots_dynptr()`.
    fn mark_new_dynptr(
        &mut self,
        arg: &DynptrArgument<'_>,
        ty: ArgType,
        frame: Frame<'_>,
        spi: i32,
    ) -> Result<(), Reject> {
        frame.take_dynptr_slots(spi)?;
        let new = argument::construct(ty, arg.source()?, arg.parents()?)?;
        let parent_id = match new.parent {
            Parent::Is(id) => id,
            Parent::Acquire(parent) => self.acquire_reference(arg.insn, parent)?,
        };
        let id = self.new_id();
        for (spi, first) in [(spi, true), (spi.wrapping_sub(1), false)] {
            frame.spilled(spi)?.set_dynptr(Mark {
                first,
                class_raw: new.class_raw,
                id,
                parent_id,
            });
        }
        Ok(())
    }

    /// The first slot of the dynptr that `reg` points to: `dynptr_get_spi()`.
    pub(super) fn dynptr_place(&mut self, reg: Reg<'_>) -> Result<i32, c_int> {
        self.object_place(reg, b"dynptr", DYNPTR_SLOTS)
    }

    /// Checks the call's write to the dynptr's slot, 0 or 1: `check_mem_access()`. It may move the
    /// stack of the frame that is written to.
    fn check_slot_write(&mut self, arg: &DynptrArgument<'_>, slot: i32) -> Result<(), c_int> {
        let offset = slot.wrapping_mul(SLOT_BYTES);
        // SAFETY: By the type invariants; the register is of this run.
        let err = unsafe {
            bindings::check_mem_access(
                self.as_ptr(),
                arg.insn as c_int,
                arg.reg.as_ptr(),
                bindings::argno { argno: arg.no.0 },
                offset,
                bindings::BPF_DW as c_int,
                bindings::bpf_access_type_BPF_WRITE,
                -1,
                false,
                false,
            )
        };
        if err == 0 {
            Ok(())
        } else {
            Err(err)
        }
    }
}
