#!/bin/bash
# tool.sh KO [some|all]: scripts/rust-dynptr in the guest: installed elsewhere, every command, its output, JSON and
# status. `some`: without what takes long for a second way to the same.
set -euo pipefail
KO=$1
WHAT=${2:-all}
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
tap_needs jq bpftool "$CHECKER" "$TABLE"
W=$(mktemp -d)
chmod 755 "$W" # for who is not root
trap 'rm -rf "$W"' EXIT
TOOL=$W/root/usr/local/sbin/rust-dynptr
DEBUG=/sys/kernel/debug/rust_dynptr

# run CMD…: its status in rc, its output in $W/out and $W/err.
run() {
	rc=0
	"$@" >"$W/out" 2>"$W/err" || rc=$?
}

# gives NAME STATUS PATTERN: the last run had that status, and a line of its output is like PATTERN.
gives() {
	cat "$W/out" "$W/err" >"$W/both"
	tap_refused "tool: $1" "$2" "$W/both" "$3"
}

# json NAME FILTER: the last run's output is JSON, of which jq's FILTER is true.
json() { tap_json "tool: $1" "$2" "$W/out"; }

# start PROGRAM ARG…: a program of ours in the background, once it says that it is there.
start() {
	: >"$W/started"
	"$PROGRAMS/$1" "${@:2}" >"$W/started" 2>&1 &
	started=$!
	for ((i = 0; i < 100; i++)); do
		! grep -qE 'loaded|attached' "$W/started" || return 0
		sleep 0.1
	done
	tap_ok "tool: $1 starts" 1 "$W/started"
}

end() {
	kill "$1"
	wait "$1" 2>/dev/null || true
}

if [ -n "$CLONE" ]; then
	make -s -C "$CLONE" install-tool DESTDIR="$W/root"
else
	install -D "$PROGRAMS/rust-dynptr" "$TOOL"
	install -D "$CHECKER" "$W/root/usr/local/libexec/rust-dynptr/check-running"
fi
ROWS=$(grep -cE '^ok .* takeover (jump|bind|patch|probe|hold|hook) ' "$TABLE")

# Before anything is loaded.
run "$TOOL" --version
gives 'version' 0 '^rust-dynptr [0-9]+\.[0-9]+\.[0-9]+$'
run "$TOOL" --help
gives 'help' 0 '^SYNOPSIS$'
run "$TOOL" hits --help
gives 'help of a command' 0 '^SYNOPSIS$'
run "$TOOL"
gives 'no command' 2 'usage: rust-dynptr check'
for bad in 'unload --wait x' 'unload --now' 'hits --interval 0' 'hits --interval' 'hits --' 'status --xml' 'check --loud' 'load --force'; do
	# shellcheck disable=SC2086  # several words
	run "$TOOL" $bad
	gives "bad usage: $bad" 2 'error: '
done
run setpriv --reuid 1000 "$TOOL" status
gives 'not root' 1 'must be root'
run "$TOOL" status
gives 'status, nothing loaded' 3 'not loaded: C serves'
run "$TOOL" status --json
[ "$rc" = 3 ] || echo x >>"$W/out"
json 'status --json, nothing loaded' '.loaded == false'
run "$TOOL" hits
gives 'hits, nothing loaded' 1 'not loaded'
run "$TOOL" load
gives 'load without a module, none installed' 1 'no module is given'
run "$TOOL" load "$W/none.ko"
gives 'load of no file' 1 "no module at"

# Would it load?
run "$TOOL" check "$KO"
gives 'check: it fits' 0 'rust_dynptr.ko fits this kernel'
[ "$(grep -cE '^ok +(jump|bind|patch|probe|hold|hook) ' "$W/out")" = "$ROWS" ] && rc=0 || rc=1
tap_ok "tool: check: a line for each of the $ROWS rows" "$rc" "$W/out"
run "$TOOL" check --quiet "$KO"
[ "$(wc -l <"$W/out")" = 1 ] && rc=0 || rc=1
tap_ok 'tool: check --quiet: only the result' "$rc" "$W/out"
run "$TOOL" check --json "$KO"
json 'check --json' '.fits and (.checks | length) > '"$ROWS"' and all(.checks[]; .result == "ok")'
run "$TOOL" check "$W/none.ko"
gives 'check of no file' 2 'no module at'
run "$TOOL" check /bin/true
gives 'check of what is no module' 2 'not a kernel module'
run "$TOOL" check build/module/rust_dynptr.ko
gives 'check of what is not linked' 2 'not linked by klp-link'
# Stripped, as it is installed; also because packing the whole takes minutes here.
strip -g -o "$W/stripped.ko" "$KO"
for pack in gzip $([ "$WHAT" != all ] || echo xz); do
	"$pack" -c "$W/stripped.ko" >"$W/rust_dynptr.ko.${pack/gzip/gz}"
	run "$TOOL" check --quiet "$W/rust_dynptr.ko.${pack/gzip/gz}"
	gives "check of a module, stripped and packed by $pack" 0 'fits this kernel'
done
start fentry 100
run "$TOOL" check --quiet --json "$KO"
[ "$rc" = 1 ] || echo x >>"$W/out"
json 'check names who holds a function' \
	'.fits == false and ([.checks[] | select(.name == "bpf_dynptr_size" and .result == "bad" and (.detail | test("fentry")))] | length) == 1'
end "$started"
echo 0 >/sys/kernel/debug/kprobes/enabled
run "$TOOL" check --quiet "$KO"
gives 'check sees that kprobes are off' 1 '^bad +kernel +kprobes'
run "$TOOL" load "$KO"
gives 'load is refused while they are' 1 'kprobes are switched off'
echo 1 >/sys/kernel/debug/kprobes/enabled

# Loaded.
run "$TOOL" load "$KO" count=0
[ "$rc" = 0 ] && [ ! -s "$W/out" ] && [ ! -s "$W/err" ] && rc=0 || rc=1
tap_ok 'tool: load, which says nothing when all is well' "$rc" "$W/err"
run "$TOOL" check --quiet "$KO"
gives 'check while it is loaded' 0 '^note +kernel +loaded'
run "$TOOL" status --json
json 'status --json' '.loaded and .livepatch == "enabled" and .counting == false and .references == 1
	and (.rows | length) == '"$ROWS"' and all(.rows[]; .state | test("^active")) and .programs == []
	and (.heap | has("live"))'
run "$TOOL" status
gives 'status says that nothing is counted' 0 'hits are not counted'
gives 'status says what is refused' 0 'soundness=sound'
echo 0 >/sys/kernel/debug/kprobes/enabled
run "$TOOL" status --json
json 'status --json: C serves what is probed while kprobes are off' \
	'.soundness == "sound" and all(.rows[] | select(.kind == "probe"); .state == "off: kprobe disarmed")'
echo 1 >/sys/kernel/debug/kprobes/enabled
run "$TOOL" hits
gives 'hits says so too' 0 'not counted now'
run "$TOOL" hits --json -- sh -c "'$PROGRAMS/execs' -o /dev/null -- true >/dev/null 2>&1; echo mine; exit 7"
[ "$rc" = 7 ] && [ "$(cat "$W/out")" = mine ] && rc=0 || rc=1
tap_ok "tool: hits -- COMMAND: the command's status and output" "$rc" "$W/err"
cp "$W/err" "$W/out"
json 'hits -- COMMAND: what came while it ran' \
	'.hits.process_dynptr_func > 0 and .hits.bpf_ringbuf_reserve_dynptr > 0 and .seconds > 0'
grep -qx 0 "$DEBUG/counting" && rc=0 || rc=1
tap_ok 'tool: counting is off again afterwards' "$rc"
run "$TOOL" hits --on
run "$TOOL" hits --all
[ "$(wc -l <"$W/out")" = $((ROWS + 2)) ] && rc=0 || rc=1
tap_ok 'tool: hits --all: all rows' "$rc" "$W/out"
"$PROGRAMS/execs" -o /dev/null -- sleep 4 >/dev/null 2>&1 &
run "$TOOL" hits --interval 1 --times 2 --json
[ "$rc" = 0 ] && [ "$(grep -c '^{.*}$' "$W/out")" = 2 ] && rc=0 || rc=1
tap_ok 'tool: hits --interval: an object a line' "$rc" "$W/out"
wait
if [ "$WHAT" = all ]; then
	run timeout -s INT 15 "$TOOL" hits --interval 1
	gives 'hits --interval until interrupted' 124 'total .* in 1 s'
fi
grep -qx 1 "$DEBUG/counting" && rc=0 || rc=1
tap_ok 'tool: counting is on still, as it was' "$rc"
run "$TOOL" hits --off

# What holds it.
start holder 100
run "$TOOL" unload
gives 'unload names programs and who has them' 1 "BPF program [0-9]+ \(traffic\) .*open in $started holder"
run "$TOOL" status --json
json 'refused: all as before; bound programs in JSON' \
	'.livepatch == "enabled" and any(.programs[]; .name == "traffic" and .id > 0)'
run "$TOOL" unload --wait 1
gives 'unload --wait: not for ever' 1 'is in use by the BPF programs'
bpftool prog pin id "$(awk '$2 == "traffic" {print $1}' "$DEBUG/programs")" /sys/fs/bpf/tool
end "$started"
run "$TOOL" unload
gives 'unload names what is pinned' 1 '\(traffic\) .*open in no process: pinned'
: >"$W/err"
{
	# shellcheck disable=SC2016  # expanded by the inner shell
	timeout 60 sh -c 'until grep -q waiting "$1"; do sleep 0.1; done' sh "$W/err" || true
	rm /sys/fs/bpf/tool
} &
run "$TOOL" unload --wait 120
gives 'unload --wait: until they are gone' 0 'waiting for what holds the module'
wait
run "$TOOL" unload
gives 'unload of what is not loaded' 1 'not loaded'
tap_done
