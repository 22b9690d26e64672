#!/bin/bash
# heap.sh KO EXCHANGES SECONDS: heap dynptrs, in the guest; see heap.c and heapenv.c.
set -euo pipefail
KO=$1
EXCHANGES=$2
SECONDS_OF_WORK=$3
cd "$(dirname "$0")/.."
# shellcheck source=selftests/tap.sh
. selftests/tap.sh

tap_part build/selftests/heapenv "$KO" "$SECONDS_OF_WORK"
tap_part build/selftests/heap "$KO" "$EXCHANGES"
# heapenv asks the processors for their traces by NMI.
tap_no_splat heap 'RIP: 0010:|INFO: NMI handler'
tap_done
