#!/bin/bash
# shellcheck disable=SC2034,SC2016  # what stands in single quotes is for those runners; the tables are jobs.sh's
# harness.sh: on the host and in a guest, what runs and judges the tests (selftests/lib/jobs.sh, guest.sh, tally) finds
# runners that are planted here: one that ends half way with status 0, one without a plan, one that prints a number
# twice, one that says nothing, one that dies, one that hangs. TAP.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
# shellcheck source=selftests/lib/tap.sh
. "$TOP/selftests/lib/tap.sh"
# shellcheck source=selftests/lib/parts.sh
. "$TOP/selftests/lib/parts.sh"
# shellcheck source=selftests/lib/jobs.sh
. "$TOP/selftests/lib/jobs.sh"
load_env
OUT=$BUILD/harness
BOOT[one]='-m 1G'

# The planted runners: NAME, where, what tally must say of it ("" for nothing), its code.
PLANTED=(
	'good|host||echo 1..2; echo "ok 1 - a"; echo "ok 2 - b"'
	'skips|host||echo "1..0 # SKIP no such thing here"; exit 4'
	'halfway|host|Bad plan.*planned 3 tests but ran 2|echo 1..3; echo "ok 1 - a"; echo "ok 2 - b"; exit 0'
	'noplan|host|No plan found|echo "ok 1 - a"; exit 0'
	'twice|host|Tests out of sequence|echo "ok 1 - a"; echo "ok 1 - a"; echo 1..2'
	'beyond|host|Bad plan|echo 1..1; echo "ok 1 - a"; echo "ok 2 - b"'
	'empty|host|no output|true'
	'fails|host|not ok 1 - a|echo 1..1; echo "not ok 1 - a"; exit 1'
	'status|host|ended with status 1|echo 1..1; echo "ok 1 - a"; exit 1'
	'dies|host|Bail out!.*ended with status 139|echo 1..1; kill -SEGV $BASHPID'
	'before|one||echo 1..1; echo "ok 1 - a"'
	'hangs|one|Bail out!.*said nothing|echo 1..1; sleep 1000'
	'warns|one|no splat in the kernel log|echo 1..1; echo "ok 1 - a"; echo "WARNING: planted" >/dev/kmsg'
	'short|one|No plan found|echo "ok 1 - a"'
)

# parts_command NAME: in place of that of parts.sh.
parts_command() { echo "$([ "${WHERE[$1]}" = host ] && echo "$OUT" || echo build/harness)/run-$1"; }

rm -rf "$OUT"
mkdir -p "$OUT"
: >"$OUT/times"
names=()
for line in "${PLANTED[@]}"; do
	IFS='|' read -r name where _ code <<<"$line"
	names+=("$name")
	SUBJECT[$name]=checks WHERE[$name]=$where SECS[$name]=1 NEEDS[$name]=- ABOUT[$name]=planted
	[ "$name" != hangs ] || SECS[$name]=-25 # silent for ten seconds
	printf '#!/bin/bash\n%s\n' "$code" >"$OUT/run-$name"
	chmod +x "$OUT/run-$name"
done
tap_plan $((${#names[@]} + 11))
(jobs_run "${names[@]}") >"$OUT/out" 2>&1 || true
for line in "${PLANTED[@]}"; do
	IFS='|' read -r name where wanted _ <<<"$line"
	rc=0
	"$SCRIPTS/build/enter" /host/selftests/lib/tally /host/build/harness "$name" >"$OUT/judged" 2>&1 || rc=$?
	if [ -z "$wanted" ]; then
		tap_ok "harness: $name ($where): nothing is found" "$rc" "$OUT/judged"
	else
		[ "$rc" = 1 ] && grep -qE "$wanted" "$OUT/judged" && rc=0 || rc=1
		tap_ok "harness: $name ($where): found: $wanted" "$rc" "$OUT/judged"
	fi
done
[ -s "$OUT/hangs.hang" ] && grep -q 'sleep' "$OUT/hangs.tap" && rc=0 || rc=1
tap_ok 'harness: of the test that hangs, what the kernel says of its tasks is shown' "$rc" "$OUT/hangs.tap"
[ -s "$OUT/short.status" ] && [ -s "$OUT/warns.status" ] && rc=0 || rc=1
tap_ok 'harness: the tests that came after that one ran, in another guest' "$rc"

# affects FILES WORDS: these files can affect these tests.
affects() {
	local found
	found=$(tr ' ' '\n' <<<"$1" | parts_affected)
	[ "$found" = "$2" ] && rc=0 || rc=1
	tap_ok "harness: a change of $1 can affect: ${2:-nothing}" "$rc"
}
affects docs/cost.md 'docs lint'
affects 'COPYING README.md' 'docs lint'
affects COPYING ''
affects 'docs/cost.md Makefile' 'all docs lint'
affects rust/logic/of-tomorrow.rs all

# scripts/check/check-parts, in a copy of the tree with a fault.
COPY=$OUT/copy
mkdir -p "$COPY"
(cd "$TOP" && git ls-files -z -co --exclude-standard | tar -c --null -T - --ignore-failed-read 2>/dev/null) | tar -x -C "$COPY"
git -C "$COPY" init -q
git -C "$COPY" -c user.name=test -c user.email=test commit -q --allow-empty -m copy
planted_part() {
	local rc=0
	"$COPY/scripts/check/check-parts" >"$OUT/parts" 2>&1 || rc=$?
	[ "$rc" = 1 ] && grep -qF -- "$2" "$OUT/parts" && rc=0 || rc=1
	tap_ok "harness: check-parts finds $1" "$rc" "$OUT/parts"
}
rc=0
"$COPY/scripts/check/check-parts" >"$OUT/parts" 2>&1 || rc=$?
tap_ok 'harness: check-parts has nothing against the tree as it is' "$rc" "$OUT/parts"
echo 'none rows two test s 1 - | nothing KO | planted' >>"$COPY/selftests/parts"
planted_part 'a line without a file' 'nothing makes build/selftests/nothing'
unnamed=un && unnamed+=heard # this file does not name it either
echo 'int main(void) { return 0; }' >"$COPY/selftests/rows/$unnamed.c"
planted_part 'a runner that nothing names' "selftests/rows/$unnamed.c: no test"
echo 'rust/gone/* rows sleepless' >>"$COPY/selftests/affects"
planted_part 'a pattern that fits no file' 'no file is like rust/gone/*'
tap_done
