#!/bin/bash
# asan.sh [race|all]: the host tests under AddressSanitizer; `race`: those alone that have unsafe code, the rings' algorithms
# on real threads. Debian's rustc has no runtime of its own: gcc's is used, which must be the first library. First, that it
# finds a planted bug. TAP.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
# shellcheck source=selftests/lib/tap.sh
. "$TOP/selftests/lib/tap.sh"
# shellcheck source=selftests/host/cargo.sh
. "$TOP/selftests/host/cargo.sh"
load_env

RUNTIME=/usr/lib/x86_64-linux-gnu/libasan.so.8
VARS=(RUSTC_BOOTSTRAP=1 "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER=env LD_PRELOAD=$RUNTIME"
	RUSTFLAGS='-Zsanitizer=address -Zexternal-clangrt -Clink-arg=-lasan')
ARGS=(--release --target x86_64-unknown-linux-gnu)
TESTS=()
[ "${1:-all}" = all ] || TESTS=(--test "$1")

"$SCRIPTS/build/cargo-deps" cargo-asan
start=$EPOCHREALTIME
cargo_in selftests/host /host/build/cargo-asan "${VARS[@]}" -- test --no-run --offline --locked "${ARGS[@]}" "${TESTS[@]}" --test sanitizer \
	>"$OUT/asan-build.log" 2>&1 || true
compiled "$start"
cargo_in selftests/host /host/build/cargo-asan "${VARS[@]}" -- test --offline --locked "${ARGS[@]}" \
	--test sanitizer -- --ignored >"$OUT/asan-control.log" 2>&1 || true
grep -q 'ERROR: AddressSanitizer: heap-buffer-overflow' "$OUT/asan-control.log" && rc=0 || rc=1
tap_ok 'asan: finds a planted read out of bounds' "$rc" "$OUT/asan-control.log"
cargo_tap asan selftests/host cargo-asan "${VARS[@]}" -- "${ARGS[@]}" "${TESTS[@]}"
tap_done
