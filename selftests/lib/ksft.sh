#!/bin/bash
# ksft.sh: a test as kselftest runs it. Installed as test_NAME, it runs what the table (scripts/parts) has for NAME, with
# the table's sizes, unless the environment has others: TAP on standard output; status 0, 1 if something failed, 4 if it
# cannot run here.
#
# RUST_DYNPTR_KO is the module; without it, that beside this, or the one installed for the kernel.
set -euo pipefail
NAME=$(basename "$0")
NAME=${NAME#test_}
PARTS_KO=${RUST_DYNPTR_KO:+$(realpath "$RUST_DYNPTR_KO")}
cd "$(dirname "$0")"

skip() {
	printf 'TAP version 13\n1..0 # SKIP %s\n' "$1"
	exit 4
}

[ "$(id -u)" = 0 ] || skip 'must be root'
for ko in rust_dynptr.ko "$(modinfo -n rust_dynptr 2>/dev/null || true)"; do
	[ -n "$PARTS_KO" ] || [ ! -f "$ko" ] || PARTS_KO=$ko
done
[ -f "$PARTS_KO" ] || skip 'no module: install it, or set RUST_DYNPTR_KO'
[[ $PARTS_KO != *[[:space:]]* ]] || skip "the module's path, $PARTS_KO, has a space"
[ ! -d /sys/module/rust_dynptr ] || skip 'the module is loaded: rust-dynptr unload'

PARTS_SCRIPTS=scripts/ PARTS_RUNNERS=./ PARTS_FAULTS=rust_dynptr_faults.ko PARTS_KMODS=.
PARTS_RESULTS=$(mktemp -d)
trap 'rm -rf "$PARTS_RESULTS"' EXIT
# shellcheck source=selftests/lib/parts.sh
. scripts/lib/parts.sh
parts_load test
read -r -a command <<<"$(parts_command "$NAME")"
for ko in "$PARTS_KO" "${command[@]}"; do
	[[ $ko == *.ko ]] || continue
	[ -f "$ko" ] || skip "$ko was not built when this was installed"
	release=$(modinfo -F vermagic "$ko" | cut -d' ' -f1)
	[ "$release" = "$(uname -r)" ] || skip "$ko is built for kernel $release, this is $(uname -r)"
done
# From here on the kernel's log is this test's.
echo "selftests: begin $NAME" >/dev/kmsg
"${command[@]}"
