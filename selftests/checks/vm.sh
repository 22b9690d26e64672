#!/bin/bash
# shellcheck disable=SC2016,SC2317  # what stands in single quotes is for the guest; functions run by name
# vm.sh [some|all]: on the host, what scripts/vm and `make vm` promise: status, streams, limits, panics. `some`: what takes
# few boots. TAP.
set -euo pipefail
# By setsid, so that its processes are told from those of other tests and clones.
[ -n "${VM_SESSION:-}" ] || VM_SESSION=1 exec setsid --wait "$0" "$@"
TOP=$(cd "$(dirname "$0")/../.." && pwd)
cd "$TOP"
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
load_env
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
KO=build/rust_dynptr.ko
WHAT=${1:-all}

# vm STATUS ARG…: runs scripts/vm; its status must be STATUS; streams in $W/out and $W/err.
vm() {
	local want=$1
	shift
	rc=0
	scripts/vm "$@" >"$W/out" 2>"$W/err" </dev/null || rc=$?
	[ "$rc" = "$want" ] && return
	echo "status $rc, wanted $want" >>"$W/err"
	return 1
}

# check NAME CMD…: a test that passes when CMD does.
check() {
	local name=$1 good=0
	shift
	"$@" || good=1
	tap_ok "vm: $name" "$good" "$W/err"
}

# statuses: the command's status and streams.
statuses() {
	local good=0
	vm 7 -t 120 'echo "to stdout"; echo "to stderr" >&2; exit 7' || good=1
	tap_ok 'vm: the command'\''s status' "$good" "$W/err"
	check 'its stdout alone' test "$(cat "$W/out")" = 'to stdout'
	check 'its stderr' grep -qx 'to stderr' "$W/err"
	check 'its stderr is not on stdout' test "$(grep -c stderr "$W/out" || true)" = 0
}

# output: all of its output.
output() {
	local good=0
	vm 0 -t 120 'seq 200000 | sha256sum; head -c 3000000 /dev/zero | wc -c; echo "$((0x2a))" a  "b  c"' || good=1
	{
		seq 200000 | sha256sum
		echo 3000000
		echo '42 a b  c'
	} >"$W/want"
	cmp -s "$W/out" "$W/want" || good=1
	tap_ok 'vm: output and quoting come through whole' "$good" "$W/out"
}

# make_vm: `make vm`.
make_vm() {
	local good=0
	make -s vm CMD="echo it\\'s '\$HOME' \$(lsmod | grep -c ^rust_dynptr); exit 3" >"$W/out" 2>"$W/err" </dev/null && good=1
	grep -qx "it's \$HOME 1" "$W/out" || good=1
	grep -q 'Error 3$' "$W/err" || good=1
	tap_ok 'vm: make vm CMD=… loads the module, runs the command, fails with its status' "$good" "$W/err"
}

# limit: the time limit.
limit() {
	local good=0
	start=$SECONDS
	vm 124 -t 25 'echo before; sleep 300' || good=1
	[ $((SECONDS - start)) -lt 45 ] && grep -qx before "$W/out" || good=1
	grep -q 'time limit of 25 s' "$W/err" || good=1
	tap_ok 'vm: the time limit ends it with status 124' "$good" "$W/err"
}

# panics: a guest that panics.
panics() {
	local good=0
	vm 125 -t 120 'echo c >/proc/sysrq-trigger; sleep 60' || good=1
	grep -q 'kernel panicked' "$W/err" && grep -q 'Kernel panic - not syncing: sysrq' "$W/err" || good=1
	tap_ok 'vm: a panic ends it with status 125 and its log' "$good" "$W/err"
}

# help: the script without a set-up: its first comment, and nothing else.
help() {
	local script good
	for script in scripts/vm scripts/guest/vm-inner scripts/guest/guest-init scripts/guest/boot-loop; do
		good=0
		mkdir -p "$W/clone/$(dirname "$script")"
		cp -r scripts/lib.sh scripts/guest "$W/clone/scripts/"
		cp "$script" "$W/clone/$script"
		"$W/clone/$script" -h >"$W/out" 2>"$W/err" </dev/null || good=1
		awk 'NR > 1 && !/^#/ {exit} NR > 1 && !/shellcheck/ {sub(/^# ?/, ""); print}' "$script" >"$W/want"
		cmp "$W/out" "$W/want" >>"$W/err" 2>&1 && [ -s "$W/out" ] && [ ! -s "$W/err" ] || good=1
		tap_ok "vm: $script -h prints what it is" "$good" "$W/err"
	done
}

# processors: in $W/err, each of two is at a symbol+offset, which matches PATTERN.
processors() { [ "$(grep -cE "^RIP=[0-9a-f]{16} ($1)\+0x[0-9a-f]+ " "$W/err" || true)" -ge 2 ]; }

# hangs_booting: one that waits for a root that never comes.
hangs_booting() {
	local good=0
	VM_SILENT=15 VM_APPEND='quiet root=/dev/none rootfstype=ext4 rootwait' vm 123 -t 120 'echo ran' || good=1
	grep -q 'after 15 s without a byte on its console' "$W/err" && processors '[a-z_]*halt' || good=1
	grep -q 'is booted once more' "$W/err" && grep -q 'hung again' "$W/err" && grep -q '^RIP' "$W/err" && [ ! -s "$W/out" ] || good=1
	tap_ok 'vm: a guest that hangs as it boots is booted once more, and it is said where it was' "$good" "$W/err"
}

# first_process: a guest whose first process does not come.
first_process() {
	local good=0
	VM_BOOT=3 vm 123 -t 120 'echo ran' || good=1
	grep -q 'its first process did not run within 3 s' "$W/err" && grep -q 'hung again' "$W/err" && [ ! -s "$W/out" ] || good=1
	tap_ok 'vm: so is one whose first process does not run in time' "$good" "$W/err"
}

# hangs: one whose processors all spin with interrupts off. The time is from what the guest prints before to the end:
# others may have the slots.
hangs() {
	local good=0 last
	build_kmods
	vm 124 -t 500 'cut -d" " -f1 /proc/uptime; insmod build/kmod/stuck.ko' || good=1
	# Not vm/last, which is of whichever guest began last.
	last=$TOP/$(grep -oE 'build/vm/[0-9]+' "$W/err" | head -n 1)
	took=$(($(stat -c %Y "$last/hang") - $(stat -c %Y "$last/beat")))
	[ "$took" -le 60 ] && [ -s "$W/out" ] && grep -q 'the guest hung as it ran: after 20 s without a heartbeat' "$W/err" || good=1
	processors '(delay_|__const_udelay|__udelay)[a-z]*' && grep -q ' multi_cpu_stop+0x' "$W/err" && grep -q '^RIP=' "$last/registers" || good=1
	tap_ok "vm: a guest that hangs is noticed, and it is said where it was (after $took s)" "$good" "$W/err"
}

# works_on: guests that only look as if they hung.
works_on() {
	local good=0
	vm 0 -t 500 'exec {tick}<> <(:); for ((i = 0; i < 45; i++)); do read -rt 1 -u "$tick"; done; cat /proc/sys/kernel/printk' || good=1
	grep -qE '^4\s' "$W/out" || good=1
	tap_ok 'vm: one that prints nothing for a longer time is not ended, and its console is quiet again' "$good" "$W/err"
	good=0
	vm 0 -i -t 500 'sleep 1000; echo woke' && grep -qx woke "$W/out" || good=1
	tap_ok 'vm: nor is one whose instructions are counted' "$good" "$W/err"
}

# images: kernel images that are none.
images() {
	local good=0
	KIMAGE=$W/none vm 1 true || good=1
	grep -q 'no kernel image' "$W/err" || good=1
	tap_ok 'vm: a kernel image that does not exist' "$good" "$W/err"
	head -c 100000 /dev/zero >"$W/zero"
	good=0
	KIMAGE=$W/zero vm 1 -t 60 true || good=1
	grep -q 'not a bzImage' "$W/err" || good=1
	tap_ok 'vm: a kernel image that is none' "$good" "$W/err"
}

# shell: typed once its prompt is there.
shell() {
	local good=0
	mkfifo "$W/keys"
	scripts/vm -l "$KO" <"$W/keys" >"$W/out" 2>"$W/err" &
	shell=$!
	exec {keys}>"$W/keys"
	for ((i = 0; i < 600; i++)); do
		! grep -q 'root@.*# ' "$W/out" || break
		sleep 0.1
	done
	printf 'echo typed-$((6*7)); lsmod | grep -c ^rust_dynptr\nexit\n' >&"$keys"
	rc=0
	wait "$shell" || rc=$?
	exec {keys}>&-
	[ "$rc" = 0 ] && grep -q typed-42 "$W/out" || good=1
	tap_ok 'vm: an interactive shell' "$good" "$W/out"
}

# loops: the loop of boots.
loops() {
	local good=0
	VM_CPU=hypervisor=off scripts/guest/boot-loop 1 -j -p 4 >"$W/out" 2>&1 </dev/null || good=1
	grep -qE '^1 boots \(-j -p 4\): 0 hung as they booted, 0 failed otherwise; .*silence.*: [0-9]+\.[0-9] s$' "$W/out" || good=1
	tap_ok 'vm: the loop of boots counts them' "$good" "$W/out"
}

# accelerator: the probe must give an answer in its time, whatever /dev/kvm does.
accelerator() {
	local good=0
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/rust_dynptr
	rm -f "$cache"/accel-*
	vm 0 -t 120 true || good=1
	# Without the time that it waited for its turn.
	took=$(awk -F '[][ ]+' '/vm: trying KVM/ {start = $2} /vm: accelerator: / {end = $2} END {print end - start}' "$W/err")
	[ "$took" -lt 60 ] && ! grep -qE 'vm-inner|Aborted|Killed' "$W/err" || good=1
	[ ! -w /dev/kvm ] || grep -qxE 'kvm|tcg' "$cache"/accel-* || good=1
	tap_ok "vm: the accelerator is found by a boot with a time limit ($(cat "$cache"/accel-* 2>/dev/null || echo 'no /dev/kvm'))" "$good" "$W/err"
}

# ours: the processes of guests of this test.
ours() { { pgrep -s 0 virtiofsd; pgrep -s 0 qemu-system; } || true; }

# wait_for SECONDS CMD…: until CMD succeeds.
wait_for() {
	local i
	for ((i = 0; i < $1 * 10; i++)); do
		! "${@:2}" || return 0
		sleep 0.1
	done
	return 1
}
some() { [ -n "$(ours)" ]; }
none() { ! some; }

# killed WHAT CMD…: CMD is killed as soon as its guest runs, and leaves no process.
killed() {
	local pid good=0
	"${@:2}" >"$W/out" 2>"$W/err" &
	pid=$!
	wait_for 100 some || good=1
	kill "$pid"
	wait "$pid" 2>/dev/null || true
	wait_for 10 none || good=1
	tap_ok "vm: $1 that is killed leaves no process" "$good" "$W/err"
}

statuses
make_vm
help
hangs
images
if [ "$WHAT" = all ]; then
	output
	limit
	panics
	hangs_booting
	first_process
	works_on
	shell
	loops
	accelerator
fi
check 'nothing stays mounted' test "$(grep -c "$TOP/build\|/sysroot-[0-9a-f]*/" /proc/self/mountinfo || true)" = 0
check 'no process stays' none
killed 'a guest' scripts/vm -t 100 'sleep 90'
[ "$WHAT" != all ] || killed 'a benchmark' scripts/bench/run parts
tap_done
