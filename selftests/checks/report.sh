#!/bin/bash
# report.sh: the benchmarks' report (scripts/bench/report), and that its gate fails. TAP.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
# shellcheck source=selftests/lib/tap.sh
. "$TOP/selftests/lib/tap.sh"
# shellcheck source=selftests/host/cargo.sh
. "$TOP/selftests/host/cargo.sh"
load_env

"$SCRIPTS/build/cargo-deps" cargo
cargo_tap report scripts/bench/report cargo --
tap_done
