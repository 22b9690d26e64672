#!/bin/bash
# heap.sh TEST KO NUMBER: in the guest, a test of heap dynptrs, heap or heapenv; see heap.c and heapenv.c.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=selftests/tap.sh
. selftests/tap.sh

tap_part "build/selftests/$1" "$2" "$3"
# heapenv asks the processors for their traces by NMI.
tap_no_splat "$1" 'RIP: |INFO: NMI handler'
tap_done
