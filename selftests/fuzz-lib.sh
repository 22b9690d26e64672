# shellcheck shell=bash
# What fuzz.sh and heapfuzz.sh share; after tap.sh.
# shellcheck disable=SC2034
FUZZ=build/selftests/fuzz

# What stock C itself trips over: its bookkeeping of loops (seed 141750), its print of a stack slot from the
# wrong place (fuzz/log.c), and its search for a subprogram to compile among those that are left (143661).
STOCK='bpf_update_branch_counts|dynptr_type_str|bpf_jit_subprogs'

# splats NAME: no warnings of the kernel so far, but those of stock C.
splats() {
	local rc=0
	dmesg | grep -E 'WARNING:|BUG:|Oops|general protection|stalls on|blocked for more' >/tmp/splats || true
	dmesg | grep -A 100 -E 'WARNING:|BUG:' >/tmp/traces || true
	grep -E "$STOCK" /tmp/splats | sed 's/^/# stock C: /' || true
	grep -vE "$STOCK" /tmp/splats >/tmp/ours && rc=1
	tap_ok "$1: no splat in the kernel log, but of those that stock C has" "$rc" /tmp/traces
}
