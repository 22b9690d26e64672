// SPDX-License-Identifier: GPL-2.0

//! The rules, without the kernel: pure functions over plain data and small traits.
//!
//! Nothing here knows a kernel type, holds unsafe code, allocates or can panic. The same files
//! compile into the module and, by `#[path]`, into the host crate `selftests/host`, where they are
//! tested. Only `core` and `logic` itself may be imported; `glue` may call everything here.
//!
//! Arithmetic on sizes and positions is wrapping or checked, always: the target kernel is built
//! with overflow checks, and a bare `+` that wraps would stop the machine.

pub mod argno;
pub mod argument;
pub mod bind;
pub mod chunk;
pub mod codes;
pub mod dynptr;
pub mod errno;
pub mod frame_end;
pub mod heap;
pub mod iter;
pub mod memory;
pub mod number;
pub mod objects;
pub mod packet;
pub mod pieces;
pub mod proto;
pub mod reject;
pub mod release;
pub mod ring;
pub mod ring_map;
pub mod slot;
pub mod soundness;
pub mod strings;
pub mod text;
pub mod user_ring;
