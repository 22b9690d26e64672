// SPDX-License-Identifier: GPL-2.0

//! A verifier state in plain vectors, as the rules see it through their traits.

#![allow(dead_code, reason = "every test uses some of it")]

use rust_dynptr_host::logic::{
    argument::Register,
    codes::{
        NOT_INIT,
        PTR_TO_STACK,
        REF_TYPE_PTR,
        SCALAR_VALUE,
        STACK_DYNPTR,
        STACK_INVALID,
        STACK_SPILL, //
    },
    frame_end::Owners,
    objects::{
        Object,
        Objects,
        Part,
        Place,
        What, //
    },
    reject::Reject,
    release::{
        Ids,
        Invalidate,
        Reference,
        References, //
    },
    slot::{
        self,
        Mark,
        Offset,
        Slot,
        Stack, //
    }, //
};

/// A pointer to the stack at `offset` from the frame pointer.
pub fn stack(offset: i64) -> Register {
    Register {
        type_raw: PTR_TO_STACK,
        offset: Offset {
            value: offset as u64,
            mask: 0,
        },
        mark: Mark::default(),
    }
}

pub const LOCAL: u32 = 1;
pub const RINGBUF: u32 = 2;
pub const SKB: u32 = 3;
pub const FILE: u32 = 6;

/// Registers of a frame.
pub const REGISTERS: usize = 11;
/// Room for identities; small, so that it can be filled.
pub const IDS: usize = 40;

/// A register, argument or spilled register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reg {
    pub type_raw: u32,
    pub id: u32,
    pub parent_id: u32,
    pub owner: u32,
}

/// A frame: the type of a slot's register is in `spilled`, its owner in `owners`, its identities in the slot's mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    pub registers: Vec<Reg>,
    pub slots: Vec<Slot>,
    pub spilled: Vec<u32>,
    pub owners: Vec<u32>,
    pub arguments: Vec<Reg>,
}

/// A state. Rules on one frame's stack look at the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub frames: Vec<Frame>,
    pub references: Vec<Reference>,
    pub ids: Vec<u32>,
    /// Identities in the order of their recorded release.
    pub released: Vec<i32>,
    /// Places in the order of their invalidation.
    pub invalidated: Vec<(Place, bool)>,
}

/// A slot of a dynptr.
pub fn dynptr(first: bool, class_raw: u32, id: u32, parent_id: u32) -> Slot {
    Slot {
        types: [STACK_DYNPTR; 8],
        mark: Mark {
            first,
            class_raw,
            id,
            parent_id,
        },
    }
}

impl State {
    /// The object at a place, which there is.
    pub fn at(&self, place: Place) -> Option<Object> {
        self.object(place.frame as usize, place.part, place.index)
    }
}

impl Frame {
    pub fn new(slots: usize) -> Self {
        Self {
            registers: vec![Reg::default(); REGISTERS],
            slots: vec![Slot::default(); slots],
            spilled: vec![NOT_INIT; slots],
            owners: vec![0; slots],
            arguments: Vec::new(),
        }
    }
}

impl State {
    pub fn with_slots(slots: usize) -> Self {
        Self {
            frames: vec![Frame::new(slots)],
            ..Self::default()
        }
    }

    /// A new outermost frame: its number.
    pub fn insert_frame(&mut self, slots: usize) -> usize {
        self.frames.insert(0, Frame::new(slots));
        0
    }

    pub fn put_dynptr(&mut self, frame: usize, spi: usize, class_raw: u32, id: u32, parent: u32) {
        for (spi, first) in [(spi, true), (spi - 1, false)] {
            self.frames[frame].slots[spi] = dynptr(first, class_raw, id, parent);
        }
    }

    pub fn put_spilled(&mut self, frame: usize, spi: usize, reg: Reg) {
        self.frames[frame].slots[spi] = Slot {
            types: [STACK_SPILL; 8],
            mark: Mark {
                id: reg.id,
                parent_id: reg.parent_id,
                ..Mark::default()
            },
        };
        self.frames[frame].spilled[spi] = reg.type_raw;
        self.frames[frame].owners[spi] = reg.owner;
    }

    pub fn put_reference(&mut self, id: i32, parent_id: i32) {
        self.references.push(Reference {
            kind: REF_TYPE_PTR,
            id,
            insn: id * 10,
            parent_id,
        });
    }
}

impl Stack for State {
    fn slots(&self) -> i32 {
        self.frames.last().unwrap().slots.len() as i32
    }

    fn slot(&self, spi: i32) -> Result<Slot, Reject> {
        let frame = self.frames.last().unwrap();
        let spi = usize::try_from(spi).map_err(|_| Reject::BadSlot)?;
        frame.slots.get(spi).copied().ok_or(Reject::BadSlot)
    }
}

impl slot::State for State {
    fn dynptrs_of_parent(&self, parent_id: u32) -> u32 {
        let slots = self.frames.iter().flat_map(|frame| &frame.slots);
        slots
            .filter(|s| s.is_dynptr() && s.mark.first && s.mark.parent_id == parent_id)
            .count() as u32
    }
}

impl Objects for State {
    type Frame = usize;

    fn frame(&self, number: u32) -> Option<usize> {
        let number = number as usize;
        (number < self.frames.len()).then_some(number)
    }

    fn places(&self, frame: usize, part: Part) -> i32 {
        let frame = &self.frames[frame];
        let places = match part {
            Part::Registers => frame.registers.len(),
            Part::Stack => frame.slots.len(),
            Part::Arguments => frame.arguments.len(),
        };
        places as i32
    }

    fn object(&self, frame: usize, part: Part, index: i32) -> Option<Object> {
        let frame = &self.frames[frame];
        let index = index as usize;
        let register = |reg: &Reg| Object {
            what: What::Register,
            type_raw: reg.type_raw,
            id: reg.id,
            parent_id: reg.parent_id,
            owner: reg.owner,
        };
        match part {
            Part::Registers => Some(register(&frame.registers[index])),
            Part::Arguments => {
                let argument = &frame.arguments[index];
                (argument.type_raw != NOT_INIT).then(|| register(argument))
            }
            Part::Stack => {
                let slot = &frame.slots[index];
                Some(Object {
                    what: match slot.types[7] {
                        STACK_SPILL => What::Register,
                        STACK_DYNPTR => What::Dynptr {
                            first: slot.mark.first,
                        },
                        _ => return None,
                    },
                    type_raw: frame.spilled[index],
                    id: slot.mark.id,
                    parent_id: slot.mark.parent_id,
                    owner: frame.owners[index],
                })
            }
        }
    }
}

impl Owners for State {
    fn set_owner(&mut self, place: Place, owner: u32) {
        let frame = &mut self.frames[place.frame as usize];
        let index = place.index as usize;
        match place.part {
            Part::Registers => frame.registers[index].owner = owner,
            Part::Arguments => frame.arguments[index].owner = owner,
            Part::Stack => frame.owners[index] = owner,
        }
    }
}

impl References for State {
    fn reference(&self, index: u32) -> Option<Reference> {
        self.references.get(index as usize).copied()
    }

    fn remove_reference(&mut self, index: u32) {
        self.references.remove(index as usize);
    }

    fn set_parent(&mut self, index: u32, parent_id: i32) {
        self.references[index as usize].parent_id = parent_id;
    }

    fn record_release(&mut self, id: i32) {
        self.released.push(id);
    }
}

impl Ids for State {
    fn clear(&mut self) {
        self.ids.clear();
    }

    fn push(&mut self, id: u32) -> Result<(), Reject> {
        if id == 0 || self.ids.contains(&id) {
            return Ok(());
        }
        if self.ids.len() >= IDS {
            return Err(Reject::TooManyIds);
        }
        self.ids.push(id);
        Ok(())
    }

    fn pop(&mut self) -> Option<u32> {
        self.ids.pop()
    }
}

impl Invalidate for State {
    fn invalidate_register(&mut self, place: Place) {
        self.invalidated.push((place, false));
        let frame = &mut self.frames[place.frame as usize];
        let index = place.index as usize;
        let scalar = Reg {
            type_raw: SCALAR_VALUE,
            ..Reg::default()
        };
        match place.part {
            Part::Registers => frame.registers[index] = scalar,
            Part::Arguments => frame.arguments[index] = scalar,
            Part::Stack => {
                frame.slots[index].mark = Mark::default();
                frame.spilled[index] = SCALAR_VALUE;
                frame.owners[index] = 0;
            }
        }
    }

    fn invalidate_dynptr(&mut self, frame: u32, spi: i32) -> Result<(), Reject> {
        let place = Place {
            frame,
            part: Part::Stack,
            index: spi,
        };
        self.invalidated.push((place, true));
        let slots = &mut self.frames[frame as usize].slots;
        for spi in [spi, spi - 1] {
            let spi = usize::try_from(spi).map_err(|_| Reject::BadSlot)?;
            let slot = slots.get_mut(spi).ok_or(Reject::BadSlot)?;
            *slot = Slot {
                types: [STACK_INVALID; 8],
                ..Slot::default()
            };
        }
        Ok(())
    }
}
