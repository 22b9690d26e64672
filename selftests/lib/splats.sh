# shellcheck shell=bash
# What the kernel's log says against us; sourced by tap.sh in the guest and by scripts/vm on the host.

# C's own bugs, in what its log lines say. Whoever is in charge: the verifier's bookkeeping of loops (seed
# 141750 of part fuzz), its print of a stack slot from the wrong place (fuzz/log.c), and its search for a
# subprogram to compile among those that are left (143661).
# shellcheck disable=SC2034
STOCK='bpf_update_branch_counts|dynptr_type_str|bpf_jit_subprogs'
# While C is in charge: bpf_dynptr_copy() and _write() from a packet's first part to behind it (moves.c); on the debug
# kernel, what bpf_dynptr_clone() makes in slots that overlap the original's (docs/differences.md).
STOCK_WITH_C='KASAN: slab-use-after-free in __bpf_skb_store_bytes'
STOCK_WITH_C+='|WARNING: kernel/bpf/helpers.c:[0-9]+ at (bpf_dynptr_slice|__bpf_dynptr_write)'

# What only says that the emulator is slow.
SLOW='NMI handler .* took too long'

# What must not be in it after a test of ours. "BUG " is the allocator's; a user's registers are no splat.
# shellcheck disable=SC2034
SPLATS='WARNING:|BUG[: ]|Oops|RIP: 0010|general protection|stalls on|blocked for more|INFO: '

# splats PATTERN: of the kernel log on stdin, the lines with PATTERN, an extended regular expression, but those
# of C's own bugs while C is in charge, and of a slow machine. The log must have the notices of the module and the livepatch.
splats() {
	awk -v pattern="$1" -v stock="$STOCK_WITH_C" -v slow="$SLOW" '
		/ C functions taken over/ {rust = 1}
		/ .rust_dynptr.: unpatching complete/ {rust = 0}
		$0 ~ pattern && $0 !~ slow && (rust || $0 !~ stock)'
}

# kernel_log: in a guest, the kernel's log since the test that runs began, or since boot.
kernel_log() { dmesg | tac | sed '/selftests: begin /q' | tac; }

# asked TEST: what of these a test provokes, an extended regular expression.
asked() {
	case $1 in
	heap | heapuses | heapenv) echo 'RIP: |INFO: NMI handler' ;; # heapenv asks the processors for their traces by NMI
	nomemory) echo 'RIP: ' ;;                                  # what vmalloc says when it fails has registers in it
	# When a module goes and there is no memory, fprobe.c of the kernel warns; a trace of that has RIP of the task.
	failload | halfway | removal | kills | tracers | attack) echo 'fprobe\.c:|fprobe_module_callback|RIP: 0033' ;;
	fuzz | heapfuzz*) echo "$STOCK|RIP: 0010|INFO: |BUG [^:]" ;;
	*) echo '^$' ;;
	esac
}
