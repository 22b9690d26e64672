#!/bin/bash
# upstream.sh DIR KO RESULTS [KERNEL]: in the guest, the kernel's own dynptr and ring buffer suites (built into
# DIR), first with C, then with the module loaded. TAP, one line a subtest: it must pass and be as with C.
# Raw logs and the rows' hits go to RESULTS. KERNEL own: that of a user, which need not have all that the suites want:
# what fails with C is skipped there.
set -euo pipefail
SUBTESTS=259 # upstream's tests of 7.3 with C, on the stock kernel
DIR=$1
KO=$2
RESULTS=$3
KERNEL=${4:-stock}
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=selftests/lib/tap.sh
. "$TOP/selftests/lib/tap.sh"
TESTS=dynptr,ringbuf,ringbuf_multi,user_ringbuf,kfunc_dynptr_param,xdp_dynptr,l4lb_all,parse_tcp_hdr_opt,cls_redirect
TESTS+=,file_reader,crypto_sanity,fs_kfuncs,verify_pkcs7_sig,cgroup_xattr,sock_xattr,xdp_context
# Fails with C too: its "ip -6 route add … encap ioam6 … via" is not in trixie's iproute2 (EEXIST).
DENY=xdp_context_lwt_encap/ioam6_encap

# What they expect of the machine: a file system with xattrs and verity on /tmp, tun devices.
prepare() {
	truncate -s 256M /dev/shm/tmp.img
	mkfs.ext4 -q -O verity -b 4096 /dev/shm/tmp.img
	# A user's kernel has here what is built into it.
	[ "$KERNEL" = own ] || modprobe -a loop ext4 tun algif_skcipher
	if ! mount -o loop /dev/shm/tmp.img /tmp; then
		[ "$KERNEL" = own ]
		echo '# no ext4 on a loop device: what wants it fails'
	fi
	chmod 1777 /tmp
}

# ends_well SIDE STATUS: of the suites; where something fails with C, it does with Rust.
ends_well() {
	local rc=$2 wanted=0
	[ "$KERNEL" != own ] || wanted=$(cat /tmp/C.status)
	[ "$rc" != "$wanted" ] || rc=0
	tap_ok "upstream: test_progs ends with $1 with status $2, wanted $wanted" "$rc" "$TOP/$RESULTS/upstream-$1.log"
}

# suites SIDE: runs them; raw output in RESULTS, results as "name verdict" lines in /tmp/SIDE. A name
# that comes again (cls_redirect runs its subtests three times) gets its turn as a suffix.
suites() {
	local rc=0 start=$SECONDS
	(cd "$DIR" && ./test_progs -w 0 -t "$TESTS" -d "$DENY") >"$TOP/$RESULTS/upstream-$1.log" 2>&1 || rc=$?
	# Lines "#12/3 test/subtest:OK"; a test without subtests has only "#12 test:OK".
	awk -F: '/^#[0-9]+(\/[0-9]+)? +[^ ]+.*:(OK|FAIL|SKIP)$/ {
		verdict = $NF; name = $0
		sub(/^#[0-9\/]+ +/, "", name); sub(/:[A-Z]+$/, "", name)
		split(name, parts, "/")
		if (name ~ /\//) has[parts[1]] = 1
		gsub(/ /, "_", name)
		if (++seen[name] > 1) name = name "#" seen[name]
		results[++n] = name; verdicts[n] = verdict
	} END {for (i = 1; i <= n; i++)
		if (!(results[i] in has)) print results[i], verdicts[i]
	}' "$TOP/$RESULTS/upstream-$1.log" >"/tmp/$1"
	grep '^Summary' "$TOP/$RESULTS/upstream-$1.log" >"/tmp/$1.summary" || rc=$((rc ? rc : 1))
	echo "# with $1: $(wc -l <"/tmp/$1") results in $((SECONDS - start)) s; $(cat "/tmp/$1.summary")"
	echo "$rc" >"/tmp/$1.status"
	ends_well "$1" "$rc"
}

prepare
suites C
rc=0
"$TOP/scripts/rust-dynptr" load "$TOP/$KO" count=1 >/tmp/load 2>&1 || rc=$?
tap_ok 'upstream: the module loads' "$rc" /tmp/load
suites Rust

while read -r name with_c; do
	with_rust=$(awk -v n="$name" '$1 == n {print $2; exit}' /tmp/Rust)
	rc=0
	[ "$with_rust" = "$with_c" ] || rc=1
	[ "$with_rust" != FAIL ] || [ "$KERNEL" = own ] || rc=1
	if [ "$rc" = 0 ] && [ "$with_rust" != OK ]; then
		tap_skip "upstream $name" "upstream's verdict is $with_rust, as with C"
	else
		tap_ok "upstream $name (Rust: ${with_rust:-missing}, C: $with_c)" "$rc"
	fi
done </tmp/C
rc=0
cmp -s /tmp/C.summary /tmp/Rust.summary && cmp -s <(cut -d' ' -f1 /tmp/C) <(cut -d' ' -f1 /tmp/Rust) || rc=1
tap_ok 'upstream: the same subtests with Rust as with C' "$rc"
rc=0
grep -q ' OK$' /tmp/Rust || rc=1
tap_ok 'upstream: some subtests pass' "$rc"
if [ "$KERNEL" != own ]; then
	rc=0
	grep -qE "^Summary: [0-9]+/$SUBTESTS PASSED" /tmp/Rust.summary || rc=1
	tap_ok "upstream: $SUBTESTS subtests pass with Rust" "$rc" /tmp/Rust.summary
fi

cat /sys/kernel/debug/rust_dynptr/takeover >>"${RUST_DYNPTR_HITS:-/dev/null}"
awk '{print "# " $1 ": " $3 " hits"}' /sys/kernel/debug/rust_dynptr/takeover
rc=0
"$TOP/scripts/rust-dynptr" unload >/tmp/unload 2>&1 || rc=$?
tap_ok 'upstream: the module unloads' "$rc" /tmp/unload
tap_done
