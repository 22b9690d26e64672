#!/bin/bash
# verdicts-all.sh [BOOTS]: all of upstream's BPF objects, as verdicts.sh has it (SET all), a part of them in each of so
# many guests (10), since what 5,000 programs leave in the kernel would slow the last ones. Half an hour. TAP.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
# shellcheck source=selftests/lib/tap.sh
. "$TOP/selftests/lib/tap.sh"
load_env
BOOTS=${1:-10}
dir=$("$SCRIPTS/check/upstream-build" all)
for ((boot = 0; boot < BOOTS; boot++)); do
	say "guest: programs of upstream, $((boot + 1)) of $BOOTS"
	tap_part "$SCRIPTS/vm" -j -m 3G -t 3000 \
		"selftests/verifier/verdicts.sh $dir build/rust_dynptr.ko build/test all $boot $BOOTS"
done
tap_done
