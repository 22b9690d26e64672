#!/bin/bash
# fuzz.sh KO FIRST LAST [STATE]: in the guest, the random programs of the seeds FIRST to LAST with C and
# with Rust (fuzz/main.c). Before the first ones, proof that differences are found and reduced. TAP.
set -euo pipefail
KO=$1
FIRST=$2
LAST=$3
STATE=${4:-}
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
FUZZ=$PROGRAMS/fuzz
DIR=${CLONE:+$CLONE/build/fuzz} # for the logs of what differs

tap_plan "$([ "$FIRST" = 1 ] && echo 3 || echo 1)"
if [ "$FIRST" = 1 ]; then
	tap_part bash -c "set -o pipefail; '$FUZZ' - --seeds 1-600 --plant --dir /tmp | tee /tmp/planted"
	seed=$(sed -n 's/^# the largest one: //p' /tmp/planted)
	rc=0
	"$FUZZ" - --reduce "$seed" --plant --dir /tmp >/tmp/reduced 2>&1 || rc=$?
	grep -q '^reduced to [12] operations' /tmp/reduced || rc=1
	tap_ok "fuzz: the planted difference of seed $seed is reduced to the operation that makes it" "$rc" /tmp/reduced
fi
tap_part "$FUZZ" "$KO" --seeds "$FIRST-$LAST" --dir "${DIR:-/tmp}" ${STATE:+--state "$STATE"}
tap_done
