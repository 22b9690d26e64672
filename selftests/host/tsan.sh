#!/bin/bash
# tsan.sh: real threads on the rings' algorithms under ThreadSanitizer. gcc's runtime, as for asan. No cargo: without
# dependencies, whose tests are not run here, it is built in seconds. First, that it finds planted races. TAP.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
# shellcheck source=selftests/lib/tap.sh
. "$TOP/selftests/lib/tap.sh"
# shellcheck source=selftests/host/cargo.sh
. "$TOP/selftests/host/cargo.sh"
load_env

# tsan_run NAME ARG…: the program of threads under ThreadSanitizer; its output in OUT/NAME.log. Its memory map
# is larger than what address randomisation leaves free on some machines.
tsan_run() {
	local name=$1
	shift
	# shellcheck disable=SC2016  # expanded by the inner shell
	"$SCRIPTS/build/enter" sh -c 'plain=; ! setarch -R true 2>/dev/null || plain="setarch -R"
		exec env LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libtsan.so.2 TSAN_OPTIONS=halt_on_error=1 \
			RACE_RECORDS="$1" $plain /host/build/tsan/race $2' sh "${RACE_RECORDS:-20000}" "$*" >"$OUT/$name.log" 2>&1
}

mkdir -p "$OUT"
start=$EPOCHREALTIME
# shellcheck disable=SC2016  # expanded by the inner shell
logged "$BUILD/log/tsan.log" "$SCRIPTS/build/enter" env -C /host/selftests/host RUSTC_BOOTSTRAP=1 sh -euc '
	flags="--edition 2021 -O -Cdebug-assertions=on -Zsanitizer=thread -Zexternal-clangrt"
	mkdir -p /host/build/tsan
	rustc $flags --crate-type rlib --crate-name rust_dynptr_host --out-dir /host/build/tsan src/lib.rs
	rustc $flags --extern rust_dynptr_host=/host/build/tsan/librust_dynptr_host.rlib \
		-Clink-arg=-ltsan -o /host/build/tsan/race tests/race.rs'
compiled "$start"
for fault in commit drain; do
	RACE_RECORDS=2000 tsan_run "tsan-$fault" "--planted=$fault" || true
	grep -q 'ThreadSanitizer: data race' "$OUT/tsan-$fault.log" && rc=0 || rc=1
	tap_ok "tsan: finds a planted race ($fault)" "$rc" "$OUT/tsan-$fault.log"
done
rc=0
tsan_run tsan-run || rc=$?
sed -n 's/^race: /# race: /p' "$OUT/tsan-run.log"
while read -r test; do tap_ok "tsan: $test" 0; done < <(awk '/^test .* ok$/ {print $2}' "$OUT/tsan-run.log")
[ "$rc" = 0 ] || tap_ok 'tsan: no race' "$rc" "$OUT/tsan-run.log"
tap_done
