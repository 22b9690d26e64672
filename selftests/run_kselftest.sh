#!/bin/bash
# run_kselftest.sh [-l] [-t TEST]…: runs the tests beside it, or those; -l lists them. TAP, as the kernel's script of
# that name prints it: a test's own TAP is a comment. Status 1 if any failed.
set -euo pipefail
HELP=$(sed -n '2,${/^#/!q;s/^# \{0,1\}//p}' "$0")
cd "$(dirname "$0")"
TIMEOUT=$(sed -n 's/^timeout=//p' settings)
tests=()
[ "${1:-}" != --help ] || set -- -h
while getopts hlt: o; do
	case $o in
	l) for test in test_*; do echo "rust_dynptr:$test"; done; exit ;;
	t) tests+=("${OPTARG#rust_dynptr:}") ;;
	h) echo "$HELP"; exit ;;
	*) echo "$HELP" >&2; exit 2 ;;
	esac
done
[ ${#tests[@]} -gt 0 ] || tests=(test_*)
for test in "${tests[@]}"; do
	[ -x "$test" ] || { echo "no test $test; -l lists them" >&2; exit 2; }
done

echo 'TAP version 13'
echo "1..${#tests[@]}"
failed=0 n=0
for test in "${tests[@]}"; do
	n=$((n + 1)) rc=0
	name="$n selftests: rust_dynptr: $test"
	echo "# selftests: rust_dynptr: $test"
	timeout "$TIMEOUT" "./$test" 2>&1 | sed 's/^/# /' || rc=$?
	case $rc in
	0) echo "ok $name" ;;
	4) echo "ok $name # SKIP" ;;
	124) failed=1; echo "not ok $name # TIMEOUT $TIMEOUT seconds" ;;
	*) failed=1; echo "not ok $name # exit=$rc" ;;
	esac
done
exit "$failed"
