#!/bin/bash
# finds.sh: on the host, that the debug kernel finds a planted bug of each kind (rust/glue/planted.rs), each in a boot of
# its own. TAP.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
# shellcheck source=selftests/lib/tap.sh
. "$TOP/selftests/lib/tap.sh"
FAULTS=build/rust_dynptr_faults.ko
OUT=$BUILD/test
mkdir -p "$OUT"

# found N WHAT COUNT
found() { tap_ok "finds: planted bug $1, $2" "$([ "${3:-0}" -gt 0 ]; echo $?)" "$OUT/plant-$1"; }

# finds N WHAT LINE: the run with that bug fails with what the debug kernel says.
finds() {
	local rc=0 log=$OUT/plant-$1
	"$SCRIPTS/vm" -m 2G -t 120 "scripts/rust-dynptr load $FAULTS plant=$1" >"$log" 2>&1 || rc=$?
	found "$1" "$2" "$([ "$rc" = 122 ] && grep -cE "$3" "$log")"
}

tap_plan 5
finds 1 'out of bounds' 'BUG: KASAN: slab-out-of-bounds in .*\[rust_dynptr\]'
finds 2 'sleep in atomic context' 'BUG: sleeping function called from invalid context'
finds 4 'locks in both orders' 'WARNING: possible circular locking dependency detected'
finds 5 'shift' 'UBSAN: shift-out-of-bounds in .*planted\.c'
log=$OUT/plant-3
VM_APPEND='quiet kmemleak=on' "$SCRIPTS/vm" -m 2G -t 300 "selftests/faults/leaks.sh $FAULTS plant=3" >"$log" 2>&1 || true
found 3 leak "$(grep -q '^not ok .* [1-9][0-9]* objects that nobody' "$log" && grep -c 'unreferenced object .*size 1024' "$log")"
tap_done
