// SPDX-License-Identifier: GPL-2.0

//! The module as the kernel sees it: its identity, references to it, and its static key.

use crate::bindings;
use kernel::prelude::*;

/// `struct rust_dynptr_counting` with the kernel crate's key type, as its macro wants it.
#[repr(C)]
struct Counting {
    key: kernel::bindings::static_key_false,
}

extern "C" {
    /// Defined by `helpers.c`.
    static rust_dynptr_counting: Counting;
}

/// This module, for holding references to it.
#[derive(Clone, Copy)]
pub(crate) struct ModuleRef(*mut bindings::module);

// SAFETY: Only an address; the kernel guards its reference count.
unsafe impl Send for ModuleRef {}
// SAFETY: As above.
unsafe impl Sync for ModuleRef {}

impl ModuleRef {
    /// The module that this code is in.
    pub(crate) fn new(module: &'static ThisModule) -> Self {
        Self(module.as_ptr().cast())
    }

    /// The address that C code knows.
    pub(crate) fn as_ptr(self) -> *mut bindings::module {
        self.0
    }

    /// Takes a reference; `false` once the module is going away. Any context.
    pub(crate) fn try_get(self) -> bool {
        // SAFETY: The address of this very module, which is loaded as its code runs.
        unsafe { bindings::try_module_get(self.0) }
    }
}

/// Whether hits are counted: a branch that is patched, not a load.
#[inline(always)]
pub(crate) fn counting() -> bool {
    // SAFETY: A static key that C defines in this module.
    unsafe { kernel::jump_label::static_branch_unlikely!(rust_dynptr_counting, Counting, key) }
}

/// Switches the counting of hits. May sleep.
pub(crate) fn set_counting(on: bool) {
    // SAFETY: A plain C function of this module.
    unsafe { bindings::rust_dynptr_counting_set(on) };
}
