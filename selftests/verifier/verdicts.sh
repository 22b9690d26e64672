#!/bin/bash
# verdicts.sh DIR KO RESULTS SET [SHARD SHARDS]: in the guest, loads every program of the BPF objects in
# DIR (upstream's, by its veristat) and of our lifetime.bpf.c with C and then with the module loaded.
# Verdict, instructions, states and the verifier's whole log (level 2) must be the same, byte for byte, with
# soundness=sound, the default, and, but for SET brief, with soundness=c. SET:
#   brief   only objects that are about dynptrs or ring buffers, as root, and lifetime.bpf.c without capabilities, too
#   short   the last two sets of capabilities only for objects that are about dynptrs or ring buffers, and
#           no object that has more than 10 MB of log and is not
#   full    all sets of capabilities for all objects
#   all     only every SHARDS-th object, as root, and without the log, so that the time is the verifier's
# TAP, one line an object and set of capabilities:
#   root          all
#   no-perfmon    no CAP_PERFMON, CAP_SYS_ADMIN: the verifier hides kernel pointers
#   unprivileged  none: it also follows speculative paths
# Times and addresses differ from run to run: they are cut out. Logs that differ are kept in RESULTS.
set -euo pipefail
DIR=$1
KO=$2
RESULTS=$3
SET=$4
SHARD=${5:-0}
SHARDS=${6:-1}
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=selftests/lib/tap.sh
. "$TOP/selftests/lib/tap.sh"
OUT=$TOP/$RESULTS/verdicts
LOG_SIZE=$((32 << 20)) # of larger ones the end
LONG=' linked_list test_cls_redirect test_cls_redirect_subprogs verifier_iterating_callbacks '

# modes OBJECT: its sets of capabilities.
modes() {
	case $SET:${1##*/} in
	full:* | short:*dynptr* | short:*ringbuf* | short:lifetime*) echo root no-perfmon unprivileged ;;
	brief:lifetime*) echo root unprivileged ;;
	*) echo root ;;
	esac
}

# What varies: kernel addresses in `r1 = 0x…`, and time. The lines with the times go to /tmp/times, too.
normalise() {
	sed -E -e '/^PROCESSING .* DURATION US: /w /tmp/times' -e 's/0xffff[0-9a-f]{12}/ADDRESS/g' \
		-e 's/^verification time [0-9]+ usec/verification time/; s/DURATION US: [0-9]+/DURATION US/'
}

# verify MODE OBJECT: veristat's output with those capabilities.
verify() {
	local as=()
	case $1 in
	no-perfmon) as=(setpriv "--bounding-set=-perfmon,-sys_admin" --inh-caps=-all) ;;
	unprivileged) as=(setpriv --bounding-set=-all --inh-caps=-all) ;;
	esac
	if [ "$SET" != all ]; then
		"${as[@]}" ./veristat -v -l 2 --log-size "$LOG_SIZE" -e file,prog,verdict,insns,states,peak_states \
			-o csv "$2" 2>/dev/null || true
	else
		./veristat -e file,prog,duration,verdict,insns,states,peak_states -o csv "$2" 2>/dev/null |
			sed -E '1d; s|^([^,]*),([^,]*),([^,]*),([^,]*),|PROCESSING \1/\2, DURATION US: \3, VERDICT: \4, |' || true
	fi
}

# side NAME: all objects with all sets of capabilities; logs in OUT/NAME, times in OUT/NAME.programs.
side() {
	local mode object
	mkdir -p "$OUT/$1"
	for object in "${OBJECTS[@]}"; do
		for mode in $(modes "$object"); do
			verify "$mode" "$object" | normalise | zstd -q -1 >"$OUT/$1/${object##*/}.$mode.zst"
			cat /tmp/times >>"$OUT/$1.programs"
		done
	done
}

# compare SIDE: with C.
compare() {
	local object mode name n rc
	for object in "${OBJECTS[@]}"; do
		for mode in $(modes "$object"); do
			name=${object##*/}
			zstd -qdc "$OUT/C/$name.$mode.zst" >/tmp/C.log
			zstd -qdc "$OUT/$1/$name.$mode.zst" >/tmp/Rust.log
			n=$(grep -ac '^PROCESSING ' /tmp/C.log || true)
			programs=$((programs + n))
			rc=0
			diff -a /tmp/C.log /tmp/Rust.log >/tmp/differences || rc=$?
			tap_ok "verdicts ${name%.bpf.o} $mode${2:+ $2}: $n programs, $(stat -c %s /tmp/C.log) bytes of log" "$rc" \
				/tmp/differences
			[ "$rc" != 0 ] || rm -f "$OUT/$1/$name.$mode.zst"
		done
	done
}

# rust LEVEL: all with the module loaded and that soundness, compared with C.
rust() {
	local rc=0 side=Rust
	[ "$1" = sound ] || side=Rust-$1
	"$TOP/scripts/rust-dynptr" load "$TOP/$KO" count=1 soundness="$1" >/tmp/load 2>&1 || rc=$?
	tap_ok "verdicts: the module loads with soundness=$1" "$rc" /tmp/load
	side "$side"
	compare "$side" "$([ "$1" = sound ] || echo "soundness=$1")"
	cat /sys/kernel/debug/rust_dynptr/takeover >>"${RUST_DYNPTR_HITS:-/dev/null}"
	awk '$2 == "patch" {print "# " $1 ": " $3 " hits"}' /sys/kernel/debug/rust_dynptr/takeover
	rc=0
	"$TOP/scripts/rust-dynptr" unload >/tmp/unload 2>&1 || rc=$?
	tap_ok 'verdicts: the module unloads' "$rc" /tmp/unload
}

# total SIDE: microseconds that the verifier took for the programs that it accepted.
total() { awk 'match($0, /DURATION US: [0-9]+, VERDICT: success/) {split(substr($0, RSTART), w, /[ ,]+/); us += w[3]}
	END {print us + 0}' "$OUT/$1.programs"; }

cd "$DIR"
OBJECTS=()
n=0
for object in *.bpf.o; do
	[[ $SET != brief || $object == *dynptr* || $object == *ringbuf* ]] || continue
	[[ $SET != short || $LONG != *" ${object%.bpf.o} "* ]] || continue
	[ $((n++ % SHARDS)) != "$SHARD" ] || OBJECTS+=("$object")
done
[ "$SET" = all ] || OBJECTS+=("$TOP/build/selftests/lifetime.bpf.o")
rm -rf "$OUT"
mkdir -p "$OUT"
sysctl -qw kernel.unprivileged_bpf_disabled=0
side C
programs=0
rust sound
[ "$SET" = brief ] || rust c
# lifetime.bpf.c: lifetime.c checks what its programs say of themselves; without capabilities, none is accepted.
if [ "$SET" != all ]; then
	n=$(grep -c '^SEC("?' "$TOP/selftests/verifier/lifetime.bpf.c")
	grep -a 'lifetime.bpf.o/' "$OUT/Rust.programs" >/tmp/lifetime
	tail -n "$n" /tmp/lifetime | grep -v 'VERDICT: failure' >/tmp/unexpected && rc=1 || rc=0
	tap_ok "verdicts: none of the $n programs of lifetime.bpf.c is accepted without capabilities" "$rc" /tmp/unexpected
fi
# Of regressions.md: that these fail is otherwise in upstream's runner only, which needs a qdisc.
if [ "$SET" != all ]; then
	n=$(awk '!seen[$2]++' "$OUT/Rust.programs" | grep -cE \
		'/invalid_dynptr(_slice|_cross_frame)?, .*VERDICT: failure|/dynptr_use_after_invalidate_clone, .*VERDICT: success' || true)
	[ "$n" = 4 ] && rc=0 || rc=1
	tap_ok "verdicts: $n of 4 programs of qdiscs are judged as their names say" "$rc"
fi
[ "$programs" -ge "${#OBJECTS[@]}" ] && rc=0 || rc=1
tap_ok "verdicts: $programs programs of ${#OBJECTS[@]} objects were compared" "$rc"
accepted=$(grep -c 'VERDICT: success' "$OUT/C.programs")
echo "# $accepted accepted, in $(total C) us with C and $(total Rust) us with Rust (wall time: noise)"
[ "$TAP_FAILED" = 1 ] || rm -rf "${OUT:?}"/{C,Rust,Rust-c}
tap_done
