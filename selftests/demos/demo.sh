#!/bin/bash
# demo.sh NAME KO RESULTS [PART]: in the guest, the demonstration NAME (demo-NAME.sh), as `make run` shows it, as a test.
# PART: with a part of its work. TAP.
set -euo pipefail
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
[ "$1" != execs ] || tap_needs gcc # its workload compiles a program
tap_plan 1
rc=0
"$SELFTESTS/demos/demo-$1.sh" "$2" "$3/demo" ${4:+"$4"} >/tmp/demo 2>&1 || rc=$?
tap_ok "demo $1" "$rc" /tmp/demo
[ "$rc" = 0 ] || grep '^FAILED' /tmp/demo | sed 's/^/# /' || true
tap_done
