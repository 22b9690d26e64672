// SPDX-License-Identifier: GPL-2.0

//! `check-takeover --btf ELF --system-map FILE --image ELF --symbols LIST --module KO`: TAP, a line for each
//! row of the take-over table and each unexported symbol, and for structures that the module's BTF must not
//! have as its own, but take from the kernel's. `check-takeover --markdown`: the table of
//! `docs/takeover.md`. Status 1 if anything differs.

use rust_dynptr_tools::{
    btf,
    check::Kernel,
    finish,
    read,
    symbols,
    table, //
};
use std::{
    collections::HashMap,
    process::ExitCode, //
};

/// Arguments of kfuncs and tracepoints, which the verifier knows by their types in the kernel's BTF.
const SHARED: [&str; 3] = ["bpf_map", "bpf_prog_aux", "bpf_verifier_env"];

fn run() -> Result<bool, String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args == ["--markdown"] {
        print!("{}", table::markdown());
        return Ok(true);
    }
    let options: HashMap<&str, &str> = args
        .chunks_exact(2)
        .map(|pair| (pair[0].as_str(), pair[1].as_str()))
        .collect();
    let option = |name: &str| {
        options
            .get(name)
            .copied()
            .ok_or(format!("{name} is missing; usage: --btf ELF --system-map FILE --image ELF --symbols LIST --module KO, or --markdown"))
    };
    let map = String::from_utf8_lossy(&read(option("--system-map")?)?).into_owned();
    let image = read(option("--image")?)?;
    let list = String::from_utf8_lossy(&read(option("--symbols")?)?).into_owned();
    let symbols = symbols::parse(&list)?;
    let kernel = Kernel::new(btf::File::from_elf(&read(option("--btf")?)?)?, &map, &image)?;

    let rows = table::rows();
    let module = btf::File::from_section(&read(option("--module")?)?, ".BTF.base")?;
    println!("1..{}", rows.len() + symbols.len() + SHARED.len());
    let rows = rows.iter().map(|row| {
        (
            format!("takeover {} {}", row.kind, row.name),
            kernel.check_row(row),
        )
    });
    let symbols = symbols.iter().map(|symbol| {
        (
            format!("takeover symbol {}", symbol.name),
            kernel.check_symbol(symbol),
        )
    });
    let mut good = true;
    let shared = SHARED.iter().map(|name| {
        let result = module.struct_size(name).map(|_| ()).ok_or(
            "the module's BTF does not take it from the kernel's: see Kbuild on the order of objects"
                .into(),
        );
        (format!("takeover BTF of struct {name}"), result)
    });
    for (number, (name, result)) in rows.chain(symbols).chain(shared).enumerate() {
        match result {
            Ok(()) => println!("ok {} - {name}", number + 1),
            Err(why) => {
                good = false;
                println!("not ok {} - {name}\n# {why}", number + 1);
            }
        }
    }
    Ok(good)
}

fn main() -> ExitCode {
    finish("check-takeover", run())
}
