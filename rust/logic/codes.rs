// SPDX-License-Identifier: GPL-2.0

//! The verifier's numbers, of `srctree/include/linux/bpf.h` and `bpf_verifier.h`, that the rules go by.
//! `glue::env` asserts that they are the target kernel's.

/// `NOT_INIT`: a register that holds nothing.
pub const NOT_INIT: u32 = 0;
/// `SCALAR_VALUE`: a number.
pub const SCALAR_VALUE: u32 = 1;
/// `PTR_TO_STACK`: a pointer into the stack of a frame.
pub const PTR_TO_STACK: u32 = 6;
/// `PTR_TO_PACKET_META`: a pointer in front of packet data.
pub const PTR_TO_PACKET_META: u32 = 7;
/// `PTR_TO_PACKET`: a pointer to packet data.
pub const PTR_TO_PACKET: u32 = 8;
/// `PTR_TO_PACKET_END`: the end of packet data.
pub const PTR_TO_PACKET_END: u32 = 9;
/// `PTR_TO_MEM`: a pointer to memory of known size, as dynptr slices are.
pub const PTR_TO_MEM: u32 = 17;
/// `CONST_PTR_TO_DYNPTR`: a dynptr of the kernel, lent to a callback or subprogram.
pub const CONST_PTR_TO_DYNPTR: u32 = 22;
/// `BPF_BASE_TYPE_MASK`: the part of a type that is no flag.
pub const BASE_TYPE: u32 = 0xff;

/// `ARG_PTR_TO_DYNPTR`: an argument that must be a dynptr.
pub const ARG_PTR_TO_DYNPTR: u32 = 24;
/// `OBJ_RELEASE`: the call releases what the argument holds.
pub const OBJ_RELEASE: u32 = 1 << 13;
/// `MEM_UNINIT`: the call constructs what the argument points to.
pub const MEM_UNINIT: u32 = 1 << 15;
/// `DYNPTR_TYPE_LOCAL`.
pub const DYNPTR_TYPE_LOCAL: u32 = 1 << 16;
/// `DYNPTR_TYPE_RINGBUF`.
pub const DYNPTR_TYPE_RINGBUF: u32 = 1 << 17;
/// `MEM_ALLOC`: an object that the program allocated.
pub const MEM_ALLOC: u32 = 1 << 19;
/// `MEM_PERCPU`: per-CPU memory.
pub const MEM_PERCPU: u32 = 1 << 12;
/// `MEM_RCU`: valid as long as the RCU read section.
pub const MEM_RCU: u32 = 1 << 21;
/// `DYNPTR_TYPE_SKB`.
pub const DYNPTR_TYPE_SKB: u32 = 1 << 23;
/// `DYNPTR_TYPE_XDP`.
pub const DYNPTR_TYPE_XDP: u32 = 1 << 24;
/// `DYNPTR_TYPE_SKB_META`.
pub const DYNPTR_TYPE_SKB_META: u32 = 1 << 27;
/// `DYNPTR_TYPE_FILE`.
pub const DYNPTR_TYPE_FILE: u32 = 1 << 28;
/// A heap dynptr: a flag of ours, of a bit that the verifier leaves free. Only between our own functions.
pub const DYNPTR_TYPE_HEAP: u32 = 1 << 29;
/// `DYNPTR_TYPE_FLAG_MASK`, all of the verifier's, and ours.
pub const DYNPTR_TYPES: u32 = DYNPTR_TYPE_LOCAL
    | DYNPTR_TYPE_RINGBUF
    | DYNPTR_TYPE_SKB
    | DYNPTR_TYPE_XDP
    | DYNPTR_TYPE_SKB_META
    | DYNPTR_TYPE_FILE
    | DYNPTR_TYPE_HEAP;

/// `STACK_INVALID`: nothing was stored in this byte of the stack.
pub const STACK_INVALID: u8 = 0;
/// `STACK_SPILL`: a register was.
pub const STACK_SPILL: u8 = 1;
/// `STACK_MISC`: data was.
pub const STACK_MISC: u8 = 2;
/// `STACK_ZERO`: zero was.
pub const STACK_ZERO: u8 = 3;
/// `STACK_DYNPTR`: a dynptr is there.
pub const STACK_DYNPTR: u8 = 4;
/// `STACK_ITER`: an iterator is there.
pub const STACK_ITER: u8 = 5;
/// `STACK_IRQ_FLAG`: saved interrupt flags are there.
pub const STACK_IRQ_FLAG: u8 = 6;
/// `STACK_POISON`: dead; reading it is an error of the liveness analysis.
pub const STACK_POISON: u8 = 7;

/// `REF_TYPE_PTR`: a reference to an object, as opposed to a lock or an IRQ state.
pub const REF_TYPE_PTR: u32 = 1 << 1;

/// `BPF_REG_SIZE`: bytes of a stack slot.
pub const SLOT_BYTES: i32 = 8;
/// `BPF_DYNPTR_NR_SLOTS`: stack slots of a dynptr.
pub const DYNPTR_SLOTS: i32 = 2;
/// `MAX_BPF_FUNC_REG_ARGS`: arguments of a call that are in registers.
pub const REGISTER_ARGS: i32 = 5;
