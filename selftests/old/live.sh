#!/bin/bash
# live.sh KO TEST ARG…: in the guest, the module comes and goes under traffic: programs that run (cycles) or that are
# being verified (switch); see those files.
set -euo pipefail
KO=$1
TEST=$2
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh

tap_part "build/selftests/$TEST" "$KO" "${@:3}"
tap_no_splat live
tap_done
