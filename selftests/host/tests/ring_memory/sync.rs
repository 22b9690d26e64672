// SPDX-License-Identifier: GPL-2.0

//! Atomics, lock and cell of [`super::Ring`]: loom's, or those of `std` with what loom has more.

#[cfg(loom)]
pub use loom::{
    cell::UnsafeCell,
    sync::{
        atomic::{
            fence,
            AtomicU32,
            AtomicU64,
            Ordering, //
        },
        Mutex,
        MutexGuard, //
    }, //
};

#[cfg(not(loom))]
pub use std::sync::{
    atomic::{
        fence,
        AtomicU32,
        AtomicU64,
        Ordering, //
    },
    Mutex,
    MutexGuard, //
};

/// Reads of atomics that are no atomic accesses.
#[cfg(not(loom))]
pub trait UnsyncLoad {
    /// What is read.
    type Value;

    /// A plain read.
    ///
    /// # Safety
    ///
    /// Nobody may write at the same time.
    unsafe fn unsync_load(&self) -> Self::Value;
}

#[cfg(not(loom))]
impl UnsyncLoad for AtomicU64 {
    type Value = u64;

    unsafe fn unsync_load(&self) -> u64 {
        // SAFETY: The place is valid as long as `self`, and nobody writes, as the caller says.
        unsafe { self.as_ptr().read() }
    }
}

#[cfg(not(loom))]
impl UnsyncLoad for AtomicU32 {
    type Value = u32;

    unsafe fn unsync_load(&self) -> u32 {
        // SAFETY: As above.
        unsafe { self.as_ptr().read() }
    }
}

/// A place whose users say when they read and when they write.
#[cfg(not(loom))]
pub struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    /// A place with that in it.
    pub fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// Lets `reader` read.
    pub fn with<R>(&self, reader: impl FnOnce(*const T) -> R) -> R {
        reader(self.0.get())
    }

    /// Lets `writer` write.
    pub fn with_mut<R>(&self, writer: impl FnOnce(*mut T) -> R) -> R {
        writer(self.0.get())
    }
}
