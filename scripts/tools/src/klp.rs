// SPDX-License-Identifier: GPL-2.0

//! Livepatch relocations, as `Documentation/livepatch/module-elf-format.rst` defines them: a symbol
//! `.klp.sym.vmlinux.NAME,POSITION` with section index `SHN_LIVEPATCH`, and the relocations that use
//! it in `.klp.rela.vmlinux.SECTION`. The kernel resolves them from kallsyms when it loads the module.
//! The linked module also carries what it needs of a kernel, see [`carried`].

use crate::{
    carried,
    symbols::Symbol,
    table, //
};
use object::{
    build::elf::{
        Builder,
        Relocation,
        Section,
        SectionData,
        SymbolId, //
    },
    elf,
    Object,
    ObjectSection, //
};
use std::collections::HashSet;

/// Section index of symbols that livepatch resolves (`include/uapi/linux/elf.h`).
const SHN_LIVEPATCH: u16 = 0xff20;
/// Section flag of livepatch relocations (`include/uapi/linux/elf.h`).
const SHF_RELA_LIVEPATCH: u64 = 0x0010_0000;

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Relocations that livepatch will resolve.
    pub relocations: usize,
    /// Listed symbols that the module does not use.
    pub unused: Vec<String>,
}

/// Turns the undefined symbols of `module` that are `listed` into livepatch symbols.
///
/// `exported` says which other undefined symbols the kernel exports; `layout` is what the module was
/// compiled with, see [`crate::layout`].
///
/// # Errors
///
/// A sentence: not a kernel module for x86-64, already linked, or undefined symbols that are neither
/// listed nor exported, each named.
pub fn link(
    module: &[u8],
    listed: &[Symbol],
    exported: &HashSet<&str>,
    layout: &[(String, u32)],
) -> Result<(Vec<u8>, Report), String> {
    // First of all, as the builder takes livepatch's sections for those of a shared library.
    let linked = object::File::parse(module)
        .map_err(|e| format!("not an ELF file: {e}"))?
        .sections()
        .any(|s| s.name().is_ok_and(|name| name.starts_with(".klp.rela.")));
    if linked {
        return Err("it has livepatch relocations already".into());
    }
    let mut builder = Builder::read(module).map_err(|e| format!("not an ELF file: {e}"))?;
    if builder.header.e_type != elf::ET_REL || builder.header.e_machine != elf::EM_X86_64 {
        return Err("not a relocatable file for x86-64".into());
    }
    let mut unused: HashSet<&str> = listed.iter().map(|s| s.name.as_str()).collect();
    let mut chosen = Vec::new();
    let mut unknown = Vec::new();
    for symbol in &mut builder.symbols {
        let undefined = symbol.section.is_none() && symbol.st_shndx == elf::SHN_UNDEF;
        if !undefined || symbol.name.is_empty() {
            continue;
        }
        let name = String::from_utf8_lossy(symbol.name.as_slice()).into_owned();
        if let Some(entry) = listed.iter().find(|entry| entry.name == name) {
            unused.remove(entry.name.as_str());
            symbol.name = format!(".klp.sym.vmlinux.{name},{}", entry.position)
                .into_bytes()
                .into();
            symbol.st_shndx = SHN_LIVEPATCH;
            chosen.push(symbol.id());
        } else if !exported.contains(name.as_str()) {
            unknown.push(name);
        }
    }
    if !unknown.is_empty() {
        unknown.sort();
        return Err(format!(
            "symbols that the kernel does not export and the list does not name: {}",
            unknown.join(" ")
        ));
    }
    let relocations = move_relocations(&mut builder, &chosen);
    let section = builder.sections.add();
    section.name = carried::SECTION.as_bytes().to_vec().into();
    section.sh_type = elf::SHT_PROGBITS;
    section.sh_addralign = 1;
    section.data = SectionData::Data(
        carried::text(&table::rows(), listed, layout)
            .into_bytes()
            .into(),
    );
    let mut out = Vec::new();
    builder
        .write(&mut out)
        .map_err(|e| format!("cannot write the result: {e}"))?;
    let mut unused: Vec<String> = unused.into_iter().map(str::to_owned).collect();
    unused.sort();
    Ok((
        out,
        Report {
            relocations,
            unused,
        },
    ))
}

/// Moves the relocations against `chosen` symbols into sections of their own; gives their number.
fn move_relocations(builder: &mut Builder<'_>, chosen: &[SymbolId]) -> usize {
    let is_chosen = |r: &Relocation| r.symbol.is_some_and(|symbol| chosen.contains(&symbol));
    let is_loaded = |s: &Section<'_>| s.sh_flags & u64::from(elf::SHF_ALLOC) != 0;
    let loaded: Vec<_> = builder
        .sections
        .iter()
        .filter(|s| is_loaded(s))
        .map(Section::id)
        .collect();
    let mut moved = Vec::new();
    for section in &mut builder.sections {
        let (Some(target), SectionData::Relocation(relocations)) =
            (section.sh_info_section, &mut section.data)
        else {
            continue;
        };
        // Sections that are not loaded, such as debug information, are not relocated either.
        let taken: Vec<_> = relocations
            .iter()
            .filter(|r| is_chosen(r))
            .cloned()
            .collect();
        relocations.retain(|r| !is_chosen(r));
        if !taken.is_empty() && loaded.contains(&target) {
            moved.push((target, taken));
        }
    }
    let symtab = builder
        .sections
        .iter()
        .find(|s| s.sh_type == elf::SHT_SYMTAB)
        .map(Section::id);
    let mut count = 0;
    for (target, relocations) in moved {
        count += relocations.len();
        let name = builder.sections.get(target).name.to_string();
        let section = builder.sections.add();
        section.name = format!(".klp.rela.vmlinux.{name}").into_bytes().into();
        section.sh_type = elf::SHT_RELA;
        section.sh_flags =
            u64::from(elf::SHF_ALLOC) | u64::from(elf::SHF_INFO_LINK) | SHF_RELA_LIVEPATCH;
        section.sh_addralign = 8;
        section.sh_entsize = 24;
        section.sh_info_section = Some(target);
        section.sh_link_section = symtab;
        section.data = SectionData::Relocation(relocations);
    }
    count
}
