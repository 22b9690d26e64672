#!/bin/bash
# heapfuzz-control.sh KO FAULT…: in the guest, whether the random programs with heap dynptrs find faults. KO is a
# build with RUST_DYNPTR_FAULTS=1; each fault (rust/glue/faults.rs) is looked for in some hundred programs
# and then reduced. None damages the kernel. TAP.
set -euo pipefail
KO=$1
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
FUZZ=$PROGRAMS/fuzz

# control NUMBER PROGRAMS TEXT OPERATIONS: with this fault, TEXT is said of a program, and at most so many
# operations are left of the largest one.
control() {
	local number=$1 programs=$2 text=$3 operations=$4 rc=0 seed size
	mkdir -p /tmp/control
	"$FUZZ" "$KO" --heap --with "heap_fault=$number" --seeds "1-$programs" --dir /tmp/control >/tmp/control/found 2>&1 || true
	grep -q "^not ok .* [1-9][0-9]* $text" /tmp/control/found || rc=1
	tap_ok "heapfuzz: control: fault $number: programs are found of which one $text" "$rc" /tmp/control/found
	seed=$(sed -n 's/^# the largest wrong one: //p' /tmp/control/found)
	rc=0
	"$TOOL" unload >/dev/null 2>&1 || true # if it has bailed out
	"$FUZZ" "$KO" --heap --with "heap_fault=$number" --reduce "${seed:-1}" --dir /tmp/control >/tmp/control/reduced 2>&1 || rc=$?
	"$TOOL" unload >/dev/null 2>&1 || true
	size=$(sed -n 's/^reduced to \([0-9]*\) operations.*/\1/p' /tmp/control/reduced)
	[ "${size:-99}" -le "$operations" ] || rc=1
	tap_ok "heapfuzz: control: fault $number: seed $seed is reduced to ${size:-?} operations, at most $operations" \
		"$rc" /tmp/control/reduced
	sed -n '/^reduced to/!p' /tmp/control/reduced | grep -A "$((size + 6))" '^seed ' | head -n 14 | sed 's/^/# /' || true
}

FAULTS=${*:2}
read -r -a FAULTS <<<"${FAULTS//,/ }"
tap_plan $((2 * ${#FAULTS[@]}))
for number in "${FAULTS[@]}"; do
	case $number in
	1) control 1 200 'leaves blocks that live' 3 ;;
	2) control 2 1000 'read freed memory' 10 ;;
	3) control 3 100 'found new memory that is not zero' 2 ;;
	4) control 4 800 'is accepted, and is illegal' 8 ;;
	6) control 6 800 'is accepted, and is illegal' 8 ;;
	7) control 7 1500 'read freed memory' 14 ;;
	esac
done
tap_done
