#!/bin/bash
# bpftool.sh KO [some|all]: in the guest, what a user of bpftool sees: the same with C and with Rust, but for the names
# of the functions in a program's code; and what only the module has, its kfuncs and heap dynptrs. `some`: without the
# features that bpftool probes.
set -euo pipefail
KO=$1
WHAT=${2:-all}
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
tap_needs jq bpftool python3
OBJECT=$PROGRAMS/bpftool.bpf.o
REPEAT=100
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
printf 'A%063d' 7 >"$W/packet"

# truth NAME FILTER FILE: FILE is JSON, of which jq's FILTER is true.
truth() { tap_json "bpftool: $1" "$2" "$3"; }

# without KEY… <JSON: the same with keys in order, less these, which differ each time.
without() {
	# shellcheck disable=SC2016  # jq's variable
	jq -S 'walk(if type == "object" then delpaths([$ARGS.positional[] | [.]]) else . end)' --args "$@"
}

# get SIDE NAME CMD…: bpftool's output in $W/SIDE/NAME, what it says beside it in NAME.err, with its status (which
# is 255 after "link show pinned", all being well).
get() {
	local out=$W/$1/$2 rc=0
	shift 2
	bpftool "$@" >"$out" 2>"$out.err" || rc=$?
	echo "status $rc" >>"$out.err"
}

# side SIDE: loads and pins everything under /sys/fs/bpf/SIDE, uses it in each way, keeps what bpftool says.
side() {
	local pin=/sys/fs/bpf/$1 side=$1 i
	mkdir -p "$W/$side" "$pin"
	get "$side" load prog loadall "$OBJECT" "$pin" pinmaps "$pin/maps" autoattach
	get "$side" run -j prog run pinned "$pin/packet" data_in "$W/packet" data_out "$W/$side/data" repeat "$REPEAT"
	perl -e 'syscall(121, 0) for 1 .. 5' # getpgid()
	get "$side" results -j map dump pinned "$pin/maps/results"
	get "$side" lookup -j map lookup pinned "$pin/maps/results" key 1 0 0 0
	get "$side" attached -j map dump pinned "$pin/maps/attached"
	get "$side" ring map dump pinned "$pin/maps/ring"
	get "$side" map.json -j map show pinned "$pin/maps/ring"
	get "$side" prog.json -j prog show pinned "$pin/packet"
	get "$side" link.json -j link show pinned "$pin/attach"
	get "$side" xlated prog dump xlated pinned "$pin/packet"
	get "$side" jited prog dump jited pinned "$pin/packet"
	get "$side" btf btf dump map pinned "$pin/maps/results"
	[ "$WHAT" != all ] || get "$side" features -j feature probe kernel
	compare_ready "$side"
}

# What differs from one time to the next is taken out.
compare_ready() {
	local dir=$W/$1
	without duration <"$dir/run" >"$dir/run.same"
	# bytes_jited: calls of kernel and module are encoded alike, but padding follows the address.
	without id loaded_at map_ids btf_id pids bytes_jited run_time_ns run_cnt orphaned pinned <"$dir/prog.json" >"$dir/prog.same" || true
	without id btf_id pids pinned <"$dir/map.json" >"$dir/map.same" || true
	without id prog_id pids pinned bpf_cookie cookie <"$dir/link.json" >"$dir/link.same" || true
	# Counted calls go through a stub.
	sed -E 's/rust_(dynptr_count_)?bpf_/bpf_/; s/#-?[0-9]+//; s/(map\[id:)[0-9]+/\1/' "$dir/xlated" >"$dir/xlated.same"
}

# same NAME FILE: both sides gave the same.
same() {
	diff "$W/C/$2" "$W/Rust/$2" >"$W/diff" 2>&1 && rc=0 || rc=1
	tap_ok "bpftool: C and Rust give the same: $1" "$rc" "$W/diff"
}

sysctl -q kernel.bpf_stats_enabled=1
side C
$TOOL load "$KO" count=1
side Rust

# That it is what it should be, not only the same.
for name in C Rust; do
	grep -q 'status 0' "$W/$name/load.err" && rc=0 || rc=1
	tap_ok "bpftool: $name: prog loadall, with pinned maps and an attached program" "$rc" "$W/$name/load.err"
	# Each run sees the packet as the one before has left it.
	truth "$name: prog run: the return value is the packet's first byte" '.retval == 33' "$W/$name/run"
	[ "$(head -c 3 "$W/$name/data")" = '!00' ] && rc=0 || rc=1
	tap_ok "bpftool: $name: prog run data_out: the packet as the program left it" "$rc" "$W/$name/data"
	truth "$name: map dump, through BTF: what $REPEAT runs left" \
		'length == 1 and (.[0].formatted.value | .runs == '"$REPEAT"' and .packet_size == 64
		and .record_size == 16 and .error == 0)' "$W/$name/results"
	truth "$name: map dump of what an attached program left" \
		'.[0].formatted.value | .runs == 5 and .record_size == 16' "$W/$name/attached"
	truth "$name: link show: the attached program" '.tracepoint | test("getpgid")' "$W/$name/link.json"
	truth "$name: prog show counts its runs (bpf_stats_enabled)" '.run_cnt == '"$REPEAT" "$W/$name/prog.json"
	truth "$name: map show: a ring of 4096 bytes" '.type == "ringbuf" and .max_entries == 4096' "$W/$name/map.json"
	[ "$WHAT" != all ] || truth "$name: feature probe: ring buffers are there" '.map_types.have_ringbuf_map_type' "$W/$name/features"
done
same 'prog run' run.same
same 'prog run data_out' data
same 'map dump' results
same 'map lookup' lookup
same 'map dump of what an attached program left' attached
same 'map dump of a ring buffer, which has no elements' ring
same '… and what is said of it' ring.err
same 'map show of a ring buffer, with its memory' map.same
same 'prog show: tag, instructions verified, bytes' prog.same
same 'link show' link.same
same 'prog dump xlated, but for names' xlated.same
same 'btf dump of a map' btf
[ "$WHAT" != all ] || same 'feature probe' features

# That Rust it was.
grep -qE 'rust_.*bpf_ringbuf_reserve_dynptr' "$W/Rust/xlated" && ! grep -q rust_ "$W/C/xlated" && rc=0 || rc=1
tap_ok 'bpftool: prog dump xlated names the Rust functions, with Rust only' "$rc" "$W/Rust/xlated"
grep -qE 'rust_.*bpf_ringbuf_reserve_dynptr' "$W/Rust/jited" && rc=0 || rc=1
if grep -q 'No JIT disassembly support' "$W/Rust/jited.err"; then
	tap_skip 'bpftool: prog dump jited names the Rust functions' 'this bpftool has no disassembler'
else
	tap_ok 'bpftool: prog dump jited names the Rust functions' "$rc" "$W/Rust/jited"
fi
$TOOL hits --json >"$W/hits"
for row in bpf_ringbuf_reserve_dynptr bpf_ringbuf_discard_dynptr bpf_dynptr_write bpf_dynptr_from_skb bpf_dynptr_read; do
	truth "Rust served $row, $REPEAT times at least" ".hits.$row >= $REPEAT" "$W/hits"
done
for row in process_dynptr_func ringbuf_map_alloc ringbuf_map_mem_usage; do
	truth "Rust served $row" ".hits.$row > 0" "$W/hits"
done

# A program that C has loaded, on a ring that C has made, while Rust is in charge.
get C again -j prog run pinned /sys/fs/bpf/C/packet data_in "$W/packet" repeat 1
truth 'a program loaded with C runs on with Rust' '.retval == 65' "$W/C/again"

# The profile takes a bpftool that was built with clang, which Debian's is not, and hardware counters, which an
# emulated processor has not.
(for ((i = 0; i < 3; i++)); do sleep 1; bpftool prog run pinned /sys/fs/bpf/Rust/packet data_in "$W/packet" repeat 1000; done) >/dev/null &
get Rust profile prog profile pinned /sys/fs/bpf/Rust/packet duration 3 cycles
wait
if grep -qE 'command is not supported|failed to (create|open) event' "$W/Rust/profile.err"; then
	tap_skip 'bpftool: prog profile counts runs' "$(head -n 1 "$W/Rust/profile.err")"
else
	grep -qE '[1-9][0-9]* run_cnt' "$W/Rust/profile" && rc=0 || rc=1
	tap_ok 'bpftool: prog profile counts runs' "$rc" "$W/Rust/profile.err"
fi

# What is only the module's: its kfuncs, in BTF and in a program.
get Rust kfuncs -B /sys/kernel/btf/vmlinux btf dump file /sys/kernel/btf/rust_dynptr
get Rust header -B /sys/kernel/btf/vmlinux btf dump file /sys/kernel/btf/rust_dynptr format c
mapfile -t kfuncs < <(sed -nE 's/^extern .*[ *]([a-z_]+)\(.*/\1/p' "$HEADERS"/rust_dynptr*.bpf.h)
for kfunc in "${kfuncs[@]}"; do
	grep -q "FUNC '$kfunc'" "$W/Rust/kfuncs" && rc=0 || rc=1
	tap_ok "bpftool: btf dump shows the kfunc $kfunc" "$rc"
done
for kfunc in "${kfuncs[@]}"; do
	grep -qE "^extern .*[ *]$kfunc\(.*__ksym;" "$W/Rust/header" || echo "$kfunc"
done >"$W/missing"
[ ! -s "$W/missing" ] && rc=0 || rc=1
tap_ok "bpftool: btf dump format c declares the ${#kfuncs[@]} kfuncs that include/ has" "$rc" "$W/missing"
bpftool btf show | grep -qE 'name \[rust_dynptr\]' && rc=0 || rc=1
tap_ok 'bpftool: btf show lists the module' "$rc"
get Rust heapload prog load "$PROGRAMS/bpftoolheap.bpf.o" /sys/fs/bpf/heap type tc pinmaps /sys/fs/bpf/heapmaps
get Rust heaprun -j prog run pinned /sys/fs/bpf/heap data_in "$W/packet" repeat 10
truth 'a program with heap dynptrs is loaded and run' '.retval == 0' "$W/Rust/heaprun"
get Rust blocks -j map dump pinned /sys/fs/bpf/heapmaps/blocks
truth 'map dump of a map that holds a block' '.[0].formatted.value.size == 64' "$W/Rust/blocks"
grep -qx 'live 1' /sys/kernel/debug/rust_dynptr/heap && rc=0 || rc=1
tap_ok 'bpftool: one block lives, in the map' "$rc" /sys/kernel/debug/rust_dynptr/heap

# What is pinned holds the module, and is named.
rc=0
$TOOL unload >"$W/unload" 2>&1 || rc=$?
tap_refused 'bpftool: pinned programs hold the module' 1 "$W/unload" 'BPF program [0-9]+ \(packet\) .*pinned'
cat /sys/kernel/debug/rust_dynptr/takeover >>"${RUST_DYNPTR_HITS:-/dev/null}"
rm -r /sys/fs/bpf/Rust /sys/fs/bpf/heap /sys/fs/bpf/heapmaps
rc=0
$TOOL unload --wait 60 >"$W/unload" 2>&1 || rc=$?
tap_ok 'bpftool: when the pins are removed the module goes' "$rc" "$W/unload"
get C after -j prog run pinned /sys/fs/bpf/C/packet data_in "$W/packet" repeat 1
truth 'the program loaded with C runs after that' '.retval == 65' "$W/C/after"
rm -r /sys/fs/bpf/C
tap_done
