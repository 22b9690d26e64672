// SPDX-License-Identifier: GPL-2.0

//! `klp-link IN.ko OUT.ko LIST --symvers Module.symvers`: makes livepatch relocations of the
//! unexported symbols of LIST. OUT is written whole or not at all.

use rust_dynptr_tools::{
    finish,
    klp,
    read,
    symbols, //
};
use std::{
    collections::HashSet,
    process::ExitCode, //
};

fn run() -> Result<bool, String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, list, option, symvers] = args.as_slice() else {
        return Err("usage: klp-link IN.ko OUT.ko LIST --symvers Module.symvers".into());
    };
    if option != "--symvers" {
        return Err(format!("unknown option {option}"));
    }
    let list = symbols::parse(&String::from_utf8_lossy(&read(list)?))?;
    let symvers = String::from_utf8_lossy(&read(symvers)?).into_owned();
    let exported: HashSet<&str> = symvers
        .lines()
        .filter_map(|line| line.split('\t').nth(1))
        .collect();
    let (module, report) =
        klp::link(&read(input)?, &list, &exported).map_err(|e| format!("{input}: {e}"))?;
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
