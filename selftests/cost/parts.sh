#!/bin/bash
# parts.sh KO JSON: in a guest that counts instructions (vm -i), what the kernel's own functions take of which
# dynptr and ring operations are made (kmod/parts.c, the module KO). A line for each, and as a group in JSON.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh

# It measures in its init and then refuses to stay.
insmod "$1" 2>/dev/null || true
lines=$(dmesg | sed -n 's/.*\] parts: \(.*: [0-9.]*\)$/\1/p' | sed 's/ 0:/:/')
awk -F ': ' 'BEGIN {printf "{\"group\": \"parts\", \"unit\": \"instructions a call\", \"results\": ["}
	{printf "%s\n  {\"name\": \"%s\", \"rust\": [%s]}", (NR > 1 ? "," : ""), $1, $2}
	END {print "\n]}"}' <<<"$lines" >"$2"
while IFS= read -r line; do echo "# $line"; done <<<"$lines"
enough=1
[ "$(wc -l <<<"$lines")" -lt 10 ] || enough=0
tap_ok 'parts: what operations are made of' "$enough"
tap_done
