// SPDX-License-Identifier: GPL-2.0

//! Strings and memory in dynptrs: what the kfuncs of `entry::strings` do. `logic` looks at the bytes.
//!
//! Offsets are bytes from the start of the dynptr's view. A string starts there and ends at its first 0, after
//! `count` bytes, or with the view. Functions return -EINVAL for a null dynptr, -E2BIG for an offset behind the
//! view's end, and what reading the memory gives; each says what else.

use super::{
    pieces::{
        Constant,
        Cursor,
        Piece, //
    },
    Dynptr, //
};
use crate::{
    bindings,
    logic::{
        dynptr::MAX_SIZE,
        errno::{
            Errno,
            E2BIG,
            EFAULT,
            ENOENT,
            EPERM, //
        },
        memory::{
            self,
            Needle,
            NEEDLE_MAX, //
        },
        number::Number,
        pieces::{
            Bytes,
            Memory,
            Pieces,
            Rule,
            Whole,
            LIMIT, //
        },
        strings::{
            self,
            Token, //
        }, //
    }, //
};
use kernel::ffi::{
    c_int,
    c_void, //
};

/// More than a needle may have, so that longer ones are seen to be.
const NEEDLE_MORE: u64 = NEEDLE_MAX as u64 + 1;

/// A count of bytes as a result: at most 2^24 - 1.
#[inline(always)]
fn to_c_int(result: Result<u64, Errno>) -> c_int {
    match result {
        Ok(count) => count as c_int,
        Err(errno) => errno.to_c_int(),
    }
}

#[inline(always)]
fn order_to_c_int(result: Result<i32, Errno>) -> c_int {
    match result {
        Ok(order) => order,
        Err(errno) => errno.to_c_int(),
    }
}

impl Dynptr<'_> {
    /// What a function of strings makes of that at `offset`.
    #[inline(always)]
    pub(crate) fn of_string(
        self,
        offset: u64,
        count: u64,
        rule: impl FnOnce(&mut Cursor<'_>) -> Result<u64, Errno>,
    ) -> c_int {
        to_c_int(
            Cursor::new(self, offset, count.min(LIMIT)).and_then(|mut cursor| rule(&mut cursor)),
        )
    }

    /// Compares two strings: -1, 0, 1; -E2BIG if they are equal in [`LIMIT`] bytes.
    #[inline(always)]
    pub(crate) fn compare_strings<R: Rule>(
        self,
        offset: u64,
        other: Dynptr<'_>,
        other_offset: u64,
        count: u64,
    ) -> c_int {
        let count = count.min(LIMIT);
        order_to_c_int((|| {
            let mut one = Cursor::new(self, offset, count)?;
            let mut other = Cursor::new(other, other_offset, count)?;
            strings::order::<R>(&mut one, &mut other)
        })())
    }

    /// [`Self::compare_strings`] with a constant.
    #[inline(always)]
    pub(crate) fn compare_constant<R: Rule>(
        self,
        offset: u64,
        other: Constant<'_>,
        count: u64,
    ) -> c_int {
        let count = count.min(LIMIT);
        order_to_c_int((|| {
            let mut one = Cursor::new(self, offset, count)?;
            strings::order::<R>(&mut one, &mut Whole::new(other.bytes(count)))
        })())
    }

    /// Where a constant is in a string: -ENOENT; -E2BIG if it has more than [`NEEDLE_MAX`] bytes, or is not in
    /// [`LIMIT`] bytes.
    #[inline(always)]
    pub(crate) fn find_constant<R: Rule>(
        self,
        offset: u64,
        wanted: Constant<'_>,
        count: u64,
    ) -> c_int {
        self.of_string(offset, count, |cursor| {
            let wanted = wanted.bytes(NEEDLE_MORE);
            let mut needle = Needle::new();
            needle.read::<R>(&mut Whole::new(wanted))?;
            memory::find_string::<R>(cursor, &needle)
        })
    }

    /// A number at `offset`: its bytes, with it in `value`.
    ///
    /// # Safety
    ///
    /// `value` is valid for writes; it need not be aligned.
    #[inline(always)]
    pub(crate) unsafe fn number<T>(
        self,
        offset: u64,
        count: u64,
        rule: impl FnOnce(&mut Cursor<'_>) -> Result<Number<T>, Errno>,
        value: *mut T,
    ) -> c_int {
        self.of_string(offset, count, |cursor| {
            let number = rule(cursor)?;
            // SAFETY: By this function's contract.
            unsafe { value.write_unaligned(number.value) };
            Ok(number.len)
        })
    }

    /// The first token behind `offset`: 0, with it in `token`; -ENOENT if there is none, also behind the end.
    ///
    /// # Safety
    ///
    /// `token` is valid for writes; it need not be aligned.
    #[inline(always)]
    pub(crate) unsafe fn token(
        self,
        offset: u64,
        count: u64,
        delimiters: Constant<'_>,
        empty: bool,
        token: *mut bindings::bpf_dynptr_token,
    ) -> c_int {
        if offset == u64::MAX {
            return ENOENT.to_c_int();
        }
        self.of_string(offset, count, |cursor| {
            let Token { start, len, next } =
                strings::token(cursor, delimiters.bytes(LIMIT), empty)?;
            let value = bindings::bpf_dynptr_token {
                offset: offset.wrapping_add(start),
                len,
                next: next.map_or(u64::MAX, |next| offset.wrapping_add(next)),
            };
            // SAFETY: By this function's contract.
            unsafe { token.write_unaligned(value) };
            Ok(0)
        })
    }

    /// Compares `len` bytes with those of another dynptr: -1, 0, 1; -E2BIG if they are not within both, or
    /// more than 2^24 - 1.
    #[inline(always)]
    pub(crate) fn compare_memory(
        self,
        offset: u64,
        other: Dynptr<'_>,
        other_offset: u64,
        len: u64,
    ) -> c_int {
        order_to_c_int((|| {
            let mut one = Cursor::exact(self, offset, checked(len)?)?;
            let mut other = Cursor::exact(other, other_offset, len)?;
            memory::order(&mut one, &mut other, len)
        })())
    }

    /// [`Self::compare_memory`] with as many bytes as `other` has.
    #[inline(always)]
    pub(crate) fn compare_bytes(self, offset: u64, other: Piece<'_>) -> c_int {
        let len = other.size() as u64;
        order_to_c_int((|| {
            let mut one = Cursor::exact(self, offset, checked(len)?)?;
            memory::order(&mut one, &mut Whole::new(other), len)
        })())
    }

    /// Where the first `byte` of `len` bytes is: -ENOENT; -E2BIG as [`Self::compare_memory`].
    #[inline(always)]
    pub(crate) fn find_byte(self, offset: u64, len: u64, byte: u8) -> c_int {
        to_c_int((|| {
            let mut cursor = Cursor::exact(self, offset, checked(len)?)?;
            memory::find(&mut cursor, byte, len)
        })())
    }

    /// Where the bytes of `wanted` are in `len` bytes: -ENOENT; -E2BIG as [`Self::compare_memory`], and if there
    /// are more than [`NEEDLE_MAX`].
    #[inline(always)]
    pub(crate) fn find_bytes(self, offset: u64, len: u64, wanted: Piece<'_>) -> c_int {
        self.find_needle(offset, len, |needle| {
            needle.read::<Memory>(&mut Whole::new(wanted))
        })
    }

    #[inline(always)]
    fn find_needle(
        self,
        offset: u64,
        len: u64,
        read: impl FnOnce(&mut Needle) -> Result<(), Errno>,
    ) -> c_int {
        to_c_int((|| {
            let mut cursor = Cursor::exact(self, offset, checked(len)?)?;
            let mut needle = Needle::new();
            read(&mut needle)?;
            memory::find_needle(&mut cursor, &needle, len)
        })())
    }

    /// [`Self::find_bytes`] of all bytes of another dynptr.
    #[inline(always)]
    pub(crate) fn find_view(self, offset: u64, len: u64, wanted: Dynptr<'_>) -> c_int {
        self.find_needle(offset, len, |needle| wanted.fill_needle(needle))
    }

    /// Out of line, as it has a buffer on the stack.
    #[inline(never)]
    fn fill_needle(self, needle: &mut Needle) -> Result<(), Errno> {
        needle.read::<Memory>(&mut Cursor::new(self, 0, NEEDLE_MORE)?)
    }

    /// Reads as many bytes at `offset` as there are, at most `len`: how many.
    ///
    /// # Safety
    ///
    /// `dst` is valid for writes of `len` bytes.
    #[inline(always)]
    pub(crate) unsafe fn read_up_to(self, dst: *mut c_void, len: u32, offset: u64) -> c_int {
        to_c_int((|| {
            let len = self.behind(offset)?.min(len.into());
            let err = match self.file() {
                // Other than `bpf_dynptr_read()`, it does not sleep where the program must not.
                Some(file) => {
                    let at = file.offset().wrapping_add(offset);
                    // SAFETY: By this function's contract.
                    unsafe { file.fetch_at(at, dst, len) }
                }
                // SAFETY: By this function's contract.
                None => unsafe { self.read_part(dst, len, offset) },
            };
            Errno::from_c_int(err).map_or(Ok(len), Err)
        })())
    }

    /// Copies `size` bytes to the current task's memory at `address`: 0, -E2BIG as
    /// [`Self::compare_memory`], -EFAULT; bytes before the fault are copied; -EPERM in a kernel thread and a task
    /// that is exiting, which have no memory of their own. Sleeps.
    pub(crate) fn copy_to_user(self, offset: u64, size: u64, address: u64) -> c_int {
        to_c_int((|| {
            // SAFETY: Only looks at the current task.
            if !unsafe { bindings::rust_dynptr_has_user_memory() } {
                return Err(EPERM);
            }
            let mut cursor = Cursor::exact(self, offset, checked(size)?)?;
            let mut to = address;
            while let Some(piece) = cursor.next()? {
                let len = piece.size();
                // SAFETY: The piece is `len` bytes long; any user address will do.
                let left = unsafe {
                    bindings::rust_dynptr_copy_to_user(to as *mut c_void, piece.start(), len)
                };
                if left != 0 {
                    return Err(EFAULT);
                }
                to = to.wrapping_add(len as u64);
            }
            Ok(0)
        })())
    }
}

/// The length of memory.
///
/// # Errors
///
/// [`E2BIG`] if it is above 2^24 - 1.
#[inline(always)]
fn checked(len: u64) -> Result<u64, Errno> {
    if len > MAX_SIZE.into() {
        return Err(E2BIG);
    }
    Ok(len)
}
