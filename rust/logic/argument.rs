// SPDX-License-Identifier: GPL-2.0

//! Decisions on an argument that must be a dynptr, answering to `process_dynptr_func()` and
//! `mark_stack_slots_dynptr()` of `srctree/kernel/bpf/verifier.c` with all that they call.
//!
//! Two types of registers stand for a dynptr. `PTR_TO_STACK` points to two stack slots, which the
//! program may construct and release. `CONST_PTR_TO_DYNPTR` points to one that the kernel lent to a
//! callback or subprogram; its mark is in the register itself.

use super::{
    codes::{
        ARG_PTR_TO_DYNPTR,
        CONST_PTR_TO_DYNPTR,
        DYNPTR_TYPES,
        DYNPTR_TYPE_FILE,
        DYNPTR_TYPE_HEAP,
        DYNPTR_TYPE_LOCAL,
        DYNPTR_TYPE_RINGBUF,
        DYNPTR_TYPE_SKB,
        DYNPTR_TYPE_SKB_META,
        DYNPTR_TYPE_XDP,
        MEM_UNINIT,
        OBJ_RELEASE,
        PTR_TO_STACK, //
    },
    dynptr::Class,
    reject::Reject,
    slot::{
        dynptr_place,
        is_referenced,
        Mark,
        NoPlace,
        Offset,
        Stack,
        HEAP_RAW, //
    }, //
};

/// A register, as far as these rules look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// `enum bpf_reg_type` with flags.
    pub type_raw: u32,
    /// Its offset, if it is a pointer.
    pub offset: Offset,
    /// The dynptr's mark, if it points to a const one.
    pub mark: Mark,
}

/// What the call does with the argument: `enum bpf_arg_type` with flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgType(pub u32);

impl ArgType {
    /// The call constructs the dynptr.
    pub const fn constructs(self) -> bool {
        self.0 & MEM_UNINIT != 0
    }

    /// The call releases the dynptr.
    pub const fn releases(self) -> bool {
        self.0 & OBJ_RELEASE != 0
    }

    /// Any type of dynptr will do.
    const fn takes_any(self) -> bool {
        self.0 & !OBJ_RELEASE == ARG_PTR_TO_DYNPTR
    }

    /// `arg_to_dynptr_type()`: the type of dynptr that it asks for, 0 if none or several; [`HEAP_RAW`].
    pub const fn type_raw(self) -> u32 {
        match self.0 & DYNPTR_TYPES {
            DYNPTR_TYPE_LOCAL => Class::Local.to_raw(),
            DYNPTR_TYPE_RINGBUF => Class::Ringbuf.to_raw(),
            DYNPTR_TYPE_SKB => Class::Skb.to_raw(),
            DYNPTR_TYPE_XDP => Class::Xdp.to_raw(),
            DYNPTR_TYPE_SKB_META => Class::SkbMeta.to_raw(),
            DYNPTR_TYPE_FILE => Class::File.to_raw(),
            DYNPTR_TYPE_HEAP => HEAP_RAW,
            _ => 0,
        }
    }

    /// Whether it asks for the type of this dynptr. Who asks for local memory gets it on the heap too.
    fn takes(self, mark: &Mark) -> bool {
        self.takes_any() || [mark.class_raw, mark.type_raw()].contains(&self.type_raw())
    }

    /// The same argument, of a kfunc of heap dynptrs, about which the kernel's verifier says no more than
    /// whether it constructs.
    pub const fn of_heap(self, call: HeapCall) -> Self {
        Self(
            self.0
                | DYNPTR_TYPE_HEAP
                | match call {
                    HeapCall::Construct => MEM_UNINIT,
                    HeapCall::Release => OBJ_RELEASE,
                },
        )
    }
}

/// What a kfunc of heap dynptrs does with its dynptr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeapCall {
    /// `bpf_dynptr_alloc()`, `bpf_dynptr_attach()`: the program must release it.
    Construct,
    /// `bpf_dynptr_put()`, `bpf_dynptr_detach()`: with all its clones and slices.
    Release,
}

/// How to go on with an argument that is right so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Check the writes to its two slots, destroy what they hold, and mark them as [`construct`] says.
    Construct,
    /// The call uses this dynptr.
    Use {
        /// Its first slot, to be shown in the log with the second; `None` for a const dynptr.
        spi: Option<i32>,
        /// What is known of it.
        mark: Mark,
    },
}

/// Judges the argument in `reg`, which points into `stack` if it is a pointer to the stack at all.
///
/// # Errors
///
/// The reject, in C's order of checks.
pub fn judge<S: Stack>(reg: &Register, arg: ArgType, stack: &S) -> Result<Judgement, Reject> {
    let is_const = match reg.type_raw {
        CONST_PTR_TO_DYNPTR => true,
        PTR_TO_STACK => false,
        _ => return Err(Reject::NotADynptr),
    };
    if arg.constructs() {
        if is_const {
            return Err(Reject::NotConstructible(None));
        }
        // Slots beyond the stack's end become part of it when the writes are checked.
        return match dynptr_place(reg.offset, stack) {
            Ok(_) | Err(NoPlace::OutOfStack) => Ok(Judgement::Construct),
            Err(why) => Err(Reject::NotConstructible(Some(why))),
        };
    }
    if is_const && arg.releases() {
        return Err(Reject::ConstReleased);
    }
    let (spi, mark) = if is_const {
        (None, reg.mark)
    } else {
        let (spi, mark) = initialized(reg.offset, stack)?;
        (Some(spi), mark)
    };
    if !arg.takes(&mark) {
        return Err(Reject::WrongType {
            expected: arg.type_raw(),
            actual: mark.type_raw(),
        });
    }
    Ok(Judgement::Use { spi, mark })
}

/// The first slot and mark of the dynptr that a register with `offset` points to:
/// `is_dynptr_reg_valid_init()`.
fn initialized<S: Stack>(offset: Offset, stack: &S) -> Result<(i32, Mark), Reject> {
    let spi = dynptr_place(offset, stack).map_err(|why| Reject::NotInitialized(Some(why)))?;
    let slot = stack.slot(spi)?;
    // Not just two slots of dynptrs: the pointer must be to the first of one, not to the second of
    // one whose neighbour is the first of another.
    if !slot.mark.first
        || !slot.is_whole_dynptr()
        || !stack.slot(spi.wrapping_sub(1))?.is_whole_dynptr()
    {
        return Err(Reject::NotInitialized(None));
    }
    Ok((spi, slot.mark))
}

/// A dynptr that the call derives the new one from: `struct bpf_dynptr_desc`, filled by an earlier
/// argument. Its type is 0 if there was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// `enum bpf_dynptr_type`.
    pub class_raw: u32,
    /// The parent of the dynptr.
    pub parent_id: u32,
}

/// Referenced objects among the call's arguments so far: `struct ref_obj_desc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parents {
    /// The last one's identity, 0 if there is none.
    pub id: u32,
    /// How many there were.
    pub count: u8,
}

/// The parent of a new dynptr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// The object with this identity, or nothing if 0.
    Is(u32),
    /// A new reference, itself derived from this object (0: from nothing). The program must release
    /// it; that invalidates the dynptr and all its clones.
    Acquire(u32),
}

/// What to write into the slots of a new dynptr; with a fresh identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct New {
    /// `enum bpf_dynptr_type`.
    pub class_raw: u32,
    /// What it derives from.
    pub parent: Parent,
}

/// What a call constructs, once its slots are free.
///
/// # Errors
///
/// [`Reject::NoType`], [`Reject::SeveralParents`].
pub fn construct(arg: ArgType, source: Source, parents: Parents) -> Result<New, Reject> {
    let type_raw = arg.type_raw();
    if type_raw == 0 {
        return Err(Reject::NoType);
    }
    if type_raw == HEAP_RAW {
        // Whatever the call was given besides: the memory is the program's own.
        return Ok(New {
            class_raw: Class::Local.to_raw(),
            parent: Parent::Acquire(0),
        });
    }
    let class_raw = type_raw;
    if source.class_raw != 0 {
        // A clone shares its original's parent.
        return Ok(New {
            class_raw,
            parent: Parent::Is(source.parent_id),
        });
    }
    if parents.count > 1 {
        return Err(Reject::SeveralParents(parents.count));
    }
    Ok(New {
        class_raw,
        parent: if is_referenced(class_raw) {
            Parent::Acquire(parents.id)
        } else {
            Parent::Is(parents.id)
        },
    })
}

/// A slice that a call returns. If the bytes are not contiguous in memory, it is the buffer that the call
/// was given, filled with a copy: a second way to that memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slice {
    /// `bpf_dynptr_slice()`
    ReadOnly,
    /// `bpf_dynptr_slice_rdwr()`
    Writable,
}

/// The slice that the function of this name returns, if it is one of those that do.
pub fn slice_of(function: &[u8]) -> Option<Slice> {
    match function {
        b"bpf_dynptr_slice" => Some(Slice::ReadOnly),
        b"bpf_dynptr_slice_rdwr" => Some(Slice::Writable),
        _ => None,
    }
}

/// A rule that C does not have, and Rust only if it is asked to: a slice of a dynptr of this class must
/// not be able to be a buffer on the stack. The verifier tracks what is in stack slots, and does not see
/// writes through the slice: a program can forge a pointer. Reading gives it the pointers that it spilled,
/// as numbers, which matters if it may not see them (`!shows_pointers`).
///
/// `buffer_type` is the `enum bpf_reg_type` of the buffer.
///
/// # Errors
///
/// [`Reject::StackSlice`].
pub fn check_slice_buffer(
    slice: Slice,
    class_raw: u32,
    buffer_type: u32,
    shows_pointers: bool,
) -> Result<(), Reject> {
    let may_be_buffer = match Class::from_raw(class_raw) {
        Some(Class::Skb | Class::Xdp) => true,
        // No dynptr over a file is writable: there is no such slice.
        Some(Class::File) => slice == Slice::ReadOnly,
        Some(Class::Local | Class::Ringbuf | Class::SkbMeta) | None => false,
    };
    let does_harm = slice == Slice::Writable || !shows_pointers;
    if may_be_buffer && does_harm && buffer_type == PTR_TO_STACK {
        return Err(Reject::StackSlice);
    }
    Ok(())
}
