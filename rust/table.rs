// SPDX-License-Identifier: GPL-2.0

//! The take-over table as Rust data: one [`Row`] a C function. The rows themselves stand in
//! `takeover/rows.rs`. Everybody may use this module; it uses nothing.

#[macro_use]
#[path = "takeover/rows.rs"]
mod rows;

/// How a C function is replaced; `takeover/rows.rs` says what each means.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(non_camel_case_types, reason = "the words of the table")]
pub(crate) enum Kind {
    /// Direct ftrace jump.
    jump,
    /// Address in programs that are loaded from now on.
    bind,
    /// Livepatch.
    patch,
    /// Breakpoint at the entry.
    probe,
    /// Livepatch that replaces it by itself.
    hold,
    /// Not replaced: a callback at the entry.
    hook,
}

impl Kind {
    /// The word of the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::jump => "jump",
            Self::bind => "bind",
            Self::patch => "patch",
            Self::probe => "probe",
            Self::hold => "hold",
            Self::hook => "hook",
        }
    }
}

macro_rules! define_rows {
    ($($kind:ident $name:ident, $proto:literal, $source:literal;)*) => {
        /// A row of the table, named after its C function.
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[allow(non_camel_case_types, reason = "the names of the C functions")]
        #[repr(usize)]
        pub(crate) enum Row {
            $(
                #[doc = concat!("`", stringify!($name), "()` of ", $source, ".")]
                $name,
            )*
        }

        impl Row {
            /// All rows, in the table's order; a row's place is `row as usize`.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The C function's name.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The C function's name for C: it ends with a NUL.
            pub(crate) const fn c_name(self) -> &'static [u8] {
                match self {
                    $(Self::$name => concat!(stringify!($name), "\0").as_bytes(),)*
                }
            }

            /// How it is replaced.
            pub(crate) const fn kind(self) -> Kind {
                match self {
                    $(Self::$name => Kind::$kind,)*
                }
            }

            /// Its prototype in the kernel's BTF, as `logic::proto` renders it.
            pub(crate) const fn proto(self) -> &'static str {
                match self {
                    $(Self::$name => $proto,)*
                }
            }
        }
    };
}
takeover_rows!(define_rows);

impl Row {
    /// The number of rows.
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// The number of C functions that are replaced by Rust functions.
    pub(crate) const REPLACED: usize = Self::COUNT
        .wrapping_sub(Self::count_of(Kind::hook))
        .wrapping_sub(Self::count_of(Kind::hold));

    /// The number of rows of a kind, when this is compiled.
    pub(crate) const fn count_of(kind: Kind) -> usize {
        let mut rest = Self::ALL;
        let mut count = 0usize;
        while let [first, tail @ ..] = rest {
            if first.kind() as u8 == kind as u8 {
                count = count.wrapping_add(1);
            }
            rest = tail;
        }
        count
    }
}
