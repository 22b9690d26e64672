// SPDX-License-Identifier: GPL-2.0

//! Everything that the verifier's state tracks, place by place: registers, spilled registers,
//! dynptrs on the stack, arguments on the stack. Answers to `bpf_for_each_reg_in_vstate_mask()` of
//! `srctree/include/linux/bpf_verifier.h` and to the rules in `verifier.c` that look at all of them.

use super::codes::{
    BASE_TYPE,
    DYNPTR_TYPE_SKB,
    DYNPTR_TYPE_SKB_META,
    DYNPTR_TYPE_XDP,
    MEM_ALLOC,
    MEM_PERCPU,
    MEM_RCU,
    PTR_TO_MEM,
    PTR_TO_PACKET,
    PTR_TO_PACKET_END,
    PTR_TO_PACKET_META, //
};

/// Where an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The frame, 0 is the outermost.
    pub frame: u32,
    /// Which part of it.
    pub part: Part,
    /// The register's number, the slot's index, or the argument's, from 0.
    pub index: i32,
}

/// A part of a frame. In each, all places are looked at before the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Registers.
    Registers,
    /// Stack slots.
    Stack,
    /// Arguments for a callee that do not fit into registers.
    Arguments,
}

/// What is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A register, an argument, or a register that was spilled to the stack.
    Register,
    /// A slot of a dynptr: the first if `first`, else the second.
    Dynptr {
        /// It is the dynptr's first slot.
        first: bool,
    },
}

/// An object of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub what: What,
    /// `enum bpf_reg_type` with flags; meaningless for dynptrs.
    pub type_raw: u32,
    /// Its identity.
    pub id: u32,
    /// What it derives from.
    pub parent_id: u32,
    /// Of a slice whose dynptr is gone with its frame, what that derived from (see [`super::frame_end`]); else 0.
    pub owner: u32,
}

/// The verifier's current state as a collection of objects.
pub trait Objects {
    /// A frame of it, at hand.
    type Frame: Copy;

    /// Frame `number`, 0 is the outermost; `None` after the last.
    fn frame(&self, number: u32) -> Option<Self::Frame>;

    /// The number of places in a part of a frame.
    fn places(&self, frame: Self::Frame, part: Part) -> i32;

    /// The object at place `index` of a part of a frame, which has more places than that; `None` if
    /// nothing is tracked there: plain data, an iterator, an argument that was not set.
    fn object(&self, frame: Self::Frame, part: Part, index: i32) -> Option<Object>;
}

/// Goes over all places in C's order. The objects may change between two steps; the shape of the state,
/// its frames and their places, stays the same.
pub struct Walk<O: Objects> {
    /// The next place, and its frame.
    place: Place,
    frame: Option<O::Frame>,
    /// Places in this part of the frame.
    end: i32,
}

impl<O: Objects> Walk<O> {
    /// Starts at the outermost frame's first register.
    pub fn new(objects: &O) -> Self {
        let mut walk = Self {
            place: Place {
                frame: 0,
                part: Part::Registers,
                index: 0,
            },
            frame: objects.frame(0),
            end: 0,
        };
        walk.enter(objects);
        walk
    }

    /// The next place where an object is, and the object as it is now.
    pub fn next(&mut self, objects: &O) -> Option<(Place, Object)> {
        while let Some(frame) = self.frame {
            while self.place.index < self.end {
                let place = self.place;
                self.place.index = place.index.wrapping_add(1);
                if let Some(object) = objects.object(frame, place.part, place.index) {
                    return Some((place, object));
                }
            }
            self.place.part = match self.place.part {
                Part::Registers => Part::Stack,
                Part::Stack => Part::Arguments,
                Part::Arguments => {
                    self.place.frame = self.place.frame.wrapping_add(1);
                    self.frame = objects.frame(self.place.frame);
                    Part::Registers
                }
            };
            self.enter(objects);
        }
        None
    }

    fn enter(&mut self, objects: &O) {
        self.place.index = 0;
        self.end = self
            .frame
            .map_or(0, |frame| objects.places(frame, self.place.part));
    }
}

impl Object {
    /// Whether it points into a packet, so that it is void when packet data may have moved: packet
    /// pointers, and slices of dynptrs over packets (`reg_is_pkt_pointer_any()`,
    /// `reg_is_dynptr_slice_pkt()`).
    pub fn is_in_packet(&self) -> bool {
        if self.what != What::Register {
            return false;
        }
        if self.type_raw == PTR_TO_PACKET_END {
            return true;
        }
        let packet_dynptrs = DYNPTR_TYPE_SKB | DYNPTR_TYPE_XDP | DYNPTR_TYPE_SKB_META;
        match self.type_raw & BASE_TYPE {
            PTR_TO_PACKET | PTR_TO_PACKET_META => true,
            PTR_TO_MEM => self.type_raw & packet_dynptrs != 0,
            _ => false,
        }
    }

    /// The type that a pointer to the per-CPU object `id` gets when its reference goes away inside
    /// of an RCU read section: usable until the section ends. `None` for all other objects. Part of
    /// `ref_convert_alloc_rcu_protected()`.
    pub fn rcu_type(&self, id: u32) -> Option<u32> {
        let percpu = MEM_ALLOC | MEM_PERCPU;
        (self.what == What::Register && self.id == id && self.type_raw & percpu == percpu)
            .then_some((self.type_raw & !MEM_ALLOC) | MEM_RCU)
    }
}
