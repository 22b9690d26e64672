// SPDX-License-Identifier: GPL-2.0

//! A reader of BTF (`include/uapi/linux/btf.h`) from an ELF file's `.BTF` section: just what
//! prototypes and structure layouts need.

use crate::proto::{
    Btf,
    Kind,
    Type, //
};
use object::{
    Object,
    ObjectSection, //
};
use std::collections::HashMap;

const MAGIC: u16 = 0xeb9f;

/// Kinds by number.
mod kind {
    pub(super) const INT: u32 = 1;
    pub(super) const PTR: u32 = 2;
    pub(super) const ARRAY: u32 = 3;
    pub(super) const STRUCT: u32 = 4;
    pub(super) const UNION: u32 = 5;
    pub(super) const ENUM: u32 = 6;
    pub(super) const FWD: u32 = 7;
    pub(super) const TYPEDEF: u32 = 8;
    pub(super) const VOLATILE: u32 = 9;
    pub(super) const CONST: u32 = 10;
    pub(super) const RESTRICT: u32 = 11;
    pub(super) const FUNC: u32 = 12;
    pub(super) const FUNC_PROTO: u32 = 13;
    pub(super) const VAR: u32 = 14;
    pub(super) const DATASEC: u32 = 15;
    pub(super) const FLOAT: u32 = 16;
    pub(super) const DECL_TAG: u32 = 17;
    pub(super) const TYPE_TAG: u32 = 18;
    pub(super) const ENUM64: u32 = 19;
}

/// One type. A kernel has some 150,000 of them with four times as many members, of which a few are asked for: names and
/// what follows the type are read then.
#[derive(Debug)]
struct Entry {
    /// Where its name begins among the strings.
    name: u32,
    kind: u32,
    /// kind_flag: member offsets carry bitfield sizes.
    flag: bool,
    /// Size in bytes or referenced type.
    size_or_type: u32,
    /// Where what follows begins among the types, in bytes, and how many items that is.
    at: usize,
    count: u32,
}

/// All types of a file.
#[derive(Debug)]
pub struct File {
    types: Vec<Entry>,
    /// The sections of types and strings.
    words: Vec<u8>,
    strings: Vec<u8>,
    functions: HashMap<String, u32>,
    structs: HashMap<String, u32>,
}

/// Little-endian words, with an end.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn u32(&mut self) -> Result<u32, String> {
        let (head, rest) = self.0.split_at_checked(4).ok_or("BTF is cut short")?;
        self.0 = rest;
        Ok(u32::from_le_bytes(
            head.try_into().map_err(|_| "BTF is cut short")?,
        ))
    }
}

impl File {
    /// From the `.BTF` section of an ELF file.
    ///
    /// # Errors
    ///
    /// A sentence that says what is missing or broken.
    pub fn from_elf(data: &[u8]) -> Result<Self, String> {
        Self::from_section(data, ".BTF")
    }

    /// From a section of an ELF file.
    ///
    /// # Errors
    ///
    /// As [`Self::from_elf`].
    pub fn from_section(data: &[u8], name: &str) -> Result<Self, String> {
        let elf = object::File::parse(data).map_err(|e| format!("not an ELF file: {e}"))?;
        let section = elf.section_by_name(name).ok_or(format!(
            "the file has no {name} section (CONFIG_DEBUG_INFO_BTF?)"
        ))?;
        Self::parse(section.data().map_err(|e| e.to_string())?)
    }

    /// From the section's bytes.
    ///
    /// # Errors
    ///
    /// As [`Self::from_elf`].
    pub fn parse(data: &[u8]) -> Result<Self, String> {
        let magic = data.get(..2).map(|m| u16::from_le_bytes([m[0], m[1]]));
        if magic != Some(MAGIC) {
            return Err("no BTF magic".into());
        }
        let mut header = Words(data.get(4..).unwrap_or_default());
        let hdr_len = header.u32()? as usize;
        let [type_off, type_len, str_off, str_len] =
            [header.u32()?, header.u32()?, header.u32()?, header.u32()?].map(|n| n as usize);
        let part = |off: usize, len: usize| {
            data.get(hdr_len..)
                .and_then(|d| d.get(off..))
                .and_then(|d| d.get(..len))
                .ok_or("BTF is cut short")
        };
        let mut file = Self {
            types: Vec::new(),
            words: part(type_off, type_len)?.to_vec(),
            strings: part(str_off, str_len)?.to_vec(),
            functions: HashMap::new(),
            structs: HashMap::new(),
        };
        let mut words = Words(&file.words);
        while !words.0.is_empty() {
            let entry = read_entry(&mut words, file.words.len(), &file.strings)?;
            let id = file.types.len() as u32 + 1;
            let names = match entry.kind {
                kind::FUNC => Some(&mut file.functions),
                kind::STRUCT | kind::UNION => Some(&mut file.structs),
                _ => None,
            };
            if let Some(names) = names {
                names.insert(string(&file.strings, entry.name).to_owned(), id);
            }
            file.types.push(entry);
        }
        Ok(file)
    }

    /// The id of a function.
    pub fn function(&self, name: &str) -> Option<u32> {
        self.functions.get(name).copied()
    }

    /// The size of a structure or union in bytes.
    pub fn struct_size(&self, name: &str) -> Option<u32> {
        let id = self.structs.get(name)?;
        self.entry(*id).map(|entry| entry.size_or_type)
    }

    /// The offset in bytes of a member, also one of an anonymous structure or union within.
    ///
    /// `None` if there is none, or it is a bitfield that starts inside a byte.
    pub fn offset(&self, name: &str, member: &str) -> Option<u32> {
        let id = self.structs.get(name)?;
        let bits = self.offset_bits(*id, member, 8)?;
        (bits % 8 == 0).then_some(bits / 8)
    }

    /// Whether `member` is the next after `before`.
    pub fn follows(&self, name: &str, before: &str, member: &str) -> bool {
        let entry = self.structs.get(name).and_then(|id| self.entry(*id));
        entry.is_some_and(|entry| {
            let mut pairs = self.members(entry).zip(self.members(entry).skip(1));
            pairs.any(|(a, b)| a.0 == before && b.0 == member)
        })
    }

    /// Of a structure or union: (name, type, offset in bits) of each member.
    fn members<'a>(&'a self, entry: &'a Entry) -> impl Iterator<Item = (&'a str, u32, u32)> {
        let count = match entry.kind {
            kind::STRUCT | kind::UNION => entry.count,
            _ => 0,
        };
        (0..count).map_while(|i| {
            let [name, ty, offset] = [0, 1, 2].map(|word| self.word(entry, 3 * i + word));
            Some((string(&self.strings, name?), ty?, offset?))
        })
    }

    /// A word of what follows a type.
    fn word(&self, entry: &Entry, index: u32) -> Option<u32> {
        Words(self.words.get(entry.at + 4 * index as usize..)?)
            .u32()
            .ok()
    }

    fn offset_bits(&self, id: u32, member: &str, depth: u32) -> Option<u32> {
        let entry = self.entry(self.unqualified(id))?;
        self.members(entry).find_map(|(name, ty, offset)| {
            let offset = if entry.flag {
                offset & 0xff_ffff
            } else {
                offset
            };
            if name == member {
                Some(offset)
            } else if name.is_empty() && depth > 0 {
                Some(offset + self.offset_bits(ty, member, depth - 1)?)
            } else {
                None
            }
        })
    }

    fn unqualified(&self, mut id: u32) -> u32 {
        while let Some(entry) = self.entry(id) {
            match entry.kind {
                kind::CONST | kind::VOLATILE | kind::TYPE_TAG => id = entry.size_or_type,
                _ => break,
            }
        }
        id
    }

    fn entry(&self, id: u32) -> Option<&Entry> {
        self.types.get((id as usize).checked_sub(1)?)
    }
}

/// What begins there; of what is no text, nothing.
fn string(strings: &[u8], offset: u32) -> &str {
    let tail = strings.get(offset as usize..).unwrap_or_default();
    let bytes = tail.split(|b| *b == 0).next().unwrap_or_default();
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// The next type of a section of `end` bytes.
fn read_entry(words: &mut Words<'_>, end: usize, strings: &[u8]) -> Result<Entry, String> {
    let name = words.u32()?;
    let info = words.u32()?;
    let (vlen, number) = (info & 0xffff, (info >> 24) & 0x1f);
    let size_or_type = words.u32()?;
    let entry = Entry {
        name,
        kind: number,
        flag: info >> 31 == 1,
        size_or_type,
        at: end - words.0.len(),
        count: vlen,
    };
    let follows = match number {
        kind::INT | kind::VAR | kind::DECL_TAG => 1,
        kind::ARRAY => 3,
        kind::STRUCT | kind::UNION | kind::ENUM64 | kind::DATASEC => vlen * 3,
        kind::FUNC_PROTO | kind::ENUM => vlen * 2,
        1..=19 => 0,
        _ => return Err(format!("BTF kind {number} is not known")),
    };
    let rest = words.0.get(4 * follows as usize..);
    words.0 = rest.ok_or("BTF is cut short")?;
    if name as usize >= strings.len() {
        return Err("BTF string out of range".into());
    }
    Ok(entry)
}

impl Btf for File {
    fn ty(&self, id: u32) -> Option<Type<'_>> {
        let entry = self.entry(id)?;
        let (kind, target) = match entry.kind {
            kind::INT | kind::FLOAT | kind::TYPEDEF => (Kind::Named, 0),
            kind::STRUCT => (Kind::Struct, 0),
            kind::FWD if entry.flag => (Kind::Union, 0),
            kind::FWD => (Kind::Struct, 0),
            kind::UNION => (Kind::Union, 0),
            kind::ENUM | kind::ENUM64 => (Kind::Enum, 0),
            kind::PTR => (Kind::Pointer, entry.size_or_type),
            kind::ARRAY => (Kind::Array, self.word(entry, 0)?),
            kind::CONST => (Kind::Const, entry.size_or_type),
            kind::VOLATILE => (Kind::Volatile, entry.size_or_type),
            kind::RESTRICT | kind::TYPE_TAG => (Kind::Transparent, entry.size_or_type),
            kind::FUNC => (Kind::Function, entry.size_or_type),
            kind::FUNC_PROTO => (Kind::Prototype, entry.size_or_type),
            _ => return None,
        };
        Some(Type {
            kind,
            name: string(&self.strings, entry.name),
            target,
        })
    }

    fn param(&self, id: u32, index: u32) -> Option<u32> {
        let entry = self.entry(id)?;
        match entry.kind {
            kind::ARRAY if index == 0 => self.word(entry, 0),
            kind::FUNC_PROTO if index < entry.count => self.word(entry, 2 * index + 1),
            _ => None,
        }
    }
}
