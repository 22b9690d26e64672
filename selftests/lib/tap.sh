# shellcheck shell=bash
# TAP for the shell tests; sourced. Callers use `set -euo pipefail`.

# shellcheck source=selftests/lib/where.sh
. "$(dirname "${BASH_SOURCE[0]}")/where.sh"

TAP_COUNT=0
TAP_FAILED=0
TAP_PLAN=
echo 'TAP version 13'

# tap_plan N: how many results there will be, before the first.
tap_plan() {
	TAP_PLAN=$1
	echo "1..$1"
}

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

# tap_skip NAME WHY: a test that cannot run here.
tap_skip() {
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "ok $TAP_COUNT - $1 # SKIP $2"
}

# tap_skip_all WHY: ends the script, of which nothing can run here.
tap_skip_all() {
	echo "1..0 # SKIP $1"
	exit 4
}

# tap_needs FILE…: programs, or files, without which nothing of the script can run.
tap_needs() {
	local file
	for file; do
		[ -e "$file" ] || command -v "$file" >/dev/null || tap_skip_all "here is no ${file##*/}"
	done
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
	tap_ok "${1##*/} ran" "$rc"
}

# tap_no_splat NAME: in a guest of the test's own (else guest.sh looks), the kernel has found nothing wrong.
tap_no_splat() {
	kernel_log | splats "$SPLATS" >/tmp/splats || true
	tap_ok "$1: no splat in the kernel log" "$([ ! -s /tmp/splats ]; echo $?)" /tmp/splats
}

# tap_done: the plan, if there was none; ends the script.
tap_done() {
	if [ -z "$TAP_PLAN" ]; then
		echo "1..$TAP_COUNT"
	elif [ "$TAP_COUNT" != "$TAP_PLAN" ]; then
		echo "# $TAP_COUNT results, not $TAP_PLAN as planned"
		TAP_FAILED=1
	fi
	exit "$TAP_FAILED"
}
