#!/bin/bash
# kselftest.sh KO [some|all]: the tests by kselftest's conventions: `make install`, and what is installed, run elsewhere
# in the guest, without this clone; the same from a kernel tree. `some`: some of the tests are run, one or two of each
# kind, of `make install`; `all`: each of them. TAP.
set -euo pipefail
KO=$1
WHAT=${2:-some}
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh
OWN=build/kselftest/own TREE=build/kselftest/tree FROM_TREE=build/kselftest/installed
# A runner alone; more than one object; a script; what is beside the scripts; the module with faults; another module.
SOME=(rows untied)
# They need a kernel that was booted for them.
BOOTED='nomemory|leaks'

# has NAME PATTERN FILE: a line of FILE is like PATTERN.
has() {
	grep -qE -- "$2" "$3" && rc=0 || rc=1
	tap_ok "kselftest: $1" "$rc" "$3"
}

# alone COMMAND…: it, where there is no clone: nothing is in /host.
alone() { unshare --mount --propagation private sh -c 'mount -t tmpfs none /host && cd /tmp && exec "$@"' sh "$@"; }

# passed NAME: in /tmp/out, run_kselftest.sh says that this test has passed.
passed() {
	local line
	line=$(grep -E "^(not )?ok [0-9]+ selftests: rust_dynptr: test_$1( #.*)?\$" /tmp/out || true)
	case $line in
	'ok '*'# SKIP'*)
		if [[ $1 =~ ^($BOOTED)$ ]]; then
			tap_skip "kselftest: installed by make install, $1 passes" 'the kernel was not booted for it'
			return
		fi
		;;
	'ok '*) tap_ok "kselftest: installed by make install, $1 passes" 0; return ;;
	esac
	sed -n "/^# selftests: rust_dynptr: test_$1\$/,/^\(not \)\?ok /p" /tmp/out >/tmp/of-it
	tap_ok "kselftest: installed by make install, $1 passes" 1 /tmp/of-it
}

# installed: in the guest, those of the directory that `make install` has made.
installed() {
	local tests=("${SOME[@]}") options name
	rm own/rust_dynptr.ko
	rc=0
	alone own/run_kselftest.sh -t test_rows >/tmp/out 2>&1 || rc=$?
	[ "$rc" = 0 ] && grep -q '^ok 1 selftests: rust_dynptr: test_rows # SKIP' /tmp/out && rc=0 || rc=1
	tap_ok 'kselftest: without the module a test is skipped' "$rc" /tmp/out
	export RUST_DYNPTR_KO=/tmp/module.ko
	[ "$WHAT" != all ] || mapfile -t tests < <(own/run_kselftest.sh -l | sed 's/.*:test_//')
	# The first by its other name.
	mapfile -t options < <(printf -- '-t\nrust_dynptr:test_%s\n' "${tests[0]}" && printf -- '-t\ntest_%s\n' "${tests[@]:1}")
	rc=0
	alone own/run_kselftest.sh "${options[@]}" >/tmp/out 2>&1 || rc=$?
	tap_ok 'kselftest: installed by make install, the tests pass' "$rc" /tmp/out
	has 'their own TAP is in comments' '^# ok [0-9]+ - rows: ' /tmp/out
	for name in "${tests[@]}"; do passed "$name"; done
	rc=0
	own/run_kselftest.sh -t test_none >/tmp/out 2>&1 || rc=$?
	tap_refused 'kselftest: a test that is not there' 2 /tmp/out 'no test test_none'
}

# others: … by make run_tests, and of the directory that a kernel tree has made.
others() {
	rc=0
	# What is built is up to date, whatever the time of the BTF.
	make -s -o /sys/kernel/btf/vmlinux -C /host/selftests run_tests KSFT_TESTS=alias >/tmp/out 2>&1 || rc=$?
	[ "$rc" = 0 ] && grep -q '^ok 1 selftests: rust_dynptr: test_alias' /tmp/out && rc=0 || rc=1
	tap_ok 'kselftest: make run_tests in the clone' "$rc" /tmp/out
	rc=0
	# Through a pipe: it opens /dev/stdout again for some of its lines, and writes over others in a file.
	alone tree/run_kselftest.sh -t rust_dynptr:test_alias 2>&1 | cat >/tmp/out || rc=$?
	[ "$rc" = 0 ] && grep -q '^ok 1 selftests: rust_dynptr: test_alias' /tmp/out && rc=0 || rc=1
	tap_ok "kselftest: installed by a kernel tree, its run_kselftest.sh runs them" "$rc" /tmp/out
	has 'the settings of the directory are read' '^# timeout set to 900' /tmp/out
}

# inside: in the guest.
inside() {
	cp -r "$OWN" /tmp/own
	[ "$WHAT" != all ] || cp -r "$FROM_TREE" /tmp/tree
	cp "$KO" /tmp/module.ko
	cd /tmp
	installed
	[ "$WHAT" != all ] || others
	tap_no_splat kselftest
}

# install_tree: from a kernel tree.
install_tree() {
	mkdir -p "$TREE"
	tar -xf /usr/src/linux-source-*.tar.xz -C "$TREE" --strip-components=1 --wildcards '*/scripts/subarch.include' \
		'*/tools/testing/selftests/lib.mk' '*/tools/testing/selftests/Makefile' \
		'*/tools/testing/selftests/kselftest/*' '*/tools/testing/selftests/run_kselftest.sh'
	ln -s "$PWD/selftests" "$TREE/tools/testing/selftests/rust_dynptr"
	rc=0
	make -j"$(nproc)" -C "$TREE/tools/testing/selftests" TARGETS=rust_dynptr FORCE_TARGETS=1 \
		O="$PWD/build/kselftest/objects" install KSFT_INSTALL_PATH="$PWD/$FROM_TREE" >build/kselftest/log 2>&1 || rc=$?
	tap_ok 'kselftest: a kernel tree with TARGETS=rust_dynptr installs them' "$rc" build/kselftest/log
	"$FROM_TREE/run_kselftest.sh" -l | sort | cmp -s - <(sort build/kselftest/list) && rc=0 || rc=1
	tap_ok 'kselftest: … the same tests' "$rc" build/kselftest/log
}

# install: in the sysroot.
install() {
	rm -rf build/kselftest/{own,tree,installed}
	mkdir -p build/kselftest
	rc=0
	make -C selftests install INSTALL_PATH="$PWD/$OWN" >build/kselftest/log 2>&1 || rc=$?
	tap_ok 'kselftest: make -C selftests install INSTALL_PATH=…' "$rc" build/kselftest/log
	make -s -C selftests emit_tests >build/kselftest/list
	"$OWN/run_kselftest.sh" -l | sort | cmp -s - <(sort build/kselftest/list) && rc=0 || rc=1
	tap_ok 'kselftest: emit_tests and run_kselftest.sh -l name the same tests' "$rc" build/kselftest/list
	grep -rInE '(^|[^./[:alnum:]])/host/' "$OWN" >build/kselftest/clone || true
	[ ! -s build/kselftest/clone ] && rc=0 || rc=1
	tap_ok 'kselftest: no script there has a path of the clone' "$rc" build/kselftest/clone
	sort -u "$OWN/config" >build/kselftest/config
	rc=0
	for line in CONFIG_LIVEPATCH=y CONFIG_FS_VERITY=y; do grep -qxF "$line" build/kselftest/config || rc=1; done
	tap_ok 'kselftest: config has what the module and the tests want' "$rc" build/kselftest/config
	[ "$WHAT" != all ] || install_tree
}

case ${3:-} in
inside) inside ;;
install) install ;;
*)
	tap_part scripts/build/enter selftests/checks/kselftest.sh "$KO" "$WHAT" install
	tap_part scripts/vm -m 3G -t 3600 "selftests/checks/kselftest.sh $KO $WHAT inside"
	;;
esac
tap_done
