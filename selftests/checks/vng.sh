#!/bin/bash
# vng.sh: on the host: `make vng` carries output, error output and status of what it runs, with the module loaded.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT

rc=0
scripts/guest/vng 'uname -r; echo to-stderr >&2; scripts/rust-dynptr status; scripts/rust-dynptr unload && exit 7' \
	>"$DIR/out" 2>"$DIR/err" || rc=$?
cat "$DIR/out" "$DIR/err" >"$DIR/all"
tap_ok "vng: the status of the command comes out ($rc)" "$((rc != 7))" "$DIR/all"
good=0
grep -q '^bpf_dynptr_read .* active' "$DIR/out" || good=1
tap_ok 'vng: its output, with the module loaded' "$good" "$DIR/all"
good=0
grep -q '^to-stderr' "$DIR/err" || good=1
! grep -q '^to-stderr' "$DIR/out" || good=1
tap_ok 'vng: its error output, apart' "$good" "$DIR/all"

# A shell: on a terminal, which script(1) makes.
rc=0
(
	for ((i = 0; i < 600; i++)); do
		! grep -q 'exit)' "$DIR/shell" 2>/dev/null || break
		sleep 0.5
	done
	sleep 5
	# shellcheck disable=SC2016  # expanded there
	echo 'echo it is $(grep -c ^rust_dynptr /proc/modules); exit'
	sleep 60
) | timeout 600 script -qec scripts/guest/vng "$DIR/shell" >/dev/null 2>&1 || rc=$?
grep -q 'it is 1' "$DIR/shell" || rc=1
tap_ok 'vng: a shell, with the module loaded' "$rc" "$DIR/shell"
tap_done
