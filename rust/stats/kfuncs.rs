// SPDX-License-Identifier: GPL-2.0

//! Calls of our own kfuncs, which replace nothing, while counting was on. Each kind has a file in debugfs.

use super::counting;
use core::sync::atomic::{
    AtomicU64,
    Ordering, //
};

macro_rules! define_kfuncs {
    ($(#[$doc:meta])* $kind:ident { $($name:ident)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        #[allow(non_camel_case_types, reason = "the names of the kfuncs")]
        pub(crate) enum $kind {
            $(
                #[doc = concat!("`", stringify!($name), "()`")]
                $name,
            )*
        }

        impl $kind {
            const NAMES: &'static [&'static str] = &[$(stringify!($name),)*];

            fn calls() -> &'static [AtomicU64] {
                static CALLS: [AtomicU64; $kind::NAMES.len()] =
                    [const { AtomicU64::new(0) }; $kind::NAMES.len()];
                &CALLS
            }

            /// Counts a call, if hits are counted.
            #[inline(always)]
            pub(crate) fn note(self) {
                if counting() {
                    self.count();
                }
            }

            #[cold]
            fn count(self) {
                if let Some(calls) = Self::calls().get(self as usize) {
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            }

            /// Its debugfs file: name and calls of each, since the module was loaded.
            pub(crate) fn show(f: &mut kernel::fmt::Formatter<'_>) -> kernel::fmt::Result {
                for (name, calls) in Self::NAMES.iter().zip(Self::calls()) {
                    writeln!(f, "{name} {}", calls.load(Ordering::Relaxed))?;
                }
                Ok(())
            }
        }
    };
}

define_kfuncs! {
    /// Iterators over dynptrs: debugfs `iterators`.
    IterKfunc {
        bpf_iter_dynptr_new
        bpf_iter_dynptr_next
        bpf_iter_dynptr_advance
        bpf_iter_dynptr_destroy
        bpf_iter_dynptr_token_new
        bpf_iter_dynptr_token_next
        bpf_iter_dynptr_token_destroy
    }
}

define_kfuncs! {
    /// Strings and memory in dynptrs: debugfs `strings`.
    StringKfunc {
        bpf_dynptr_strnlen
        bpf_dynptr_strncmp
        bpf_dynptr_strncasecmp
        bpf_dynptr_strncmp_const
        bpf_dynptr_strncasecmp_const
        bpf_dynptr_strnchr
        bpf_dynptr_strnchrnul
        bpf_dynptr_strnrchr
        bpf_dynptr_strnspn
        bpf_dynptr_strncspn
        bpf_dynptr_strnpbrk
        bpf_dynptr_strnstr
        bpf_dynptr_strncasestr
        bpf_dynptr_strntol
        bpf_dynptr_strntoul
        bpf_dynptr_strntok
        bpf_dynptr_strnsep
        bpf_dynptr_memcmp
        bpf_dynptr_memcmp_mem
        bpf_dynptr_memchr
        bpf_dynptr_memmem
        bpf_dynptr_memmem_mem
        bpf_dynptr_read_upto
        bpf_dynptr_copy_to_user
    }
}
