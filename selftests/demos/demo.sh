#!/bin/bash
# demo.sh NAME KO: in the guest, the demonstration NAME (demo-NAME.sh), as `make run` shows it, as a test. TAP.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh
echo 1..1
mkdir -p build/test/demo
rc=0
"selftests/demos/demo-$1.sh" "$2" build/test/demo >/tmp/demo 2>&1 || rc=$?
tap_ok "demo $1" "$rc" /tmp/demo
exit "$TAP_FAILED"
