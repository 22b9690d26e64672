#!/bin/bash
# kselftest.sh KO [inside]: the tests by kselftest's conventions: `make install`, and what is installed, run elsewhere
# in the guest; the same from a kernel tree. TAP.
set -euo pipefail
KO=$1
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh
OWN=build/kselftest/own TREE=build/kselftest/tree FROM_TREE=build/kselftest/installed

# has NAME PATTERN FILE: a line of FILE is like PATTERN.
has() {
	grep -qE -- "$2" "$3" && rc=0 || rc=1
	tap_ok "kselftest: $1" "$rc" "$3"
}

# In the guest: what was installed is copied away from the clone, and run.
if [ "${2:-}" = inside ]; then
	cp -r "$OWN" /tmp/own
	cp -r "$FROM_TREE" /tmp/tree
	cp "$KO" /tmp/module.ko
	cd /tmp
	rc=0
	own/run_kselftest.sh -t test_rows >/tmp/out 2>&1 || rc=$?
	[ "$rc" = 0 ] && grep -q '^ok 1 selftests: rust_dynptr: test_rows # SKIP' /tmp/out && rc=0 || rc=1
	tap_ok 'kselftest: without the module a test is skipped' "$rc" /tmp/out
	export RUST_DYNPTR_KO=/tmp/module.ko
	rc=0
	own/run_kselftest.sh -t test_rows -t rust_dynptr:test_heapuses >/tmp/out 2>&1 || rc=$?
	[ "$rc" = 0 ] && [ "$(grep -c '^ok [12] selftests: rust_dynptr: test_[a-z]*$' /tmp/out)" = 2 ] && rc=0 || rc=1
	tap_ok 'kselftest: installed by make install, the tests pass' "$rc" /tmp/out
	has 'their own TAP is in comments' '^# ok [0-9]+ - rows: ' /tmp/out
	rc=0
	own/run_kselftest.sh -t test_none >/tmp/out 2>&1 || rc=$?
	tap_refused 'kselftest: a test that is not there' 2 /tmp/out 'no test test_none'
	rc=0
	# What is built is up to date, whatever the time of the BTF.
	make -s -o /sys/kernel/btf/vmlinux -C /host/selftests run_tests KSFT_TESTS=alias >/tmp/out 2>&1 || rc=$?
	[ "$rc" = 0 ] && grep -q '^ok 1 selftests: rust_dynptr: test_alias' /tmp/out && rc=0 || rc=1
	tap_ok 'kselftest: make run_tests in the clone' "$rc" /tmp/out
	rc=0
	# Through a pipe: it opens /dev/stdout again for some of its lines, and writes over others in a file.
	tree/run_kselftest.sh -t rust_dynptr:test_alias 2>&1 | cat >/tmp/out || rc=$?
	[ "$rc" = 0 ] && grep -q '^ok 1 selftests: rust_dynptr: test_alias' /tmp/out && rc=0 || rc=1
	tap_ok "kselftest: installed by a kernel tree, its run_kselftest.sh runs them" "$rc" /tmp/out
	has 'the settings of the directory are read' '^# timeout set to 900' /tmp/out
	tap_no_splat kselftest
	tap_done
fi

# In the sysroot: both installations.
if [ "${2:-}" = install ]; then
	rm -rf build/kselftest
	mkdir -p "$TREE"
	rc=0
	make -C selftests install INSTALL_PATH="$PWD/$OWN" >build/kselftest/log 2>&1 || rc=$?
	tap_ok 'kselftest: make -C selftests install INSTALL_PATH=…' "$rc" build/kselftest/log
	make -s -C selftests emit_tests >build/kselftest/list
	"$OWN/run_kselftest.sh" -l | sort | cmp -s - <(sort build/kselftest/list) && rc=0 || rc=1
	tap_ok 'kselftest: emit_tests and run_kselftest.sh -l name the same tests' "$rc" build/kselftest/list
	sort -u "$OWN/config" >build/kselftest/config
	rc=0
	for line in CONFIG_LIVEPATCH=y CONFIG_FS_VERITY=y; do grep -qxF "$line" build/kselftest/config || rc=1; done
	tap_ok 'kselftest: config has what the module and the tests want' "$rc" build/kselftest/config
	tar -xf /usr/src/linux-source-*.tar.xz -C "$TREE" --strip-components=1 --wildcards '*/scripts/subarch.include' \
		'*/tools/testing/selftests/lib.mk' '*/tools/testing/selftests/Makefile' \
		'*/tools/testing/selftests/kselftest/*' '*/tools/testing/selftests/run_kselftest.sh'
	ln -s "$PWD/selftests" "$TREE/tools/testing/selftests/rust_dynptr"
	rc=0
	make -C "$TREE/tools/testing/selftests" TARGETS=rust_dynptr FORCE_TARGETS=1 \
		O="$PWD/build/kselftest/objects" install KSFT_INSTALL_PATH="$PWD/$FROM_TREE" >build/kselftest/log 2>&1 || rc=$?
	tap_ok 'kselftest: a kernel tree with TARGETS=rust_dynptr installs them' "$rc" build/kselftest/log
	"$FROM_TREE/run_kselftest.sh" -l | sort | cmp -s - <(sort build/kselftest/list) && rc=0 || rc=1
	tap_ok 'kselftest: … the same tests' "$rc" build/kselftest/log
	tap_done
fi
tap_part scripts/build/enter selftests/checks/kselftest.sh "$KO" install
tap_part scripts/vm -m 2G -t 900 "selftests/checks/kselftest.sh $KO inside"
tap_done
