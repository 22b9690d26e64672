// SPDX-License-Identifier: GPL-2.0

//! Text of bounded length for C: what the verifier's log and diagnostics are told. Answers to
//! `vsnprintf()` as far as the dynptr rules use it: what does not fit is dropped.

/// A text of less than `N` bytes that ends with a NUL. It has no other if what is appended has none.
#[derive(Clone, Debug)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Text<N> {
    /// An empty text.
    pub const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    /// The text with the NUL that ends it.
    pub fn as_bytes_with_nul(&self) -> &[u8] {
        self.bytes
            .get(..self.len.saturating_add(1))
            .unwrap_or_default()
    }

    /// Whether nothing has been appended.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends what fits of `text`: `%s`.
    pub fn push(&mut self, text: &[u8]) {
        // The last byte stays NUL.
        let end = N.saturating_sub(1);
        for byte in text {
            if self.len >= end {
                return;
            }
            if let Some(place) = self.bytes.get_mut(self.len) {
                *place = *byte;
                self.len = self.len.saturating_add(1);
            }
        }
    }

    /// Appends a number: `%d`.
    pub fn push_signed(&mut self, number: i32) {
        if number < 0 {
            self.push(b"-");
        }
        self.push_unsigned(number.unsigned_abs());
    }

    /// Appends a number: `%u`.
    pub fn push_unsigned(&mut self, number: u32) {
        let mut unit = 1_000_000_000u32;
        let mut leading = true;
        while unit > 0 {
            let digit = number.checked_div(unit).unwrap_or(0) % 10;
            leading = leading && digit == 0 && unit > 1;
            if !leading {
                self.push(&[b'0'.wrapping_add(digit as u8)]);
            }
            unit /= 10;
        }
    }
}
