// SPDX-License-Identifier: GPL-2.0

//! The references that the program holds in the verifier's current state: `refs` and `acquired_refs` of
//! `struct bpf_verifier_state`.

use super::VerifierEnv;
use crate::{
    bindings,
    logic::{
        codes::REF_TYPE_PTR,
        reject::Reject,
        release::{
            Reference,
            References, //
        }, //
    }, //
};
use core::{
    mem::size_of,
    ptr, //
};

impl VerifierEnv<'_> {
    fn reference_count(&self) -> u32 {
        // SAFETY: By the type invariant there is a current state.
        unsafe { (*self.state()).acquired_refs }
    }

    /// The array; `reference_count()` long. Null or `ZERO_SIZE_PTR` if there is none.
    fn references(&self) -> *mut bindings::bpf_reference_state {
        // SAFETY: By the type invariant there is a current state.
        unsafe { (*self.state()).refs }
    }

    /// `acquire_reference()`: the program holds a new reference, which it acquired at `insn` and which
    /// derives from `parent_id`. Returns its identity. May sleep.
    ///
    /// # Errors
    ///
    /// [`Reject::NoMemory`]. The array is gone then, as in C: the run ends.
    pub(super) fn acquire_reference(&mut self, insn: u32, parent_id: u32) -> Result<u32, Reject> {
        let index = self.reference_count();
        self.grow_references(index)?;
        let id = self.new_id();
        let new = self.references().wrapping_add(index as usize);
        // SAFETY: The array has just grown by this element.
        let new = unsafe { &mut *new };
        new.insn_idx = insn as i32;
        new.type_ = REF_TYPE_PTR;
        new.id = id as i32;
        new.__bindgen_anon_1.parent_id = parent_id as i32;
        // SAFETY: By the type invariant.
        unsafe { bindings::bpf_diag_record_ref_acquire(self.as_ptr(), insn, id) };
        Ok(id)
    }

    /// `resize_reference_state()`: makes room for one more after `count`; it is all zero.
    fn grow_references(&mut self, count: u32) -> Result<(), Reject> {
        let state = self.state();
        let old = self.references();
        let new_count = count.checked_add(1).ok_or(Reject::NoMemory)?;
        let bytes = (new_count as usize)
            .checked_mul(size_of::<bindings::bpf_reference_state>())
            .ok_or(Reject::NoMemory)?;
        // SAFETY: `old` is from the same allocator, or null; it is replaced by what comes back.
        let new = unsafe { bindings::rust_dynptr_krealloc(old.cast(), bytes) };
        let new = new.cast::<bindings::bpf_reference_state>();
        if new.is_null() {
            // SAFETY: `krealloc()` that fails leaves the old array as it was; nobody looks at it again.
            unsafe { bindings::kfree(old.cast()) };
        }
        // SAFETY: By the type invariant there is a current state.
        unsafe { (*state).refs = new };
        if new.is_null() {
            return Err(Reject::NoMemory);
        }
        // SAFETY: The array has room for `new_count`.
        unsafe { ptr::write_bytes(new.wrapping_add(count as usize), 0, 1) };
        // SAFETY: By the type invariant there is a current state.
        unsafe { (*state).acquired_refs = new_count };
        Ok(())
    }
}

impl References for VerifierEnv<'_> {
    fn reference(&self, index: u32) -> Option<Reference> {
        if index >= self.reference_count() {
            return None;
        }
        let reference = self.references().wrapping_add(index as usize);
        // SAFETY: `index` is below the number of the array's elements.
        let reference = unsafe { &*reference };
        Some(Reference {
            kind: reference.type_,
            id: reference.id,
            insn: reference.insn_idx,
            // SAFETY: An integer of a union; means something only for pointers.
            parent_id: unsafe { reference.__bindgen_anon_1.parent_id },
        })
    }

    /// `release_reference_state()`
    fn remove_reference(&mut self, index: u32) {
        let Some(last) = self.reference_count().checked_sub(1) else {
            return;
        };
        let Some(behind) = last.checked_sub(index) else {
            return;
        };
        let place = self.references().wrapping_add(index as usize);
        // SAFETY: `index` and the `behind` elements after it are within the array.
        unsafe { ptr::copy(place.wrapping_add(1), place, behind as usize) };
        let last_place = self.references().wrapping_add(last as usize);
        // SAFETY: `last` is below the number of the array's elements.
        unsafe { ptr::write_bytes(last_place, 0, 1) };
        // SAFETY: By the type invariant there is a current state.
        unsafe { (*self.state()).acquired_refs = last };
    }

    fn set_parent(&mut self, index: u32, parent_id: i32) {
        if index >= self.reference_count() {
            return;
        }
        let reference = self.references().wrapping_add(index as usize);
        // SAFETY: `index` is below the number of the array's elements.
        let reference = unsafe { &mut *reference };
        reference.__bindgen_anon_1.parent_id = parent_id;
    }

    fn record_release(&mut self, id: i32) {
        // SAFETY: By the type invariant.
        unsafe { bindings::bpf_diag_record_ref_release(self.as_ptr(), self.insn(), id as u32) };
    }
}
