// SPDX-License-Identifier: GPL-2.0

//! `check-takeover` and `btf-layout` on BTF and a kernel image made here.

use object::{
    write,
    Architecture,
    BinaryFormat,
    Endianness, //
};
use rust_dynptr_tools::{
    btf::File,
    check::Kernel,
    proto::{
        self,
        ProtoError, //
    },
    symbols,
    table::Row, //
};

/// BTF under construction.
#[derive(Default)]
struct Btf {
    types: Vec<u8>,
    strings: Vec<u8>,
    count: u32,
}

impl Btf {
    fn string(&mut self, text: &str) -> u32 {
        if self.strings.is_empty() {
            self.strings.push(0);
        }
        if text.is_empty() {
            return 0;
        }
        let at = self.strings.len() as u32;
        self.strings.extend(text.bytes().chain([0]));
        at
    }

    /// Adds a type and gives its id.
    fn add(&mut self, name: &str, kind: u32, vlen: u32, size_or_type: u32, extra: &[u32]) -> u32 {
        let name = self.string(name);
        for word in [name, (kind << 24) | vlen, size_or_type]
            .iter()
            .chain(extra)
        {
            self.types.extend(word.to_le_bytes());
        }
        self.count += 1;
        self.count
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = vec![0x9f, 0xeb, 1, 0];
        let (types, strings) = (self.types.len() as u32, self.strings.len() as u32);
        for word in [24, 0, types, types, strings] {
            out.extend(word.to_le_bytes());
        }
        out.extend(&self.types);
        out.extend(&self.strings);
        out
    }

    /// A function with these parameters.
    fn function(&mut self, name: &str, returns: u32, params: &[u32]) -> u32 {
        let words: Vec<u32> = params.iter().flat_map(|p| [0, *p]).collect();
        let proto = self.add("", 13, params.len() as u32, returns, &words);
        self.add(name, 12, 0, proto, &[])
    }
}

fn text(file: &File, name: &str) -> Result<String, ProtoError> {
    let mut out = String::new();
    proto::render(file, file.function(name).unwrap(), &mut out)?;
    Ok(out)
}

#[test]
fn prototypes_read_as_in_c() {
    let mut btf = Btf::default();
    let int = btf.add("int", 1, 0, 4, &[0]);
    let u64_ = btf.add("u64", 8, 0, int, &[]);
    let env = btf.add("env", 4, 0, 8, &[]);
    let env_ptr = btf.add("", 2, 0, env, &[]);
    let const_env = btf.add("", 10, 0, env, &[]);
    let const_ptr = btf.add("", 2, 0, const_env, &[]);
    let ptr_ptr = btf.add("", 2, 0, env_ptr, &[]);
    let ptr_const = btf.add("", 10, 0, env_ptr, &[]);
    let void_ptr = btf.add("", 2, 0, 0, &[]);
    let tag = btf.add("user", 18, 0, int, &[]);
    let tagged = btf.add("", 2, 0, tag, &[]);
    let shape = btf.add("shape", 6, 0, 4, &[]);
    btf.function("plain", int, &[u64_, env_ptr]);
    btf.function(
        "pointers",
        0,
        &[const_ptr, ptr_ptr, ptr_const, void_ptr, tagged],
    );
    btf.function("nothing", shape, &[]);
    btf.function("variadic", int, &[u64_, 0]);
    let file = File::parse(&btf.bytes()).unwrap();
    assert_eq!(text(&file, "plain").unwrap(), "int (u64, struct env *)");
    assert_eq!(
        text(&file, "pointers").unwrap(),
        "void (const struct env *, struct env **, struct env * const, void *, int *)"
    );
    assert_eq!(text(&file, "nothing").unwrap(), "enum shape (void)");
    assert_eq!(text(&file, "variadic").unwrap(), "int (u64, ...)");

    let id = file.function("plain").unwrap();
    assert_eq!(
        proto::matches(&file, id, "int (u64, struct env *)"),
        Ok(true)
    );
    for other in [
        "int (u64, struct env *, int)",
        "int (u64",
        "",
        "int (u64, struct env)",
    ] {
        assert_eq!(proto::matches(&file, id, other), Ok(false), "{other}");
    }
}

#[test]
fn broken_btf_is_an_error_not_a_panic() {
    let mut btf = Btf::default();
    let int = btf.add("int", 1, 0, 4, &[0]);
    let next = int + 1;
    btf.add("", 2, 0, next, &[]); // A pointer to itself.
    btf.function("endless", int, &[next]);
    btf.function("missing", int, &[999]);
    let whole = btf.bytes();
    let file = File::parse(&whole).unwrap();
    assert_eq!(text(&file, "endless"), Err(ProtoError::TooDeep));
    assert_eq!(text(&file, "missing"), Err(ProtoError::BadType(999)));
    let mut out = String::new();
    assert_eq!(
        proto::render(&file, int, &mut out),
        Err(ProtoError::NotAFunction)
    );
    for len in 0..whole.len() {
        assert!(File::parse(&whole[..len]).is_err(), "{len} bytes");
    }
    assert!(File::from_elf(b"nonsense").is_err());
}

#[test]
fn members_of_anonymous_unions_are_found() {
    let mut btf = Btf::default();
    let int = btf.add("int", 1, 0, 4, &[0]);
    let (deep, union_name) = (btf.string("deep"), 0);
    let inner = btf.add("", 5, 1, 4, &[deep, int, 0]);
    let (first, last) = (btf.string("first"), btf.string("last"));
    btf.add(
        "outer",
        4,
        3,
        12,
        &[first, int, 0, union_name, inner, 32, last, int, 64],
    );
    let file = File::parse(&btf.bytes()).unwrap();
    assert_eq!(file.struct_size("outer"), Some(12));
    assert_eq!(file.offset("outer", "first"), Some(0));
    assert_eq!(file.offset("outer", "deep"), Some(4));
    assert_eq!(file.offset("outer", "last"), Some(8));
    assert_eq!(file.offset("outer", "none"), None);
    assert!(file.follows("outer", "first", ""));
    assert!(!file.follows("outer", "first", "last"));
    assert!(!file.follows("outer", "last", "first"));
    assert!(!file.follows("none", "first", "last"));
    assert_eq!(file.struct_size("none"), None);
}

/// A kernel with `traced` (fentry nop), `called` (call of __fentry__), `bare`, and a lone variant.
fn kernel_parts() -> (Vec<u8>, Vec<u8>, String) {
    let mut btf = Btf::default();
    let int = btf.add("int", 1, 0, 4, &[0]);
    for name in ["traced", "called", "bare", "twice"] {
        btf.function(name, int, &[int]);
    }
    let mut object =
        write::Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let section = object.section_id(write::StandardSection::Text);
    let mut code = vec![0xcc; 256];
    code[0..9].copy_from_slice(&[0xf3, 0x0f, 0x1e, 0xfa, 0x0f, 0x1f, 0x44, 0, 0]);
    // At 0x20: a call of 0x80.
    code[0x20..0x25].copy_from_slice(&[0xe8, 0x5b, 0, 0, 0]);
    code[0x40..0x45].copy_from_slice(&[0xe8, 0x00, 0, 0, 0]);
    object.append_section_data(section, &code, 16);
    let map = "0000000000000000 t traced\n0000000000000020 T called\n0000000000000040 t bare\n\
               0000000000000080 T __fentry__\n0000000000000060 t twice\n0000000000000061 t twice\n\
               0000000000000070 t lone.isra.0\n0000000000000090 D data\n";
    (btf.bytes(), object.write().unwrap(), map.to_owned())
}

fn check(name: &'static str, kind: &'static str, proto: &'static str) -> Result<(), String> {
    let (btf, image, map) = kernel_parts();
    let kernel = Kernel::new(File::parse(&btf).unwrap(), &map, &image).unwrap();
    kernel.check_row(&Row {
        name,
        kind,
        proto,
        source: "",
    })
}

#[test]
fn rows_are_compared_with_the_kernel() {
    assert_eq!(check("traced", "jump", "int (int)"), Ok(()));
    assert_eq!(check("called", "patch", "int (int)"), Ok(()));
    assert_eq!(check("bare", "bind", "int (int)"), Ok(()));
    for (name, kind, proto, why) in [
        ("bare", "jump", "int (int)", "needs a fentry"),
        (
            "traced",
            "jump",
            "int (long)",
            "the prototype is `int (int)`, not `int (long)`",
        ),
        ("gone", "jump", "int (int)", "no such symbol"),
        ("lone", "jump", "int (int)", "only lone.isra.0"),
        ("twice", "bind", "int (int)", "2 symbols"),
        ("data", "bind", "int (int)", "not a function"),
        (
            "__fentry__",
            "bind",
            "void (void)",
            "BTF has no such function",
        ),
    ] {
        let error = check(name, kind, proto).unwrap_err();
        assert!(error.contains(why), "{name}: {error}");
    }
}

#[test]
fn symbols_are_compared_too() {
    let (btf, image, map) = kernel_parts();
    let kernel = Kernel::new(File::parse(&btf).unwrap(), &map, &image).unwrap();
    let list = symbols::parse("bare int (int)\ntwice,2\ntwice,3\nbare void (void)").unwrap();
    assert_eq!(kernel.check_symbol(&list[0]), Ok(()));
    assert_eq!(kernel.check_symbol(&list[1]), Ok(()));
    assert!(kernel.check_symbol(&list[2]).is_err());
    assert!(kernel.check_symbol(&list[3]).is_err());
}

#[test]
fn the_readme_table_has_every_row() {
    let table = rust_dynptr_tools::table::markdown();
    for row in rust_dynptr_tools::table::rows() {
        assert!(table.contains(&format!("| `{}` |", row.name)));
    }
}
