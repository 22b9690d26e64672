#!/bin/bash
# planted.sh: controls: the checks of the build and of `lint` fail if there is what they look for. TAP.
#
# Each panic is planted in an object of its own, compiled as the module is; each kind of unsafe code in a
# copy of a file.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
load_env

WORK=$BUILD/checks

# refuses NAME TEXT CMD…: CMD must fail and say TEXT.
refuses() {
	local name=$1 text=$2 out rc=0
	shift 2
	out=$("$@" 2>&1) || rc=$?
	if [ "$rc" != 0 ] && grep -qF -- "$text" <<<"$out"; then
		tap_ok "checks: $name" 0
	else
		tap_ok "checks: $name" 1
		printf 'status %d, wanted: %s\n%s\n' "$rc" "$text" "$out" | tail -n 20 | sed 's/^/# /'
	fi
}

allows() {
	local name=$1 out rc=0
	shift
	out=$("$@" 2>&1) || rc=$?
	tap_ok "checks: $name" "$rc"
	[ "$rc" = 0 ] || printf '%s\n' "$out" | tail -n 20 | sed 's/^/# /'
}

# What could panic, a function each: NAME, then its code.
panics() {
	cat <<-'END'
		bounds pub fn f(a: &[u8], i: usize) -> u8 { a[i] }
		slice pub fn f(a: &[u8], i: usize) -> &[u8] { &a[i..] }
		unwrap pub fn f(a: Option<u8>) -> u8 { a.unwrap() }
		expect pub fn f(a: Result<u8, u8>) -> u8 { a.expect("some") }
		overflow pub fn f(a: u32, b: u32) -> u32 { a + b }
		shift pub fn f(a: u32, b: u32) -> u32 { a << b }
		division pub fn f(a: u32, b: u32) -> u32 { a / b }
		least pub fn f(a: i32) -> i32 { a.abs() }
		copy pub fn f(a: &mut [u8], b: &[u8]) { a.copy_from_slice(b) }
		utf8 pub fn f(a: &str, i: usize) -> &str { &a[i..] }
		unreachable pub fn f(a: u8) -> u8 { match a { 0 => 1, _ => unreachable!() } }
		explicit pub fn f() { panic!("no {}", 1) }
		assert pub fn f(a: u8) { assert!(a > 1) }
		borrow pub fn f(a: &core::cell::RefCell<u8>) { *a.borrow_mut() = 1 }
		closure pub fn f(a: &[u8]) -> u8 { (|i: usize| a[i])(a.len()) }
		foreign extern "C" { #[link_name = "_RNvNtC4core3fmt9planted"] fn g(); } pub fn f() { unsafe { g() } }
		allocation extern "Rust" { fn __rust_alloc_error_handler(a: usize, b: usize) -> !; } pub fn f() { unsafe { __rust_alloc_error_handler(1, 1) } }
	END
}

# Of these the object shows no symbol, but an instruction.
traps() {
	cat <<-'END'
		trap pub fn f(a: u8) { if a == 1 { core::intrinsics::abort() } }
	END
}

# What the stack has no room for: NAME, then its code; `most` is what it has.
stacks() {
	cat <<-'END'
		large extern "C" { fn g(a: *mut u8); } pub fn f() { let mut a = [0u8; 2048]; unsafe { g(a.as_mut_ptr()) } }
		most extern "C" { fn g(a: *mut u8); } pub fn f() { let mut a = [0u8; 1900]; unsafe { g(a.as_mut_ptr()) } }
	END
}

# The same of C, where a frame may also have no constant size.
c_stacks() {
	cat <<-'END'
		large void g(char *); void f(void) { char a[2048]; g(a); }
		dynamic void g(char *); void f(unsigned long n) { char a[n]; g(a); }
		most void g(char *); void f(void) { char a[1900]; g(a); }
	END
}

# compile NAME CODE: one object, optimised, with the kernel's checks.
compile() {
	printf '#![no_std]\n#![feature(core_intrinsics)]\n#![allow(internal_features)]\n#[no_mangle]\n%s\n' "$2" \
		>"$WORK/$1.rs"
	# no_mangle goes to the function alone.
	sed -i -E '4{/no_mangle/d}' "$WORK/$1.rs"
	sed -i -E 's/(^| )pub fn f/\1#[no_mangle] pub fn f/' "$WORK/$1.rs"
	RUSTC_BOOTSTRAP=1 rustc --edition 2021 -Zemit-stack-sizes --crate-type lib --crate-name planted --emit "obj=$WORK/$1.o" -O -Zunstable-options \
		-Cpanic=abort -Coverflow-checks=on -Csymbol-mangling-version="${3:-v0}" -Ccodegen-units=1 -Awarnings "$WORK/$1.rs"
}

check_nopanic() {
	local name code mangling
	while read -r name code; do
		for mangling in v0 legacy; do
			compile "$name" "$code" "$mangling"
			refuses "check-nopanic finds a planted $name ($mangling)" 'the module can stop the kernel' \
				"$SCRIPTS/check/check-nopanic" "$WORK/$name.o"
		done
	done < <(panics)
	while read -r name code; do
		compile "$name" "$code"
		refuses "check-nopanic finds a planted $name" 'has instructions that trap' \
			"$SCRIPTS/check/check-nopanic" "$WORK/$name.o"
	done < <(traps)
	compile good 'pub fn f(a: &[u8], i: usize) -> u8 { a.get(i.wrapping_add(1)).copied().unwrap_or(0) }'
	allows 'check-nopanic has nothing against checked code' "$SCRIPTS/check/check-nopanic" "$WORK/good.o"
	check_c_traps
}

# The same of C: a BUG(), a call of panic(), and a WARN, which is none.
check_c_traps() {
	local name code
	mkdir -p "$WORK/dir/rust/helpers" "$WORK/dir/rust/kfuncs"
	cp "$WORK/good.o" "$WORK/dir/rust/rust_dynptr_main.o"
	while read -r name code; do
		printf '%s\n' "$code" >"$WORK/c.c"
		gcc-14 -O2 -c -o "$WORK/dir/rust/helpers/c.o" "$WORK/c.c"
		cp "$WORK/dir/rust/helpers/c.o" "$WORK/dir/rust/kfuncs/c.o"
		if [ "$name" = warn ]; then
			allows 'check-nopanic has nothing against a WARN in C' "$SCRIPTS/check/check-nopanic" "$WORK/dir"
		else
			refuses "check-nopanic finds a planted $name in C" 'the module can stop the kernel' \
				"$SCRIPTS/check/check-nopanic" "$WORK/dir"
		fi
	done <<-'END'
		trap void f(int a) { if (a) __builtin_trap(); }
		bug void f(int a) { if (a) asm volatile("1: ud2\n.pushsection __bug_table,\"aw\"\n.long 1b - ., 0, 0\n.word 7, 0x0900\n.popsection"); }
		panic void panic(const char *, ...); void f(int a) { if (a) panic("no"); }
		warn void f(int a) { if (a) asm volatile("1: ud2\n.pushsection __bug_table,\"aw\"\n.long 1b - ., 0, 0\n.word 7, 0x0901\n.popsection"); }
	END
}

# plant NAME TEXT LINE…: a copy of a file of the module with these lines more.
plant() {
	local name=$1 text=$2
	shift 2
	rm -rf "$WORK/tree"
	mkdir -p "$WORK/tree/glue"
	cp "$TOP/rust/glue/ordered.rs" "$WORK/tree/glue/"
	printf '%s\n' "$@" >>"$WORK/tree/glue/ordered.rs"
	refuses "check-unsafe finds $name" "$text" "$SCRIPTS/check/check-unsafe" "$WORK/tree"
}

check_unsafe() {
	plant 'a block more' 'unsafe blocks, 10 allowed' '// SAFETY: A fact.' 'fn f() { unsafe { g() } }'
	plant 'a function more' 'unsafe functions, 10 allowed' '/// # Safety' 'unsafe fn f() {}'
	plant 'an impl more' 'unsafe impls, 0 allowed' '// SAFETY: A fact.' 'unsafe impl Send for F {}'
	plant 'a block without a reason' 'no SAFETY comment' 'fn f() {' '' '    let a = 1;' '    a();' '    b();' '    unsafe { g() }' '}'
	plant 'a reason that says nothing' 'says nothing' '// SAFETY: It is valid.' 'fn f() { unsafe { g() } }'
	plant 'a function without a contract' 'without a section Safety' 'unsafe fn f() {}'
	plant 'a mutable static' 'static mut' 'static mut F: u8 = 0;'
	rm -rf "$WORK/tree"
	mkdir -p "$WORK/tree/glue"
	cp "$TOP/rust/glue/ordered.rs" "$WORK/tree/glue/"
	allows 'check-unsafe has nothing against the file as it is' "$SCRIPTS/check/check-unsafe" "$WORK/tree"
}

# The module's own list of lints, in code that each of them is about.
check_clippy() {
	local name code
	while read -r name code; do
		{
			sed -n '/^#!\[deny(/,/^)\]/p' "$TOP/rust/rust_dynptr_main.rs"
			printf '#![allow(dead_code)]\n%s\n' "$code"
		} >"$WORK/lint.rs"
		refuses "clippy finds $name" "clippy::$name" clippy-driver --edition 2021 --crate-type lib \
			--emit=metadata -o "$WORK/lint.rmeta" "$WORK/lint.rs"
	done <<-'END'
		multiple_unsafe_ops_per_block pub fn f(p: *const u8) -> u8 { /* SAFETY: x */ unsafe { *p + *p.add(1) } }
		undocumented_unsafe_blocks pub fn f(p: *const u8) -> u8 { unsafe { *p } }
		missing_safety_doc pub unsafe fn f() {}
		arithmetic_side_effects pub fn f(a: u32, b: u32) -> u32 { a + b }
		indexing_slicing pub fn f(a: &[u8], b: usize) -> u8 { a[b] }
		unwrap_used pub fn f(a: Option<u8>) -> u8 { a.unwrap() }
		expect_used pub fn f(a: Option<u8>) -> u8 { a.expect("a") }
		panic pub fn f() { panic!("a") }
		unreachable pub fn f(a: u8) { if a > 1 { unreachable!() } }
		todo pub fn f() { todo!() }
		unimplemented pub fn f() { unimplemented!() }
	END
}

# stack NAME HOW [VAR=VALUE]: check-stack has something against what is in $WORK/stack, unless NAME is `most`.
stack() {
	local name=$1 how=$2
	if [ "$name" = most ]; then
		allows "check-stack has nothing against 1,900 bytes, $how" env "${@:3}" "$SCRIPTS/check/check-stack" "$WORK/stack"
	else
		refuses "check-stack finds a planted frame, $name, $how" 'stack frames of 2048 bytes or more' \
			env "${@:3}" "$SCRIPTS/check/check-stack" "$WORK/stack"
	fi
}

check_stack() {
	local name code dir=$WORK/stack tool
	mkdir -p "$dir/rust/helpers" "$WORK/bin"
	# Without llvm-readobj, as check-stack runs elsewhere.
	for tool in bash dirname mktemp sort tail awk objdump readelf comm cut sed c++filt rm env cat; do
		ln -sf "$(command -v "$tool")" "$WORK/bin/$tool"
	done
	printf 'void f(void) {}\n' >"$WORK/c.c"
	gcc-14 -O2 -fstack-usage -c -o "$dir/rust/helpers/c.o" "$WORK/c.c"
	while read -r name code; do
		compile "stack-$name" "$code"
		cp "$WORK/stack-$name.o" "$dir/rust/rust_dynptr_main.o"
		stack "$name" 'as rustc says'
		stack "$name" 'by its instructions' PATH="$WORK/bin"
	done < <(stacks)
	objcopy -R .stack_sizes "$WORK/stack-most.o" "$dir/rust/rust_dynptr_main.o"
	stack unknown 'as rustc says'
	cp "$WORK/stack-most.o" "$dir/rust/rust_dynptr_main.o"
	while read -r name code; do
		printf '%s\n' "$code" >"$WORK/c.c"
		gcc-14 -O2 -fstack-usage -c -o "$dir/rust/helpers/c.o" "$WORK/c.c"
		stack "$name" 'in C'
	done < <(c_stacks)
	rm "$dir/rust/helpers/c.su"
	stack unknown 'in C'
}

# The compilers are the sysroot's: the rest of this runs there.
if [ "${1:-}" != inside ]; then
	say "controls of the checks (some seconds)"
	exec "$SCRIPTS/build/enter" selftests/checks/planted.sh inside
fi
# shellcheck source=selftests/lib/tap.sh
. "$TOP/selftests/lib/tap.sh"
rm -rf "$WORK"
mkdir -p "$WORK"
check_nopanic
check_stack
check_unsafe
check_clippy
tap_done
