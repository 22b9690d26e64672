# shellcheck shell=bash
# What fuzz.sh and heapfuzz.sh share; after tap.sh.
# shellcheck disable=SC2034
FUZZ=build/selftests/fuzz

# fuzz_splats NAME: no warnings of the kernel so far, but those of stock C (splats.sh).
fuzz_splats() {
	local rc=0
	dmesg | splats 'WARNING:|BUG:|Oops|general protection|stalls on|blocked for more' >/tmp/splats
	dmesg | grep -A 100 -E 'WARNING:|BUG:' >/tmp/traces || true
	grep -E "$STOCK" /tmp/splats | sed 's/^/# stock C: /' || true
	grep -vE "$STOCK" /tmp/splats >/tmp/ours && rc=1
	tap_ok "$1: no splat in the kernel log, but of those that stock C has" "$rc" /tmp/traces
}
