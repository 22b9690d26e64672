// SPDX-License-Identifier: GPL-2.0

//! Frames, registers and stack slots of the verifier's state: `struct bpf_func_state`,
//! `bpf_reg_state`, `bpf_stack_state`.

use super::{
    warn_slot_type,
    VerifierEnv, //
};
use crate::{
    bindings,
    glue::c_bytes,
    logic::{
        argument::Register,
        codes::{
            self,
            DYNPTR_SLOTS,
            SLOT_BYTES,
            STACK_DYNPTR,
            STACK_INVALID, //
        },
        dynptr::Class,
        reject::Reject,
        slot::{
            self,
            Mark,
            Offset,
            Slot,
            Stack,
            State, //
        }, //
    }, //
};
use core::{
    marker::PhantomData,
    ptr::{
        self,
        NonNull, //
    }, //
};
/// A stack frame of the program under verification.
///
/// # Invariants
///
/// Points to a `struct bpf_func_state` of the current state of the current task's verifier run, whose
/// `stack` has `allocated_stack / 8` slots and `stack_arg_regs` has `out_stack_arg_cnt` registers. Both
/// may be reallocated by every function that checks a write to the stack.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a>(NonNull<bindings::bpf_func_state>, PhantomData<&'a ()>);

/// A register: of a frame, spilled to its stack, or an argument on the stack.
///
/// # Invariants
///
/// Points to a `struct bpf_reg_state` of the verifier run of the current task.
#[derive(Clone, Copy)]
pub(crate) struct Reg<'a>(NonNull<bindings::bpf_reg_state>, PhantomData<&'a ()>);

impl<'a> Frame<'a> {
    /// # Safety
    ///
    /// `ptr` is a frame of the verifier run of the current task, for `'a`.
    pub(crate) unsafe fn from_raw(ptr: *mut bindings::bpf_func_state) -> Option<Self> {
        // INVARIANT: By this function's contract.
        NonNull::new(ptr).map(|ptr| Self(ptr, PhantomData))
    }

    fn as_ptr(self) -> *mut bindings::bpf_func_state {
        self.0.as_ptr()
    }

    fn stack_state(self, spi: i32) -> Result<*mut bindings::bpf_stack_state, Reject> {
        if spi < 0 || spi >= self.slots() {
            return Err(Reject::BadSlot);
        }
        // SAFETY: By the type invariant.
        let stack = unsafe { (*self.as_ptr()).stack };
        Ok(stack.wrapping_add(spi as usize))
    }

    /// The register that was spilled to slot `spi`, or the mark of the object there.
    ///
    /// # Errors
    ///
    /// [`Reject::BadSlot`] if the frame has no such slot.
    pub(super) fn spilled(self, spi: i32) -> Result<Reg<'a>, Reject> {
        let slot = self.stack_state(spi)?;
        // SAFETY: `slot` is in bounds.
        let reg = unsafe { &raw mut (*slot).spilled_ptr };
        // SAFETY: In bounds, thus of the run.
        unsafe { Reg::from_raw(reg) }.ok_or(Reject::BadSlot)
    }

    /// Register `index`: `None` if there is no such register.
    pub(super) fn register(self, index: i32) -> Option<Reg<'a>> {
        if index < 0 || index >= self.registers() {
            return None;
        }
        let reg = self.regs().cast::<bindings::bpf_reg_state>();
        // SAFETY: In bounds, thus of the run.
        unsafe { Reg::from_raw(reg.wrapping_add(index as usize)) }
    }

    /// The number of registers, `MAX_BPF_REG`.
    pub(super) fn registers(self) -> i32 {
        self.regs().len() as i32
    }

    fn regs(self) -> *mut [bindings::bpf_reg_state] {
        // SAFETY: By the type invariant.
        unsafe { &raw mut (*self.as_ptr()).regs }
    }

    /// The number of arguments on the stack for a callee.
    pub(super) fn arguments(self) -> i32 {
        // SAFETY: By the type invariant.
        i32::from(unsafe { (*self.as_ptr()).out_stack_arg_cnt })
    }

    /// Argument `index` of those on the stack: `None` if there is none.
    pub(super) fn argument(self, index: i32) -> Option<Reg<'a>> {
        if index < 0 || index >= self.arguments() {
            return None;
        }
        // SAFETY: By the type invariant.
        let regs = unsafe { (*self.as_ptr()).stack_arg_regs };
        // SAFETY: In bounds, thus of the run.
        unsafe { Reg::from_raw(regs.wrapping_add(index as usize)) }
    }

    /// What the last byte of slot `spi` holds: `None` if the frame has no such slot.
    pub(super) fn last_type(self, spi: i32) -> Option<u8> {
        let slot = self.stack_state(spi).ok()?;
        // SAFETY: `slot` is in bounds.
        let types: *const [u8] = unsafe { &raw const (*slot).slot_type };
        let last = types.len().checked_sub(1)?;
        // SAFETY: `last` is below the array's length, and the array is part of the slot.
        Some(unsafe { types.cast::<u8>().wrapping_add(last).read() })
    }

    fn set_types(self, spi: i32, types: [u8; SLOT_BYTES as usize]) -> Result<(), Reject> {
        let slot = self.stack_state(spi)?;
        // SAFETY: `slot` is in bounds.
        unsafe { (*slot).slot_type = types };
        Ok(())
    }

    /// Marks the bytes of a dynptr's two slots; its marks are [`Reg::set_dynptr`]'s.
    ///
    /// # Errors
    ///
    /// [`Reject::BadSlot`] if the frame has no such slots.
    pub(super) fn take_dynptr_slots(self, spi: i32) -> Result<(), Reject> {
        for spi in dynptr_slots(spi) {
            self.set_types(spi, [STACK_DYNPTR; SLOT_BYTES as usize])?;
        }
        Ok(())
    }

    /// `invalidate_dynptr()`: the dynptr at `spi` is gone.
    ///
    /// # Errors
    ///
    /// [`Reject::BadSlot`] if the frame has no such slots.
    pub(super) fn clear_dynptr(self, env: &VerifierEnv<'_>, spi: i32) -> Result<(), Reject> {
        for spi in dynptr_slots(spi) {
            self.set_types(spi, [STACK_INVALID; SLOT_BYTES as usize])?;
            self.spilled(spi)?.set_not_init(env);
        }
        Ok(())
    }

    /// `scrub_special_slot()`: data is written over part of slot `spi`; nothing of an object that
    /// was there may be left.
    pub(crate) fn scrub(self, spi: i32) {
        let (Ok(slot), Ok(reg)) = (self.slot(spi), self.spilled(spi)) else {
            return;
        };
        reg.set_type(codes::NOT_INIT);
        let types = slot::scrub(slot.types).unwrap_or_else(|| {
            warn_slot_type(&slot.types);
            slot::to_data(slot.types)
        });
        let _ = self.set_types(spi, types);
    }

    /// `set_user_ringbuf_callback_state()`: this is the frame of a callback of
    /// `bpf_user_ringbuf_drain()`, called by `caller`. It gets a dynptr that the kernel lends and the
    /// context.
    pub(crate) fn enter_user_ringbuf_callback(self, env: &mut VerifierEnv<'_>, caller: Frame<'_>) {
        for unused in [0, 3, 4, 5] {
            if let Some(reg) = self.register(unused) {
                reg.set_not_init(env);
            }
        }
        if let Some(reg) = self.register(1) {
            reg.set_dynptr(Mark {
                first: true,
                class_raw: Class::Local.to_raw(),
                id: env.new_id(),
                parent_id: 0,
            });
        }
        if let (Some(context), Some(from)) = (self.register(2), caller.register(3)) {
            context.copy(from);
        }
        let frame = self.as_ptr();
        // SAFETY: By the type invariant.
        unsafe { (*frame).in_callback_fn = true };
        let range = bindings::bpf_retval_range {
            minval: 0,
            maxval: 1,
            return_32bit: false,
        };
        // SAFETY: By the type invariant.
        unsafe { (*frame).callback_ret_range = range };
    }
}

/// A dynptr's slots, its first at `spi`.
fn dynptr_slots(spi: i32) -> [i32; DYNPTR_SLOTS as usize] {
    [spi, spi.wrapping_sub(1)]
}

impl Stack for Frame<'_> {
    fn slots(&self) -> i32 {
        // SAFETY: By the type invariant.
        let bytes = unsafe { (*self.as_ptr()).allocated_stack };
        bytes / SLOT_BYTES
    }

    fn slot(&self, spi: i32) -> Result<Slot, Reject> {
        let slot = self.stack_state(spi)?;
        Ok(Slot {
            // SAFETY: `slot` is in bounds.
            types: unsafe { (*slot).slot_type },
            mark: self.spilled(spi)?.mark(),
        })
    }
}

/// No stack at all: that of a register that does not point to one.
impl Stack for Option<Frame<'_>> {
    fn slots(&self) -> i32 {
        self.as_ref().map_or(0, Stack::slots)
    }

    fn slot(&self, spi: i32) -> Result<Slot, Reject> {
        self.as_ref().ok_or(Reject::BadSlot)?.slot(spi)
    }
}

/// A frame, and the state that it is part of.
pub(super) struct InState<'a, 'b> {
    pub(super) env: &'a VerifierEnv<'b>,
    pub(super) frame: Frame<'a>,
}

impl Stack for InState<'_, '_> {
    fn slots(&self) -> i32 {
        self.frame.slots()
    }

    fn slot(&self, spi: i32) -> Result<Slot, Reject> {
        self.frame.slot(spi)
    }
}

impl State for InState<'_, '_> {
    fn dynptrs_of_parent(&self, parent_id: u32) -> u32 {
        let mut count = 0u32;
        let mut number = 0u32;
        while let Some(frame) = self.env.frame_at(number) {
            number = number.wrapping_add(1);
            for spi in 0..frame.slots() {
                let Ok(slot) = frame.slot(spi) else { continue };
                // C's iterator takes the slots whose last byte says dynptr, then asks the first.
                let both = slot.types.last() == Some(&STACK_DYNPTR) && slot.is_dynptr();
                if both && slot.mark.first && slot.mark.parent_id == parent_id {
                    count = count.wrapping_add(1);
                }
            }
        }
        count
    }
}

impl<'a> Reg<'a> {
    /// # Safety
    ///
    /// `ptr` is a register of the verifier run of the current task, for `'a`.
    pub(crate) unsafe fn from_raw(ptr: *mut bindings::bpf_reg_state) -> Option<Self> {
        // INVARIANT: By this function's contract.
        NonNull::new(ptr).map(|ptr| Self(ptr, PhantomData))
    }

    pub(super) fn as_ptr(self) -> *mut bindings::bpf_reg_state {
        self.0.as_ptr()
    }

    /// `enum bpf_reg_type` with flags.
    pub(super) fn type_raw(self) -> u32 {
        // SAFETY: By the type invariant.
        unsafe { (*self.as_ptr()).type_ }
    }

    pub(super) fn set_type(self, type_raw: u32) {
        // SAFETY: By the type invariant.
        unsafe { (*self.as_ptr()).type_ = type_raw };
    }

    pub(super) fn id(self) -> u32 {
        // SAFETY: By the type invariant.
        unsafe { (*self.as_ptr()).id }
    }

    pub(super) fn set_id(self, id: u32) {
        // SAFETY: By the type invariant.
        unsafe { (*self.as_ptr()).id = id };
    }

    pub(super) fn parent_id(self) -> u32 {
        // SAFETY: By the type invariant.
        unsafe { (*self.as_ptr()).parent_id }
    }

    /// `map_uid`, which C uses for maps only, compares as it does identities, and does not print for slices: the
    /// owner of a slice. See `logic::frame_end`.
    pub(super) fn owner(self) -> u32 {
        // SAFETY: By the type invariant.
        unsafe { (*self.as_ptr()).map_uid }
    }

    pub(super) fn set_owner(self, id: u32) {
        // SAFETY: By the type invariant.
        unsafe { (*self.as_ptr()).map_uid = id };
    }

    /// `var_off`
    pub(super) fn offset(self) -> Offset {
        // SAFETY: By the type invariant.
        let known = unsafe { (*self.as_ptr()).var_off };
        Offset {
            value: known.value,
            mask: known.mask,
        }
    }

    /// The frame that a pointer to the stack points into.
    pub(super) fn frameno(self) -> u32 {
        // SAFETY: By the type invariant.
        let of_type = unsafe { (*self.as_ptr()).__bindgen_anon_1 };
        // SAFETY: A byte, which C has set in whichever member of the union.
        u32::from(unsafe { of_type.frameno })
    }

    /// The member of the union that dynptrs use: addresses only, as the union may hold something else. C's
    /// `bool` among them is a byte, for that reason.
    fn dynptr(self) -> (*mut u32, *mut u8) {
        // SAFETY: By the type invariant; only this task uses the register.
        let of_type = unsafe { &mut (*self.as_ptr()).__bindgen_anon_1 };
        // SAFETY: The union's member, of which nothing is read here.
        let dynptr = unsafe { &raw mut of_type.dynptr };
        // SAFETY: As above.
        let class = unsafe { &raw mut (*dynptr).type_ };
        // SAFETY: As above.
        let first = unsafe { &raw mut (*dynptr).first_slot };
        (class, first.cast())
    }

    /// The mark of a dynptr, if this is one.
    pub(super) fn mark(self) -> Mark {
        let (class, first) = self.dynptr();
        Mark {
            // SAFETY: A part of the register, which by the type invariant only this task uses.
            first: unsafe { first.read() } != 0,
            // SAFETY: A part of the register, which by the type invariant only this task uses.
            class_raw: unsafe { class.read() },
            id: self.id(),
            parent_id: self.parent_id(),
        }
    }

    /// As much of it as the rules on arguments look at.
    pub(super) fn view(self) -> Register {
        Register {
            type_raw: self.type_raw(),
            offset: self.offset(),
            mark: self.mark(),
        }
    }

    /// `__mark_dynptr_reg()`: it is a dynptr's slot, or points to a const one.
    pub(super) fn set_dynptr(self, mark: Mark) {
        // SAFETY: By the type invariant. Leaves `type` and `precise` as they are.
        unsafe { bindings::__mark_reg_known(self.as_ptr(), 0) };
        // Means nothing in a stack slot, but C sets it there too.
        self.set_type(codes::CONST_PTR_TO_DYNPTR);
        self.set_id(mark.id);
        // SAFETY: By the type invariant.
        unsafe { (*self.as_ptr()).parent_id = mark.parent_id };
        let (class, first) = self.dynptr();
        // SAFETY: A part of the register, which by the type invariant only this task uses.
        unsafe { class.write(mark.class_raw) };
        // SAFETY: A part of the register, which by the type invariant only this task uses.
        unsafe { first.write(u8::from(mark.first)) };
    }

    /// `bpf_mark_reg_not_init()`: it holds nothing.
    pub(super) fn set_not_init(self, env: &VerifierEnv<'_>) {
        // SAFETY: By both type invariants.
        unsafe { bindings::bpf_mark_reg_not_init(env.as_ptr(), self.as_ptr()) };
    }

    /// `mark_reg_invalid()`: it must not be used as what it was; where programs may not see kernel
    /// pointers, not at all.
    pub(super) fn invalidate(self, env: &VerifierEnv<'_>) {
        if !env.allows_ptr_leaks() {
            self.set_not_init(env);
            return;
        }
        // SAFETY: By the type invariant.
        unsafe { bindings::bpf_mark_reg_unknown_imprecise(self.as_ptr()) };
        // SAFETY: By the type invariant.
        unsafe { (*self.as_ptr()).precise = !env.is_bpf_capable() };
    }

    fn copy(self, from: Reg<'_>) {
        // SAFETY: Both are registers; of different frames.
        unsafe { ptr::copy(from.as_ptr(), self.as_ptr(), 1) };
    }
}

/// `dynptr_type_str()`: the name of `enum bpf_dynptr_type`. Through the kernel's symbol, so that the row
/// that replaces it is what gives names, whoever asks.
pub(crate) fn type_name(class_raw: u32) -> &'static [u8] {
    // SAFETY: Takes any number.
    let name = unsafe { bindings::dynptr_type_str(class_raw) };
    // SAFETY: C strings, constants of the module or the kernel.
    unsafe { c_bytes(name) }
}
