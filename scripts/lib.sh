# shellcheck shell=bash
# Sourced by every script here before it does anything: paths, messages, locks; -h and --help are answered here.
# Sets no state outside the shell. Callers have already said `set -euo pipefail`.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# The kernel that is built for and booted: RUST_DYNPTR_KERNEL=stock, debug (scripts/build/debug-kernel) or own (own-kernel). Each has
# its own build directory, which is /host/build in the sysroot and in the guest.
KERNEL=${RUST_DYNPTR_KERNEL:-stock}
BUILD=$TOP/build
[ "$KERNEL" = stock ] || BUILD=$TOP/build/$KERNEL
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/rust_dynptr
# shellcheck disable=SC2034  # used by the scripts that source this file
SCRIPTS=$TOP/scripts
ME=${0##*/}

# help_text: the comment at the head of the script, which is its help.
help_text() { sed -n '2,${/^#/!q;/^# shellcheck /d;s/^# \{0,1\}//p}' "$0"; }

case ${1:-} in -h | --help) help_text; exit ;; esac # the script's first argument

# say WORDS: one progress line, with the seconds since this script started.
say() { printf '[%4d s] %s: %s\n' "$SECONDS" "$ME" "$*" >&2; }

# die MESSAGE [HINT]: ends with status 1; HINT is the command or action that helps.
die() {
	printf '%s: error: %s\n' "$ME" "$1" >&2
	[ $# -lt 2 ] || printf '%s: hint: %s\n' "$ME" "$2" >&2
	exit 1
}

# hash_of: content key (16 hex digits) of standard input.
hash_of() { sha256sum | cut -c1-16; }

# locked NAME CMD...: runs CMD while holding the lock NAME of the cache; waits for another holder.
locked() {
	local fd name=$1
	shift
	mkdir -p "$CACHE" 2>/dev/null || die "cannot create $CACHE" "set XDG_CACHE_HOME to a directory you can write"
	exec {fd}>"$CACHE/$name.lock"
	if ! flock -n "$fd"; then
		say "waiting for another run that holds $CACHE/$name.lock"
		flock "$fd"
	fi
	"$@"
	exec {fd}>&-
}

# logged LOG CMD...: runs CMD with its output in LOG; on failure shows LOG's end and ends.
logged() {
	local log=$1
	shift
	mkdir -p "$(dirname "$log")"
	"$@" >"$log" 2>&1 </dev/null && return 0
	local rc=$?
	tail -n 30 "$log" >&2
	if grep -q 'No space left on device' "$log"; then
		die "no space left ($1)" "free some space where $CACHE, $BUILD and the kernel tree are: df -h; then run it again"
	fi
	printf '%s: error: %s failed with status %d; the whole log: %s\n' "$ME" "$1" "$rc" "$log" >&2
	exit 1
}

# logged_steps LOG OF CMD…: as logged, for what compiles long: a line every minute, with how many steps OF ("of 2800") it was.
logged_steps() {
	local log=$1 of=$2 caller=$BASHPID reporter seconds=0
	shift 2
	# shellcheck disable=SC2154  # locked's
	(
		[ -z "${fd:-}" ] || exec {fd}>&- # its lock ends with the caller
		exec {tick}<> <(:) # nothing ever comes: a clock without a process
		while kill -0 "$caller" 2>/dev/null; do
			read -rt 1 -u "$tick" || true
			((++seconds % 60)) || say "$(grep -c '^  [A-Z]' "$log" || true)$of steps"
		done
	) &
	reporter=$!
	logged "$log" "$@" # in this shell, with which CMD ends
	kill "$reporter" 2>/dev/null || true
}

# lacking_options TREE LIST…: what of each LIST.config here TREE/.config has not, as "OPTION=VALUE LIST". Any version of
# DWARF will do, and a list of security modules with bpf in it, which is the default too.
lacking_options() {
	local config=$1/.config line list modules
	shift
	for list; do
		while IFS= read -r line; do
			case $line in
			CONFIG_DEBUG_INFO_DWARF*) ! grep -q '^CONFIG_DEBUG_INFO=y' "$config" || continue ;;
			CONFIG_LSM=*)
				modules=$(sed -n 's/^CONFIG_LSM="\(.*\)"$/\1/p' "$config")
				[[ -n $modules && ,$modules, != *,bpf,* ]] || continue
				line="CONFIG_LSM=\"$modules,bpf\""
				;;
			CONFIG_*) ! grep -qxF "$line" "$config" || continue ;;
			*) continue ;;
			esac
			echo "$line $list"
		done <"$SCRIPTS/build/$list.config"
	done
}

# lacking TREE LIST…: their lines, in one.
lacking() { lacking_options "$@" | cut -d' ' -f1 | paste -sd' '; }

# verifier_flag gcc|clang: make's argument for a kernel's build, without which that compiler leaves functions of the
# table with other arguments (-fipa-sra), or inlines them here and there.
verifier_flag() {
	case $1 in
	gcc) echo CFLAGS_verifier.o=-fno-ipa-sra ;;
	clang) echo CFLAGS_verifier.o=-fno-inline-functions ;;
	esac
}

# compiler_of TREE: gcc or clang, as its configuration has it.
compiler_of() { if grep -q '^CONFIG_CC_IS_CLANG=y' "$1/.config" 2>/dev/null; then echo clang; else echo gcc; fi; }

# need_module KO: ends unless KO, a path below the clone as the guest sees it, is there: build/ in the guest is the
# kernel's build directory here.
need_module() {
	local ko=$TOP/$1
	[[ $1 != build/* ]] || ko=$BUILD/${1#build/}
	[ -f "$ko" ] || die "no module at $ko" "run 'make'"
}

# need_git: ends unless source_files can answer.
need_git() {
	git -C "$TOP" rev-parse HEAD >/dev/null ||
		die "git does not know the files of $TOP" "a git clone; git config --global --add safe.directory $TOP"
}

# source_files PATTERN…: the clone's files of these patterns that git knows or does not ignore.
source_files() {
	git -C "$TOP" ls-files -co --exclude-standard -- "$@" | while read -r f; do [ ! -f "$TOP/$f" ] || echo "$f"; done
}

# tree PID: the process and all that it started.
tree() {
	local child
	echo "$1"
	for child in $(pgrep -P "$1"); do tree "$child"; done
}

# whole CMD…: runs CMD. Who ends this script meanwhile ends all that CMD has started.
whole() {
	local child rc=0
	"$@" &
	child=$!
	# shellcheck disable=SC2046,SC2064  # several words; the child that is now
	trap "kill \$(tree $child) 2>/dev/null; trap - TERM; kill -TERM \$\$" INT TERM HUP
	wait "$child" || rc=$?
	trap - INT TERM HUP
	return "$rc"
}

# in_userns CMD...: runs CMD as root of a user namespace when we are not root, plainly when we are.
in_userns() {
	if [ "$(id -u)" = 0 ]; then "$@"; else unshare --user --map-root-user --map-auto -- "$@"; fi
}

# one_at_a_time LOG CMD…: CMD, whose output goes to build/log/LOG.log, while nobody else in this clone builds.
one_at_a_time() {
	local fd
	mkdir -p "$BUILD/log"
	exec {fd}>"$BUILD/log/lock"
	flock "$fd"
	logged "$BUILD/log/$1.log" "${@:2}"
	exec {fd}>&-
}

# build_selftests: the guest's tests, in build/selftests.
build_selftests() {
	say "building the guest's tests"
	one_at_a_time selftests "$SCRIPTS/build/enter" make -j"$(nproc)" -C /host/selftests \
		OUTPUT=/host/build/selftests
}

# build_kmods: the kernel modules that tests use, in build/kmod. After load_env.
build_kmods() {
	one_at_a_time kmod "$SCRIPTS/build/enter" make -j"$(nproc)" -C /kdir M=/host/selftests/faults/kmod MO=/host/build/kmod \
		"${KFLAGS[@]}" KBUILD_MODPOST_WARN=1
}

# build_faults: the module with faults and bugs that tests ask for.
build_faults() { one_at_a_time faults env RUST_DYNPTR_FAULTS=1 "$SCRIPTS/build/module"; }

# need_space DIR MB: ends unless DIR's file system has MB free.
need_space() {
	local free
	free=$(df -Pm "$1" | awk 'NR==2 {print $4}')
	[ "$free" -ge "$2" ] ||
		die "no space: $1 has $free MB free, this step needs $2 MB" "free space, or set XDG_CACHE_HOME to a larger disk"
}

# take_slot: at most one guest a processor, or each runs into its time limit; shells, mostly idle, do not count.
# Who comes first is served first. The lock goes when the last process of the run does.
take_slot() {
	local i fd queue n waits
	n=$(nproc)
	exec {queue}>"$CACHE/vm-queue.lock"
	flock -n "$queue" || { say "waiting: others wait for a guest" && flock "$queue"; }
	for ((waits = 0; ; waits++)); do
		for ((i = 0; i < n; i++)); do
			exec {fd}>"$CACHE/vm-$i.lock"
			if flock -n "$fd"; then
				exec {queue}>&-
				return 0
			fi
			exec {fd}>&-
		done
		[ "$waits" != 0 ] || say "waiting: $n guests run already"
		sleep 0.5
	done
}

# page_of NAME: the page with the generated part NAME, which is between <!-- NAME --> and <!-- end of NAME -->.
page_of() {
	grep -lFx -- "<!-- $1 -->" "$TOP/README.md" "$TOP"/docs/*.md || die "no page has the part <!-- $1 -->"
}

# renew NAME FILE: that part becomes FILE's text.
renew() { sed -i -e "/<!-- $1 -->/,/<!-- end of $1 -->/{/<!--/!d}" -e "/<!-- $1 -->/r $2" "$(page_of "$1")"; }

# load_env: the variables that scripts/build/setup or debug-kernel wrote (SYSROOT, KDIR, KVER, KDEB), and KFLAGS,
# make's arguments for the kernel's compiler. With RUST_DYNPTR_ENV set, those of the environment: setup itself
# does that.
load_env() {
	# shellcheck disable=SC2034
	KFLAGS=(CC=x86_64-linux-gnu-gcc-14)
	# shellcheck disable=SC2034
	SLOWER=1 # so many times the stock kernel's time, for limits
	[ -z "${RUST_DYNPTR_ENV:-}" ] || return 0
	[ -f "$BUILD/env" ] || die "nothing is set up yet" "run 'make setup', and scripts/build/debug-kernel for the debug kernel, scripts/build/own-kernel for your own"
	# shellcheck disable=SC1091
	. "$BUILD/env"
}
