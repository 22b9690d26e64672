#!/bin/bash
# guest.sh KO: our own tests, in the guest. One TAP stream: the parts' plans are merged.
set -euo pipefail
KO=$1
cd "$(dirname "$0")/.."
# shellcheck source=selftests/tap.sh
. selftests/tap.sh

# part CMD…: its TAP lines, renumbered; a part that dies without a failed test is one.
part() {
	local rc=0 line
	while IFS= read -r line; do
		case $line in
		'ok '*) tap_ok "${line#ok * - }" 0 ;;
		'not ok '*) tap_ok "${line#not ok * - }" 1 ;;
		1..*) ;;
		*) echo "# ${line#\# }" ;;
		esac
	done < <("$@" || echo "not ok 0 - $1 ended with status $?")
	return "$rc"
}

part build/selftests/rows "$KO"
part build/selftests/grid "$KO"
part selftests/refusals.sh "$KO"
tap_no_splat guest
tap_done
