// SPDX-License-Identifier: GPL-2.0

//! The take-over table, from the module's own file, and the documentation's rendering of it.

#[macro_use]
#[path = "../../../rust/takeover/rows.rs"]
mod rows;

/// A row of `rust/takeover/rows.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The C function.
    pub name: &'a str,
    /// `jump`, `bind`, `patch`, `probe`, `hold` or `hook`.
    pub kind: &'a str,
    /// Its prototype, as [`crate::proto`] renders it.
    pub proto: &'a str,
    /// The C file that it is in.
    pub source: &'a str,
}

impl Row<'_> {
    /// Whether the function's entry must be traceable.
    pub fn needs_fentry(&self) -> bool {
        matches!(self.kind, "jump" | "patch" | "hold" | "hook")
    }
}

macro_rules! collect {
    ($($kind:ident $name:ident, $proto:literal, $source:literal;)*) => {
        /// All rows, in the table's order.
        pub fn rows() -> Vec<Row<'static>> {
            vec![$(Row {
                name: stringify!($name),
                kind: stringify!($kind),
                proto: $proto,
                source: $source,
            },)*]
        }
    };
}
takeover_rows!(collect);

/// The table of `docs/takeover.md`.
pub fn markdown() -> String {
    let mut out = String::from("| C function | source | kind | Rust function | acts on |\n");
    out.push_str("|---|---|---|---|---|\n");
    for row in rows() {
        let acts = match row.kind {
            "bind" => "programs loaded afterwards",
            "hold" => "who switches sides",
            _ => "every caller, at once",
        };
        let function = match row.kind {
            "hold" | "hook" => "none: C's goes on".to_owned(),
            _ => format!("`rust_{}`", row.name),
        };
        out.push_str(&format!(
            "| `{}` | `{}` | {} | {function} | {acts} |\n",
            row.name, row.source, row.kind
        ));
    }
    out
}
