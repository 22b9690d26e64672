// SPDX-License-Identifier: GPL-2.0

//! Kind *patch*: one livepatch over the verifier's functions. Tasks switch one by one and each
//! wholly, so a program under verification is judged by one side only.

use crate::{
    bindings,
    glue::module::ModuleRef,
    table::{
        Kind,
        Row, //
    }, //
};
use kernel::{
    prelude::*,
    types::Opaque, //
};

/// Room for all rows and the empty one that ends the list.
const FUNCTIONS: usize = Row::COUNT + 1;

/// What the livepatch core is given; it keeps pointers between the parts.
struct Set {
    patch: bindings::klp_patch,
    /// vmlinux, and the empty one that ends the list.
    objects: [bindings::klp_object; 2],
    functions: [bindings::klp_func; FUNCTIONS],
}

/// The livepatch. It pins the module until user space disables it
/// (`echo 0 > /sys/kernel/livepatch/rust_dynptr/enabled`) and every task has switched back.
pub(crate) struct Patch(KBox<Opaque<Set>>);

// SAFETY: The livepatch core guards the structure; this object only owns it.
unsafe impl Send for Patch {}
// SAFETY: As above; only `enabled` is read.
unsafe impl Sync for Patch {}

impl Patch {
    /// Enables the livepatch; the transition of tasks then goes on by itself.
    ///
    /// Must be the module's last step that can fail.
    ///
    /// # Errors
    ///
    /// `EBUSY` if somebody else replaced a function already, `EINVAL` if one is missing or cannot be
    /// traced; the kernel's log names it.
    pub(crate) fn new(module: ModuleRef) -> Result<Self> {
        let set = KBox::new(
            Opaque::new(Set {
                patch: Default::default(),
                objects: Default::default(),
                functions: [Default::default(); FUNCTIONS],
            }),
            GFP_KERNEL,
        )?;
        let raw = set.get();
        // SAFETY: Nobody else knows `set` yet.
        let parts = unsafe { &mut *raw };
        for (function, row) in parts.functions.iter_mut().zip(super::rows_of(Kind::patch)) {
            function.old_name = row.c_name().as_ptr().cast();
            function.new_func = super::rust_address(row, false) as *mut _;
        }
        let functions = parts.functions.as_mut_ptr();
        if let Some(vmlinux) = parts.objects.first_mut() {
            vmlinux.funcs = functions;
        }
        parts.patch.objs = parts.objects.as_mut_ptr();
        parts.patch.mod_ = module.as_ptr();
        let patch = &raw mut parts.patch;
        // SAFETY: Complete, and it outlives the livepatch: the core holds the module until the patch
        // is disabled and its sysfs files are gone; `set` is freed when the module exits.
        let err = unsafe { bindings::klp_enable_patch(patch) };
        if err != 0 {
            pr_err!("livepatch refused ({err}); the line above names the function\n");
            return Err(kernel::error::Error::from_errno(err));
        }
        Ok(Self(set))
    }

    /// Whether it is enabled, or on its way there.
    pub(crate) fn is_enabled(&self) -> bool {
        // SAFETY: Written once by the core under its mutex; a byte, read once.
        unsafe {
            (&raw const (*self.0.get()).patch.enabled)
                .cast::<u8>()
                .read_volatile()
                != 0
        }
    }
}
