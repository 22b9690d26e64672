// SPDX-License-Identifier: GPL-2.0

//! A function's prototype as text, read from BTF: `int (struct bpf_verifier_env *, int)`.
//!
//! The take-over table states the prototype of every C function. The build compares it with the
//! target kernel's BTF (`check-takeover`), and the module with the running kernel's at load
//! (`glue::btf`): replacing a function with another ABI would panic the machine. Answers to no C code;
//! kinds are those of `srctree/include/uapi/linux/btf.h`.

use core::fmt::Write;

/// How deep types may nest before the BTF is called broken.
const MAX_DEPTH: u32 = 16;

/// What a type is, as far as a prototype shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Written as its name: integers, floats, typedefs.
    Named,
    /// `struct`, or a forward declaration of one.
    Struct,
    /// `union`.
    Union,
    /// `enum`, of any width.
    Enum,
    /// A pointer to `target`.
    Pointer,
    /// An array of `target`.
    Array,
    /// `const target`.
    Const,
    /// `volatile target`.
    Volatile,
    /// Written as `target` alone: `restrict`, type tags.
    Transparent,
    /// A function; `target` is its prototype.
    Function,
    /// A prototype that returns `target`.
    Prototype,
}

/// A BTF type.
#[derive(Clone, Copy, Debug)]
pub struct Type<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its name, or "" if it has none.
    pub name: &'a str,
    /// The id of the type that it refers to; 0 is `void`.
    pub target: u32,
}

/// BTF as a source of types. Implemented by the kernel's own and by a parser on the host.
pub trait Btf {
    /// The type `id`, which is not 0. `None` if there is none, or of no kind that prototypes use.
    fn ty(&self, id: u32) -> Option<Type<'_>>;

    /// The type of parameter `index` of prototype `id`: `None` after the last. `Some(0)` is `...`.
    fn param(&self, id: u32, index: u32) -> Option<u32>;
}

/// Why there is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtoError {
    /// The id is not a function's.
    NotAFunction,
    /// A type that it refers to is missing or cannot be in a prototype.
    BadType(u32),
    /// Types nest too deep: broken BTF.
    TooDeep,
    /// The output did not take the text.
    Output,
}

impl From<core::fmt::Error> for ProtoError {
    fn from(_: core::fmt::Error) -> Self {
        Self::Output
    }
}

/// Writes the prototype of function `id` to `out`.
///
/// # Errors
///
/// See [`ProtoError`].
pub fn render<B: Btf, W: Write>(btf: &B, id: u32, out: &mut W) -> Result<(), ProtoError> {
    let function = btf.ty(id).ok_or(ProtoError::BadType(id))?;
    if function.kind != Kind::Function {
        return Err(ProtoError::NotAFunction);
    }
    render_type(btf, function.target, out, MAX_DEPTH)
}

/// Whether the prototype of function `id` is `expected`, to the letter.
///
/// # Errors
///
/// See [`ProtoError`].
pub fn matches<B: Btf>(btf: &B, id: u32, expected: &str) -> Result<bool, ProtoError> {
    let mut compare = Compare {
        rest: expected,
        same: true,
    };
    render(btf, id, &mut compare)?;
    Ok(compare.same && compare.rest.is_empty())
}

/// Takes text and compares it with what is expected.
struct Compare<'a> {
    rest: &'a str,
    same: bool,
}

impl Write for Compare<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        match self.rest.strip_prefix(text) {
            Some(rest) => self.rest = rest,
            None => self.same = false,
        }
        Ok(())
    }
}

fn render_type<B: Btf, W: Write>(
    btf: &B,
    id: u32,
    out: &mut W,
    depth: u32,
) -> Result<(), ProtoError> {
    if id == 0 {
        return Ok(out.write_str("void")?);
    }
    let depth = depth.checked_sub(1).ok_or(ProtoError::TooDeep)?;
    let ty = btf.ty(id).ok_or(ProtoError::BadType(id))?;
    match ty.kind {
        Kind::Named => out.write_str(ty.name)?,
        Kind::Struct => render_tagged("struct ", ty.name, out)?,
        Kind::Union => render_tagged("union ", ty.name, out)?,
        Kind::Enum => render_tagged("enum ", ty.name, out)?,
        Kind::Pointer => {
            render_type(btf, ty.target, out, depth)?;
            out.write_str(if is_pointer(btf, ty.target) {
                "*"
            } else {
                " *"
            })?;
        }
        Kind::Array => {
            render_type(btf, ty.target, out, depth)?;
            out.write_str(" []")?;
        }
        Kind::Const => render_qualified("const", btf, ty.target, out, depth)?,
        Kind::Volatile => render_qualified("volatile", btf, ty.target, out, depth)?,
        Kind::Transparent => render_type(btf, ty.target, out, depth)?,
        Kind::Prototype => render_prototype(btf, id, ty.target, out, depth)?,
        Kind::Function => return Err(ProtoError::BadType(id)),
    }
    Ok(())
}

fn render_tagged<W: Write>(tag: &str, name: &str, out: &mut W) -> Result<(), ProtoError> {
    out.write_str(tag)?;
    Ok(out.write_str(if name.is_empty() { "{}" } else { name })?)
}

/// A qualifier stands before what it qualifies, but after the star of a pointer.
fn render_qualified<B: Btf, W: Write>(
    word: &str,
    btf: &B,
    target: u32,
    out: &mut W,
    depth: u32,
) -> Result<(), ProtoError> {
    if is_pointer(btf, target) {
        render_type(btf, target, out, depth)?;
        out.write_str(" ")?;
        return Ok(out.write_str(word)?);
    }
    out.write_str(word)?;
    out.write_str(" ")?;
    render_type(btf, target, out, depth)
}

fn render_prototype<B: Btf, W: Write>(
    btf: &B,
    id: u32,
    returned: u32,
    out: &mut W,
    depth: u32,
) -> Result<(), ProtoError> {
    render_type(btf, returned, out, depth)?;
    out.write_str(" (")?;
    let mut index = 0u32;
    while let Some(param) = btf.param(id, index) {
        if index > 0 {
            out.write_str(", ")?;
        }
        if param == 0 {
            out.write_str("...")?;
        } else {
            render_type(btf, param, out, depth)?;
        }
        index = index.checked_add(1).ok_or(ProtoError::BadType(id))?;
    }
    if index == 0 {
        out.write_str("void")?;
    }
    Ok(out.write_str(")")?)
}

fn is_pointer<B: Btf>(btf: &B, id: u32) -> bool {
    btf.ty(id).is_some_and(|ty| ty.kind == Kind::Pointer)
}
