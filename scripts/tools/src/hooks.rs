// SPDX-License-Identifier: GPL-2.0

//! Who else is on the functions of the running kernel: BPF trampolines, livepatches, kprobes that change
//! where a function goes on, and where kprobes may not be set.

use crate::{
    running::{
        Verdict,
        NAME, //
    },
    table::Row, //
};
use std::{
    collections::{
        HashMap,
        HashSet, //
    },
    path::Path, //
};

/// One function's line in `enabled_functions`.
#[derive(Debug, Default)]
struct Hook {
    /// `D`: somebody's direct jump; whose, as the kernel prints it.
    direct: Option<String>,
    /// `I`: somebody changes where the function goes on.
    ip_modify: bool,
    /// The livepatch core is that somebody.
    livepatch: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Hooks {
    hooks: HashMap<String, Hook>,
    no_kprobe: HashSet<String>,
    /// Functions at whose entry a kprobe is.
    kprobes: HashSet<String>,
    /// Function -> names of the livepatches on it, but ours.
    patches: HashMap<String, Vec<String>>,
}

impl Hooks {
    /// From the texts of tracefs' `enabled_functions` and of kprobes' `blacklist` and `list`, and the directory
    /// `/sys/kernel/livepatch`.
    pub fn new(enabled: &str, blacklist: &str, kprobes: &str, livepatch: &Path) -> Self {
        Self {
            hooks: enabled_functions(enabled),
            no_kprobe: blacklist
                .lines()
                .filter_map(|line| line.split_whitespace().nth(1))
                .map(str::to_owned)
                .collect(),
            // "ADDRESS  k  NAME+OFFSET    [FLAGS]"; behind an `endbr64` is an entry, too.
            kprobes: kprobes
                .lines()
                .filter_map(|line| line.split_whitespace().nth(2)?.split_once('+'))
                .filter(|(_, offset)| ["0x0", "0x4"].contains(offset))
                .map(|(name, _)| name.to_owned())
                .collect(),
            patches: patched_functions(livepatch),
        }
    }

    /// What there is to say of a row, if anything.
    pub fn on(&self, row: &Row<'_>) -> Option<(Verdict, String)> {
        let none = Hook::default();
        let hook = self.hooks.get(row.name).unwrap_or(&none);
        let patches = self.patches.get(row.name).map(|names| names.join(", "));
        let foreign = |who: &&String| !who.contains(&format!("[{NAME}]"));
        match row.kind {
            "jump" => {
                if let Some(who) = hook.direct.as_ref().filter(foreign) {
                    return Some((Verdict::Bad, format!("held by {}", named(who))));
                }
                if let Some(names) = patches {
                    return Some((Verdict::Bad, format!("held by livepatch {names}")));
                }
                let why = "held by a kprobe or livepatch that changes where it goes on";
                hook.ip_modify.then(|| (Verdict::Bad, why.to_owned()))
            }
            "patch" => {
                if hook.ip_modify && !hook.livepatch {
                    let why = "held by a kprobe that changes where it goes on";
                    return Some((Verdict::Bad, why.to_owned()));
                }
                if let Some(names) = patches {
                    let note =
                        format!("livepatch {names} is on it too: the one enabled last is called");
                    return Some((Verdict::Note, note));
                }
                let who = hook.direct.as_ref().filter(foreign)?;
                Some((
                    Verdict::Note,
                    format!("{} is on it too, and stays", named(who)),
                ))
            }
            "hold" => {
                let names = patches?;
                let why = format!("held by livepatch {names}, which would be out of use");
                Some((Verdict::Bad, why))
            }
            "probe" if self.no_kprobe.contains(row.name) => {
                Some((Verdict::Bad, "kprobes must not be set there".to_owned()))
            }
            "probe" if self.kprobes.contains(row.name) => {
                let note =
                    "somebody's kprobe is on it: it does not fire while the module is loaded";
                Some((Verdict::Note, note.to_owned()))
            }
            _ => None,
        }
    }
}

/// Whose direct jump it is, in words.
fn named(who: &str) -> String {
    if who.starts_with("bpf_trampoline_") {
        format!("a BPF program, fentry, fexit or fmod_ret ({who})")
    } else {
        who.to_owned()
    }
}

/// A function's line is "NAME (COUNT) FLAGS tramp: …", then a line with whose direct jump it is.
fn enabled_functions(text: &str) -> HashMap<String, Hook> {
    let mut hooks: HashMap<String, Hook> = HashMap::new();
    let mut last = String::new();
    for line in text.lines() {
        if let Some((_, who)) = line.split_once("direct").filter(|_| line.starts_with('\t')) {
            let who = who.split_once("-->").map_or(who, |(_, who)| who);
            let who = who.split_once('+').map_or(who.to_owned(), |(name, rest)| {
                let module = rest
                    .split_once(' ')
                    .map_or(String::new(), |(_, m)| format!(" {m}"));
                format!("{name}{module}")
            });
            hooks.entry(last.clone()).or_default().direct = Some(who.trim().to_owned());
            continue;
        }
        let Some((name, rest)) = line.split_once(" (").filter(|_| !line.starts_with('\t')) else {
            continue;
        };
        let rest = rest.split_once(')').map_or("", |(_, rest)| rest);
        let (flags, tramp) = rest.split_once("tramp:").unwrap_or((rest, ""));
        last = name.to_owned();
        let hook = hooks.entry(last.clone()).or_default();
        hook.ip_modify = flags.contains('I');
        hook.livepatch = tramp.contains("klp_ftrace_handler");
        if flags.contains('D') {
            hook.direct = Some("somebody's direct jump".to_owned());
        }
    }
    hooks
}

/// `/sys/kernel/livepatch/PATCH/vmlinux/FUNCTION,POSITION`.
fn patched_functions(dir: &Path) -> HashMap<String, Vec<String>> {
    let mut patches: HashMap<String, Vec<String>> = HashMap::new();
    for patch in names_in(dir).into_iter().filter(|name| name != NAME) {
        for function in names_in(&dir.join(&patch).join("vmlinux")) {
            if let Some((name, _)) = function.split_once(',') {
                patches
                    .entry(name.to_owned())
                    .or_default()
                    .push(patch.clone());
            }
        }
    }
    patches
}

/// The names in a directory, sorted; none if there is no such.
fn names_in(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
