#!/bin/bash
# fuzz.sh KO FIRST LAST [STATE]: in the guest, the random programs of the seeds FIRST to LAST with C and
# with Rust (fuzz/main.c). Before the first ones, proof that differences are found and reduced. TAP.
set -euo pipefail
KO=$1
FIRST=$2
LAST=$3
STATE=${4:-}
cd "$(dirname "$0")/.."
# shellcheck source=selftests/tap.sh
. selftests/tap.sh
FUZZ=build/selftests/fuzz

# part CMD…: its TAP lines, renumbered.
part() {
	local rc=0 line
	while IFS= read -r line; do
		case $line in
		'ok '*) tap_ok "${line#ok * - }" 0 ;;
		'not ok '*) tap_ok "${line#not ok * - }" 1 ;;
		1..*) ;;
		*) echo "# ${line#\# }" ;;
		esac
	done < <("$@" || { rc=$?; [ "$rc" = 1 ] || echo "not ok 0 - fuzz ended with status $rc"; })
}

# What stock C itself trips over (fuzz/survey.c, fuzz/log.c): its bookkeeping of loops, and its print of a
# stack slot from the wrong place.
STOCK='bpf_update_branch_counts|dynptr_type_str'

if [ "$FIRST" = 1 ]; then
	part bash -c "set -o pipefail; $FUZZ - --seeds 1-600 --plant --dir /tmp | tee /tmp/planted"
	seed=$(sed -n 's/^# the largest one: //p' /tmp/planted)
	rc=0
	$FUZZ - --reduce "$seed" --plant --dir /tmp >/tmp/reduced 2>&1 || rc=$?
	grep -q '^reduced to [12] operations' /tmp/reduced || rc=1
	tap_ok "fuzz: the planted difference of seed $seed is reduced to the operation that makes it" "$rc" /tmp/reduced
fi
part $FUZZ "$KO" --seeds "$FIRST-$LAST" ${STATE:+--state "$STATE"}
rc=0
dmesg | grep -E 'WARNING:|BUG:|Oops|general protection|stalls on|blocked for more' >/tmp/splats || true
dmesg | grep -A 100 -E 'WARNING:|BUG:' >/tmp/traces || true
grep -E "$STOCK" /tmp/splats | sed 's/^/# stock C: /' || true
grep -vE "$STOCK" /tmp/splats >/tmp/ours && rc=1
tap_ok 'fuzz: no splat in the kernel log, but of those that stock C has' "$rc" /tmp/traces
tap_done
