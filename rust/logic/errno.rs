// SPDX-License-Identifier: GPL-2.0

//! Error numbers as plain data; the values of `include/uapi/asm-generic/errno*.h`.
//!
//! `logic` cannot use `kernel::error`, as it also compiles on the host. `glue` asserts that the
//! values are the kernel's.

use core::num::NonZeroI32;

/// An error number, held as the negative value that C functions return: never 0, so that a
/// `Result<(), Errno>` is that very `int`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(NonZeroI32);

/// Not permitted: a mapping that user space may not have.
pub const EPERM: Errno = Errno::new(1);
/// No such entry: what is looked for is not there.
pub const ENOENT: Errno = Errno::new(2);
/// Argument list too long: here, a length that is out of bounds.
pub const E2BIG: Errno = Errno::new(7);
/// Try again: the ring has no room.
pub const EAGAIN: Errno = Errno::new(11);
/// Out of memory.
pub const ENOMEM: Errno = Errno::new(12);
/// Access denied: a function that the program may not call.
pub const EACCES: Errno = Errno::new(13);
/// Bad address: memory that cannot be read, or an internal inconsistency.
pub const EFAULT: Errno = Errno::new(14);
/// Busy: somebody else drains the ring.
pub const EBUSY: Errno = Errno::new(16);
/// Invalid argument.
pub const EINVAL: Errno = Errno::new(22);
/// Out of range: a new view that is not within the old one.
pub const ERANGE: Errno = Errno::new(34);

impl Errno {
    /// Of the constants above, whose numbers are positive.
    const fn new(number: u16) -> Self {
        match NonZeroI32::new((number as i32).wrapping_neg()) {
            Some(value) => Self(value),
            None => Self(NonZeroI32::MIN),
        }
    }

    /// What a C function returned: an error, unless it is 0.
    pub fn from_c_int(value: i32) -> Option<Self> {
        NonZeroI32::new(value).map(Self)
    }

    /// The negative value that C functions return.
    pub const fn to_c_int(self) -> i32 {
        self.0.get()
    }

    /// The value that a BPF helper returns in its 64-bit register: sign-extended.
    pub const fn to_register(self) -> u64 {
        (self.to_c_int() as i64) as u64
    }
}
