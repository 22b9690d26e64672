# shellcheck shell=bash
# cargo in the sysroot, for the tests of host crates; sourced after scripts/lib.sh, tap.sh and load_env. What a crate
# depends on is there already (scripts/build/cargo-deps).
OUT=$BUILD/test

# cargo_in CRATE TARGET VAR=VALUE… -- ARG…: cargo there, into build/TARGET.
cargo_in() {
	local crate=$1 target=$2 vars=()
	shift 2
	while [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	"$SCRIPTS/build/enter" env -C "/host/$crate" CARGO_TARGET_DIR="$target" "${vars[@]}" cargo "${@:2}"
}

# cargo_tap NAME CRATE TARGET VAR=VALUE… -- ARG…: cargo test, each test as one of tap.sh's; what cargo printed is in
# build/test/NAME.log.
cargo_tap() {
	local rc=0 name=$1 crate=$2 target=/host/build/$3 start=$EPOCHREALTIME vars=() verdict test
	shift 3
	while [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	mkdir -p "$OUT"
	cargo_in "$crate" "$target" "${vars[@]}" -- test --no-run --offline --locked "${@:2}" >"$OUT/$name.log" 2>&1 || rc=$?
	compiled "$start"
	[ "$rc" != 0 ] || cargo_in "$crate" "$target" "${vars[@]}" -- test --offline --locked "${@:2}" >"$OUT/$name.log" 2>&1 || rc=$?
	while read -r verdict test; do
		tap_ok "$name $test" "$verdict"
	done < <(awk '/^     Running|^   Doc-tests/ {suite = $2; sub(/.*\//, "", suite); sub(/\.rs$/, "", suite)}
		/^test .* \.\.\. (ok|FAILED)$/ {
			name = suite " " $2
			if (suite == "all") {name = $2; sub(/::/, " ", name)}
			print ($NF == "ok" ? 0 : 1), name
		}' "$OUT/$name.log")
	sed -nE 's/^(loom|race|model): /# &/p' "$OUT/$name.log"
	[ "$rc" = 0 ] || tap_ok "$name: cargo test ends well" "$rc" "$OUT/$name.log"
}

# compiled FROM: for the table of times, that this test compiled from then until now.
compiled() { [ -z "${TEST_NAME:-}" ] || printf 'compiling %s %s %s\n' "$TEST_NAME" "$1" "$EPOCHREALTIME" >>"$OUT/times"; }
