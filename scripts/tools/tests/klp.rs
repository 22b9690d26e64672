// SPDX-License-Identifier: GPL-2.0

//! `klp-link` on objects made here: what becomes a livepatch relocation, and what stays.

use object::{
    elf,
    read::elf::{
        FileHeader,
        Rela,
        SectionHeader,
        Sym, //
    },
    write,
    Architecture,
    BinaryFormat,
    Endianness,
    SectionKind,
    SymbolFlags,
    SymbolKind,
    SymbolScope, //
};
use rust_dynptr_tools::{
    klp::link,
    symbols, //
};
use std::collections::HashSet;

/// An object whose `.text` and `.debug_info` call each of `undefined`.
fn module(undefined: &[&str], architecture: Architecture) -> Vec<u8> {
    let mut object = write::Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
    let text = object.section_id(write::StandardSection::Text);
    let debug = object.add_section(vec![], b".debug_info".to_vec(), SectionKind::Debug);
    object.append_section_data(text, &[0x90; 256], 16);
    object.append_section_data(debug, &[0; 256], 1);
    for (index, name) in undefined.iter().enumerate() {
        let symbol = object.add_symbol(write::Symbol {
            name: name.as_bytes().to_vec(),
            value: 0,
            size: 0,
            kind: SymbolKind::Unknown,
            scope: SymbolScope::Unknown,
            weak: false,
            section: write::SymbolSection::Undefined,
            flags: SymbolFlags::None,
        });
        for section in [text, debug] {
            object
                .add_relocation(
                    section,
                    write::Relocation {
                        offset: 8 * index as u64 + 1,
                        symbol,
                        addend: -4,
                        flags: write::RelocationFlags::Elf {
                            r_type: elf::R_X86_64_PLT32,
                        },
                    },
                )
                .unwrap();
        }
    }
    object.write().unwrap()
}

/// What the kernel sees of an object: (section, symbol, its section index) of each relocation, and for
/// each section its name, header and data.
struct Seen {
    relocations: Vec<(String, String)>,
    indices: Vec<(String, u16)>,
    sections: Vec<(String, elf::SectionHeader64<Endianness>, Vec<u8>)>,
}

fn see(file: &[u8]) -> Seen {
    let e = Endianness::Little;
    let header = elf::FileHeader64::<Endianness>::parse(file).unwrap();
    let sections = header.sections(e, file).unwrap();
    let symbols = sections.symbols(e, file, elf::SHT_SYMTAB).unwrap();
    let mut seen = Seen {
        relocations: Vec::new(),
        indices: Vec::new(),
        sections: Vec::new(),
    };
    let name_of =
        |section| String::from_utf8_lossy(sections.section_name(e, section).unwrap()).into_owned();
    for section in sections.iter() {
        let data = section.data(e, file).unwrap_or_default().to_vec();
        seen.sections.push((name_of(section), *section, data));
        let Some((list, _)) = section.rela(e, file).unwrap() else {
            continue;
        };
        for relocation in list {
            let symbol = symbols
                .symbol(relocation.symbol(e, false).unwrap())
                .unwrap();
            let symbol = String::from_utf8_lossy(symbols.symbol_name(e, symbol).unwrap());
            seen.relocations
                .push((name_of(section), symbol.into_owned()));
        }
    }
    for symbol in symbols.iter() {
        let name = String::from_utf8_lossy(symbols.symbol_name(e, symbol).unwrap());
        seen.indices.push((name.into_owned(), symbol.st_shndx(e)));
    }
    seen.relocations.sort();
    seen
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(a, b)| (a.to_string(), b.to_string()))
        .collect()
}

#[test]
fn listed_symbols_move_and_others_stay() {
    let input = module(&["hidden", "exported", "second"], Architecture::X86_64);
    let listed = symbols::parse("hidden\nsecond,2 int (void)\nunused").unwrap();
    let (output, report) = link(&input, &listed, &HashSet::from(["exported"]), &[]).unwrap();
    assert_eq!(report.relocations, 2);
    assert_eq!(report.unused, ["unused"]);
    let seen = see(&output);
    assert_eq!(
        seen.relocations,
        pairs(&[
            (".klp.rela.vmlinux..text", ".klp.sym.vmlinux.hidden,0"),
            (".klp.rela.vmlinux..text", ".klp.sym.vmlinux.second,2"),
            (".rela.debug_info", "exported"),
            (".rela.text", "exported"),
        ])
    );
    for (name, index) in seen.indices {
        assert_eq!(index == 0xff20, name.starts_with(".klp.sym."), "{name}");
    }
    let e = Endianness::Little;
    let find = |name: &str| seen.sections.iter().position(|s| s.0 == name).unwrap();
    let section = seen.sections[find(".klp.rela.vmlinux..text")].1;
    assert_eq!(section.sh_flags(e), 0x0010_0000 | 0x2 | 0x40);
    assert_eq!(
        (section.sh_type(e), section.sh_entsize(e)),
        (elf::SHT_RELA, 24)
    );
    assert_eq!(section.sh_info(e) as usize, find(".text"));
    assert_eq!(section.sh_link(e) as usize, find(".symtab"));
}

#[test]
fn the_code_is_not_touched() {
    let input = module(&["hidden"], Architecture::X86_64);
    let listed = symbols::parse("hidden").unwrap();
    let (output, _) = link(&input, &listed, &HashSet::new(), &[]).unwrap();
    let text = |file: &[u8]| {
        let section = see(file)
            .sections
            .into_iter()
            .find(|s| s.0 == ".text")
            .unwrap();
        let e = Endianness::Little;
        (section.2, section.1.sh_addralign(e), section.1.sh_flags(e))
    };
    assert_eq!(text(&input), text(&output));
}

#[test]
fn unknown_symbols_are_all_named() {
    let input = module(&["zeta", "exported", "alpha"], Architecture::X86_64);
    let error = link(&input, &[], &HashSet::from(["exported"]), &[]).unwrap_err();
    assert!(
        error.ends_with("does not name: alpha zeta") || error.contains("alpha zeta"),
        "{error}"
    );
}

#[test]
fn twice_is_refused() {
    let input = module(&["hidden"], Architecture::X86_64);
    let listed = symbols::parse("hidden").unwrap();
    let (output, _) = link(&input, &listed, &HashSet::new(), &[]).unwrap();
    let error = link(&output, &listed, &HashSet::new(), &[]).unwrap_err();
    assert!(error.contains("already"), "{error}");
}

#[test]
fn other_files_are_refused() {
    assert!(link(b"not an ELF file at all", &[], &HashSet::new(), &[]).is_err());
    let arm = {
        let object =
            write::Object::new(BinaryFormat::Elf, Architecture::Aarch64, Endianness::Little);
        object.write().unwrap()
    };
    let error = link(&arm, &[], &HashSet::new(), &[]).unwrap_err();
    assert!(error.contains("x86-64"), "{error}");
}

#[test]
fn the_list_has_positions_and_prototypes() {
    let list = symbols::parse("# comment\na\nb,3\nc  int (u32) # tail\n\n").unwrap();
    assert_eq!(list.len(), 3);
    assert_eq!((list[1].name.as_str(), list[1].position), ("b", 3));
    assert_eq!(list[2].proto.as_deref(), Some("int (u32)"));
    assert!(symbols::parse("a,x").is_err());
}
