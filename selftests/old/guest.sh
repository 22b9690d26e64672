#!/bin/bash
# guest.sh KO: our own tests, in the guest. One TAP stream: the parts' plans are merged.
set -euo pipefail
KO=$1
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh

tap_part build/selftests/rows "$KO"
tap_part build/selftests/grid "$KO"
tap_part build/selftests/alias "$KO"
tap_part selftests/lifecycle/refusals.sh "$KO"
rc=0
selftests/demos/demo-heap.sh "$KO" build/test >/tmp/demo-heap 2>&1 || rc=$?
tap_ok 'demo heap: lines assembled in heap dynptrs are those that were written' "$rc" /tmp/demo-heap
tap_no_splat guest
tap_done
