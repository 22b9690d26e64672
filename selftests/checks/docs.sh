#!/bin/bash
# docs.sh [some|all]: what README and docs/*.md tell people to do: each command is run here, or by a test of
# selftests/parts (selftests/checks/docs.list says which); what they name is there. `some`: what boots a guest of its own
# is not run. TAP.
#
# docs.sh inside FILE: in the guest, the commands in FILE.
#
# Commands are lines indented by four, and those in fences marked sh; other fences are not. Where a line has a prompt
# (# or $), those without it, up to the next empty line, are what it prints.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh
if [ "${1:-}" = inside ]; then
	while IFS= read -r command; do
		rc=0
		bash -c "$command" >/tmp/out 2>&1 </dev/null || rc=$?
		tap_ok "docs: in the guest: $command" "$rc" /tmp/out
	done <"$2"
	tap_done
fi
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
# shellcheck source=selftests/lib/parts.sh
. selftests/lib/parts.sh
parts_load test
PARTS=" ${NAMES[*]} ${SUBJECT[*]} "
LIST=selftests/checks/docs.list
WHAT=${1:-all}
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
PAGES=(README.md docs/*.md)

# commands: "PAGE:COMMAND" of each, without its comment.
commands() {
	awk 'FNR == 1 {fence = 0; list = 0}
		/^ *```/ {fence = fence ? 0 : ($0 ~ /```(sh|bash|console)$/ ? 1 : 2); next}
		/^ *[*0-9-]+\.? / && !fence {list = 1}
		/^[^ ]/ && !/^[*0-9-]/ {list = 0}
		fence == 1 || (!fence && !list && /^    [^ ]/) {
			sub(/^ */, "")
			if (sub(/^[#$] /, "")) prompt = 1
			else if (prompt) next
			sub(/ +# .*/, "")
			if (length($0)) print FILENAME ":" $0
		}
		!length($0) {prompt = 0}' "${PAGES[@]}"
}

# how COMMAND: what the list says of it; the longest beginning that fits.
how() {
	awk -F'\t' -v command="$1" '!/^#/ && index(command, $2) == 1 && length($2) > best {best = length($2); how = $1}
		END {print how}' "$LIST"
}

# runs NAME CMD: CMD, in a shell here, ends well.
runs() {
	local rc=0
	bash -c "$2" >"$W/out" 2>&1 </dev/null || rc=$?
	tap_ok "docs: $1" "$rc" "$W/out"
}

# by NAME TEST…: these tests, or subjects, are there.
by() {
	local name=$1 part
	shift
	for part; do
		[[ $PARTS == *" $part "* ]] || { tap_ok "docs: $name: there is a test $part" 1; return; }
	done
	tap_ok "docs: $name (test $*)" 0
}

one() {
	local page=${1%%:*} command=${1#*:} only how file
	only=$(sed -nE 's/^make test ONLY="?([a-z ]+)"?$/\1/p' <<<"$command")
	how=$(how "$command")
	case $command in
	make) how=here ;;
	'make test') how=ci ;;
	esac
	# shellcheck disable=SC2086  # several words
	case ${only:+only}$how in
	only*) by "$page: $command" $only ;;
	ci)
		grep -qx 'exec make test' .ci/run && rc=0 || rc=1
		tap_ok "docs: $page: $command (.ci/run)" "$rc"
		;;
	boots)
		if [ "$WHAT" = all ]; then
			runs "$page: $command" "$command"
		else
			tap_skip "docs: $page: $command" 'in make test-all'
		fi
		;;
	here) runs "$page: $command" "$command" ;;
	guest) echo "$command" >>"$W/guest" ;;
	'test '*) by "$page: $command" ${how#test } ;;
	'restore '*)
		file=${how#restore }
		cp "$file" "$W/kept"
		runs "$page: $command" "$command"
		cp "$W/kept" "$file"
		;;
	'none '*) tap_skip "docs: $page: $command" "nobody runs it: ${how#none }" ;;
	*) tap_ok "docs: $page: $command: nobody runs it (see $LIST)" 1 ;;
	esac
}

# What pages name: make's targets, scripts, and other pages.
names() {
	local target path page link
	grep -ohE '`make [a-z][a-z_-]*' "${PAGES[@]}" | cut -d' ' -f2 | sort -u | while IFS= read -r target; do
		grep -qE "^([a-z-]+ )*$target( [a-z-]+)*:" Makefile || echo "no target '$target' in Makefile"
	done
	grep -ohP '(?<![\w/.~-])(scripts|selftests|rust|include|docs)/[\w./-]*\w' "${PAGES[@]}" | sort -u |
		while IFS= read -r path; do
			[ -e "$path" ] || compgen -G "$path*" >/dev/null || echo "no $path"
		done
	for page in "${PAGES[@]}"; do
		{ grep -oE '\]\([^)#]+' "$page" || true; } | cut -c3- | while IFS= read -r link; do
			[[ $link == *:* ]] || [ -e "$(dirname "$page")/$link" ] || echo "$page: no $link"
		done
	done
}

: >"$W/guest"
commands | awk '!seen[substr($0, index($0, ":") + 1)]++' >"$W/commands"
while IFS= read -r line; do one "$line"; done <"$W/commands"
grep -q . "$W/commands" && rc=0 || rc=1
tap_ok 'docs: there are commands' "$rc"
awk -F'\t' '!/^#/ {print $2}' "$LIST" | while IFS= read -r begin; do
	cut -d: -f2- "$W/commands" | awk -v b="$begin" 'index($0, b) == 1 {f = 1} END {exit !f}' || echo "no command begins with: $begin"
done >"$W/stale"
[ ! -s "$W/stale" ] && rc=0 || rc=1
tap_ok "docs: each line of $LIST is about a command" "$rc" "$W/stale"

# The guest's, each as a test of its own.
cp "$W/guest" build/test/docs-guest
tap_part scripts/vm -m 2G -t 600 'selftests/checks/docs.sh inside build/test/docs-guest'
names >"$W/names"
[ ! -s "$W/names" ] && rc=0 || rc=1
tap_ok 'docs: what the pages name is there' "$rc" "$W/names"
tap_done
