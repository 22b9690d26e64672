#!/bin/bash
# state.sh: in the guest, what a module that is refused, or gone, must have left of the kernel as it was before.
set -euo pipefail
for path in /sys/module /sys/kernel/debug /sys/kernel/btf /sys/kernel/livepatch; do
	[ ! -e "$path/rust_dynptr" ] || echo "$path/rust_dynptr"
done
echo 'traced:'
cat /sys/kernel/tracing/enabled_functions
echo 'probed:'
# Without the flags: probes are optimised some time later.
awk '{print $1, $2, $3}' /sys/kernel/debug/kprobes/list
