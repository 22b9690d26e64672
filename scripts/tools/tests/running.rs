// SPDX-License-Identifier: GPL-2.0

//! `check-running` on a module and a kernel made here.

use object::{
    write,
    Architecture,
    BinaryFormat,
    Endianness,
    SectionKind,
    SymbolFlags,
    SymbolKind,
    SymbolScope, //
};
use rust_dynptr_tools::{
    btf::File,
    carried::{
        text,
        Module,
        SECTION, //
    },
    klp::link,
    layout::places,
    running::{
        check,
        Finding,
        Machine,
        Verdict, //
    },
    symbols,
    table::{
        rows,
        Row, //
    }, //
};
use std::{
    collections::HashSet,
    fs,
    path::{
        Path,
        PathBuf, //
    }, //
};

const RELEASE: &str = "7.3.4-made";

/// A module with these sections that uses the symbol `printk`.
fn object_with(sections: &[(&str, &str)]) -> Vec<u8> {
    let mut object =
        write::Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    for (name, data) in sections {
        let section = object.add_section(vec![], name.as_bytes().to_vec(), SectionKind::Other);
        object.append_section_data(section, data.as_bytes(), 1);
    }
    object.add_symbol(write::Symbol {
        name: b"printk".to_vec(),
        value: 0,
        size: 0,
        kind: SymbolKind::Unknown,
        scope: SymbolScope::Unknown,
        weak: false,
        section: write::SymbolSection::Undefined,
        flags: SymbolFlags::None,
    });
    object.write().unwrap()
}

fn row<'a>(kind: &'a str, name: &'a str) -> Row<'a> {
    Row {
        kind,
        name,
        proto: "int (int)",
        source: "kernel/made.c",
    }
}

/// What the module was compiled with.
fn layout() -> Vec<(String, u32)> {
    let file = File::parse(&btf_with(&[], 4)).unwrap();
    places(&file, "# A comment\nthing: first first<second # one more\n").unwrap()
}

/// A module that takes over a function of each kind.
fn module() -> Vec<u8> {
    let table = text(
        &[
            row("jump", "hop"),
            row("patch", "judge"),
            row("probe", "make"),
            row("bind", "call"),
            row("hold", "keep"),
        ],
        &symbols::parse("hidden int (int)\nother").unwrap(),
        &layout(),
    );
    let info = format!("license=GPL\0vermagic={RELEASE} SMP preempt\0name=made\0");
    object_with(&[(".modinfo", &info), (SECTION, &table)])
}

/// BTF with `int (int)` functions of these names, and `struct thing`.
fn btf(names: &[&str]) -> Vec<u8> {
    btf_with(names, 4)
}

/// The same, with `thing.second` at this place.
fn btf_with(names: &[&str], second: u32) -> Vec<u8> {
    let mut strings = b"\0int\0thing\0first\0second\0".to_vec();
    let mut types: Vec<u32> = vec![1, 1 << 24, 4, 0];
    types.extend([0, (13 << 24) | 1, 1, 0, 1]);
    types.extend([5, (4 << 24) | 2, second + 4, 11, 1, 0, 17, 1, 8 * second]);
    for name in names {
        types.extend([strings.len() as u32, 12 << 24, 2]);
        strings.extend(name.bytes().chain([0]));
    }
    let (types_len, strings_len) = (4 * types.len() as u32, strings.len() as u32);
    let mut out = vec![0x9f, 0xeb, 1, 0];
    for word in [24, 0, types_len, types_len, strings_len]
        .iter()
        .chain(&types)
    {
        out.extend(word.to_le_bytes());
    }
    out.extend(strings);
    out
}

/// A machine whose kernel takes the module, in a directory of its own.
struct Made(PathBuf);

impl Made {
    fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&root);
        let this = Self(root);
        this.put("proc/sys/kernel/osrelease", &format!("{RELEASE}\n"));
        this.put("proc/sys/kernel/modules_disabled", "0\n");
        this.put("proc/sys/kernel/ftrace_enabled", "1\n");
        this.put("sys/kernel/debug/kprobes/enabled", "1\n");
        this.put("sys/kernel/debug/kprobes/blacklist", "0x1-0x2\tnone\n");
        this.put("sys/module/module/parameters/sig_enforce", "N\n");
        this.put(
            "sys/kernel/security/lockdown",
            "[none] integrity confidentiality\n",
        );
        let config = include_str!("../../build/kernel.config");
        this.put(&format!("boot/config-{RELEASE}"), config);
        this.put(
            "proc/kallsyms",
            "1 t hop\n2 t judge\n3 t make\n4 T call\n5 t hidden\n6 t other\n7 T printk\n9 t keep\n8 t hop\t[foreign]\n",
        );
        this.put(
            "sys/kernel/tracing/available_filter_functions",
            "hop\njudge\nkeep\nelse [foreign]\n",
        );
        this.put("sys/kernel/tracing/enabled_functions", "");
        let functions = ["hop", "judge", "make", "call", "hidden", "keep"];
        fs::create_dir_all(this.0.join("sys/kernel/btf")).unwrap();
        fs::write(this.0.join("sys/kernel/btf/vmlinux"), btf(&functions)).unwrap();
        this
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn findings(&self) -> Vec<Finding> {
        let data = module();
        check(&Machine(self.0.clone()), &Module::read(&data).unwrap())
    }

    /// What is said that is not good: "verdict kind name: detail".
    fn said(&self) -> Vec<String> {
        self.findings()
            .iter()
            .filter(|f| f.verdict != Verdict::Good)
            .map(|f| format!("{:?} {} {}: {}", f.verdict, f.kind, f.name, f.detail))
            .collect()
    }

    /// One thing is said, and it begins so.
    fn says(&self, what: &str) {
        let said = self.said();
        assert!(
            said.len() == 1 && said[0].starts_with(what),
            "{what}: {said:?}"
        );
    }
}

#[test]
fn a_module_carries_its_table() {
    let linked = link(
        &object_with(&[]),
        &symbols::parse("a int (int)\nb,2").unwrap(),
        &HashSet::from(["printk"]),
        &[],
    );
    let (linked, _) = linked.unwrap();
    let error = Module::read(&linked).unwrap_err();
    assert!(error.contains("no vermagic"), "{error}");

    let info = format!("vermagic={RELEASE} SMP\0");
    let plain = object_with(&[(".modinfo", &info)]);
    let error = Module::read(&plain).unwrap_err();
    assert!(error.contains("no take-over table"), "{error}");
    let list = symbols::parse("a int (int)\nb,2").unwrap();
    let (linked, _) = link(&plain, &list, &HashSet::from(["printk"]), &layout()).unwrap();
    let module = Module::read(&linked).unwrap();
    assert_eq!(module.release, RELEASE);
    assert_eq!(module.rows, rows());
    assert_eq!(module.symbols, list);
    assert_eq!(
        module.layout,
        [("thing", 8), ("thing.first", 0), ("thing.second", 4)]
    );
    assert_eq!(module.exports, ["printk"]);
    assert!(!module.signed);
    let mut signed = linked.clone();
    signed.extend(b"~Module signature appended~\n");
    assert!(Module::read(&signed).unwrap().signed);
}

#[test]
fn broken_modules_are_refused() {
    assert!(Module::read(b"nonsense").is_err());
    let info = format!("vermagic={RELEASE} SMP\0");
    for line in [
        "row jump",
        "symbol a",
        "symbol a b",
        "row",
        "layout a",
        "layout a b",
    ] {
        let module = object_with(&[(".modinfo", &info), (SECTION, line)]);
        let error = Module::read(&module).unwrap_err();
        assert!(error.contains(line), "{error}");
    }
    // What later ones may say.
    let module = object_with(&[(".modinfo", &info), (SECTION, "colour blue\n")]);
    assert!(Module::read(&module).unwrap().rows.is_empty());
}

#[test]
fn all_is_well() {
    let made = Made::new("well");
    assert_eq!(made.said(), Vec::<String>::new());
    let names: Vec<_> = made
        .findings()
        .iter()
        .map(|f| format!("{} {}", f.kind, f.name))
        .collect();
    for name in [
        "jump hop",
        "patch judge",
        "probe make",
        "bind call",
        "symbol hidden",
        "symbol other",
        "export symbols",
    ] {
        assert!(names.iter().any(|n| n == name), "{name}: {names:?}");
    }
}

#[test]
fn the_machine_is_looked_at() {
    for (path, text, what) in [
        (
            "proc/sys/kernel/osrelease",
            "9.9\n",
            "Bad kernel release: the module is built for 7.3.4-made, this is 9.9",
        ),
        (
            "proc/sys/kernel/modules_disabled",
            "1\n",
            "Bad kernel modules",
        ),
        ("proc/sys/kernel/ftrace_enabled", "0\n", "Bad kernel ftrace"),
        (
            "sys/kernel/debug/kprobes/enabled",
            "0\n",
            "Bad kernel kprobes",
        ),
        (
            "sys/module/module/parameters/sig_enforce",
            "Y\n",
            "Bad kernel signature",
        ),
        (
            "sys/kernel/security/lockdown",
            "none [integrity] confidentiality\n",
            "Bad kernel signature",
        ),
        ("sys/module/rust_dynptr/refcnt", "1\n", "Note kernel loaded"),
    ] {
        let made = Made::new("machine");
        made.put(path, text);
        if path.ends_with("osrelease") {
            made.put("boot/config-9.9", include_str!("../../build/kernel.config"));
        }
        made.says(what);
    }
}

#[test]
fn the_configuration_is_looked_at() {
    let made = Made::new("config");
    let config = include_str!("../../build/kernel.config");
    made.put(
        &format!("boot/config-{RELEASE}"),
        &config.replace("CONFIG_RUST=y", "# CONFIG_RUST is not set"),
    );
    made.says("Bad config CONFIG_RUST: not set in /boot/config-7.3.4-made, y is needed");
    made.put(
        &format!("boot/config-{RELEASE}"),
        &config.replace("CONFIG_KPROBES=y", "CONFIG_KPROBES=m"),
    );
    made.says("Bad config CONFIG_KPROBES: m in");
    fs::remove_file(made.0.join(format!("boot/config-{RELEASE}"))).unwrap();
    made.says("Note config file: not found");
    made.put(&format!("lib/modules/{RELEASE}/build/.config"), config);
    assert_eq!(made.said(), Vec::<String>::new());
}

#[test]
fn functions_are_looked_at() {
    let kallsyms =
        "1 t hop\n2 t judge\n3 t make\n4 T call\n5 t hidden\n6 t other\n7 T printk\n9 t keep\n";
    for (from, to, what) in [
        ("1 t hop\n", "", "Bad jump hop: no such symbol"),
        (
            "1 t hop\n",
            "1 t hop\n10 t hop\n",
            "Bad jump hop: there are 2 symbols",
        ),
        (
            "2 t judge\n",
            "2 t judge.isra.0\n",
            "Bad patch judge: no such symbol, only judge.isra.0",
        ),
        ("5 t hidden\n", "", "Bad symbol hidden: no such symbol"),
        ("7 T printk\n", "", "Bad export printk: no such symbol"),
    ] {
        let made = Made::new("functions");
        made.put("proc/kallsyms", &kallsyms.replace(from, to));
        made.says(what);
    }
    let made = Made::new("functions");
    made.put(
        "sys/kernel/tracing/available_filter_functions",
        "judge\nkeep\n",
    );
    made.says("Bad jump hop: kind jump needs a fentry");
    let made = Made::new("functions");
    fs::write(
        made.0.join("sys/kernel/btf/vmlinux"),
        btf(&["hop", "judge", "call", "hidden", "keep"]),
    )
    .unwrap();
    made.says("Bad probe make: BTF has no such function");
    for gone in [
        "sys/kernel/btf/vmlinux",
        "proc/kallsyms",
        "sys/kernel/tracing/enabled_functions",
    ] {
        let made = Made::new("functions");
        fs::remove_file(made.0.join(gone)).unwrap();
        made.says("Bad kernel functions: no row was compared: cannot read");
    }
}

#[test]
fn others_on_a_function_are_named() {
    let klp = " tramp: 0xf0 (klp_ftrace_handler+0x0/0x120) ->klp_ftrace_handler+0x0/0x120\n";
    let direct = "(1) R   D   M \ttramp: ftrace_regs_caller+0x0/0x61 (call_direct_funcs+0x0/0x20)\n\tdirect(jmp)-->";
    for (enabled, what) in [
        (format!("hop {direct}bpf_trampoline_64+0x0/0x90\n"), "Bad jump hop: held by a BPF program, fentry, fexit or fmod_ret (bpf_trampoline_64)"),
        (format!("hop {direct}other_hop+0x4/0x10 [other]\n"), "Bad jump hop: held by other_hop [other]"),
        ("hop (1) R   D   M \ttramp: x\n".into(), "Bad jump hop: held by somebody's direct jump"),
        (format!("hop (1)   I     M \t{klp}"), "Bad jump hop: held by a kprobe or livepatch"),
        ("judge (1) R I     M \ttramp: 0xf0 (kprobe_ftrace_handler+0x0/0x1)\n".into(), "Bad patch judge: held by a kprobe"),
        (format!("judge {direct}bpf_trampoline_65+0x0/0x90\n"), "Note patch judge: a BPF program, fentry, fexit or fmod_ret (bpf_trampoline_65) is on it too"),
    ] {
        let made = Made::new("others");
        made.put("sys/kernel/tracing/enabled_functions", &enabled);
        made.says(what);
    }
    // Tracers, ourselves, another livepatch on a function that may have several.
    let made = Made::new("others");
    made.put(
        "sys/kernel/tracing/enabled_functions",
        &format!("hop {direct}rust_hop+0x4/0x10 [rust_dynptr]\njudge (1)   I     M \t{klp}call (1)           \ttramp: x\n"),
    );
    assert_eq!(made.said(), Vec::<String>::new());
    let made = Made::new("others");
    made.put("sys/kernel/livepatch/theirs/vmlinux/judge,1/function", "");
    made.put(
        "sys/kernel/livepatch/rust_dynptr/vmlinux/judge,1/function",
        "",
    );
    made.says("Note patch judge: livepatch theirs is on it too");
    made.put("sys/kernel/livepatch/theirs/vmlinux/hop,1/function", "");
    fs::remove_dir_all(made.0.join("sys/kernel/livepatch/theirs/vmlinux/judge,1")).unwrap();
    made.says("Bad jump hop: held by livepatch theirs");
    let made = Made::new("others");
    made.put("sys/kernel/debug/kprobes/blacklist", "0x1-0x2\tmake\n");
    made.says("Bad probe make: kprobes must not be set there");
    let made = Made::new("others");
    made.put(
        "sys/kernel/debug/kprobes/list",
        "0  k  make+0x4    [DISABLED]\n1  k  hop+0x4    [FTRACE]\n2  k  call+0x9\n",
    );
    made.says("Note probe make: somebody's kprobe is on it");
    made.put("sys/module/rust_dynptr/refcnt", "1\n");
    made.says("Note kernel loaded");
    let made = Made::new("others");
    made.put("sys/kernel/livepatch/theirs/vmlinux/keep,1/function", "");
    made.says("Bad hold keep: held by livepatch theirs, which would be out of use");
}

#[test]
fn layouts_are_compared() {
    let made = Made::new("layouts");
    let functions = ["hop", "judge", "make", "call", "hidden", "keep"];
    fs::write(
        made.0.join("sys/kernel/btf/vmlinux"),
        btf_with(&functions, 8),
    )
    .unwrap();
    assert_eq!(
        made.said(),
        [
            "Bad layout thing: 12 bytes here, 8 in the kernel it was built for",
            "Bad layout thing.second: 8 bytes here, 4 in the kernel it was built for"
        ]
    );
    let file = File::parse(&btf(&[])).unwrap();
    for (list, name) in [("none: first", "none"), ("thing: third", "thing.third")] {
        assert_eq!(
            places(&file, list).unwrap_err(),
            format!("this kernel has no {name}")
        );
    }
}
