// SPDX-License-Identifier: GPL-2.0

//! Where the bytes of packets and frames are that do not have to be in one place, answering to
//! `skb_pointer_if_linear()` (`srctree/include/linux/skbuff.h`) and `bpf_xdp_pointer()`
//! (`srctree/net/core/filter.c`).
//!
//! Offsets are from the start, sizes and lengths in bytes.

use super::errno::{
    Errno,
    EFAULT,
    EINVAL, //
};

/// The largest offset and length that `bpf_xdp_pointer()` takes.
const FRAME_MAX: u32 = 0xffff;

/// `skb_pointer_if_linear()`: whether `len` bytes at `offset` lie in the packet's first `headlen`
/// bytes, which are contiguous.
#[inline(always)]
pub fn is_linear(headlen: u32, offset: u32, len: u32) -> bool {
    offset <= headlen && len <= headlen.wrapping_sub(offset)
}

/// Whether [`find`] would answer that `len` bytes at `offset` are in the first part of a frame: in
/// fewer steps, as most are.
#[inline(always)]
pub fn is_in_head(headlen: u32, offset: u32, len: u32) -> bool {
    headlen <= FRAME_MAX && offset < headlen && len <= headlen.wrapping_sub(offset)
}

/// How many of `len` bytes at `offset` are in the first part, from its start on: of a range that need
/// not be in the frame.
#[inline(always)]
pub fn part_in_head(headlen: u32, offset: u32, len: u32) -> u32 {
    headlen.saturating_sub(offset).min(len)
}

/// Where bytes of a frame are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the first part, at this offset.
    Head(u32),
    /// In the fragment of this index, at this offset.
    Fragment(usize, u32),
    /// In more than one part.
    Apart,
}

/// `bpf_xdp_pointer()`: where `len` bytes at `offset` are in a frame of `size` bytes, the first
/// `headlen` of them in the first part and the rest in fragments of these sizes.
///
/// No bytes at the very end are at the start, as in C.
///
/// # Errors
///
/// In this order: [`EFAULT`] if `offset` or `len` is above 65535; [`EINVAL`] if the range is out of
/// bounds.
#[inline(always)]
pub fn find(
    size: u32,
    headlen: u32,
    fragments: impl Iterator<Item = u32>,
    offset: u32,
    len: u32,
) -> Result<Place, Errno> {
    if offset > FRAME_MAX || len > FRAME_MAX {
        return Err(EFAULT);
    }
    if offset.wrapping_add(len) > size {
        return Err(EINVAL);
    }
    let fits = |at: u32, part: u32| at.wrapping_add(len) <= part;
    let mut at = offset;
    if at >= headlen {
        at = at.wrapping_sub(headlen);
        let mut index: usize = 0;
        for part in fragments {
            if at < part {
                return Ok(if fits(at, part) {
                    Place::Fragment(index, at)
                } else {
                    Place::Apart
                });
            }
            at = at.wrapping_sub(part);
            index = index.wrapping_add(1);
        }
    }
    Ok(if fits(at, headlen) {
        Place::Head(at)
    } else {
        Place::Apart
    })
}
