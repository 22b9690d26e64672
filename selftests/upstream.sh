#!/bin/bash
# upstream.sh DIR KO RESULTS: in the guest, the kernel's own dynptr and ring buffer suites (built into
# DIR), first with C, then with the module loaded. TAP, one line a subtest: it must pass and be as with C.
# Raw logs go to RESULTS. Then every row of the table must have been hit.
set -euo pipefail
DIR=$1
KO=$2
RESULTS=$3
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=selftests/tap.sh
. "$TOP/selftests/tap.sh"
TESTS=dynptr,ringbuf,ringbuf_multi,user_ringbuf,kfunc_dynptr_param,xdp_dynptr,l4lb_all,parse_tcp_hdr_opt,cls_redirect

# suites SIDE: runs them; raw output in RESULTS, results as "name verdict" lines in /tmp/SIDE.
suites() {
	local rc=0 start=$SECONDS
	(cd "$DIR" && ./test_progs -w 0 -t "$TESTS") >"$TOP/$RESULTS/upstream-$1.log" 2>&1 || rc=$?
	# Lines "#12/3 test/subtest:OK"; a test without subtests has only "#12 test:OK".
	awk -F: '/^#[0-9]+(\/[0-9]+)? +[^ ]+.*:(OK|FAIL|SKIP)$/ {
		verdict = $NF; name = $0
		sub(/^#[0-9\/]+ +/, "", name); sub(/:[A-Z]+$/, "", name)
		split(name, parts, "/")
		if (name ~ /\//) has[parts[1]] = 1
		results[++n] = name; verdicts[n] = verdict
	} END {for (i = 1; i <= n; i++)
		if (!(results[i] in has)) { gsub(/ /, "_", results[i]); print results[i], verdicts[i] }
	}' "$TOP/$RESULTS/upstream-$1.log" >"/tmp/$1"
	echo "# with $1: $(wc -l <"/tmp/$1") subtests in $((SECONDS - start)) s; $(grep '^Summary' "$TOP/$RESULTS/upstream-$1.log" || echo "no summary, status $rc")"
}

suites C
rc=0
"$TOP/scripts/rust-dynptr" load "$TOP/$KO" count=1 >/tmp/load 2>&1 || rc=$?
tap_ok 'upstream: the module loads' "$rc" /tmp/load
suites Rust

while read -r name with_c; do
	with_rust=$(awk -v n="$name" '$1 == n {print $2; exit}' /tmp/Rust)
	rc=0
	[ "$with_rust" = "$with_c" ] && [ "$with_rust" != FAIL ] || rc=1
	if [ "$rc" = 0 ] && [ "$with_rust" = SKIP ]; then
		TAP_COUNT=$((TAP_COUNT + 1))
		echo "ok $TAP_COUNT - upstream $name # SKIP by upstream, as with C"
	else
		tap_ok "upstream $name (Rust: ${with_rust:-missing}, C: $with_c)" "$rc"
	fi
done </tmp/C
rc=0
[ "$(wc -l </tmp/C)" = "$(wc -l </tmp/Rust)" ] && [ -s /tmp/C ] || rc=1
tap_ok 'upstream: as many subtests with Rust as with C' "$rc"

while read -r name kind hits _; do
	rc=0
	[ "$hits" -gt 0 ] || rc=1
	tap_ok "upstream: $name ($kind) served $([ "$hits" -gt 0 ] && echo by Rust || echo never)" "$rc"
	echo "# $name: $hits hits"
done </sys/kernel/debug/rust_dynptr/takeover
rc=0
"$TOP/scripts/rust-dynptr" unload >/tmp/unload 2>&1 || rc=$?
tap_ok 'upstream: the module unloads' "$rc" /tmp/unload
dmesg | grep -E 'WARNING|BUG|Oops|RIP:' >/tmp/splats || true
rc=0
[ ! -s /tmp/splats ] || rc=1
tap_ok 'upstream: no splat in the kernel log' "$rc" /tmp/splats
tap_done
