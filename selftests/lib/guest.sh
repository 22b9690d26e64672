#!/bin/bash
# guest.sh LIST: in the guest, runs the tests of LIST, a line each: NAME, a tab, after how many seconds without a word
# it is taken for dead, a tab, its command. scripts/test makes the list, and reads what is said here on stdout:
# "begin NAME" and "end NAME STATUS". Of each, the list's directory has NAME.tap, its output; NAME.err, its messages; NAME.status;
# and NAME.kernel.tap: whether the kernel had anything to say meanwhile, and whether the module is gone again. After a
# test that hangs, the guest is of no use any more, and this ends: scripts/test boots another for those that are left.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/splats.sh
. selftests/lib/splats.sh
OUT=$(dirname "$1")

# said NAME: how much it has said so far.
said() { stat -c %s "$OUT/$1.tap" "$OUT/$1.err" | paste -sd,; }

# where SID: where each process that has this sid is in the kernel, and what each processor does.
where() {
	local pid
	for pid in $(pgrep -s "$1"); do
		echo "process $pid, $(tr '\0' ' ' <"/proc/$pid/cmdline"):"
		cat "/proc/$pid/stack" || true
	done
	echo l >/proc/sysrq-trigger
	sleep 2
	dmesg | sed -n '/sysrq: Show backtrace/,$p' | grep -vE '\] (R[A-Z0-9]{2}|[FC]S|CR2|PKRU|Code):|TASK>' | tail -n 60
}

# watch NAME QUIET PID: ends the test's processes when it says nothing for QUIET seconds; what the kernel then says of
# its tasks and processors goes to NAME.hang, and so to the reader. Ends when a line comes from the pipe DONE.
watch() {
	local last now silent=0
	last=$(said "$1")
	while ! read -rt 5 -u "$DONE"; do
		now=$(said "$1")
		[ "$now" = "$last" ] || { last=$now silent=0; continue; }
		silent=$((silent + 5))
		[ "$silent" -ge "$2" ] || continue
		echo "selftests: $1 is silent" >/dev/kmsg
		where "$3" >"$OUT/$1.hang"
		pkill -KILL -s "$3" || true
		return
	done
}

# run NAME QUIET COMMAND: its status.
run() {
	local pid watcher rc=0
	(
		# A test has no more files open than by hand.
		exec 3<&-
		eval "exec $DONE<&-"
		export TEST_NAME=$1 TEST_PARTS=/host/$OUT/$1 RUST_DYNPTR_HITS=/host/$OUT/hits.$1
		exec setsid bash -c "$3"
	) >"$OUT/$1.tap" 2>"$OUT/$1.err" </dev/null &
	pid=$!
	watch "$1" "$2" "$pid" &
	watcher=$!
	wait "$pid" || rc=$?
	[ -e "$OUT/$1.hang" ] || echo >&"$DONE"
	wait "$watcher" || true
	[ ! -e "$OUT/$1.hang" ] || rc=124
	return "$rc"
}

# kernel NAME: TAP of what the kernel has said since the test began, and of what it left.
kernel() {
	local found
	echo 1..2
	found=$(kernel_log | splats "$SPLATS" | grep -vE "$(asked "$1")" || true)
	[ -z "$found" ] || printf 'not '
	echo "ok 1 - $1: no splat in the kernel log"
	[ -z "$found" ] || printf '%s\n' "$found" | head -n 60 | sed 's/^/# /'
	if [ ! -d /sys/module/rust_dynptr ]; then
		echo "ok 2 - $1: the module is gone"
		return
	fi
	echo "not ok 2 - $1: the module is gone"
	scripts/rust-dynptr unload 2>&1 | sed 's/^/# /' || true
}

exec {DONE}<> <(:)
while IFS=$'\t' read -r name quiet command <&3; do
	rm -f "$OUT/$name".*
	echo "begin $name"
	echo "selftests: begin $name" >/dev/kmsg
	rc=0
	run "$name" "$quiet" "$command" || rc=$?
	if [ -e "$OUT/$name.hang" ]; then
		echo "end $name silent"
		exit 124
	fi
	kernel "$name" >"$OUT/$name.kernel.tap"
	echo "$rc" >"$OUT/$name.status"
	echo "end $name $rc"
	find /tmp -mindepth 1 -delete 2>/dev/null || true
done 3<"$1"
