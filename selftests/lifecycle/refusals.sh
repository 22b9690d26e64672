#!/bin/bash
# refusals.sh KO [some|all]: in the guest, everything that must be refused: clearly, and with the system as before. `some`:
# `check`, which takes seconds, is asked of some of it.
set -euo pipefail
KO=$1
WHAT=${2:-all}
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
tap_needs "$CHECKER"
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
rc=0

# refuse_load NAME KO PATTERN [CHECK]: a load that must be refused; `check` must have known, and say CHECK.
refuse_load() {
	if [ -n "${4:-}" ] && { [ "$WHAT" = all ] || [ "$1" != "${1#patch}" ] || [ "$1" != "${1#fentry}" ]; }; then
		rc=0
		$TOOL check --quiet "$2" >"$W/out" 2>&1 || rc=$?
		tap_refused "refuse: check knows: $1" 1 "$W/out" "^bad .*$4"
	fi
	"$SELFTESTS/lib/state.sh" >"$W/before"
	rc=0
	$TOOL load "$2" >"$W/out" 2>&1 || rc=$?
	"$SELFTESTS/lib/state.sh" >"$W/after"
	tap_refused "refuse: $1" 1 "$W/out" "$3"
	cmp -s "$W/before" "$W/after" && rc=0 || rc=1
	tap_ok "refuse: $1: the system is as before" "$rc" "$W/after"
}

# edited FROM TO: a copy of the module with a string of the same length replaced, and no signature.
edited() {
	[ ${#1} = ${#2} ] || { echo "lengths differ: $1 $2" >&2; exit 1; }
	LC_ALL=C sed "s/$1/$2/g; s/~Module signature appended~/~Module signature  removed~/" "$KO" >"$W/edited.ko"
	echo "$W/edited.ko"
}

# end PID: ends a process of ours.
end() {
	kill "$1"
	wait "$1" 2>/dev/null || true
}

release=$(uname -r)
refuse_load 'another kernel release' "$(edited "vermagic=${release:0:3}" 'vermagic=9.9')" \
	"is built for kernel 9\.9.*this is ${release%%+*}" 'release .*built for 9\.9'
rc=0
insmod "$(edited "vermagic=${release:0:3}" 'vermagic=9.9')" >"$W/out" 2>&1 || rc=$?
tap_refused 'refuse: another kernel release, plain insmod' any "$W/out" 'Invalid module format'
refuse_load 'no such file' "$W/none.ko" 'no module at'

# Functions that the kernel does not have, one of each kind.
refuse_load 'jump row that does not exist' "$(edited bpf_dynptr_size bpf_dynptr_zise)" 'bpf_dynptr_zise' \
	'jump +bpf_dynptr_zise +no such symbol'
refuse_load 'bind row that does not exist' "$(edited bpf_ringbuf_query bpf_ringbuf_yreuq)" 'bpf_ringbuf_yreuq' \
	'bind +bpf_ringbuf_yreuq +no such symbol'
refuse_load 'patch row that does not exist' \
	"$(edited destroy_if_dynptr_stack_slot destroy_if_dynptr_stack_tols)" 'destroy_if_dynptr_stack_tols' \
	'patch +destroy_if_dynptr_stack_tols +no such symbol'
# A function that exists with another prototype, and one that has no fentry.
refuse_load 'row with another prototype' "$(edited bpf_dynptr_size bpf_dynptr_copy)" \
	'bpf_dynptr_copy: .*prototype' 'jump +bpf_dynptr_copy +the prototype is'
refuse_load 'jump row without fentry' "$(edited bpf_dynptr_from_mem bpf_ringbuf_discard)" \
	'bpf_ringbuf_discard: .*no such traceable function' 'jump +bpf_ringbuf_discard +kind jump needs a fentry'

# Somebody else is on a function.
"$PROGRAMS/fentry" 100 >"$W/fentry.out" 2>&1 &
fentry=$!
for ((i = 0; i < 100; i++)); do
	! grep -q attached "$W/fentry.out" || break
	sleep 0.1
done
grep -q attached "$W/fentry.out"
tap_ok 'refuse: a fentry program attaches to bpf_dynptr_size' $? "$W/fentry.out"
refuse_load 'fentry program on a jump row' "$KO" 'bpf_dynptr_size: cannot be taken over.*fentry' \
	'jump +bpf_dynptr_size +held by a BPF program'
end "$fentry"

# Loaded: twice; in use; the other way round.
rc=0
$TOOL load "$KO" >"$W/out" 2>&1 || rc=$?
tap_ok 'refuse: afterwards the module loads' "$rc" "$W/out"
refuse_load 'loaded twice' "$KO" 'loaded already'
rc=0
insmod "$KO" >"$W/out" 2>&1 || rc=$?
tap_refused 'refuse: loaded twice, plain insmod' any "$W/out" 'File exists'
rc=0
rmmod rust_dynptr >"$W/out" 2>&1 || rc=$?
tap_refused 'refuse: rmmod while the livepatch is enabled' any "$W/out" 'in use'
rc=0
"$PROGRAMS/fentry" 1 >"$W/out" 2>&1 || rc=$?
tap_refused 'refuse: fentry on a function that is taken over' any "$W/out" 'attach.*(Invalid|busy)'

"$PROGRAMS/holder" 100 >"$W/holder.out" 2>&1 &
holder=$!
for ((i = 0; i < 100; i++)); do
	! grep -q loaded "$W/holder.out" || break
	sleep 0.1
done
rc=0
$TOOL unload >"$W/out" 2>&1 || rc=$?
tap_refused 'refuse: unload while a bound program lives' 1 "$W/out" 'BPF program [0-9]+ \(traffic\)'
rc=0
$TOOL status >"$W/out" 2>&1 || rc=$?
grep -q 'bound program [0-9]* traffic' "$W/out" || rc=1
tap_ok 'refuse: the module still serves after that' "$rc" "$W/out"
end "$holder"
rc=0
$TOOL unload >"$W/out" 2>&1 || rc=$?
tap_ok 'refuse: unload works when the program is gone' "$rc" "$W/out"
rc=0
$TOOL unload >"$W/out" 2>&1 || rc=$?
tap_refused 'refuse: unload of what is not loaded' 1 "$W/out" 'not loaded'
rc=0
$TOOL bogus >"$W/out" 2>&1 || rc=$?
tap_refused 'refuse: unknown command' 2 "$W/out" 'unknown command bogus'

tap_done
