#!/bin/bash
# strings.sh KO CASES: in the guest, the tests of strings and memory in dynptrs; see strings.c.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh

tap_part build/selftests/strings "$1" "$2"
for demo in http argv; do
	rc=0
	selftests/demo-$demo.sh "$1" build/test >"/tmp/demo-$demo" 2>&1 || rc=$?
	tap_ok "demo $demo" "$rc" "/tmp/demo-$demo"
done
tap_no_splat strings
tap_done
