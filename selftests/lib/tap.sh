# shellcheck shell=bash
# TAP for the shell tests; sourced. Callers use `set -euo pipefail`.

# shellcheck source=scripts/guest/splats.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/guest/splats.sh"

TAP_COUNT=0
TAP_FAILED=0

# tap_ok NAME STATUS [FILE]: a test's result; FILE's lines become comments when it failed.
tap_ok() {
	TAP_COUNT=$((TAP_COUNT + 1))
	if [ "$2" = 0 ]; then
		echo "ok $TAP_COUNT - $1"
		return
	fi
	TAP_FAILED=1
	echo "not ok $TAP_COUNT - $1"
	[ -z "${3:-}" ] || tail -n 30 "$3" | sed 's/^/# /'
}

# tap_refused NAME STATUS FILE PATTERN: a command, whose status is in $rc and whose output in FILE,
# must have failed with STATUS ("any": not 0) and said PATTERN (an extended regular expression).
tap_refused() {
	local good=0
	: "${rc:?}"
	if [ "$2" = any ]; then [ "$rc" != 0 ] || good=1; else [ "$rc" = "$2" ] || good=1; fi
	grep -qE -- "$4" "$3" || good=1
	tap_ok "$1" "$good" "$3"
	[ "$good" = 0 ] || echo "# status $rc, wanted $2 and: $4"
}

# tap_json NAME FILTER FILE: FILE is one JSON text, of which FILTER, as jq has them, is true.
tap_json() {
	local good=0
	jq -es "length == 1 and (.[0] | $2)" "$3" >/dev/null 2>&1 || good=1
	tap_ok "$1" "$good" "$3"
}

# tap_part CMD…: another test as a part of this one. Its TAP goes to a file beside this test's, and is judged as that is
# (selftests/lib/tally); by hand it is a comment.
tap_part() {
	local rc=0
	TAP_PARTS=$((${TAP_PARTS:-0} + 1))
	if [ -n "${TEST_PARTS:-}" ]; then
		"$@" >"$TEST_PARTS.$TAP_PARTS.tap" || rc=$?
		echo "$rc" >"$TEST_PARTS.$TAP_PARTS.status"
		[ "$rc" != 1 ] || rc=0 # its own tests say why
	else
		"$@" | sed 's/^/# /' || rc=$?
	fi
	tap_ok "$1 ran" "$rc"
}

# tap_no_splat NAME: in a guest of the test's own (else guest.sh looks), the kernel has found nothing wrong.
tap_no_splat() {
	kernel_log | splats "$SPLATS" >/tmp/splats || true
	tap_ok "$1: no splat in the kernel log" "$([ ! -s /tmp/splats ]; echo $?)" /tmp/splats
}

# tap_done: the plan; ends the script.
tap_done() {
	echo "1..$TAP_COUNT"
	exit "$TAP_FAILED"
}
