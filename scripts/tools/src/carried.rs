// SPDX-License-Identifier: GPL-2.0

//! What a built module says of the kernel that it needs: the section `.rust_dynptr.table`, which
//! `klp-link` writes, and what every module has. So a module can be compared with a kernel wherever it
//! is, without its sources.
//!
//! The section is text, which the kernel does not load: a line `row KIND NAME SOURCE PROTOTYPE` for each
//! row of the table, a line `symbol NAME POSITION [PROTOTYPE]` for each unexported symbol, and a line
//! `layout NAME BYTES` for each size and offset that the module was compiled with.

use crate::{
    symbols::Symbol,
    table::Row, //
};
use object::{
    Object,
    ObjectSection,
    ObjectSymbol, //
};
use std::fmt::Write;

/// The section's name.
pub const SECTION: &str = ".rust_dynptr.table";
/// What the kernel looks for at a signed module's end (`include/linux/module_signature.h`).
const SIGNATURE: &[u8] = b"~Module signature appended~\n";

/// The section's text.
pub fn text(rows: &[Row<'_>], symbols: &[Symbol], layout: &[(String, u32)]) -> String {
    let mut out = String::new();
    for row in rows {
        let Row {
            kind,
            name,
            source,
            proto,
        } = row;
        // A String takes everything.
        let _ = writeln!(out, "row {kind} {name} {source} {proto}");
    }
    for symbol in symbols {
        let proto = symbol.proto.as_deref().unwrap_or_default();
        let line = format!("symbol {} {} {proto}", symbol.name, symbol.position);
        let _ = writeln!(out, "{}", line.trim_end());
    }
    for (name, bytes) in layout {
        let _ = writeln!(out, "layout {name} {bytes}");
    }
    out
}

/// A module's needs.
#[derive(Debug)]
pub struct Module<'a> {
    /// The release that it is built for, the first word of its vermagic.
    pub release: &'a str,
    /// Whether it carries a signature, of whomever.
    pub signed: bool,
    /// The rows of its table.
    pub rows: Vec<Row<'a>>,
    /// The unexported symbols that it uses.
    pub symbols: Vec<Symbol>,
    /// Sizes and offsets, see [`crate::layout::place`].
    pub layout: Vec<(&'a str, u32)>,
    /// The exported ones.
    pub exports: Vec<&'a str>,
}

impl<'a> Module<'a> {
    /// Reads a module's file.
    ///
    /// # Errors
    ///
    /// A sentence: no module, or none that `klp-link` has linked, or a line of its table that is broken.
    pub fn read(data: &'a [u8]) -> Result<Self, String> {
        let elf = object::File::parse(data).map_err(|e| format!("not an ELF file: {e}"))?;
        let section = |name: &str| {
            let section = elf.section_by_name(name)?;
            std::str::from_utf8(section.data().ok()?).ok()
        };
        let release = section(".modinfo")
            .and_then(|info| {
                info.split('\0')
                    .find_map(|item| item.strip_prefix("vermagic="))
            })
            .and_then(|magic| magic.split(' ').next())
            .ok_or("not a kernel module: it has no vermagic")?;
        let table = section(SECTION)
            .ok_or("it carries no take-over table: not rust_dynptr, or not linked by klp-link")?;
        let mut module = Self {
            release,
            signed: data.ends_with(SIGNATURE),
            rows: Vec::new(),
            symbols: Vec::new(),
            layout: Vec::new(),
            exports: Vec::new(),
        };
        for line in table.lines() {
            module
                .line(line)
                .ok_or(format!("its take-over table has a broken line: {line}"))?;
        }
        module.exports = elf
            .symbols()
            .filter(|symbol| symbol.is_undefined())
            .filter_map(|symbol| symbol.name().ok())
            .filter(|name| !name.is_empty() && !name.starts_with(".klp.sym."))
            .collect();
        module.exports.sort_unstable();
        Ok(module)
    }

    fn line(&mut self, line: &'a str) -> Option<()> {
        let (word, rest) = line.split_once(' ')?;
        match word {
            "row" => {
                let mut words = rest.splitn(4, ' ');
                self.rows.push(Row {
                    kind: words.next()?,
                    name: words.next()?,
                    source: words.next()?,
                    proto: words.next()?,
                });
            }
            "symbol" => {
                let mut words = rest.splitn(3, ' ');
                self.symbols.push(Symbol {
                    name: words.next()?.to_owned(),
                    position: words.next()?.parse().ok()?,
                    proto: words.next().map(str::to_owned),
                });
            }
            "layout" => {
                let (name, bytes) = rest.split_once(' ')?;
                self.layout.push((name, bytes.parse().ok()?));
            }
            // For what later modules may say.
            _ => {}
        }
        Some(())
    }
}
