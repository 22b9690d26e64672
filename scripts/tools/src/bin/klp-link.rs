// SPDX-License-Identifier: GPL-2.0

//! `klp-link IN.ko OUT.ko LIST --symvers Module.symvers [--btf VMLINUX --layout LAYOUT]`: makes livepatch
//! relocations of the unexported symbols of LIST, and adds what the module needs of a kernel. OUT is written
//! whole or not at all.

use rust_dynptr_tools::{
    btf,
    finish,
    klp,
    layout,
    read,
    symbols, //
};
use std::{
    collections::HashSet,
    process::ExitCode, //
};

const USAGE: &str =
    "usage: klp-link IN.ko OUT.ko LIST --symvers Module.symvers [--btf VMLINUX --layout LAYOUT]";

fn run() -> Result<bool, String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, list, option, symvers, rest @ ..] = args.as_slice() else {
        return Err(USAGE.into());
    };
    if option != "--symvers" {
        return Err(USAGE.into());
    }
    let layout = match rest {
        [] => Vec::new(),
        [btf_option, vmlinux, layout_option, layout]
            if [btf_option, layout_option] == ["--btf", "--layout"] =>
        {
            let btf = btf::File::from_elf(&read(vmlinux)?)?;
            layout::places(&btf, &String::from_utf8_lossy(&read(layout)?))?
        }
        _ => return Err(USAGE.into()),
    };
    let list = symbols::parse(&String::from_utf8_lossy(&read(list)?))?;
    let symvers = String::from_utf8_lossy(&read(symvers)?).into_owned();
    let exported: HashSet<&str> = symvers
        .lines()
        .filter_map(|line| line.split('\t').nth(1))
        .collect();
    let (module, report) =
        klp::link(&read(input)?, &list, &exported, &layout).map_err(|e| format!("{input}: {e}"))?;
    for name in &report.unused {
        eprintln!("klp-link: warning: {name} is listed, but the module does not use it");
    }
    let temporary = format!("{output}.new");
    std::fs::write(&temporary, module).map_err(|e| format!("cannot write {temporary}: {e}"))?;
    std::fs::rename(&temporary, output).map_err(|e| format!("cannot make {output}: {e}"))?;
    Ok(true)
}

fn main() -> ExitCode {
    finish("klp-link", run())
}
