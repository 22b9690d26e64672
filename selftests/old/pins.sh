#!/bin/bash
# pins.sh KO FAULTS_KO CYCLES: in the guest, the module comes and goes while its functions are in use: who
# holds it, who is waited for, mixed producers; old bugs of the ring buffer. FAULTS_KO is the module with
# faults that a test can ask for.
set -euo pipefail
KO=$1
FAULTS_KO=$2
CYCLES=$3
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh

tap_part build/selftests/regress "$KO"
tap_part build/selftests/gates "$KO"
tap_part build/selftests/binding "$KO"
tap_part build/selftests/mixed "$KO" 0 "$CYCLES"
tap_part build/selftests/sleepers "$KO" file "$CYCLES"
tap_part build/selftests/sleepers "$KO" refused "$CYCLES"
tap_part build/selftests/sleepers "$KO" user "$CYCLES"
tap_part build/selftests/sleepers "$FAULTS_KO" maps "$CYCLES"
tap_no_splat pins
tap_done
