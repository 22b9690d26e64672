#!/bin/bash
# iter.sh KO FAULTS_KO WALKS: in the guest, iterators over dynptrs; see iter.c and iterlife.c. FAULTS_KO is a build
# with RUST_DYNPTR_FAULTS=1.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh

tap_part build/selftests/iter "$1" "$3"
tap_part build/selftests/iterlife "$1"
tap_part build/selftests/iter "$2" untied
tap_no_splat iter
tap_done
