// SPDX-License-Identifier: GPL-2.0

//! Prototypes as text: each kind of BTF type against the text that C would be, and BTF that is broken.

use rust_dynptr_host::logic::proto::{
    matches,
    render,
    Btf,
    Kind,
    ProtoError,
    Type, //
};
use std::fmt::Write;

/// BTF in a list: type `id` is entry `id - 1`, with the types of its parameters.
#[derive(Default)]
struct Fake(Vec<(Kind, &'static str, u32, Vec<u32>)>);

impl Fake {
    fn add(&mut self, kind: Kind, name: &'static str, target: u32) -> u32 {
        self.0.push((kind, name, target, Vec::new()));
        self.0.len() as u32
    }

    /// A function that returns `returned` and takes `params`: its id.
    fn function(&mut self, returned: u32, params: &[u32]) -> u32 {
        let proto = self.add(Kind::Prototype, "", returned);
        self.0.last_mut().unwrap().3 = params.to_vec();
        self.add(Kind::Function, "f", proto)
    }

    fn text(&self, id: u32) -> Result<String, ProtoError> {
        let mut text = String::new();
        render(self, id, &mut text).map(|()| text)
    }
}

impl Btf for Fake {
    fn ty(&self, id: u32) -> Option<Type<'_>> {
        let (kind, name, target, _) = self.0.get((id as usize).checked_sub(1)?)?;
        Some(Type {
            kind: *kind,
            name,
            target: *target,
        })
    }

    fn param(&self, id: u32, index: u32) -> Option<u32> {
        let params = &self.0.get((id as usize).checked_sub(1)?)?.3;
        params.get(index as usize).copied()
    }
}

/// Makes a type: its id.
type Build = fn(&mut Fake) -> u32;

/// A function with one parameter of a type that `build` makes.
fn with_param(build: impl FnOnce(&mut Fake) -> u32) -> (Fake, u32) {
    let mut btf = Fake::default();
    let param = build(&mut btf);
    let id = btf.function(0, &[param]);
    (btf, id)
}

#[test]
fn every_kind_is_written_as_c_would() {
    let cases: Vec<(&str, Build)> = vec![
        ("int", |b| b.add(Kind::Named, "int", 0)),
        ("struct file", |b| b.add(Kind::Struct, "file", 0)),
        ("struct {}", |b| b.add(Kind::Struct, "", 0)),
        ("union bpf_attr", |b| b.add(Kind::Union, "bpf_attr", 0)),
        ("enum bpf_arg_type", |b| {
            b.add(Kind::Enum, "bpf_arg_type", 0)
        }),
        ("void *", |b| b.add(Kind::Pointer, "", 0)),
        ("struct file *", |b| {
            let file = b.add(Kind::Struct, "file", 0);
            b.add(Kind::Pointer, "", file)
        }),
        ("char **", |b| {
            let char = b.add(Kind::Named, "char", 0);
            let pointer = b.add(Kind::Pointer, "", char);
            b.add(Kind::Pointer, "", pointer)
        }),
        ("const char *", |b| {
            let char = b.add(Kind::Named, "char", 0);
            let constant = b.add(Kind::Const, "", char);
            b.add(Kind::Pointer, "", constant)
        }),
        ("char * const", |b| {
            let char = b.add(Kind::Named, "char", 0);
            let pointer = b.add(Kind::Pointer, "", char);
            b.add(Kind::Const, "", pointer)
        }),
        ("volatile int", |b| {
            let int = b.add(Kind::Named, "int", 0);
            b.add(Kind::Volatile, "", int)
        }),
        ("volatile void *", |b| {
            let void = b.add(Kind::Volatile, "", 0);
            b.add(Kind::Pointer, "", void)
        }),
        ("int []", |b| {
            let int = b.add(Kind::Named, "int", 0);
            b.add(Kind::Array, "", int)
        }),
        ("int *", |b| {
            let int = b.add(Kind::Named, "int", 0);
            let tagged = b.add(Kind::Transparent, "", int);
            b.add(Kind::Pointer, "", tagged)
        }),
        ("int (void) *", |b| {
            let int = b.add(Kind::Named, "int", 0);
            let proto = b.add(Kind::Prototype, "", int);
            b.add(Kind::Pointer, "", proto)
        }),
    ];
    for (text, build) in cases {
        let (btf, id) = with_param(build);
        assert_eq!(btf.text(id), Ok(format!("void ({text})")));
    }
}

#[test]
fn parameters_are_in_order_and_none_is_void() {
    let mut btf = Fake::default();
    let int = btf.add(Kind::Named, "int", 0);
    let long = btf.add(Kind::Named, "u64", 0);
    let none = btf.function(int, &[]);
    let one = btf.function(int, &[long]);
    let three = btf.function(long, &[int, long, int]);
    let variadic = btf.function(0, &[int, 0]);
    assert_eq!(btf.text(none).unwrap(), "int (void)");
    assert_eq!(btf.text(one).unwrap(), "int (u64)");
    assert_eq!(btf.text(three).unwrap(), "u64 (int, u64, int)");
    assert_eq!(btf.text(variadic).unwrap(), "void (int, ...)");
}

#[test]
fn only_the_very_prototype_matches() {
    let mut btf = Fake::default();
    let int = btf.add(Kind::Named, "int", 0);
    let id = btf.function(int, &[int, int]);
    assert_eq!(matches(&btf, id, "int (int, int)"), Ok(true));
    for other in [
        "",
        "int (int, int",
        "int (int, int) ",
        "int (int, int))",
        "int (int)",
        "int (int, u32)",
        "u32 (int, int)",
        " int (int, int)",
    ] {
        assert_eq!(matches(&btf, id, other), Ok(false), "{other}");
    }
}

#[test]
fn broken_btf_is_told() {
    let mut btf = Fake::default();
    let int = btf.add(Kind::Named, "int", 0);
    let missing = btf.function(int, &[99]);
    let function = btf.function(int, &[]);
    let inner = btf.function(int, &[function]);
    assert_eq!(btf.text(0), Err(ProtoError::BadType(0)));
    assert_eq!(btf.text(98), Err(ProtoError::BadType(98)));
    assert_eq!(btf.text(int), Err(ProtoError::NotAFunction));
    assert_eq!(btf.text(missing), Err(ProtoError::BadType(99)));
    assert_eq!(btf.text(inner), Err(ProtoError::BadType(function)));
    assert_eq!(
        matches(&btf, inner, "int"),
        Err(ProtoError::BadType(function))
    );
}

/// A function whose parameter is a pointer to a pointer … to `int`, so many.
fn pointers(count: u32) -> Result<String, ProtoError> {
    let (btf, id) = with_param(|b| {
        let int = b.add(Kind::Named, "int", 0);
        (0..count).fold(int, |target, _| b.add(Kind::Pointer, "", target))
    });
    btf.text(id)
}

/// 16 types may nest: the prototype, 14 pointers and what they point to. A pointer to itself ends too.
#[test]
fn types_do_not_nest_for_ever() {
    assert_eq!(pointers(14), Ok(format!("void (int {})", "*".repeat(14))));
    assert_eq!(pointers(15), Err(ProtoError::TooDeep));
    let (btf, id) = with_param(|b| b.add(Kind::Pointer, "", 1));
    assert_eq!(btf.text(id), Err(ProtoError::TooDeep));
}

/// Takes so many pieces of text.
struct Takes(u32);

impl Write for Takes {
    fn write_str(&mut self, _: &str) -> std::fmt::Result {
        self.0 = self.0.checked_sub(1).ok_or(std::fmt::Error)?;
        Ok(())
    }
}

#[test]
fn an_output_that_is_full_is_told_wherever_it_is() {
    let mut btf = Fake::default();
    let char = btf.add(Kind::Named, "char", 0);
    let constant = btf.add(Kind::Const, "", char);
    let pointer = btf.add(Kind::Pointer, "", constant);
    let fixed = btf.add(Kind::Const, "", pointer);
    let file = btf.add(Kind::Struct, "file", 0);
    let files = btf.add(Kind::Array, "", file);
    let id = btf.function(0, &[fixed, files, 0]);
    assert_eq!(
        btf.text(id).unwrap(),
        "void (const char * const, struct file [], ...)"
    );
    let pieces = (0..)
        .find(|pieces| render(&btf, id, &mut Takes(*pieces)).is_ok())
        .unwrap();
    assert!(pieces > 8, "{pieces}");
    for fewer in 0..pieces {
        assert_eq!(render(&btf, id, &mut Takes(fewer)), Err(ProtoError::Output));
    }
}
