// SPDX-License-Identifier: GPL-2.0

//! `check-running [--json] [--quiet] [--root DIR] MODULE`: would this kernel take the module, and could
//! every row be taken over now? A line for each thing looked at; with `--quiet` only for what is not as it
//! must be. Status 1 if the module would not load, 2 if it cannot be told. `rust-dynptr check` runs this.

use rust_dynptr_tools::{
    carried::Module,
    read,
    running::{
        check,
        Finding,
        Machine,
        Verdict, //
    }, //
};
use std::{
    io::Write,
    process::ExitCode, //
};

#[derive(Default)]
struct Options {
    json: bool,
    quiet: bool,
    root: Option<String>,
    module: Option<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--json" => options.json = true,
            "--quiet" => options.quiet = true,
            "--root" => options.root = Some(args.next().ok_or("--root needs a directory")?),
            _ if arg.starts_with('-') => return Err(format!("unknown option {arg}")),
            _ => options.module = Some(arg),
        }
    }
    Ok(options)
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out + "\""
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "ok",
        Verdict::Note => "note",
        Verdict::Bad => "bad",
    }
}

fn json(path: &str, module: &Module<'_>, findings: &[Finding], fits: bool) -> String {
    let checks: Vec<String> = findings
        .iter()
        .map(|f| {
            format!(
                "{{\"kind\":{},\"name\":{},\"result\":\"{}\",\"detail\":{}}}",
                quoted(&f.kind),
                quoted(&f.name),
                word(f.verdict),
                quoted(&f.detail)
            )
        })
        .collect();
    format!(
        "{{\"module\":{},\"release\":{},\"fits\":{fits},\"checks\":[\n{}\n]}}\n",
        quoted(path),
        quoted(module.release),
        checks.join(",\n")
    )
}

fn table(path: &str, findings: &[Finding], quiet: bool) -> String {
    let mut out = String::new();
    for f in findings {
        if !quiet || f.verdict != Verdict::Good {
            let line = format!(
                "{:<4} {:<7} {:<34} {}",
                word(f.verdict),
                f.kind,
                f.name,
                f.detail
            );
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    let bad = findings
        .iter()
        .filter(|f| f.verdict == Verdict::Bad)
        .count();
    let verdict = match bad {
        0 => "fits this kernel".to_owned(),
        n => format!("does not fit this kernel: {n} against it"),
    };
    out + &format!("{path} {verdict} ({} checked)\n", findings.len())
}

fn run() -> Result<bool, String> {
    let options = options()?;
    let path = options
        .module
        .ok_or("usage: check-running [--json] [--quiet] [--root DIR] MODULE")?;
    let data = read(&path)?;
    let module = Module::read(&data).map_err(|e| format!("{path}: {e}"))?;
    let machine = Machine(options.root.unwrap_or("/".into()).into());
    let findings = check(&machine, &module);
    let fits = findings.iter().all(|f| f.verdict != Verdict::Bad);
    let text = if options.json {
        json(&path, &module, &findings, fits)
    } else {
        table(&path, &findings, options.quiet)
    };
    // Whoever reads may have enough of it.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(fits)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("check-running: error: {e}");
            ExitCode::from(2)
        }
    }
}
