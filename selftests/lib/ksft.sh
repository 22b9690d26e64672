#!/bin/bash
# ksft.sh: a test as kselftest runs it. Installed as test_NAME, it runs the program NAME beside it, without arguments:
# TAP on standard output; status 0, 1 if something failed, 4 if it cannot run here.
#
# RUST_DYNPTR_KO is the module; without it, that beside this, that of the clone, or the one installed for the kernel.
set -euo pipefail
cd "$(dirname "$0")"
NAME=$(basename "$0")
NAME=${NAME#test_}

skip() {
	echo "1..0 # SKIP $1"
	exit 4
}

echo 'TAP version 13'
[ "$(id -u)" = 0 ] || skip 'must be root'
KO=${RUST_DYNPTR_KO:-}
for ko in rust_dynptr.ko ../rust_dynptr.ko "$(modinfo -n rust_dynptr 2>/dev/null || true)"; do
	[ -n "$KO" ] || [ ! -f "$ko" ] || KO=$ko
done
[ -f "$KO" ] || skip 'no module: install it, or set RUST_DYNPTR_KO'
release=$(modinfo -F vermagic "$KO" | cut -d' ' -f1)
[ "$release" = "$(uname -r)" ] || skip "$KO is built for kernel $release, this is $(uname -r)"
[ ! -d /sys/module/rust_dynptr ] || skip 'the module is loaded: rust-dynptr unload'
export RUST_DYNPTR_TOOL=$PWD/rust-dynptr RUST_DYNPTR_HITS=/dev/null
exec "./$NAME" "$KO"
