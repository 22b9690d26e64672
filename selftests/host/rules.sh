#!/bin/bash
# rules.sh: the rules as host code, and which of their lines are reached (scripts/check/coverage). TAP.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
# shellcheck source=selftests/lib/tap.sh
. "$TOP/selftests/lib/tap.sh"
# shellcheck source=selftests/host/cargo.sh
. "$TOP/selftests/host/cargo.sh"
load_env

rm -rf "$BUILD/coverage"
mkdir -p "$BUILD/coverage"
"$SCRIPTS/build/cargo-deps" cargo-host
cargo_tap host selftests/host cargo-host RUSTC_WORKSPACE_WRAPPER=/host/scripts/check/rustc-coverage \
	LLVM_PROFILE_FILE=/host/build/coverage/%p-%m.profraw --
# Its results are TAP without a plan.
rc=0
"$SCRIPTS/check/coverage" >"$OUT/coverage.tap" || rc=$?
while IFS= read -r line; do
	case $line in
	'ok - '*) tap_ok "${line#ok - }" 0 ;;
	'not ok - '*) tap_ok "${line#not ok - }" 1 ;;
	*) echo "$line" ;;
	esac
done <"$OUT/coverage.tap"
[ "$rc" = 0 ] || [ "$TAP_FAILED" = 1 ] || tap_ok 'host: coverage is measured' "$rc"
tap_done
