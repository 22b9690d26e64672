# shellcheck shell=bash
# What the demonstrations of strings share; sourced by demo-http.sh and demo-argv.sh with USES, RESULTS.

TOOL=scripts/rust-dynptr
STRINGS=/sys/kernel/debug/rust_dynptr/strings
W=$(mktemp -d)
BAD=0
mkdir -p "${RESULTS:?}"

bad() {
	echo "FAILED: $*"
	BAD=1
}

heap() { awk -v name="$1" '$1 == name {print $2}' /sys/kernel/debug/rust_dynptr/heap; }

# load KO
load() { $TOOL load "$1" count=1; }

# finish: what Rust served; that the module goes; ends the script.
finish() {
	local name
	echo 'calls that Rust served:'
	awk '$2 > 0 {printf "    %-34s %9d\n", $1, $2}' "$STRINGS"
	for name in ${USES:?}; do
		awk -v n="bpf_dynptr_$name" '$1 == n && $2 > 0 {found = 1} END {exit !found}' "$STRINGS" ||
			bad "bpf_dynptr_$name was never served"
	done
	$TOOL unload
	echo 'unload after it has ended: done'
	dmesg | grep -E 'WARNING|BUG|Oops|RIP:' && bad 'the kernel log has splats'
	rm -rf "$W"
	[ "$BAD" = 0 ] && echo 'all as it should be'
	exit "$BAD"
}
