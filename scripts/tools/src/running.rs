// SPDX-License-Identifier: GPL-2.0

//! Compares a built module with the running kernel, without loading it: would the kernel take it, and
//! could every row be taken over now?

use crate::{
    btf,
    carried::Module,
    check::Kernel,
    hooks::Hooks,
    layout::place,
    read, //
};
use std::{
    collections::HashSet,
    path::PathBuf,
    process::Command, //
};

/// The module's name for the kernel.
pub const NAME: &str = "rust_dynptr";
/// What the kernel must have been configured with.
const CONFIG: &str = include_str!("../../build/kernel.config");

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it must be.
    Good,
    /// Worth knowing; does not keep the module from loading.
    Note,
    /// The module must not, or could not, be loaded.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// `kernel`, `config`, `layout`, a row's kind, `symbol` or `export`.
    pub kind: String,
    /// What of that kind.
    pub name: String,
    /// How it is.
    pub verdict: Verdict,
    /// Why, or what was found.
    pub detail: String,
}

impl Finding {
    fn new(kind: &str, name: &str, verdict: Verdict, detail: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            verdict,
            detail: detail.into(),
        }
    }

    /// Good with the one detail, or bad with the other.
    fn either(kind: &str, name: &str, result: Result<String, String>) -> Self {
        match result {
            Ok(detail) => Self::new(kind, name, Verdict::Good, detail),
            Err(detail) => Self::new(kind, name, Verdict::Bad, detail),
        }
    }
}

/// Where the running kernel's files are: `/`, or a test's directory.
pub struct Machine(pub PathBuf);

impl Machine {
    fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    fn text(&self, path: &str) -> Result<String, String> {
        Ok(String::from_utf8_lossy(&read(self.path(path))?).into_owned())
    }

    /// A setting: the first line of a file, if it is there.
    fn setting(&self, path: &str) -> Option<String> {
        Some(self.text(path).ok()?.lines().next()?.trim().to_owned())
    }

    /// A file of tracefs, which is in one of two places.
    fn tracing(&self, file: &str) -> Result<String, String> {
        self.text(&format!("sys/kernel/tracing/{file}"))
            .or_else(|_| self.text(&format!("sys/kernel/debug/tracing/{file}")))
            .map_err(|e| format!("{e}; mount -t tracefs tracefs /sys/kernel/tracing"))
    }

    /// The kernel's configuration and where it is.
    fn config(&self, release: &str) -> Option<(String, String)> {
        let packed = self.path("proc/config.gz");
        if packed.exists() {
            let out = Command::new("gzip").arg("-dc").arg(&packed).output().ok()?;
            if out.status.success() {
                let text = String::from_utf8_lossy(&out.stdout).into_owned();
                return Some((text, "/proc/config.gz".into()));
            }
        }
        [
            format!("boot/config-{release}"),
            format!("lib/modules/{release}/config"),
            format!("lib/modules/{release}/build/.config"),
        ]
        .into_iter()
        .find_map(|path| Some((self.text(&path).ok()?, format!("/{path}"))))
    }
}

/// Compares `module` with the kernel of `machine`: all findings, in the order in which loading would meet
/// them.
pub fn check(machine: &Machine, module: &Module<'_>) -> Vec<Finding> {
    let release = machine
        .setting("proc/sys/kernel/osrelease")
        .unwrap_or_default();
    let mut findings = check_machine(machine, module, &release);
    findings.extend(check_config(machine, &release));
    match check_functions(machine, module) {
        Ok(more) => findings.extend(more),
        Err(why) => findings.push(Finding::new(
            "kernel",
            "functions",
            Verdict::Bad,
            format!("no row was compared: {why}"),
        )),
    }
    findings
}

/// What the machine allows.
fn check_machine(machine: &Machine, module: &Module<'_>, release: &str) -> Vec<Finding> {
    let mut findings = vec![Finding::either(
        "kernel",
        "release",
        if release == module.release {
            Ok(release.to_owned())
        } else {
            Err(format!(
                "the module is built for {}, this is {release}",
                module.release
            ))
        },
    )];
    // (name, file, what it must not be, what that means)
    for (name, file, bad, means) in [
        (
            "modules",
            "proc/sys/kernel/modules_disabled",
            "1",
            "no module can be loaded until the next boot",
        ),
        (
            "ftrace",
            "proc/sys/kernel/ftrace_enabled",
            "0",
            "ftrace is off: sysctl kernel.ftrace_enabled=1",
        ),
        (
            "kprobes",
            "sys/kernel/debug/kprobes/enabled",
            "0",
            "kprobes are off: echo 1 >/sys/kernel/debug/kprobes/enabled",
        ),
    ] {
        let value = machine.setting(file);
        findings.push(Finding::either(
            "kernel",
            name,
            match value {
                Some(value) if value == bad => Err(means.to_owned()),
                Some(_) => Ok("allowed".into()),
                None => Ok(format!("not known: no /{file}")),
            },
        ));
    }
    let enforced = machine
        .setting("sys/module/module/parameters/sig_enforce")
        .as_deref()
        == Some("Y");
    let locked = machine
        .setting("sys/kernel/security/lockdown")
        .is_some_and(|modes| !modes.contains("[none]"));
    let signature = match (module.signed, enforced || locked) {
        (true, true) => Finding::new(
            "kernel",
            "signature",
            Verdict::Note,
            "needed, and there; the kernel must know its key",
        ),
        (true, false) => Finding::new("kernel", "signature", Verdict::Good, "there, not needed"),
        (false, false) => Finding::new(
            "kernel",
            "signature",
            Verdict::Good,
            "not needed; the kernel will be tainted (E)",
        ),
        (false, true) => Finding::new(
            "kernel",
            "signature",
            Verdict::Bad,
            "this kernel takes signed modules only (lockdown or sig_enforce)",
        ),
    };
    findings.push(signature);
    if machine.path("sys/module").join(NAME).exists() {
        findings.push(Finding::new(
            "kernel",
            "loaded",
            Verdict::Note,
            "the module is loaded already: its rows are its own",
        ));
    }
    findings
}

/// The configuration, as far as it can be found.
fn check_config(machine: &Machine, release: &str) -> Vec<Finding> {
    let Some((config, place)) = machine.config(release) else {
        let detail =
            "not found: no /proc/config.gz, /boot/config-RELEASE, /lib/modules/RELEASE/config";
        return vec![Finding::new("config", "file", Verdict::Note, detail)];
    };
    let wanted = CONFIG.lines().filter_map(|line| line.split_once('='));
    wanted
        .map(|(option, value)| {
            let found = config
                .lines()
                .find_map(|line| line.strip_prefix(option)?.strip_prefix('='));
            let result = match found {
                Some(found) if found == value => Ok(value.to_owned()),
                found => Err(format!(
                    "{} in {place}, {value} is needed",
                    found.unwrap_or("not set")
                )),
            };
            Finding::either("config", option, result)
        })
        .collect()
}

/// Sizes and offsets: a kernel of the same release may have been configured otherwise.
fn check_layout(btf: &btf::File, module: &Module<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, built) in &module.layout {
        let why = match place(btf, name) {
            Some(here) if here == *built => continue,
            Some(here) => format!("{here} bytes here, {built} in the kernel it was built for"),
            None => "not in this kernel".to_owned(),
        };
        findings.push(Finding::new("layout", name, Verdict::Bad, why));
    }
    if findings.is_empty() {
        let detail = format!(
            "all {} sizes and offsets are those that it was built with",
            module.layout.len()
        );
        findings.push(Finding::new("layout", "structures", Verdict::Good, detail));
    }
    findings
}

/// The names of all functions that the module has to do with.
fn wanted<'a>(module: &'a Module<'_>) -> HashSet<&'a str> {
    let rows = module.rows.iter().map(|row| row.name);
    let symbols = module.symbols.iter().map(|symbol| symbol.name.as_str());
    rows.chain(symbols)
        .chain(module.exports.iter().copied())
        .collect()
}

/// Layouts, rows, unexported symbols, exported ones.
fn check_functions(machine: &Machine, module: &Module<'_>) -> Result<Vec<Finding>, String> {
    let btf = btf::File::parse(&read(machine.path("sys/kernel/btf/vmlinux"))?)?;
    let kallsyms = machine.text("proc/kallsyms")?;
    let traceable = machine.tracing("available_filter_functions")?;
    // While the module is loaded the probes there are its own.
    let loaded = machine.path("sys/module").join(NAME).exists();
    let kprobes = machine.text("sys/kernel/debug/kprobes/list");
    let hooks = Hooks::new(
        &machine.tracing("enabled_functions")?,
        &machine
            .text("sys/kernel/debug/kprobes/blacklist")
            .unwrap_or_default(),
        &kprobes.ok().filter(|_| !loaded).unwrap_or_default(),
        &machine.path("sys/kernel/livepatch"),
    );
    let mut findings = check_layout(&btf, module);
    let kernel = Kernel::running(btf, &kallsyms, &traceable, &wanted(module))?;
    for row in &module.rows {
        let (verdict, detail) = match kernel.check_row(row) {
            Err(why) => (Verdict::Bad, why),
            Ok(()) => hooks
                .on(row)
                .unwrap_or((Verdict::Good, row.proto.to_owned())),
        };
        findings.push(Finding::new(row.kind, row.name, verdict, detail));
    }
    for symbol in &module.symbols {
        let result = kernel.check_symbol(symbol);
        let detail = symbol.proto.clone().unwrap_or_default();
        findings.push(Finding::either(
            "symbol",
            &symbol.name,
            result.map(|()| detail),
        ));
    }
    let missing: Vec<_> = module
        .exports
        .iter()
        .filter(|name| !kernel.has(name))
        .collect();
    for name in &missing {
        findings.push(Finding::new(
            "export",
            name,
            Verdict::Bad,
            "no such symbol in this kernel",
        ));
    }
    if missing.is_empty() {
        let detail = format!(
            "all {} that the module uses are there",
            module.exports.len()
        );
        findings.push(Finding::new("export", "symbols", Verdict::Good, detail));
    }
    Ok(findings)
}
