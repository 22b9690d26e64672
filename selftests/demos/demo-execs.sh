#!/bin/bash
# demo-execs.sh KO RESULTS: in the guest, the main demonstration (scripts/guest/demo): the same workload is
# traced with C, with Rust, and with a tracer that was loaded before the module comes and goes.
# Prints what a person wants to see; ends with status 1 if anything differs, is lost or was not hit.
set -euo pipefail
KO=$1
RESULTS=$2
# What the tracer calls (bpf/execs.bpf.c), or the verifier while it is loaded.
USES=(bpf_dynptr_from_mem bpf_dynptr_read bpf_dynptr_write bpf_dynptr_data bpf_dynptr_size
	bpf_ringbuf_output bpf_ringbuf_query destroy_if_dynptr_stack_slot)
# shellcheck source=selftests/demos/demo-lib.sh
. "$(dirname "$0")/demo-lib.sh"

# traced NAME: one run of the workload; its events, without numbers of processes, sorted in $W/NAME.
traced() {
	local rc=0
	"$PROGRAMS/execs" -o "$RESULTS/$1.events" -- "$SELFTESTS/demos/workload.sh" "$W/work-$1" >"$W/out" 2>"$W/$1.summary" || rc=$?
	[ "$rc" = 0 ] || bad "$1: status $rc: $(cat "$W/$1.summary")"
	cut -d' ' -f3- "$RESULTS/$1.events" | sed "s|work-$1|work|g" | sort >"$W/$1"
	printf '%-12s %s\n' "$1:" "$(cat "$W/$1.summary")"
}

same() {
	if cmp -s "$W/$1" "$W/$2"; then
		echo "events equal: $1 and $2 ($(wc -l <"$W/$1") events)"
	else
		bad "events of $1 and $2 differ: $(diff "$W/$1" "$W/$2" | head -n 4)"
	fi
}

echo 'Tracing every execve() of a small C project being compiled, linked, run and inspected.'
traced C
echo 'some of them:'
cut -c1-100 "$RESULTS/C.events" | sed -n '1p;60p;120p;180p;240p;300p' | sed 's/^/    /'

$TOOL load "$KO" count=1
traced Rust
same C Rust
served_rows "${USES[@]}"
echo "($(awk 'NR > 1 && $3 == 0' "$W/status" | wc -l) functions more are taken over; this workload does not call them)"

# A tracer that Rust serves holds the module.
"$PROGRAMS/execs" -o /dev/null -- sleep 6 2>/dev/null &
tracer=$!
sleep 3
if $TOOL unload 2>"$W/refused"; then
	bad 'unloading under a bound tracer was not refused'
else
	echo "unload while a tracer is served by Rust: $(sed -n 's/^ *BPF program/refused: BPF program/p' "$W/refused" | head -n 1)"
fi
wait "$tracer"
unload

# A tracer that was loaded with C goes on while the module comes and goes.
traced middle &
middle=$!
for ((cycle = 1; cycle <= 3; cycle++)); do
	sleep 2
	$TOOL load "$KO" || bad "load in cycle $cycle"
	sleep 2
	$TOOL unload || bad "unload in cycle $cycle"
done
echo "module loaded and unloaded $((cycle - 1)) times in the middle of the next run"
wait "$middle" || BAD=1
same C middle

finish 'all equal, nothing lost'
