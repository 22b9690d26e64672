#!/bin/bash
# fuzz.sh KO FIRST LAST [STATE]: in the guest, the random programs of the seeds FIRST to LAST with C and
# with Rust (fuzz/main.c). Before the first ones, proof that differences are found and reduced. TAP.
set -euo pipefail
KO=$1
FIRST=$2
LAST=$3
STATE=${4:-}
cd "$(dirname "$0")/.."
# shellcheck source=selftests/tap.sh
. selftests/tap.sh
FUZZ=build/selftests/fuzz

# part CMD…: its TAP lines, renumbered.
part() {
	local rc=0 line
	while IFS= read -r line; do
		case $line in
		'ok '*) tap_ok "${line#ok * - }" 0 ;;
		'not ok '*) tap_ok "${line#not ok * - }" 1 ;;
		1..*) ;;
		*) echo "# ${line#\# }" ;;
		esac
	done < <("$@" || { rc=$?; [ "$rc" = 1 ] || echo "not ok 0 - fuzz ended with status $rc"; })
}

if [ "$FIRST" = 1 ]; then
	part $FUZZ - --seeds 1-600 --plant --dir /tmp
	rc=0
	$FUZZ - --reduce 73 --plant --dir /tmp >/tmp/reduced 2>&1 || rc=$?
	grep -q '^reduced to 1 operations' /tmp/reduced || rc=1
	tap_ok 'fuzz: a program with a planted difference is reduced to the one operation that makes it' "$rc" /tmp/reduced
fi
part $FUZZ "$KO" --seeds "$FIRST-$LAST" ${STATE:+--state "$STATE"}
tap_no_splat fuzz
tap_done
