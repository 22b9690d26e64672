// SPDX-License-Identifier: GPL-2.0

//! How an operation on memory that is not contiguous goes through a small buffer, answering to the
//! loops of `bpf_dynptr_copy()`, `bpf_dynptr_memset()` (`srctree/kernel/bpf/helpers.c`),
//! `__bpf_dynptr_copy()` and `__bpf_dynptr_copy_str()` (`srctree/kernel/trace/bpf_trace.c`).
//!
//! All in bytes. The glue does the steps that are given out here.

/// Bytes of the buffer, on the stack.
pub const BUFFER: usize = 256;

/// One step: where it starts, from the start of the operation, and how many bytes: 1 to [`BUFFER`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Bytes done before.
    pub at: u64,
    /// Bytes of this step.
    pub len: usize,
}

impl Chunk {
    /// The step at `at` of an operation of `size` bytes; `None` at its end.
    fn new(at: u64, size: u64) -> Option<Self> {
        let left = size.checked_sub(at)?;
        if left == 0 {
            return None;
        }
        let len = if left < BUFFER as u64 {
            left as usize
        } else {
            BUFFER
        };
        Some(Self { at, len })
    }
}

/// The steps of an operation of `size` bytes, front to back, without gap or overlap.
#[derive(Clone, Copy, Debug)]
pub struct Chunks {
    at: u64,
    size: u64,
}

impl Chunks {
    /// The steps for `size` bytes.
    pub const fn new(size: u64) -> Self {
        Self { at: 0, size }
    }
}

impl Iterator for Chunks {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let chunk = Chunk::new(self.at, self.size)?;
        self.at = self.at.wrapping_add(chunk.len as u64);
        Some(chunk)
    }
}

/// The steps of a string that ends at its NUL, or with a NUL at the end of `size` bytes.
///
/// Every step writes a NUL at its end; the next one starts on that NUL.
#[derive(Clone, Copy, Debug)]
pub struct StringSteps {
    at: u64,
    size: u64,
}

impl StringSteps {
    /// The steps for a buffer of `size` bytes.
    pub const fn new(size: u64) -> Self {
        Self { at: 0, size }
    }

    /// The next step; `None` at the end.
    pub fn chunk(&self) -> Option<Chunk> {
        Chunk::new(self.at, self.size)
    }

    /// After `chunk` brought `copied` bytes with their NUL: the length of the whole string with its
    /// NUL if that was its last step.
    pub fn copied(&mut self, chunk: Chunk, copied: usize) -> Option<u64> {
        if copied < chunk.len || chunk.len == 1 {
            return Some(chunk.at.wrapping_add(copied as u64));
        }
        self.at = chunk.at.wrapping_add(chunk.len as u64).wrapping_sub(1);
        None
    }

    /// What an operation that ran out of steps returns: the bytes gone through.
    pub fn end(&self) -> u64 {
        self.at
    }
}
