#!/bin/bash
# bench.sh DIR KO RESULTS REPEATS SHIFT: in a guest that counts instructions (scripts/vm -i -p 2), the ring buffer
# modes of the kernel's own benchmark tool (in DIR), in turns: C, Rust, Rust, C, each REPEATS times; Rust
# means that the module was loaded before the tool, C that it is not loaded at all. TAP, a line a mode; the
# figures go to RESULTS/upstream.json, see scripts/bench/run.
#
# The tool counts records a second of guest time, which is a number of instructions of both processors
# together: hence instructions a record, with the tool's own producers and consumers and all that the kernel
# does for them. The processors take turns, some 100 microseconds to some milliseconds each: they never run
# at the same instant, so there is no contention for a cache line, and who waits for a lock may spin until
# the other's turn.
set -euo pipefail
DIR=$1
KO=$2
RESULTS=$3
REPEATS=$4
SHIFT=$5 # an instruction takes 2^SHIFT nanoseconds of guest time
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=selftests/lib/tap.sh
. "$TOP/selftests/lib/tap.sh"
DEBUG=/sys/kernel/debug/rust_dynptr
FIGURES=/tmp/figures # name, side, hits, drops (millions a second), a line a sample
SAMPLES=2            # of a run, a second of guest time each; one more comes first, to warm up

# Name | rows that Rust must have served | arguments. The tool's own script has the same ones, without what
# needs more processors. Perf buffers have nothing of ours: what they differ by is noise.
# LOOSE: modes whose figures are no measure. While its producer goes on, rb-custom's consumer counts records
# twice: at a busy one it returns without having stored its position.
LOOSE='^rb-custom(, output)?(, sampled)?$|^rb-custom, one at a time'
RESERVE=bpf_ringbuf_reserve,bpf_ringbuf_submit
MODES="rb-libbpf|$RESERVE|-c1 rb-libbpf
rb-custom|$RESERVE|-c1 rb-custom
rb-libbpf, sampled|$RESERVE,bpf_ringbuf_query|-c1 --rb-sampled rb-libbpf
rb-custom, sampled|$RESERVE,bpf_ringbuf_query|-c1 --rb-sampled rb-custom
rb-custom, output, sampled|bpf_ringbuf_output,bpf_ringbuf_query|-c1 --rb-sampled --rb-use-output rb-custom
rb-libbpf, back to back|$RESERVE|-c1 --rb-b2b rb-libbpf
rb-custom, back to back|$RESERVE|-c1 --rb-b2b rb-custom
rb-libbpf, back to back, sampled|$RESERVE,bpf_ringbuf_query|-c1 --rb-b2b --rb-sampled rb-libbpf
rb-custom, back to back, sampled|$RESERVE,bpf_ringbuf_query|-c1 --rb-b2b --rb-sampled rb-custom
rb-custom, output, back to back|bpf_ringbuf_output|-c1 --rb-b2b --rb-use-output rb-custom"
for n in 1 5 10 25 50 100 250 500 1000 2000 3000; do
	MODES+="
rb-custom, back to back, a wake-up every $n|$RESERVE|-c1 --rb-b2b --rb-batch-cnt $n --rb-sampled --rb-sample-rate $n rb-custom"
done
for b in rb-libbpf rb-custom; do
	MODES+="
$b, one at a time on one CPU|$RESERVE|-c1 --rb-batch-cnt 1 --rb-sample-rate 1 --prod-affinity 0 --cons-affinity 0 $b"
done
for n in 1 2; do
	MODES+="
rb-libbpf, $n producers|$RESERVE|-c1 -p$n --rb-batch-cnt 50 rb-libbpf
overwrite, $n producers|$RESERVE|-p$n --rb-batch-cnt 50 --rb-overwrite --rb-bench-producer rb-libbpf"
done
MODES+="
overwrite, output|bpf_ringbuf_output|-p1 --rb-use-output --rb-overwrite --rb-bench-producer rb-libbpf
full ring|bpf_ringbuf_reserve|-p1 --rb-bench-producer rb-libbpf
full ring, output|bpf_ringbuf_output|-p1 --rb-use-output --rb-bench-producer rb-libbpf
perf buffer|-|-c1 pb-custom
perf buffer, back to back|-|-c1 --rb-b2b pb-custom"

loaded() { [ -d /sys/module/rust_dynptr ]; }
bound() { awk '{print $2}' "$DEBUG/programs"; }
hits() { awk -v row="$1" '$1 == row {print $3}' "$DEBUG/takeover"; }

# run SECONDS ROWS ARG…: the tool, with its output in /tmp/out and the programs that were bound while it ran
# in /tmp/bound. It counts a second after it has loaded them at the earliest; by then we have seen them.
run() {
	local i pid rc=0 seconds=$1 rows=$2
	shift 2
	: >/tmp/bound
	"$DIR/bench" -a -w1 "-d$seconds" "$@" >/tmp/out 2>&1 &
	pid=$!
	[ "$rows" != - ] || sleep 1
	for ((i = 0; i < 60; i++)); do
		if ! loaded || ! kill -0 "$pid" 2>/dev/null; then break; fi
		bound >/tmp/bound
		if [ -s /tmp/bound ] || [ "$rows" = - ]; then break; fi
		sleep 0.05
	done
	wait "$pid" || rc=$?
	return "$rc"
}

# run_again: the same. Back to back, the tool's producer may be gone before its processor is set, with which
# the tool ends: once more.
run_again() {
	local rc i
	for ((i = 0; i < 5; i++)); do
		rc=0
		run "$@" || rc=$?
		grep -q '^setting affinity' /tmp/out || break
	done
	return "$rc"
}

# sample NAME SIDE ROWS ARG…: one run, whose samples go to FIGURES.
sample() {
	local name=$1 side=$2 rows=$3 rc=0 program=bench_ringbuf
	shift 3
	run_again "$((SAMPLES - 1))" "$rows" "$@" || rc=$?
	if [ "$side" = c ]; then
		! loaded || rc=1
	else
		[ "$rows" != - ] || program=''
		[ "$(cat /tmp/bound)" = "$program" ] || rc=1
	fi
	awk -v name="$name" -v side="$side" 'function rate(what) {
			match($0, what " +[0-9.]+")
			return substr($0, RSTART + length(what), RLENGTH - length(what)) + 0
		}
		/^Iter +[1-9]/ {print name "\t" side "\t" rate("hits") "\t" rate("drops")}' /tmp/out >/tmp/samples
	cat /tmp/samples >>"$FIGURES"
	[ -s /tmp/samples ] || rc=1
	[ "$rc" = 0 ] || { echo "# $name, $side: bound: $(cat /tmp/bound)"; sed 's/^/# /' /tmp/out; }
	return "$rc"
}

load() { "$TOP/scripts/rust-dynptr" load "$TOP/$KO" >/tmp/load 2>&1; }
unload() { "$TOP/scripts/rust-dynptr" unload >/tmp/load 2>&1; }

# served ROWS ARG…: the same with hits counted: each of those rows must have some more.
served() {
	local row rc=0 rows=$1
	local -A before
	shift
	echo 1 >"$DEBUG/counting"
	for row in ${rows//,/ }; do before[$row]=$(hits "$row"); done
	run_again 1 "$rows" "$@" || rc=$?
	for row in ${rows//,/ }; do
		[ "$(($(hits "$row") - before[$row]))" -ge 10 ] || { echo "# no hits: $row"; rc=1; }
	done
	return "$rc"
}

# measure NAME ROWS ARG…: C, Rust, Rust, C.
measure() {
	local i rc=0 name=$1 rows=$2
	shift 2
	for ((i = 0; i < REPEATS; i++)); do
		sample "$name" c "$rows" "$@" || rc=1
		load || rc=1
		sample "$name" rust "$rows" "$@" || rc=1
		sample "$name" rust "$rows" "$@" || rc=1
		[ "$rows" = - ] || [ "$i" -gt 0 ] || served "$rows" "$@" || rc=1
		unload || rc=1
		sample "$name" c "$rows" "$@" || rc=1
	done
	return "$rc"
}

# figures FORM NAME: the samples of the mode (of all, without NAME) as text or in fields.
figures() {
	awk -F'\t' -v form="$1" -v only="$2" -v loose="$LOOSE" -v speed="$((1000 >> SHIFT))" \
		-f "$TOP/selftests/cost/bench.awk" "$FIGURES"
}

: >"$FIGURES"
mkdir -p "$TOP/$RESULTS"
while IFS='|' read -r name rows args; do
	case $name in *"${ONLY:-}"*) ;; *) continue ;; esac
	rc=0
	# shellcheck disable=SC2086  # words
	measure "$name" "$rows" $args || rc=$?
	[ "$rc" = 0 ] || sed 's/^/# /' /tmp/load
	tap_ok "bench: $(figures text "$name")" "$rc"
done <<<"$MODES"
# shellcheck disable=SC2016  # jq's variables
figures fields "" | jq -nR '[inputs | split("\t") | (.[1:] | map("[\(.)]" | fromjson)) as [$c, $rust, [$ratio], [$low], [$high],
		[$c_dropped], [$rust_dropped], [$loose]]
		| {name: .[0], $c, $rust, $ratio, $low, $high, $c_dropped, $rust_dropped, $loose}]
	| {group: "upstream", unit: "instructions a record", results: .}' >"$TOP/$RESULTS/upstream.json"
tap_no_splat bench
tap_done
