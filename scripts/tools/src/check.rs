// SPDX-License-Identifier: GPL-2.0

//! Compares the take-over table and the list of unexported symbols with a kernel: is the symbol
//! there, once; can its entry be patched where it must; is the prototype ours?

use crate::{
    btf,
    proto,
    symbols::Symbol,
    table::Row, //
};
use object::{
    Object,
    ObjectSection,
    SectionKind, //
};
use std::collections::{
    HashMap,
    HashSet, //
};

const ENDBR64: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];
const NOP5: [u8; 5] = [0x0f, 0x1f, 0x44, 0x00, 0x00];

/// Name -> (type letter, address) of each symbol of that name.
type Symbols<'a> = HashMap<&'a str, Vec<(char, u64)>>;

/// How to know whether ftrace can patch an entry.
enum Entries<'a> {
    /// By the code there.
    Image(Box<object::File<'a>>),
    /// By the running kernel's own list.
    Listed(HashSet<&'a str>),
}

/// A kernel to check against.
pub struct Kernel<'a> {
    btf: btf::File,
    symbols: Symbols<'a>,
    entries: Entries<'a>,
}

impl<'a> Kernel<'a> {
    /// From BTF, the text of System.map, and the kernel's ELF image (symbols not needed).
    ///
    /// # Errors
    ///
    /// A sentence that says which input is broken.
    pub fn new(btf: btf::File, map: &'a str, image: &'a [u8]) -> Result<Self, String> {
        Ok(Self {
            btf,
            symbols: symbols(map, |_| true)?,
            entries: Entries::Image(Box::new(
                object::File::parse(image).map_err(|e| format!("the image is no ELF file: {e}"))?,
            )),
        })
    }

    /// The running kernel: its BTF, the text of `/proc/kallsyms`, and of
    /// `/sys/kernel/tracing/available_filter_functions`. Of the two texts only what is `wanted`, or a variant of it, is
    /// kept.
    ///
    /// # Errors
    ///
    /// A sentence that says which input is broken.
    pub fn running(
        btf: btf::File,
        kallsyms: &'a str,
        traceable: &'a str,
        wanted: &HashSet<&str>,
    ) -> Result<Self, String> {
        let first_word = |line: &'a str| line.split_ascii_whitespace().next();
        let listed = traceable.lines().filter_map(first_word);
        Ok(Self {
            btf,
            symbols: symbols(kallsyms, |name| wanted.contains(stem(name)))?,
            entries: Entries::Listed(listed.filter(|name| wanted.contains(name)).collect()),
        })
    }

    /// Whether there is a symbol of that name, of any type.
    pub fn has(&self, name: &str) -> bool {
        self.symbols.contains_key(name)
    }

    /// The address of a function, which must be unique unless `position` picks one.
    fn function(&self, name: &str, position: u32) -> Result<u64, String> {
        let all = self
            .symbols
            .get(name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let chosen = match (position, all) {
            (_, []) => return Err(self.missing(name)),
            (0, [one]) => one,
            (0, _) => return Err(format!("there are {} symbols of that name", all.len())),
            (n, _) => all
                .get(n as usize - 1)
                .ok_or(format!("there is no symbol number {n} of that name"))?,
        };
        match chosen {
            ('t' | 'T' | 'W' | 'w', address) => Ok(*address),
            (letter, _) => Err(format!("the symbol is not a function (type {letter})")),
        }
    }

    /// What to say of a missing symbol: a compiler-made variant is worth naming.
    fn missing(&self, name: &str) -> String {
        let twin = self
            .symbols
            .keys()
            .filter(|s| {
                s.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('.'))
            })
            .min();
        match twin {
            Some(twin) => {
                format!("no such symbol, only {twin}: the compiler changed its arguments")
            }
            None => "no such symbol: inlined or gone".into(),
        }
    }

    /// Whether ftrace can patch the function's entry.
    fn has_fentry(&self, name: &str, address: u64) -> Result<bool, String> {
        let image = match &self.entries {
            Entries::Image(image) => image,
            Entries::Listed(names) => return Ok(names.contains(name)),
        };
        let bytes = text(image, address, ENDBR64.len() + NOP5.len())
            .ok_or("its text is not in the image")?;
        let (skip, bytes) = match bytes.strip_prefix(&ENDBR64) {
            Some(rest) => (ENDBR64.len() as u64, rest),
            None => (0, bytes),
        };
        if bytes.starts_with(&NOP5) {
            return Ok(true);
        }
        let Some([0xe8, a, b, c, d]) = bytes.first_chunk::<5>() else {
            return Ok(false);
        };
        let distance = i32::from_le_bytes([*a, *b, *c, *d]);
        let target = (address + skip + 5).wrapping_add_signed(i64::from(distance));
        let fentry = self.symbols.get("__fentry__").and_then(|all| all.first());
        Ok(fentry.is_some_and(|(_, address)| *address == target))
    }

    /// Whether the function's prototype is `expected`.
    fn prototype(&self, name: &str, expected: &str) -> Result<(), String> {
        let id = self
            .btf
            .function(name)
            .ok_or("BTF has no such function: the compiler may have changed its arguments")?;
        if proto::matches(&self.btf, id, expected) == Ok(true) {
            return Ok(());
        }
        let mut actual = String::new();
        proto::render(&self.btf, id, &mut actual).map_err(|e| format!("broken BTF: {e:?}"))?;
        Err(format!("the prototype is `{actual}`, not `{expected}`"))
    }

    /// Checks a row of the table.
    ///
    /// # Errors
    ///
    /// A sentence that says what differs.
    pub fn check_row(&self, row: &Row<'_>) -> Result<(), String> {
        let address = self.function(row.name, 0)?;
        if row.needs_fentry() && !self.has_fentry(row.name, address)? {
            return Err(format!("kind {} needs a fentry, it has none", row.kind));
        }
        self.prototype(row.name, row.proto)
    }

    /// Checks an unexported symbol.
    ///
    /// # Errors
    ///
    /// A sentence that says what differs.
    pub fn check_symbol(&self, symbol: &Symbol) -> Result<(), String> {
        self.function(&symbol.name, symbol.position)?;
        match &symbol.proto {
            Some(proto) => self.prototype(&symbol.name, proto),
            None => Ok(()),
        }
    }
}

/// A symbol's name without what the compiler has put behind it.
fn stem(name: &str) -> &str {
    name.split_once('.').map_or(name, |(stem, _)| stem)
}

/// The symbols in the text of System.map or `/proc/kallsyms` that `is_wanted`, without those of modules.
fn symbols(map: &str, is_wanted: impl Fn(&str) -> bool) -> Result<Symbols<'_>, String> {
    let mut symbols = Symbols::new();
    for line in map.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(address), Some(letter), Some(name), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        if !is_wanted(name) {
            continue;
        }
        let address = u64::from_str_radix(address, 16)
            .map_err(|_| format!("the symbols: no address in '{line}'"))?;
        let letter = letter.chars().next().unwrap_or('?');
        symbols.entry(name).or_default().push((letter, address));
    }
    Ok(symbols)
}

/// Bytes of kernel text.
fn text<'a>(image: &object::File<'a>, address: u64, len: usize) -> Option<&'a [u8]> {
    image
        .sections()
        .filter(|s| s.kind() == SectionKind::Text)
        .find_map(|s| s.data_range(address, len as u64).ok().flatten())
}
