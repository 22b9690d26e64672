// SPDX-License-Identifier: GPL-2.0

//! A view in pieces, as a packet's: what `logic::pieces` is given.

use rust_dynptr_host::logic::{
    errno::Errno,
    pieces::Pieces, //
};

/// Pieces, the first one last.
pub struct Cut<'a>(pub Vec<&'a [u8]>);

impl<'a> Cut<'a> {
    /// `bytes` in pieces of as many as `size` says for what is left, 1 at least.
    pub fn new(bytes: &'a [u8], mut size: impl FnMut(usize) -> usize) -> Self {
        let mut pieces = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(size(rest.len()).clamp(1, rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        pieces.reverse();
        Self(pieces)
    }
}

impl Pieces for Cut<'_> {
    type Piece<'b>
        = &'b [u8]
    where
        Self: 'b;

    fn next(&mut self) -> Result<Option<&[u8]>, Errno> {
        Ok(self.0.pop())
    }
}
