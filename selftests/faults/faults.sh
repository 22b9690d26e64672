#!/bin/bash
# faults.sh KO FAULTS_KO KMODS FAILLOAD KILLS: in the guest, what must go wrong well: loading that fails at each
# step, or for want of memory (FAILLOAD: which allocations fail, see failload.c); the module removed while somebody
# has what it serves in hand; KILLS processes killed; others on its functions; users who want to do harm.
# KMODS has the modules of selftests/faults/kmod. TAP.
set -euo pipefail
KO=$1
FAULTS_KO=$2
KMODS=$3
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh

tap_part build/selftests/halfway "$FAULTS_KO"
tap_part build/selftests/failload "$KO" "$KMODS/failnth.ko" "$4"
tap_part build/selftests/removal "$KO"
tap_part build/selftests/kills "$KO" "$5"
tap_part selftests/faults/tracers.sh "$KO" "$KMODS/otherpatch.ko"
tap_part build/selftests/attack "$KO" "$FAULTS_KO"
# When a module goes and there is no memory, fprobe.c of the kernel warns; a trace of that has RIP of the task.
tap_no_splat faults 'fprobe\.c:|fprobe_module_callback|RIP: 0033'
tap_done
