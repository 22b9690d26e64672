// SPDX-License-Identifier: GPL-2.0

//! Iterators over dynptrs: the bodies of our own kfuncs (`rust/kfuncs/iter.c`), which mainline does not
//! have. `logic::iter` decides; here its state is that of the iterator, on the program's stack.
//!
//! **Verifier contract** of iterators, named in the SAFETY comments below: a pointer to a
//! `struct bpf_iter_…` is as many bytes, 8-aligned, of the program's own stack. `new` is called first, once;
//! then the program cannot read or write them, and calls the others until `destroy`. What the iterator's
//! dynptr stands for is not released in between: `logic::iter::tie()` sees to that. A range that was given
//! is memory of the iterator's, which the program may only read, until `destroy`.
//!
//! Contexts: any, NMI included. Nothing is allocated. `next` of tokens looks at no more than
//! [`rules::MAX_SCAN`] bytes, `new` of tokens at no more delimiters; all else takes the same time whatever the sizes.

use crate::{
    bindings,
    glue::dynptr::{
        Constant,
        Dynptr,
        Frozen, //
    },
    logic::{
        errno::Errno,
        iter::{
            self as rules,
            Range, //
        },
        pieces::LIMIT, //
    }, //
};
use core::{
    marker::PhantomData,
    mem::size_of,
    ptr::{
        null_mut,
        NonNull, //
    }, //
};
use kernel::ffi::c_char;

const _: () = {
    assert!(size_of::<Range>() == size_of::<bindings::bpf_dynptr_range>());
    assert!(size_of::<Steps>() == size_of::<bindings::bpf_iter_dynptr>());
    assert!(size_of::<Tokens>() == size_of::<bindings::bpf_iter_dynptr_token>());
};

/// What an iterator's structure holds.
pub(crate) trait State: Sized {
    /// An iterator that gives nothing.
    const NONE: Self;

    /// The next range; `None` at the end and ever after.
    fn next_range(&mut self) -> Option<&mut Range>;
}

/// Of `struct bpf_iter_dynptr`.
#[repr(transparent)]
pub(crate) struct Steps(rules::Steps);

impl State for Steps {
    const NONE: Self = Self(rules::Steps::NONE);

    fn next_range(&mut self) -> Option<&mut Range> {
        self.0.next_range()
    }
}

/// Of `struct bpf_iter_dynptr_token`.
#[repr(C)]
pub(crate) struct Tokens {
    rules: rules::Tokens,
    view: Frozen,
}

impl State for Tokens {
    const NONE: Self = Self {
        rules: rules::Tokens::NONE,
        view: Frozen::NONE,
    };

    fn next_range(&mut self) -> Option<&mut Range> {
        self.rules
            .next_range(|offset, len| self.view.pieces(offset, len))
    }
}

/// An iterator of a BPF program, borrowed for one call.
///
/// # Invariants
///
/// The pointer keeps the verifier contract for `'a`.
pub(crate) struct Iter<'a, S: State>(NonNull<S>, PhantomData<&'a mut S>);

impl<'a, S: State> Iter<'a, S> {
    /// Borrows what a kfunc was given.
    ///
    /// # Safety
    ///
    /// `ptr` keeps the verifier contract for `'a`; it may be uninitialised if only [`set`](Self::set)
    /// follows. `S` is what its structure holds.
    pub(crate) unsafe fn from_raw<T>(ptr: *mut T) -> Self {
        // INVARIANT: By this function's contract.
        // SAFETY: A stack address is not NULL.
        Self(unsafe { NonNull::new_unchecked(ptr.cast()) }, PhantomData)
    }

    /// Makes this a new iterator, or one that gives nothing.
    ///
    /// # Errors
    ///
    /// The one of `state`.
    fn set(self, state: Result<S, Errno>) -> Result<(), Errno> {
        let (state, result) = match state {
            Ok(state) => (state, Ok(())),
            Err(errno) => (S::NONE, Err(errno)),
        };
        // SAFETY: By the type invariant, writable.
        unsafe { self.0.as_ptr().write(state) };
        result
    }

    fn state(&mut self) -> &mut S {
        // SAFETY: By the type invariant, initialised, and nobody else uses it.
        unsafe { self.0.as_mut() }
    }

    /// The next range, which stays the program's until the iterator is destroyed; NULL at the end and ever
    /// after.
    pub(crate) fn next(mut self) -> *mut bindings::bpf_dynptr_range {
        match self.state().next_range() {
            Some(range) => core::ptr::from_mut(range).cast(),
            None => null_mut(),
        }
    }

    /// The end of the iterator. It holds nothing that had to be given back.
    pub(crate) fn destroy(self) {}
}

impl Iter<'_, Steps> {
    /// `bpf_iter_dynptr_new()`
    ///
    /// # Errors
    ///
    /// `EINVAL` for a null dynptr; those of [`rules::Steps::new`]. The iterator gives nothing then.
    ///
    /// # Safety
    ///
    /// See the verifier contract.
    pub(crate) unsafe fn set_steps(
        self,
        dynptr: Dynptr<'_>,
        step: u64,
        flags: u64,
    ) -> Result<(), Errno> {
        // SAFETY: By this function's contract.
        let view = unsafe { Frozen::new(dynptr) };
        self.set(view.and_then(|(_, size)| rules::Steps::new(size, step, flags).map(Steps)))
    }

    /// `bpf_iter_dynptr_advance()`
    ///
    /// # Errors
    ///
    /// Those of [`rules::Steps::advance`].
    pub(crate) fn advance(mut self, len: u64) -> Result<(), Errno> {
        self.state().0.advance(len)
    }
}

impl Iter<'_, Tokens> {
    /// `bpf_iter_dynptr_token_new()`
    ///
    /// # Errors
    ///
    /// `EINVAL` for a null dynptr; those of [`rules::Tokens::new`]. The iterator gives nothing then.
    ///
    /// # Safety
    ///
    /// See the verifier contract; `delimiters` is an argument `__str`. What is behind its first [`LIMIT`] bytes
    /// does not count.
    pub(crate) unsafe fn set_tokens(
        self,
        dynptr: Dynptr<'_>,
        delimiters: *const c_char,
        flags: u64,
    ) -> Result<(), Errno> {
        // SAFETY: By this function's contract.
        let delimiters = unsafe { Constant::from_raw(delimiters) }.bytes(LIMIT);
        // SAFETY: By this function's contract.
        let view = unsafe { Frozen::new(dynptr) };
        self.set(view.and_then(|(view, size)| {
            let rules = rules::Tokens::new(size, delimiters, flags)?;
            Ok(Tokens { rules, view })
        }))
    }
}

/// Whether the kfunc at this address makes an iterator over the dynptr that it is given.
pub(crate) fn is_constructor(address: usize) -> bool {
    address == bindings::bpf_iter_dynptr_new as usize
        || address == bindings::bpf_iter_dynptr_token_new as usize
}
