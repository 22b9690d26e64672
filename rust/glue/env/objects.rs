// SPDX-License-Identifier: GPL-2.0

//! The verifier's current state as a collection of objects: releasing them, and invalidating those
//! that point into a packet.

use super::{
    frame::{
        Frame,
        Reg, //
    },
    VerifierEnv, //
};
use crate::{
    bindings,
    glue::faults::{
        self,
        HeapFault, //
    },
    logic::{
        codes::{
            NOT_INIT,
            STACK_DYNPTR,
            STACK_SPILL, //
        },
        frame_end::{
            frame_ends,
            Owners, //
        },
        objects::{
            Object,
            Objects,
            Part,
            Place,
            Walk,
            What, //
        },
        reject::Reject,
        release::{
            self,
            Ids,
            Invalidate,
            Release, //
        },
        slot::Stack, //
    }, //
};
use core::ptr;
use kernel::ffi::c_int;

use bindings::{
    bpf_diag_mod_reason_BPF_DIAG_MOD_PKT_DATA_CHANGE as PACKET_MAY_HAVE_MOVED,
    bpf_diag_mod_reason_BPF_DIAG_MOD_REF_RELEASE as RELEASED,
    bpf_diag_mod_reason_BPF_DIAG_MOD_WRITE as CHANGED, //
};

impl VerifierEnv<'_> {
    /// `release_reference()`: releases the reference or object `id` with all that derives from it.
    ///
    /// # Errors
    ///
    /// After telling the log: -EINVAL if a reference derives from it; -EFAULT.
    pub(crate) fn release(&mut self, id: u32) -> Result<(), c_int> {
        release::release(self, id).map_err(|reject| self.refuse(reject))
    }

    /// `release_reference_nomark()`: the program no longer holds the reference `id`.
    ///
    /// # Errors
    ///
    /// -EINVAL, silently, if it did not hold it.
    pub(crate) fn forget_reference(&mut self, id: c_int) -> Result<(), c_int> {
        release::forget(self, id).map_err(|reject| self.refuse(reject))
    }

    /// `release_reg()`: the call releases what `reg` holds: a dynptr's slots, with `dynptr`; else a
    /// reference, which turns into RCU protection with `to_rcu`.
    ///
    /// # Errors
    ///
    /// -EINVAL if it holds nothing of that; those of [`Self::release`].
    pub(crate) fn release_register(
        &mut self,
        reg: Reg<'_>,
        to_rcu: bool,
        dynptr: bool,
    ) -> Result<(), c_int> {
        let id = reg.id();
        let referenced = release::find(self, id as i32).is_some();
        match release::how(reg.type_raw(), reg.offset(), to_rcu, dynptr, referenced) {
            Release::Nothing => Ok(()),
            Release::Dynptr => self.release_dynptr(reg),
            Release::ToRcu => self.convert_to_rcu(id),
            Release::Reference => self.release(id),
            Release::NoReference => Err(self.refuse(Reject::NoReference)),
        }
    }

    /// `unmark_stack_slots_dynptr()`: the dynptr that `reg` points to.
    fn release_dynptr(&mut self, reg: Reg<'_>) -> Result<(), c_int> {
        let frame = self.frame_of(reg);
        let spi = self.dynptr_place(reg)?;
        match frame.slot(spi) {
            Ok(slot) => self.release(slot.released_id()),
            Err(reject) => Err(self.refuse(reject)),
        }
    }

    /// `ref_convert_alloc_rcu_protected()`: per-CPU objects of the reference `id` stay usable until the
    /// RCU read section ends.
    fn convert_to_rcu(&mut self, id: u32) -> Result<(), c_int> {
        self.forget_reference(id as c_int)?;
        let mut walk = Walk::new(self);
        while let Some((place, object)) = walk.next(self) {
            let (Some(type_raw), Some(reg)) = (object.rcu_type(id), self.reg_at(place)) else {
                continue;
            };
            // SAFETY: By the type invariant; the register is of this run.
            unsafe {
                bindings::bpf_diag_mod_begin(self.as_ptr(), reg.as_ptr(), ptr::null(), CHANGED)
            };
            reg.set_id(0);
            reg.set_type(type_raw);
            // SAFETY: By the type invariant.
            unsafe { bindings::bpf_diag_mod_end(self.as_ptr()) };
        }
        Ok(())
    }

    /// `clear_all_pkt_pointers()`: packet data may have moved; what points to it is void.
    pub(crate) fn invalidate_packet_pointers(&mut self) {
        let mut walk = Walk::new(self);
        while let Some((place, object)) = walk.next(self) {
            if !object.is_in_packet() {
                continue;
            }
            if let Some(reg) = self.reg_at(place) {
                self.record_scrub(reg, PACKET_MAY_HAVE_MOVED);
                reg.invalidate(self);
            }
        }
    }

    /// `prepare_func_exit()` is entered: the current frame ends. Must not sleep.
    pub(crate) fn end_frame(&mut self) {
        if faults::has(HeapFault::Unowned) {
            return;
        }
        frame_ends(self, self.current_frame_number());
    }

    /// The register at `place`, whatever it holds.
    fn reg_at(&self, place: Place) -> Option<Reg<'_>> {
        let frame = self.frame_at(place.frame)?;
        match place.part {
            Part::Registers => frame.register(place.index),
            Part::Stack => frame.spilled(place.index).ok(),
            Part::Arguments => frame.argument(place.index),
        }
    }

    fn record_scrub(&self, reg: Reg<'_>, reason: bindings::bpf_diag_mod_reason) {
        // SAFETY: By the type invariant; the register is of this run.
        unsafe { bindings::bpf_diag_record_scrub(self.as_ptr(), reg.as_ptr(), reason) };
    }

    /// The scratch for identities.
    fn ids(&self) -> *mut bindings::bpf_idmap {
        // SAFETY: By the type invariant; nobody else uses the scratch while an object is released.
        let scratch = unsafe { &mut (*self.as_ptr()).__bindgen_anon_1 };
        // SAFETY: The union's member for this, of which nothing is read here.
        unsafe { &raw mut scratch.idmap_scratch }
    }
}

impl<'a> Objects for VerifierEnv<'a> {
    type Frame = Frame<'a>;

    fn frame(&self, number: u32) -> Option<Frame<'a>> {
        self.frame_at(number)
    }

    fn places(&self, frame: Frame<'a>, part: Part) -> i32 {
        match part {
            Part::Registers => frame.registers(),
            Part::Stack => frame.slots(),
            Part::Arguments => frame.arguments(),
        }
    }

    fn object(&self, frame: Frame<'a>, part: Part, index: i32) -> Option<Object> {
        let (reg, what) = match part {
            Part::Registers => (frame.register(index)?, What::Register),
            Part::Arguments => {
                let reg = frame.argument(index)?;
                if reg.type_raw() == NOT_INIT {
                    return None;
                }
                (reg, What::Register)
            }
            Part::Stack => {
                let is_dynptr = match frame.last_type(index)? {
                    STACK_SPILL => false,
                    STACK_DYNPTR => true,
                    _ => return None,
                };
                let reg = frame.spilled(index).ok()?;
                let what = if is_dynptr {
                    What::Dynptr {
                        first: reg.mark().first,
                    }
                } else {
                    What::Register
                };
                (reg, what)
            }
        };
        let mut object = Object {
            what,
            type_raw: reg.type_raw(),
            id: reg.id(),
            parent_id: reg.parent_id(),
            owner: 0,
        };
        if object.is_slice() {
            object.owner = reg.owner();
        }
        Some(object)
    }
}

impl Owners for VerifierEnv<'_> {
    fn set_owner(&mut self, place: Place, owner: u32) {
        if let Some(reg) = self.reg_at(place) {
            reg.set_owner(owner);
        }
    }
}

impl Invalidate for VerifierEnv<'_> {
    fn invalidate_register(&mut self, place: Place) {
        if let Some(reg) = self.reg_at(place) {
            self.record_scrub(reg, RELEASED);
            reg.invalidate(self);
        }
    }

    fn invalidate_dynptr(&mut self, frame: u32, spi: i32) -> Result<(), Reject> {
        let frame = self.frame_at(frame).ok_or(Reject::BadSlot)?;
        // C's order: the second slot, which is the lower, first. Both before they are cleared.
        for spi in [spi.wrapping_sub(1), spi] {
            self.record_scrub(frame.spilled(spi)?, RELEASED);
        }
        frame.clear_dynptr(self, spi)
    }
}

impl Ids for VerifierEnv<'_> {
    fn clear(&mut self) {
        // SAFETY: `ids()` is part of the environment.
        unsafe { (*self.ids()).cnt = 0 };
    }

    fn push(&mut self, id: u32) -> Result<(), Reject> {
        if id == 0 {
            return Ok(());
        }
        // SAFETY: `ids()` is part of the environment.
        let ids = unsafe { &mut *self.ids() };
        let used = ids.map.get(..ids.cnt as usize).unwrap_or_default();
        if used.iter().any(|pair| pair.old == id) {
            return Ok(());
        }
        let Some(top) = ids.map.get_mut(ids.cnt as usize) else {
            // SAFETY: Only prints, once, in any context.
            unsafe { bindings::rust_dynptr_warn_too_many_ids() };
            return Err(Reject::TooManyIds);
        };
        top.old = id;
        ids.cnt = ids.cnt.wrapping_add(1);
        Ok(())
    }

    fn pop(&mut self) -> Option<u32> {
        // SAFETY: `ids()` is part of the environment.
        let ids = unsafe { &mut *self.ids() };
        ids.cnt = ids.cnt.checked_sub(1)?;
        Some(ids.map.get(ids.cnt as usize)?.old)
    }
}
