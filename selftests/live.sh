#!/bin/bash
# live.sh KO CYCLES [REST]: in the guest, the module comes and goes under traffic: programs that run and programs
# that are being verified. One TAP stream.
set -euo pipefail
KO=$1
CYCLES=$2
cd "$(dirname "$0")/.."
# shellcheck source=selftests/tap.sh
. selftests/tap.sh

tap_part build/selftests/cycles "$KO" "$CYCLES" "${3:-0}"
tap_part build/selftests/switch "$KO"
tap_no_splat live
tap_done
