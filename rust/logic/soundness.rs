// SPDX-License-Identifier: GPL-2.0

//! The levels of the module's parameter `soundness`: which programs that C accepts are refused.

/// A level. Each refuses what the one before it refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Decide as C does, in all cases: for comparing.
    C,
    /// No program that is accepted reaches memory that is not its own by a slice that outlives it.
    Sound,
    /// And no slice may be a buffer on the stack ([`super::argument::check_slice_buffer`]).
    Strict,
}

impl Level {
    /// From the number in `rust/helpers/soundness.c`. What is none is the strictest.
    pub fn from_raw(raw: u32) -> Self {
        match raw {
            0 => Self::C,
            1 => Self::Sound,
            _ => Self::Strict,
        }
    }
}
