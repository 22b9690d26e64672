#!/bin/bash
# strings.sh KO CASES: in the guest, the tests of strings and memory in dynptrs; see strings.c.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=selftests/tap.sh
. selftests/tap.sh

tap_part build/selftests/strings "$1" "$2"
tap_no_splat strings
tap_done
