#!/bin/bash
# loom.sh: every schedule of small concurrent scenarios. TAP.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
# shellcheck source=selftests/lib/tap.sh
. "$TOP/selftests/lib/tap.sh"
# shellcheck source=selftests/host/cargo.sh
. "$TOP/selftests/host/cargo.sh"
load_env

FLAGS="RUSTFLAGS=--cfg loom"
"$SCRIPTS/build/cargo-deps" cargo-loom
cargo_tap loom selftests/host cargo-loom "$FLAGS" -- --release --test 'loom_*' -- --show-output
tap_done
