#!/bin/bash
# heapfuzz.sh KO FIRST LAST [PARAMETERS]: in the guest, the random programs with heap dynptrs of the seeds
# FIRST to LAST (fuzz/heap.h), with more parameters for the module. TAP.
set -euo pipefail
KO=$1
FIRST=$2
LAST=$3
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
FUZZ=$PROGRAMS/fuzz
DIR=${CLONE:+$CLONE/build/fuzz} # for the logs of what is wrong

tap_plan 2
tap_part "$FUZZ" "$KO" --heap --with "${4:-}" --seeds "$FIRST-$LAST" --dir "${DIR:-/tmp}" --block 1000
rc=0
kernel_log | grep "a heap dynptr's memory was written" >/tmp/damage && rc=1
tap_ok 'heapfuzz: nobody wrote behind a block, or to one that was free' "$rc" /tmp/damage
tap_done
