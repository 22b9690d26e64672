#!/bin/bash
# demo-heap.sh KO RESULTS [PART]: in the guest, the demonstration of heap dynptrs (scripts/guest/demo): a tracer that
# assembles the lines of several processes in them (bpf/lines.bpf.c). What it received must be what was
# written. Prints what a person wants to see; ends with status 1 if anything differs or is left. PART: of the lines, one
# of so many.
set -euo pipefail
KO=$1
RESULTS=$2
PART=${3:-1}
# What the tracer calls.
USES=(bpf_dynptr_write bpf_dynptr_slice bpf_dynptr_copy bpf_probe_read_user_dynptr
	bpf_ringbuf_reserve_dynptr bpf_ringbuf_submit_dynptr process_dynptr_func)
# shellcheck source=selftests/demos/demo-lib.sh
. "$(dirname "$0")/demo-lib.sh"
mkdir -p "$W"/{in,out,who,got,build}
cp "$PROGRAMS/pieces" "$W/build/"

# text SEED LINES MAX: lines of up to MAX bytes, most of them much shorter, some empty; all of one byte if 1.
text() {
	awk -v seed="$1" -v lines="$2" -v max="$3" 'BEGIN {
		srand(seed)
		for (i = 33; i < 127; i++) letters = letters sprintf("%c", i)
		while (length(letters) < 2 * max) letters = letters letters
		for (i = 0; i < lines; i++) {
			size = rand() < 0.2 ? int(rand() * (max + 1)) : int(rand() * max / 20)
			print substr(letters, 1 + int(rand() * 90), max == 1 ? 1 : size)
		}}'
}

# idle: until no block is left.
idle() {
	for _ in {1..100}; do
		[ "$(heap live)" != 0 ] || return 0
		sleep 0.1
	done
	bad "blocks left: $(tr '\n' ' ' <"$DEBUG/heap")"
}

# Each line of what a writer wrote came, in order, and nothing else.
compare() {
	local name who lines=0 bytes=0
	for name in "$W"/in/*; do
		name=${name##*/}
		read -r -a who <"$W/who/$name"
		cmp -s "$W/in/$name" "$W/out/$name" || bad "the workload did not copy $name"
		cmp "$W/in/$name" "$W/got/${who[0]}.${who[1]}" || bad "the lines of $name are not what was written"
		lines=$((lines + $(wc -l <"$W/in/$name")))
		bytes=$((bytes + $(wc -c <"$W/in/$name") - $(wc -l <"$W/in/$name")))
		printf '    %-12s %5d lines, the longest of %5d bytes: equal\n' "$name" \
			"$(wc -l <"$W/in/$name")" "$(wc -L <"$W/in/$name")"
	done
	echo "$lines lines of $bytes bytes compared"
}

# watch PID: the most blocks that lived while the tracer ran; unloading under it must be refused.
watch() {
	local live most=0 bytes=0 asked=0
	while kill -0 "$1" 2>/dev/null; do
		live=$(heap live)
		[ "$live" -le "$most" ] || { most=$live; bytes=$(heap live_bytes); }
		if [ "$live" -gt 0 ] && [ "$asked" = 0 ]; then
			asked=1
			if $TOOL unload 2>"$W/refused"; then
				bad 'unloading under the tracer was not refused'
			else
				echo "unload while it runs: $(sed -n 's/^ *BPF program/refused: BPF program/p' "$W/refused" | head -n 1)"
			fi
		fi
		sleep 0.1
	done
	[ "$most" -gt 0 ] || bad 'no block was ever seen'
	echo "while it ran: up to $most blocks of $bytes bytes at a time"
}

# limits SUMMARY STATUS CMD…: what the tracer says of lines that it cannot have whole.
limits() {
	local rc=0 wanted=$1 status=$2
	shift 2
	"$PROGRAMS/lines" -d "$W/got" -- "$@" 2>"$W/summary" >/dev/null || rc=$?
	if [ "$rc" = "$status" ] && grep -q "$wanted" "$W/summary"; then
		echo "    $wanted"
	else
		bad "status $rc, not $status with '$wanted': $(cat "$W/summary")"
	fi
}

for i in 1 2 3; do
	text "1$i" $((40 / PART)) 60 >"$W/in/bytes$i"
	text "2$i" $((60 / PART)) 600 >"$W/in/sevens$i"
	text "3$i" $((300 / PART)) 200 >"$W/in/whole$i"
	text "4$i" $((120 / PART)) 8000 >"$W/in/pieces$i"
done
text 5 $((400 / PART)) 1 >"$W/in/whole4"
text 6 $((100 / PART)) 1000 >"$W/in/twice1"

$TOOL load "$KO" count=1
echo 'Tracing the lines that 14 processes write at once: by the byte, 7 bytes at a time, in random pieces'
echo 'with write() and writev(), several lines in one call, to two files in turn.'
"$PROGRAMS/lines" -d "$W/got" -- "$SELFTESTS/demos/lines-workload.sh" "$W" >"$W/out.workload" 2>"$W/summary" &
tracer=$!
watch "$tracer"
wait "$tracer" || bad "the tracer ended with status $?"
cat "$W/summary"
cp "$W/summary" "$RESULTS/lines"
compare
idle
[ "$BAD" = 1 ] || echo 'after it: no block is left'

echo 'some lines, as they come: process, file descriptor, program, text:'
# shellcheck disable=SC2016
some='exec >/dev/null; for w in a line in pieces; do printf "%s " $w; done; echo
	printf "two in\none call\n"; head /none || head -c 13 /proc/version'
wanted="1 sh: a line in pieces 
1 sh: two in
1 sh: one call
2 head: head: cannot open '/none' for reading: No such file or directory
1 head: Linux version"
"$PROGRAMS/lines" -- sh -c "$some" 2>/dev/null >"$W/some" || bad "lines: status $?"
sed 's/^/    /' "$W/some"
[ "$(sed 's/^[0-9]* //' "$W/some")" = "$wanted" ] || bad "these are not the lines that were written"

echo 'and what the limits exclude:'
printf '%20000s\nafter\n' '' >"$W/cut"
head -c 131073 /dev/zero >"$W/lost"
limits '2 lines of 16389 bytes in 1 writes; 1 cut, 0 unfinished; 0 lost' 0 dd "if=$W/cut" bs=64k status=none
limits '1 lines of 10 bytes in 1 writes; 0 cut, 1 unfinished; 0 lost' 0 printf unfinished
limits '1 lines of 16384 bytes in 1 writes; 1 cut, 0 unfinished; 1 lost' 3 dd "if=$W/lost" bs=1M status=none
idle

served_rows "${USES[@]}"
sed 's/^/heap: /' "$DEBUG/heap"
[ "$(heap damaged)" = 0 ] || bad 'a block was damaged'
unload
finish 'all equal, nothing lost, nothing left'
