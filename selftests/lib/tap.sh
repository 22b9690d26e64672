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

# tap_part CMD…: the TAP lines of a test's part, renumbered. A part that fails otherwise than by failed
# tests and status 1 is a failed test.
tap_part() {
	local line status=0 failed=0
	while IFS= read -r line; do
		case $line in
		'ok '*) tap_ok "${line#ok * - }" 0 ;;
		'not ok '*)
			failed=1
			tap_ok "${line#not ok * - }" 1
			;;
		1..*) ;;
		'tap_part: status '*) status=${line##* } ;;
		*) echo "# ${line#\# }" ;;
		esac
	done < <("$@" || echo "tap_part: status $?")
	if [ "$status" -gt 1 ] || [ "$status" -gt "$failed" ]; then
		tap_ok "$1 ended with status $status" 1
	fi
}

# tap_no_splat PART [ASKED]: in the guest, the kernel has found nothing wrong since boot; lines with ASKED,
# an extended regular expression, are no splat.
tap_no_splat() {
	local splats=0
	dmesg | splats "$SPLATS" | grep -vE "${2:-^$}" >/tmp/splats || true
	[ ! -s /tmp/splats ] || splats=1
	tap_ok "$1: no splat in the kernel log" "$splats" /tmp/splats
}

# tap_done: the plan; ends the script.
tap_done() {
	echo "1..$TAP_COUNT"
	exit "$TAP_FAILED"
}
