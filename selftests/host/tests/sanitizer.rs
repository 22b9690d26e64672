// SPDX-License-Identifier: GPL-2.0

//! A planted bug: under AddressSanitizer this must not get to its end. Run by name only (scripts/test,
//! part asan), as without a sanitizer it reads what it should not and says nothing.

#[test]
#[ignore = "reads out of bounds on purpose"]
fn planted_read_out_of_bounds() {
    let bytes = vec![1u8; 16].into_boxed_slice();
    let behind = bytes.as_ptr().wrapping_add(std::hint::black_box(16));
    // SAFETY: None: this is the bug.
    let value = unsafe { behind.read_volatile() };
    println!("read {value}");
}
