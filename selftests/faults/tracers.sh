#!/bin/bash
# shellcheck disable=SC2317  # functions run by name
# tracers.sh KO OTHERPATCH_KO [some|all]: in the guest, others are on functions that the module takes over, before it
# comes and after, and go before it and after: kprobes, the function tracers, fentry programs, another livepatch
# (probed.ko and namesake.ko are beside it). The module is refused, naming the function, or all work; and the kernel is
# as before in the end. `some`: one of each kind. TAP.
set -euo pipefail
KO=$1
OTHER=$2
PROBER=${OTHER%/*}/probed.ko
NAMESAKE=${OTHER%/*}/namesake.ko
WHAT=${3:-all}
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
tap_needs bpftool
TRACING=/sys/kernel/tracing
DEBUG=/sys/kernel/debug/rust_dynptr
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
# Jump and patch, and a function that the module hooks. Those of the kinds bind and probe are without fentry,
# so the kernel allows no tracer and no probe by tracefs there.
PROBED=(bpf_dynptr_read process_dynptr_func bpf_fixup_call_args)
TRACED=(bpf_dynptr_read bpf_dynptr_size process_dynptr_func bpf_fixup_call_args)

load() { $TOOL load "$KO" count=1 >"$W/load" 2>&1 || { cat "$W/load"; return 1; }; }
unload() { $TOOL unload >"$W/unload" 2>&1 || { cat "$W/unload"; return 1; }; }
hits() { awk -v name="$1" '$1 == name {print $3}' "$DEBUG/takeover"; }

# traffic: programs that use all kinds of functions run rightly; with the module loaded, by Rust.
traffic() {
	local name before=()
	if [ ! -d "$DEBUG" ]; then
		"$PROGRAMS/traffic"
		return
	fi
	for name in "${SERVED[@]}"; do before+=("$(hits "$name")"); done
	"$PROGRAMS/traffic" || return
	for name in "${SERVED[@]}"; do
		[ "$(hits "$name")" -gt "${before[0]}" ] || { echo "$name was not served by Rust"; return 1; }
		before=("${before[@]:1}")
	done
}
SERVED=(bpf_dynptr_read bpf_ringbuf_output ringbuf_map_alloc destroy_if_dynptr_stack_slot)

# steps NAME CMD…: a test of commands that must all work; each is one word, a function of this file.
steps() {
	local name=$1 step rc=0
	shift
	: >"$W/steps"
	"$SELFTESTS/lib/state.sh" >"$W/before"
	for step in "$@"; do
		"$step" >>"$W/steps" 2>&1 || { rc=1; echo "in: $step" >>"$W/steps"; }
	done
	"$SELFTESTS/lib/state.sh" >"$W/after"
	diff "$W/before" "$W/after" >>"$W/steps" || rc=1
	tap_ok "tracers: $name: ${*}" "$rc" "$W/steps"
}

# probes_on, probes_hit, probes_off: kprobes at entries, by way of tracefs.
probes_on() {
	local name
	for name in "${PROBED[@]}"; do echo "p:test/at_$name $name" >>"$TRACING/kprobe_events"; done
	echo 1 >"$TRACING/events/test/enable"
}
probes_hit() {
	local name count
	for name in "${PROBED[@]}"; do
		count=$(awk -v name="at_$name" '$1 == name {print $2}' "$TRACING/kprobe_profile")
		[ "$count" -gt 0 ] || { echo "the probe at $name was not hit"; return 1; }
	done
}
probes_off() {
	echo 0 >"$TRACING/events/test/enable"
	echo >"$TRACING/kprobe_events"
}

# tracer_on, …: the function tracers, on some functions.
tracer_on() {
	printf '%s\n' "${TRACED[@]}" >"$TRACING/set_ftrace_filter"
	echo "$TRACER" >"$TRACING/current_tracer"
	echo >"$TRACING/trace"
}
tracer_saw() {
	local name
	cp "$TRACING/trace" "$W/trace"
	for name in "${TRACED[@]}"; do
		grep -q "$name" "$W/trace" || { echo "$name was not traced"; return 1; }
	done
	echo >"$TRACING/trace"
}
tracer_off() {
	echo nop >"$TRACING/current_tracer"
	echo >"$TRACING/set_ftrace_filter"
}

# fentry_on, …: a BPF program on $FENTRY.
fentry_on() {
	"$PROGRAMS/fentry" 300 "$FENTRY" >"$W/fentry" 2>&1 &
	fentry=$!
	for ((i = 0; i < 200; i++)); do
		! grep -q attached "$W/fentry" || return 0
		kill -0 "$fentry" 2>/dev/null || break
		sleep 0.1
	done
	cat "$W/fentry"
	return 1
}
fentry_saw() {
	kill "$fentry"
	wait "$fentry" || true
	grep -q '^[1-9][0-9]* calls' "$W/fentry" || { cat "$W/fentry"; return 1; }
}
fentry_refused() { ! fentry_on && grep -qE 'attach.*(Invalid|busy)' "$W/fentry"; }

# other_on, …: another livepatch, on $FUNCTION.
switched() {
	for ((i = 0; i < 300; i++)); do
		[ "$(cat "/sys/kernel/livepatch/$1/transition" 2>/dev/null || echo 0)" = 1 ] || return 0
		sleep 0.1
	done
	return 1
}
other_on() { insmod "$OTHER" function="$FUNCTION" replace="$REPLACE" && switched otherpatch; }
other_refused() {
	dmesg -C
	! insmod "$OTHER" function="$FUNCTION" 2>&1 && dmesg | grep "livepatch.*$FUNCTION"
}
other_off() {
	echo 0 >/sys/kernel/livepatch/otherpatch/enabled
	for ((i = 0; i < 300; i++)); do
		if [ ! -e /sys/kernel/livepatch/otherpatch ] && rmmod otherpatch 2>/dev/null; then return 0; fi
		sleep 0.1
	done
	return 1
}
# own_kfuncs, own_refused: a program that calls functions of the module's own is loaded, or not.
own_kfuncs() { bpftool prog load "$PROGRAMS/bpftoolheap.bpf.o" /sys/fs/bpf/tracers type tc 2>"$W/own" && rm -r /sys/fs/bpf/tracers; }
own_refused() { ! own_kfuncs && grep 'is not allowed' "$W/own"; }
# kprobe_on, …: a kprobe on a function of kind probe, by a module: tracefs allows none there.
kprobe_on() { insmod "$PROBER" function="$FUNCTION"; }
kprobe_off() { rmmod probed; }
kprobe_hit() { "$PROGRAMS/traffic" && [ "$(cat /sys/module/probed/parameters/hits)" -gt 0 ]; }
# check_names, status_names: FUNCTION, and that it is not ours alone.
check_names() {
	$TOOL check --quiet "$KO" >"$W/check" 2>&1 || true
	grep -E "^(bad|note) +[a-z]+ +$FUNCTION +(held by livepatch otherpatch|somebody's kprobe)" "$W/check"
}
status_names() { $TOOL status | grep -E "^$FUNCTION .*shared: another livepatch"; }
# namesake_on, …: a module with a function that is called as a kfunc of ours.
namesake_on() { insmod "$NAMESAKE"; }
namesake_off() { rmmod namesake; }
load_names() { load && dmesg | grep "$FUNCTION: somebody's kprobe is on it"; }
load_refused() { ! $TOOL load "$KO" >"$W/load" 2>&1 && grep "$FUNCTION" "$W/load"; }
# A livepatch that stands for all others ends ours; what remains serves, and says so.
replaced() {
	[ ! -e /sys/kernel/livepatch/rust_dynptr ]
	awk '$2 == "patch" && !/off: livepatch disabled/ || $2 == "jump" && !/active/ {print; bad = 1} END {exit bad}' "$DEBUG/takeover"
}

# more NAME CMD…: one more of a kind.
more() { [ "$WHAT" != all ] || steps "$@"; }

steps 'kprobes, before and left' probes_on load traffic probes_hit unload traffic probes_hit probes_off
more 'kprobes, before and gone' probes_on load probes_off traffic unload traffic
more 'kprobes, after and left' load probes_on traffic probes_hit unload traffic probes_hit probes_off
TRACER=function
more "$TRACER tracer, before and left" tracer_on load traffic tracer_saw unload traffic tracer_saw tracer_off
more "$TRACER tracer, after and gone" load tracer_on traffic tracer_saw tracer_off traffic unload
TRACER=function_graph
steps "$TRACER tracer, before and left" tracer_on load traffic tracer_saw unload traffic tracer_saw tracer_off
more "$TRACER tracer, after and gone" load tracer_on traffic tracer_saw tracer_off traffic unload
FENTRY=process_dynptr_func
more "fentry program on $FENTRY, before and left" fentry_on load traffic unload traffic fentry_saw
steps "fentry program on $FENTRY, after and gone" load fentry_on traffic fentry_saw traffic unload
FENTRY=bpf_fixup_call_args
steps "fentry program on $FENTRY, before and left" fentry_on load traffic unload traffic fentry_saw
more "fentry program on $FENTRY, after and gone" load fentry_on traffic fentry_saw traffic unload
FENTRY=bpf_dynptr_read
steps "fentry program on $FENTRY, after" load fentry_refused traffic unload
REPLACE=0
FUNCTION=destroy_if_dynptr_stack_slot
steps "livepatch on $FUNCTION, before and left" other_on load traffic unload other_off traffic
SERVED=(bpf_dynptr_read bpf_ringbuf_output ringbuf_map_alloc)
more "livepatch on $FUNCTION, after and gone" load other_on traffic other_off traffic unload
more "livepatch on $FUNCTION, after and left" load other_on unload traffic other_off
FUNCTION=process_dynptr_func
steps "livepatch on $FUNCTION, which judges" other_on load own_refused other_off own_kfuncs other_on own_refused other_off own_kfuncs unload
REPLACE=1
more 'livepatch that replaces all' load other_on replaced traffic unload other_off traffic
REPLACE=0
FUNCTION=bpf_check
steps "livepatch on $FUNCTION, before" other_on check_names load_refused other_off traffic
steps "livepatch on $FUNCTION, after and gone" load other_on status_names own_refused other_off own_kfuncs unload
steps 'function with the name of a kfunc, after and gone' load namesake_on own_refused namesake_off own_kfuncs unload
more 'function with the name of a kfunc, before and left' namesake_on load own_kfuncs unload namesake_off
FUNCTION=ringbuf_map_alloc
steps "kprobe on $FUNCTION, before and left" kprobe_on check_names load_names traffic unload kprobe_hit kprobe_off
FUNCTION=bpf_dynptr_read
steps "livepatch on $FUNCTION, before" other_on load_refused other_off traffic
more "livepatch on $FUNCTION, after" load other_refused traffic unload
tap_done
