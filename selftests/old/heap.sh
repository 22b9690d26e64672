#!/bin/bash
# heap.sh KO NUMBER TEST…: in the guest, tests of heap dynptrs: heap, heapuses, heapenv; see their files.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh

KO=$1
NUMBER=$2
for test in "${@:3}"; do
	tap_part "build/selftests/$test" "$KO" "$NUMBER"
	# heapenv asks the processors for their traces by NMI.
	tap_no_splat "$test" 'RIP: |INFO: NMI handler'
done
tap_done
