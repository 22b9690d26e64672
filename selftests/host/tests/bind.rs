// SPDX-License-Identifier: GPL-2.0

//! Which calls are bound to Rust.

use proptest::prelude::*;
use rust_dynptr_host::logic::bind::{
    rebound,
    rebound_kfunc,
    Target, //
};

const BASE: usize = 0xffff_ffff_8120_0000;
const C: usize = 0xffff_ffff_8134_5670;
const RUST: usize = 0xffff_ffff_c060_0010;

#[test]
fn a_helper_call_is_bound() {
    let target = Target::new(BASE, C, RUST).unwrap();
    let targets = [None, Some(target)];
    assert_eq!(
        rebound(0x85, 0, target.c_imm, &targets),
        Some(target.rust_imm)
    );
    assert_eq!(
        (BASE as i64).wrapping_add(i64::from(target.rust_imm)) as usize,
        RUST
    );
}

#[test]
fn other_instructions_are_not() {
    let target = Target::new(BASE, C, RUST).unwrap();
    let targets = [Some(target)];
    // Another opcode; a call of a BPF function; of a kfunc; another helper; already bound.
    assert_eq!(rebound(0x95, 0, target.c_imm, &targets), None);
    assert_eq!(rebound(0x85, 1, target.c_imm, &targets), None);
    assert_eq!(rebound(0x85, 2, target.c_imm, &targets), None);
    assert_eq!(rebound(0x85, 0, target.c_imm ^ 16, &targets), None);
    assert_eq!(rebound(0x85, 0, target.rust_imm, &targets), None);
    assert_eq!(rebound(0x85, 0, 0, &[None, None]), None);
}

#[test]
fn a_kfunc_is_bound_by_its_address() {
    let targets = [None, Target::new(BASE, C, RUST)];
    assert_eq!(rebound_kfunc(C, &targets), Some(RUST));
    assert_eq!(rebound_kfunc(C + 16, &targets), None);
    assert_eq!(rebound_kfunc(RUST, &targets), None);
    assert_eq!(rebound_kfunc(C, &[None]), None);
}

#[test]
fn too_far_for_a_call() {
    assert_eq!(Target::new(BASE, C, 0xffff_8881_0000_0000), None);
    assert_eq!(Target::new(BASE, 0x8888_0000_0000, RUST), None);
}

proptest! {
    #[test]
    fn distance_is_exact(base in any::<u64>(), distance in any::<i32>()) {
        let address = base.wrapping_add(distance as i64 as u64) as usize;
        let target = Target::new(base as usize, address, address).unwrap();
        prop_assert_eq!(target.c_imm, distance);
        prop_assert_eq!(target.rust_imm, distance);
    }
}

/// A call reaches just 2 GiB either way.
#[test]
fn the_farthest_that_a_call_reaches() {
    let base = 1_usize << 40;
    let farthest = base + 0x7fff_ffff;
    let target = Target::new(base, farthest, base - 0x8000_0000).unwrap();
    assert_eq!((target.c_imm, target.rust_imm), (i32::MAX, i32::MIN));
    assert_eq!(Target::new(base, farthest + 1, base), None);
    assert_eq!(Target::new(base, base, base - 0x8000_0001), None);
}
