#!/bin/bash
# rings.sh KO RECORDS: in the guest, the ring buffer, C against Rust: helpers, map operations, drains,
# interrupted producers, mixed producers of RECORDS records. Nothing here changes code that runs.
set -euo pipefail
KO=$1
RECORDS=$2
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh

tap_part build/selftests/rings "$KO"
tap_part build/selftests/ringmaps "$KO"
tap_part build/selftests/userrings "$KO"
tap_part build/selftests/interrupted "$KO"
tap_part build/selftests/mixed "$KO" "$RECORDS" 0
tap_no_splat rings
tap_done
