#!/bin/bash
# oopses.sh [some|all]: on the host, the control of unloading (sleepers.c): without waiting for who sleeps in Rust, the
# guest's kernel must end with an oops of who returned to a module that was gone, whose report says so. `some`: of one
# that slept in a file. TAP.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
# shellcheck source=selftests/lib/tap.sh
. "$TOP/selftests/lib/tap.sh"
OUT=$BUILD/test
mkdir -p "$OUT"

# control WHO LINE: the report has LINE.
control() {
	local rc=0 log=$OUT/control-$1
	"$SCRIPTS/vm" -m 2G -t 120 "build/selftests/sleepers build/rust_dynptr_faults.ko $1 3 nowait=1" >"$log" 2>&1 || rc=$?
	[ "$rc" = 125 ] && grep -q "$2" "$log" && rc=0 || rc=1
	tap_ok "pins: control: without waiting for sleepers ($1) the kernel oopses" "$rc" "$log"
}

WHAT=${1:-all}
tap_plan "$([ "$WHAT" = all ] && echo 3 || echo 1)"
control file 'last unloaded: rust_dynptr'
[ "$WHAT" = all ] || tap_done
control maps 'last unloaded: rust_dynptr'
control refused 'supervisor instruction fetch'
tap_done
