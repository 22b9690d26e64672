# shellcheck shell=bash
# What the demonstrations share; sourced by demo-NAME.sh with RESULTS set.

# shellcheck source=selftests/lib/where.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/where.sh"
DEBUG=/sys/kernel/debug/rust_dynptr
W=$(mktemp -d)
BAD=0
mkdir -p "${RESULTS:?}"

bad() {
	echo "FAILED: $*"
	BAD=1
}

# heap NAME: what debugfs has of that. No process is started for it, as it is asked again and again.
heap() {
	local name value
	while read -r name value; do
		[ "$name" != "$1" ] || echo "$value"
	done <"$DEBUG/heap"
}

# served FILE COLUMN NAME…: each has a number above 0 in that column.
served() {
	local name
	for name in "${@:3}"; do
		awk -v name="$name" -v column="$2" '$1 == name && $column > 0 {found = 1} END {exit !found}' "$1" ||
			bad "$name was never served by Rust"
	done
}

# served_rows NAME…: prints what Rust served of the table; each NAME must be among it.
served_rows() {
	$TOOL status >"$W/status"
	awk 'NR == 1 || $3 > 0' "$W/status"
	served "$W/status" 3 "$@"
}

# served_strings NAME…: the same of the kfuncs bpf_dynptr_NAME().
served_strings() {
	echo 'calls that Rust served:'
	awk '$2 > 0 {printf "    %-34s %9d\n", $1, $2}' "$DEBUG/strings"
	served "$DEBUG/strings" 2 "${@/#/bpf_dynptr_}"
}

unload() {
	$TOOL unload
	echo 'unload after it has ended: done'
}

# finish WORDS: ends the script, with these WORDS if all is well.
finish() {
	kernel_log | splats "$SPLATS" | grep . && bad 'the kernel log has splats'
	rm -rf "$W"
	[ "$BAD" = 0 ] && echo "$1"
	exit "$BAD"
}
