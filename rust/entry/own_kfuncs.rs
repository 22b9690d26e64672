// SPDX-License-Identifier: GPL-2.0

//! The filter of the module's own set of kfuncs (`rust/kfuncs/own.c`): called by the verifier for each call
//! of one of them (`__btf_kfunc_is_allowed()` in `kernel/bpf/btf.c`). May sleep.

use crate::{
    bindings,
    glue::own_kfuncs, //
};
use kernel::ffi::c_int;

/// Whether a program may use a kfunc of this module: 0, or -EACCES if our part of the verifier does not
/// judge it, which is so while the livepatch is being enabled or disabled, or if it writes to user space
/// and who loads the program may not.
///
/// # Safety
///
/// `prog` is the program that is being verified.
#[no_mangle]
pub(crate) unsafe extern "C" fn rust_own_kfunc_filter(
    prog: *const bindings::bpf_prog,
    kfunc_id: u32,
) -> c_int {
    // SAFETY: By this function's contract.
    unsafe { own_kfuncs::may_call(prog, kfunc_id) }
}
