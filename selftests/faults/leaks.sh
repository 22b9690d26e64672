#!/bin/bash
# leaks.sh KO [PARAMETER…]: in the guest, on the debug kernel booted with kmemleak=on: of what is allocated while
# the module comes, serves and goes, nothing is left that nobody points to. With PARAMETERs for the module,
# it is only loaded with them, and unloaded. (kmemleak does not see what kmalloc_nolock() gives; blocks of
# heap dynptrs are counted by the module itself.) TAP.
set -euo pipefail
KO=$1
shift
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
KMEMLEAK=/sys/kernel/debug/kmemleak

[ -e $KMEMLEAK ] || tap_skip_all 'this kernel has no kmemleak, or was booted with it off'
tap_plan "$([ $# = 0 ] && echo 7 || echo 1)"

# What has been booted with is not ours; it takes two scans to be seen.
echo scan >$KMEMLEAK
sleep 6
echo scan >$KMEMLEAK
echo clear >$KMEMLEAK
if [ $# = 0 ]; then
	tap_part "$PROGRAMS/rows" "$KO"
	tap_part "$PROGRAMS/moves" "$KO"
	tap_part "$PROGRAMS/heap" "$KO" 500
	tap_part "$PROGRAMS/ringmaps" "$KO"
	tap_part "$PROGRAMS/userrings" "$KO"
	tap_part "$PROGRAMS/switch" "$KO"
else
	$TOOL load "$KO" "$@"
	$TOOL unload
fi
# Two scans find it; what is younger than five seconds is not looked at.
for _ in 1 2 3; do
	sleep 6
	echo scan >$KMEMLEAK
done
rc=0
cat $KMEMLEAK >/tmp/leaks
[ ! -s /tmp/leaks ] || rc=1
tap_ok "leaks: $(grep -c '^unreferenced object' /tmp/leaks || true) objects that nobody points to" "$rc" /tmp/leaks
tap_done
