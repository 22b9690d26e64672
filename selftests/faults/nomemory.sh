#!/bin/bash
# nomemory.sh KO FAILNTH_KO [EVERY]: in the guest, every allocation that loading a program or making a ring buffer map
# takes fails once, with C and with Rust (nomemory.c, failalloc.c), and those of heap dynptrs. Of the programs, every
# EVERY-th is loaded; if that is not all, without those of rows.bpf.c, which take hundreds of allocations each. The guest
# must be booted with slab_debug=FZPU,kmalloc*: then the allocator finds what is freed twice, used after it was freed or
# written beyond its end, and knows who allocated what is left. TAP.
set -euo pipefail
KO=$1
FAILNTH_KO=$2
EVERY=${3:-1}
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
tap_needs bpftool

[ -e /sys/kernel/debug/slab/kmalloc-8/alloc_traces ] ||
	tap_skip_all "the kernel was not booted with slab_debug=FZPU,kmalloc*"
tap_plan 5
OBJECTS=("$PROGRAMS/lifetime.bpf.o")
[ "$EVERY" -gt 1 ] || OBJECTS+=("$PROGRAMS/rows.bpf.o")
tap_part "$PROGRAMS/nomemory" "$KO" "$FAILNTH_KO" "$EVERY" "${OBJECTS[@]}"
tap_part "$PROGRAMS/failalloc" "$KO" "$FAILNTH_KO"

# What a write to a packet reads of it is where it was moved to, not where it has been freed.
tap_part "$PROGRAMS/moves" "$KO"

# left: objects in the allocator's caches that the verifier, or this module, has allocated; those that the
# allocator has for itself (sheaves) are not, nor those that KASAN holds back, which go when the cache is shrunk.
left() {
	for cache in /sys/kernel/slab/kmalloc*/shrink; do echo 1 >"$cache"; done
	cat /sys/kernel/debug/slab/kmalloc*/alloc_traces | awk -v RS= '/bpf_check|\[rust_dynptr\]/ && !/ __pcs_/'
}
rc=0
left >/tmp/left
[ ! -s /tmp/left ] || rc=1
tap_ok 'nomemory: nothing that the verifier or the module has allocated is left' "$rc" /tmp/left
rc=0
bpftool prog load "$PROGRAMS/rows.bpf.o" /sys/fs/bpf/rows
left >/tmp/left
[ -s /tmp/left ] || rc=1
tap_ok 'nomemory: control: of a program that is loaded there is' "$rc"
rm /sys/fs/bpf/rows

tap_done
