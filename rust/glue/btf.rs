// SPDX-License-Identifier: GPL-2.0

//! The running kernel's BTF, and the check of a row's prototype against it. The layout is that of
//! `srctree/include/uapi/linux/btf.h`: a `struct btf_type`, then what its kind adds.

use crate::{
    bindings,
    glue::{
        c_bytes,
        programs::Btf, //
    },
    logic::proto::{
        self,
        Kind,
        Type, //
    },
    table::Row, //
};
use core::{
    ffi::CStr,
    ptr::{
        null_mut,
        NonNull, //
    }, //
};
use kernel::prelude::*;

/// vmlinux's BTF.
pub(crate) struct KernelBtf(Btf);

/// Finds a function in vmlinux's BTF: its id, and a reference to the BTF.
fn find(c_name: &[u8]) -> Option<(u32, Btf)> {
    let name = CStr::from_bytes_with_nul(c_name).ok()?;
    let mut btf = null_mut();
    // SAFETY: `name` is a C string; `btf` is a variable of this function, which C only writes.
    let id =
        unsafe { bindings::bpf_find_btf_id(name.as_char_ptr(), bindings::BTF_KIND_FUNC, &mut btf) };
    let id = u32::try_from(id).ok()?;
    // SAFETY: On success the function gave a reference.
    let btf = unsafe { Btf::from_raw(NonNull::new(btf)?) };
    Some((id, btf))
}

impl KernelBtf {
    /// The BTF that has `row`, after checking that the prototype there is the row's.
    ///
    /// # Errors
    ///
    /// Names the function in the kernel log. `ENOENT`: BTF has no such function; `EPROTO`: it has
    /// another prototype.
    pub(crate) fn check(row: Row) -> Result<Self> {
        let Some((id, btf)) = find(row.c_name()) else {
            pr_err!(
                "{}: this kernel has no such function in its BTF\n",
                row.name()
            );
            return Err(ENOENT);
        };
        let btf = Self(btf);
        if proto::matches(&btf, id, row.proto()) != Ok(true) {
            pr_err!(
                "{}: the kernel's prototype is not `{}`\n",
                row.name(),
                row.proto()
            );
            return Err(EPROTO);
        }
        Ok(btf)
    }

    /// The reference alone.
    pub(crate) fn into_inner(self) -> Btf {
        self.0
    }

    fn raw(&self, id: u32) -> Option<NonNull<bindings::btf_type>> {
        // SAFETY: `self` holds the BTF; the function checks `id`.
        let ty = unsafe { bindings::btf_type_by_id(self.0.as_ptr(), id) };
        NonNull::new(ty.cast_mut())
    }

    fn name(&self, offset: u32) -> &str {
        // SAFETY: `self` holds the BTF; the function checks `offset`.
        let name = unsafe { bindings::btf_name_by_offset(self.0.as_ptr(), offset) };
        // SAFETY: Null or a C string inside the BTF, which never changes and lives as long as `self`.
        let bytes = unsafe { c_bytes(name) };
        core::str::from_utf8(bytes).unwrap_or("?")
    }
}

/// `btf_kind()`.
fn kind_of(info: u32) -> u32 {
    (info >> 24) & 0x1f
}

impl proto::Btf for KernelBtf {
    fn ty(&self, id: u32) -> Option<Type<'_>> {
        let raw = self.raw(id)?;
        // SAFETY: A type of the BTF, which never changes.
        let info = unsafe { (*raw.as_ptr()).info };
        // SAFETY: As above.
        let name_off = unsafe { (*raw.as_ptr()).name_off };
        // SAFETY: As above.
        let size_or_type = unsafe { (*raw.as_ptr()).__bindgen_anon_1 };
        // SAFETY: Both members of the union are 32-bit words.
        let target = unsafe { size_or_type.type_ };
        let (kind, target) = match kind_of(info) {
            bindings::BTF_KIND_INT | bindings::BTF_KIND_FLOAT | bindings::BTF_KIND_TYPEDEF => {
                (Kind::Named, 0)
            }
            bindings::BTF_KIND_FWD if info >> 31 == 1 => (Kind::Union, 0),
            bindings::BTF_KIND_STRUCT | bindings::BTF_KIND_FWD => (Kind::Struct, 0),
            bindings::BTF_KIND_UNION => (Kind::Union, 0),
            bindings::BTF_KIND_ENUM | bindings::BTF_KIND_ENUM64 => (Kind::Enum, 0),
            bindings::BTF_KIND_PTR => (Kind::Pointer, target),
            bindings::BTF_KIND_ARRAY => {
                let array = raw.as_ptr().wrapping_add(1).cast::<bindings::btf_array>();
                // SAFETY: An array's type is followed by this structure.
                (Kind::Array, unsafe { (*array).type_ })
            }
            bindings::BTF_KIND_CONST => (Kind::Const, target),
            bindings::BTF_KIND_VOLATILE => (Kind::Volatile, target),
            bindings::BTF_KIND_RESTRICT | bindings::BTF_KIND_TYPE_TAG => {
                (Kind::Transparent, target)
            }
            bindings::BTF_KIND_FUNC => (Kind::Function, target),
            bindings::BTF_KIND_FUNC_PROTO => (Kind::Prototype, target),
            _ => return None,
        };
        Some(Type {
            kind,
            name: self.name(name_off),
            target,
        })
    }

    fn param(&self, id: u32, index: u32) -> Option<u32> {
        let raw = self.raw(id)?;
        // SAFETY: A type of the BTF, which never changes.
        let info = unsafe { (*raw.as_ptr()).info };
        if kind_of(info) != bindings::BTF_KIND_FUNC_PROTO || index >= info & 0xffff {
            return None;
        }
        let params = raw.as_ptr().wrapping_add(1).cast::<bindings::btf_param>();
        // SAFETY: A prototype is followed by as many of these as its info says.
        Some(unsafe { (*params.wrapping_add(index as usize)).type_ })
    }
}
