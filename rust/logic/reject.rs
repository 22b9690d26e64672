// SPDX-License-Identifier: GPL-2.0

//! Every reject of the verifier's dynptr checks: errno, log text, diagnostic. One place, because
//! the texts are interface: they are byte-identical to `srctree/kernel/bpf/verifier.c`, and
//! upstream's selftests match them.

use super::{
    argno::ArgNo,
    errno::{
        Errno,
        EFAULT,
        EINVAL,
        ENOMEM,
        ERANGE, //
    },
    slot::{
        NoPlace,
        HEAP_RAW, //
    },
    text::Text, //
};
use core::ffi::CStr;

/// Room for the longest message: a sentence of 112 bytes, an argument's name, and a register's type in
/// words, which C keeps below 320 bytes (`TMP_STR_BUF_LEN`).
pub type Message = Text<480>;

/// A reason to refuse a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    /// A write would destroy the last dynptr that can release a reference.
    OverwriteReferenced,
    /// A dynptr cannot be where a register points to.
    NoPlace(NoPlace),
    /// A dynptr argument is no pointer to one.
    NotADynptr,
    /// A dynptr would be constructed where it cannot be.
    NotConstructible(Option<NoPlace>),
    /// A dynptr that the kernel lent would be released.
    ConstReleased,
    /// A dynptr argument points to no whole dynptr.
    NotInitialized(Option<NoPlace>),
    /// A dynptr argument is one of another type. Both as [`Mark::type_raw`](super::slot::Mark::type_raw).
    WrongType {
        /// What the call wants.
        expected: u32,
        /// What the argument is.
        actual: u32,
    },
    /// The constructor is not known to make dynptrs of any type.
    NoType,
    /// A dynptr would be constructed from several references; so many. A bug of the caller.
    SeveralParents(u8),
    /// A reference goes away on which another, held one depends.
    ChildLeaks {
        /// The other's identity.
        id: i32,
        /// The instruction that acquired it.
        insn: i32,
    },
    /// There is no such reference to release.
    NoReference,
    /// More identities wait for their release than registers exist. A bug of the verifier.
    TooManyIds,
    /// No memory for another reference.
    NoMemory,
    /// The verifier's state is not what its own rules make. C would read out of bounds.
    BadSlot,
    /// A slice may be a buffer on the stack. Refused only if asked for: C allows it.
    StackSlice,
}

/// The argument that a reject is about.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Which it is.
    pub arg: ArgNo,
    /// What its register holds, in words (`bpf_diag_reg_type_plain()`).
    pub is: &'a [u8],
    /// The names of types of dynptrs (`dynptr_type_str()`).
    pub type_name: fn(u32) -> &'static [u8],
}

impl Subject<'_> {
    /// The name of a type of dynptrs, [`HEAP_RAW`] included.
    fn name(&self, type_raw: u32) -> &'static [u8] {
        if type_raw == HEAP_RAW {
            b"malloc"
        } else {
            (self.type_name)(type_raw)
        }
    }
}

/// What the diagnostics engine is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diagnostic {
    /// `bpf_diag_res()`: a resource is not treated as it must be.
    Resource {
        /// A few words that name the problem.
        problem: &'static CStr,
        /// Why it is one.
        reason: &'static CStr,
        /// What the program's author can do.
        suggestion: &'static CStr,
    },
    /// `bpf_diag_call_type()`: an argument does not fit. The reason is [`Reject::write_reason`].
    Argument {
        /// What the program's author can do.
        suggestion: &'static CStr,
    },
}

impl Reject {
    /// What the C function returns.
    pub const fn errno(self) -> Errno {
        match self {
            Self::NoPlace(NoPlace::OutOfStack) => ERANGE,
            Self::SeveralParents(_) | Self::TooManyIds | Self::BadSlot => EFAULT,
            Self::NoMemory => ENOMEM,
            Self::OverwriteReferenced
            | Self::NoPlace(_)
            | Self::NotADynptr
            | Self::NotConstructible(_)
            | Self::ConstReleased
            | Self::NotInitialized(_)
            | Self::WrongType { .. }
            | Self::NoType
            | Self::ChildLeaks { .. }
            | Self::NoReference
            | Self::StackSlice => EINVAL,
        }
    }

    /// Appends what the verifier's log is told, newlines included; nothing if C says nothing. The
    /// C helper that warns says it for [`Reject::SeveralParents`].
    pub fn write_log(self, subject: &Subject<'_>, out: &mut Message) {
        match self {
            Self::OverwriteReferenced => out.push(b"cannot overwrite referenced dynptr\n"),
            Self::NoPlace(why) => write_no_place(why, b"dynptr", out),
            Self::NotADynptr => {
                subject.arg.write_name(out);
                out.push(b" expected pointer to stack or const struct bpf_dynptr\n");
            }
            Self::NotConstructible(why) => {
                write_place(why, out);
                out.push(b"Dynptr has to be an uninitialized dynptr\n");
            }
            Self::ConstReleased => out.push(b"CONST_PTR_TO_DYNPTR cannot be released\n"),
            Self::NotInitialized(why) => {
                write_place(why, out);
                out.push(b"Expected an initialized dynptr as ");
                subject.arg.write_name(out);
                out.push(b"\n");
            }
            Self::WrongType { expected, .. } => {
                out.push(b"Expected a dynptr of type ");
                out.push(subject.name(expected));
                out.push(b" as ");
                subject.arg.write_name(out);
                out.push(b"\n");
            }
            Self::ChildLeaks { id, insn } => {
                out.push(b"Leaking reference id=");
                out.push_signed(id);
                out.push(b" alloc_insn=");
                out.push_signed(insn);
                out.push(b". Release it first.\n");
            }
            Self::BadSlot => out.push(b"verifier bug: dynptr slot outside of the stack\n"),
            Self::StackSlice => out.push(
                b"R3 must not point to the stack: the slice may be that buffer (rust_dynptr)\n",
            ),
            Self::NoType
            | Self::SeveralParents(_)
            | Self::NoReference
            | Self::TooManyIds
            | Self::NoMemory => {}
        }
    }

    /// The diagnostic that follows it, if C gives one.
    pub const fn diagnostic(self) -> Option<Diagnostic> {
        Some(match self {
            Self::OverwriteReferenced => Diagnostic::Resource {
                problem: c"referenced dynptr overwrite",
                reason: c"This stack slot contains a dynptr that owns or protects a referenced resource. Overwriting the last dynptr for that resource would lose the verifier-tracked release path.",
                suggestion: c"Release or clone the dynptr so another live dynptr still tracks the referenced resource before overwriting this stack slot.",
            },
            Self::NotADynptr => Diagnostic::Argument {
                suggestion: c"Pass the address of a stack dynptr object, or use a const dynptr pointer returned by the verifier-supported path.",
            },
            Self::NotConstructible(_) => Diagnostic::Resource {
                problem: c"dynptr is already initialized",
                reason: c"This kfunc constructs a dynptr and requires an uninitialized dynptr stack slot, but the selected slot already holds dynptr state.",
                suggestion: c"Use a fresh stack dynptr slot, or release/destroy the existing dynptr before reusing the slot.",
            },
            Self::ConstReleased => Diagnostic::Resource {
                problem: c"const dynptr release",
                reason: c"This release operation was given a const dynptr. Const dynptr values are verifier-provided views and cannot be released by the program.",
                suggestion: c"Release only mutable dynptrs that the program initialized or reserved.",
            },
            Self::NotInitialized(_) => Diagnostic::Resource {
                problem: c"uninitialized dynptr use",
                reason: c"This operation requires an initialized dynptr, but the stack slot does not currently hold a valid dynptr on this path.",
                suggestion: c"Initialize the dynptr on every path before this call, and avoid overwriting or releasing it before this use.",
            },
            Self::WrongType { .. } => Diagnostic::Argument {
                suggestion: c"Use a dynptr constructor that matches this operation, or call an operation that accepts the dynptr's current type.",
            },
            Self::StackSlice => Diagnostic::Resource {
                problem: c"dynptr slice over a stack buffer",
                reason: c"If the bytes are not contiguous, the slice is the buffer that the call is given. The verifier tracks what is in a stack buffer, and does not see accesses through the slice.",
                suggestion: c"Use a buffer in a map value or a global variable, or bpf_dynptr_read() and bpf_dynptr_write().",
            },
            Self::NoPlace(_)
            | Self::NoType
            | Self::SeveralParents(_)
            | Self::ChildLeaks { .. }
            | Self::NoReference
            | Self::TooManyIds
            | Self::NoMemory
            | Self::BadSlot => return None,
        })
    }

    /// Appends the reason that belongs to a [`Diagnostic::Argument`]; nothing to others.
    pub fn write_reason(self, subject: &Subject<'_>, out: &mut Message) {
        match self {
            Self::NotADynptr => {
                out.push(b"a dynptr argument must be a pointer to a dynptr stack slot or a verifier-provided const struct bpf_dynptr, but ");
                subject.arg.write_name(out);
                out.push(b" is ");
                out.push(subject.is);
            }
            Self::WrongType { expected, actual } => {
                out.push(b"the dynptr is initialized with backing object type ");
                out.push(subject.name(actual));
                out.push(b", but this operation expects dynptr type ");
                out.push(subject.name(expected));
            }
            _ => {}
        }
    }
}

/// What C has logged of the place before it refuses what would be there.
fn write_place(why: Option<NoPlace>, out: &mut Message) {
    if let Some(why) = why {
        write_no_place(why, b"dynptr", out);
    }
}

/// Appends what the log is told when an object of this `kind` cannot be where a register points to:
/// `stack_slot_obj_get_spi()`, which iterators and IRQ flags use too.
pub fn write_no_place(why: NoPlace, kind: &[u8], out: &mut Message) {
    match why {
        NoPlace::NotConstant => {
            out.push(kind);
            out.push(b" has to be at a constant offset\n");
        }
        NoPlace::BadOffset(offset) => {
            out.push(b"cannot pass in ");
            out.push(kind);
            out.push(b" at an offset=");
            out.push_signed(offset);
            out.push(b"\n");
        }
        NoPlace::OutOfStack => {}
    }
}
