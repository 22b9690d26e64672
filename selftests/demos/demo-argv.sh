#!/bin/bash
# demo-argv.sh KO RESULTS: in the guest, the demonstration of strings in heap dynptrs (scripts/guest/demo): a filter
# on the arguments of programs that are started (bpf/argv.bpf.c). Ends with status 1 if one that must not run
# does, or one that may does not.
set -euo pipefail
KO=$1
RESULTS=$2
# shellcheck source=selftests/demos/demo-lib.sh
. "$(dirname "$0")/demo-lib.sh"

# filtered NAME: what came of the script $W/NAME under the filter must be as wanted, lines of WANTED: an
# extended regular expression each.
filtered() {
	local rc=0 line=0 want
	cp "$W/$1" "$RESULTS/argv-$1"
	"$PROGRAMS/argv" -x --insecure -x secret= -x '../../' -- bash "$W/$1" >"$W/$1.out" 2>"$W/$1.err" || rc=$?
	[ "$rc" = 0 ] || bad "$1: status $rc: $(cat "$W/$1.err")"
	sed 's/^/    /' "$W/$1.out" | cut -c1-110
	while IFS= read -r want; do
		line=$((line + 1))
		sed -n "${line}p" "$W/$1.out" | grep -qE "^$want\$" || bad "$1: line $line is not: $want"
	done
	[ "$(wc -l <"$W/$1.out")" = "$line" ] || bad "$1: $(wc -l <"$W/$1.out") lines, not $line"
}

$TOOL load "$KO" count=1
echo 'Arguments with --insecure, secret= or ../../ are not allowed. What a script starts:'
# Output that says whether the program ran goes to files.
cat >"$W/script" <<END
/bin/echo one two three >"$W/ran-1"
/bin/echo --insecure >"$W/ran-2" || true
/bin/echo a b c d e f --with-secret=x g >"$W/ran-3" || true
/bin/echo secret >"$W/ran-4"
/bin/cat ../../etc/hostname >"$W/ran-5" || true
/usr/bin/env secret_in_environment=1 /bin/true
# The environment is not looked at, but env's arguments are.
secret=environment /bin/true
/bin/echo '' '' >"$W/ran-6"
printf '#!/bin/echo --insecure\n' >"$W/interpreted"
chmod +x "$W/interpreted"
"$W/interpreted" >"$W/ran-7" || true
END
filtered script <<END
run: 2 arguments of [0-9]+ bytes, bash
run: 4 arguments of 24 bytes, /bin/echo
killed: argument 1 of 2, --insecure: has --insecure
killed: argument 7 of 9, --with-secret=x: has secret=
run: 2 arguments of 17 bytes, /bin/echo
killed: argument 1 of 2, \.\./\.\./etc/hostname: has \.\./\.\./
run: 3 arguments of [0-9]+ bytes, /usr/bin/env
run: 1 arguments of 10 bytes, /bin/true
run: 1 arguments of 10 bytes, /bin/true
run: 3 arguments of 12 bytes, /bin/echo
run: 3 arguments of [0-9]+ bytes, chmod
killed: argument 1 of 3, --insecure: has --insecure
END
for n in 1 4 6; do
	[ -s "$W/ran-$n" ] || bad "program $n did not run"
done
for n in 2 3 5 7; do
	[ ! -s "$W/ran-$n" ] || bad "program $n ran"
done
echo 'with many arguments, of which the last is not allowed, and more than a MiB of them:'
cat >"$W/many" <<'END'
/bin/true $(seq 3000) end
/bin/true $(seq 3000) --insecure || true
long=$(head -c 120000 /dev/zero | tr '\0' x)
/bin/true $long $long $long $long $long $long $long $long $long || true
END
filtered many <<END
run: 2 arguments of [0-9]+ bytes, bash
run: 2 arguments of 9 bytes, seq
run: 3002 arguments of [0-9]+ bytes, /bin/true
run: 2 arguments of 9 bytes, seq
killed: argument 3001 of 3002, --insecure: has --insecure
run: [0-9]+ arguments of [0-9]+ bytes, (head|tr)
run: [0-9]+ arguments of [0-9]+ bytes, (head|tr)
killed: 10 arguments cannot be read \(Argument list too long\)
END
[ "$(heap live)" = 0 ] || bad "blocks left: $(heap live)"
echo 'after it: no block is left'
served_strings strnlen memmem read_upto
unload
finish 'all as it should be'
