#!/bin/bash
# help.sh: every script answers -h with its help and does nothing else, also where nothing is set up: in a copy of the
# sources alone, with an empty HOME. TAP.
#
# A script that does not answer -h would do its work instead, on this machine. So only those are run whose text answers
# it, and these as nobody if we are root.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
need_git
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
COPY=$W/copy
NOBODY=()
[ "$(id -u)" != 0 ] || NOBODY=(setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs)

# answers FILE: its text answers -h, by lib.sh or on its own.
# shellcheck disable=SC2016  # a pattern
answers() { grep -qE '^\. "\$\(dirname "\$0"\)/(\.\./)*lib\.sh"$|-h \| --help\)|getopts h' "$1"; }

# files: all that there is, with times and sizes.
files() { find "$COPY" "$W/home" -printf '%p %T@ %s\n' | sort; }

# helps SCRIPT: it prints its name and more, on stdout alone, and leaves all files as they are.
helps() {
	local rc=0
	: >"$W/out"
	answers "$COPY/$1" || { echo "$1 does not answer -h, and is not run" >"$W/out"; return 1; }
	files >"$W/before"
	(cd "$W/home" && env -i PATH="$PATH" HOME="$W/home" "${NOBODY[@]}" timeout -k 1 5 "$COPY/$1" -h) \
		>"$W/out" 2>"$W/err" </dev/null || rc=$?
	files | diff "$W/before" - >>"$W/err" || rc=1
	grep -qF -- "${1##*/}" "$W/out" || rc=1
	[ "$(wc -w <"$W/out")" -ge 5 ] && [ ! -s "$W/err" ] || rc=1
	cat "$W/err" >>"$W/out"
	return "$rc"
}

# plant LINE…: the script PLANTED, with a head that would do as help.
plant() {
	printf '%s\n' '#!/bin/sh' '# planted: a script that does its work at once' "$@" >"$COPY/$PLANTED"
	chmod 755 "$COPY/$PLANTED"
}

# found NAME FILE: the planted script is found, and FILE of its making is there or, with !FILE, is not.
found() {
	local rc=0
	! helps "$PLANTED" || rc=1
	if [[ $2 = !* ]]; then [ ! -e "$W/home/${2#!}" ] || rc=1; else [ -e "$W/home/$2" ] || rc=1; fi
	tap_ok "help: $1" "$rc" "$W/out"
}

PLANTED=scripts/build/planted
mkdir -p "$COPY" "$W/home"
source_files . | tar -c -T - | tar -x -C "$COPY"
chmod 711 "$W"
[ ${#NOBODY[@]} = 0 ] || chown -R 65534:65534 "$COPY" "$W/home"
mapfile -t scripts < <(source_files scripts selftests/run_kselftest.sh | while read -r f; do
	[ ! -x "$f" ] || [ "$(head -c 2 "$f")" != '#!' ] || echo "$f"
done)
echo "1..$((${#scripts[@]} + 2))"
for script in "${scripts[@]}"; do
	helps "$script" && rc=0 || rc=1
	tap_ok "help: $script -h" "$rc" "$W/out"
done
plant 'touch worked'
found 'a script without an answer is found, and not run' '!worked'
# shellcheck disable=SC2016  # expanded by the planted script
plant 'touch worked && head -n 3 "$0"' 'case ${1:-} in -h | --help) exit ;; esac'
found 'a script that does its work before it answers is found' worked
exit "$TAP_FAILED"
