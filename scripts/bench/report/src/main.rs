// SPDX-License-Identifier: GPL-2.0

//! `bench-report COMMAND ARG…`; what it makes goes to standard output:
//!
//! * `table JSON [GROUP…]`: `bench.json`, or those groups of it, as tables for the terminal;
//! * `page JSON`: as an HTML page;
//! * `check JSON RECORDED [GROUP…]`: status 1 if something is worse than C or than recorded;
//! * `record JSON RECORDED [GROUP…]`: what RECORDED should hold, with those groups (all) renewed;
//! * `markdown RECORDED`: README's summary;
//! * `native DIR`: what criterion left in DIR, as a group of `bench.json`.
//!
//! Status 2: something cannot be read.

use bench_report::{
    data::Run,
    judge,
    native,
    page,
    recorded,
    text, //
};
use std::{
    fs,
    path::Path,
    process::ExitCode, //
};

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

fn run_of(path: &str) -> Result<Run, String> {
    Run::parse(&read(path)?).map_err(|error| format!("{path}: {error}"))
}

/// What was recorded; nothing, if there is no such file.
fn recorded_of(path: &str) -> Result<Vec<Run>, String> {
    if !Path::new(path).exists() {
        return Ok(Vec::new());
    }
    recorded::read(&read(path)?).map_err(|error| format!("{path}: {error}"))
}

/// Whether all is well.
fn check(run: &Run, recorded: &[Run], only: &[String]) -> bool {
    let verdict = judge::judge(run, recorded, only);
    for note in &verdict.notes {
        println!("# {note}");
    }
    for failure in &verdict.failures {
        println!("not ok - bench {failure}");
    }
    if verdict.failures.is_empty() {
        println!(
            "ok - bench: nothing above {} of C or of what was recorded",
            judge::LIMIT
        );
    }
    verdict.failures.is_empty()
}

fn main_of(args: &[String]) -> Result<bool, String> {
    let words: Vec<_> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["table", json, ..] => print!("{}", text::table(&run_of(json)?, &args[2..])),
        ["page", json] => print!("{}", page::page(&run_of(json)?)?),
        ["native", dir] => println!("{}", native::group(Path::new(dir))?),
        ["markdown", file] => print!("{}", text::markdown(&recorded::read(&read(file)?)?)),
        ["check", json, file, ..] => {
            return Ok(check(&run_of(json)?, &recorded_of(file)?, &args[3..]));
        }
        ["record", json, file, ..] => {
            let mut run = run_of(json)?;
            let only = &args[3..];
            let missing = |name: &&String| !run.groups.iter().any(|group| group.name == **name);
            if let Some(name) = only.iter().find(missing) {
                return Err(format!("{json}: no group {name}"));
            }
            run.groups
                .retain(|group| only.is_empty() || only.contains(&group.name));
            print!("{}", recorded::write(&run, &recorded_of(file)?));
        }
        _ => return Err("no such command; see scripts/bench/report/src/main.rs".to_owned()),
    }
    Ok(true)
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match main_of(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench-report: error: {error}");
            ExitCode::from(2)
        }
    }
}
