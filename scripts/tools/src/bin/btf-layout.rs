// SPDX-License-Identifier: GPL-2.0

//! `btf-layout VMLINUX LIST`: offsets of structure members as Rust constants, from BTF. A line of
//! LIST is `struct: member…`; `#` starts a comment. A member `a<b` is `b`, which must be the next after `a`.
//! Fails, naming it, if one is not there.

use rust_dynptr_tools::{
    btf,
    finish,
    layout,
    read, //
};
use std::process::ExitCode;

fn run() -> Result<bool, String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [vmlinux, list] = args.as_slice() else {
        return Err("usage: btf-layout VMLINUX LIST".into());
    };
    let btf = btf::File::from_elf(&read(vmlinux)?)?;
    let list = String::from_utf8_lossy(&read(list)?).into_owned();
    println!("// Offsets and sizes in bytes, from the target kernel's BTF. Made by btf-layout.");
    for (name, members) in layout::lines(&list) {
        let size = btf
            .struct_size(name)
            .ok_or(format!("this kernel has no struct {name}"))?;
        println!("pub mod {name} {{\n    pub const SIZE_OF: usize = {size};");
        for member in members.split_whitespace() {
            let member = match member.split_once('<') {
                Some((before, member)) if btf.follows(name, before, member) => member,
                Some((before, member)) => {
                    return Err(format!(
                        "in struct {name} of this kernel {member} does not follow {before}"
                    ))
                }
                None => member,
            };
            let offset = btf.offset(name, member).ok_or(format!(
                "struct {name} of this kernel has no member {member}"
            ))?;
            println!("    pub const {}: usize = {offset};", member.to_uppercase());
        }
        println!("}}");
    }
    Ok(true)
}

fn main() -> ExitCode {
    finish("btf-layout", run())
}
