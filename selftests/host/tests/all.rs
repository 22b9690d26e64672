// SPDX-License-Identifier: GPL-2.0

//! The tests of the rules, as one program: what they share is compiled once. `--test all slot::` runs those of slots.

mod argument;
mod bind;
mod chunk;
mod dynptr;
mod frame_end;
mod heap;
mod iter;
mod packet;
mod proto;
mod reject;
mod release;
mod ring;
mod ring_map;
mod slot;
mod small;
mod strings;
mod user_ring;

// What several of them use.
mod state;
mod strings_model;

/// A file that is not named above would not be run.
#[test]
fn each_file_is_named() {
    let named = include_str!("all.rs");
    let others = ["all", "loom_ring", "loom_user_ring", "race", "sanitizer"];
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if let Some(name) = name.strip_suffix(".rs") {
            let line = format!("\nmod {name};\n");
            assert!(others.contains(&name) || named.contains(&line), "{name}");
        }
    }
}
