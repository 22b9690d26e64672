# shellcheck shell=bash disable=SC2004,SC2153  # arrays with names as keys; SECS is parts.sh's
# Runs tests of selftests/parts, one more at a time than there are processors, as guests sleep now and then, but not more
# guests than processors: sourced by scripts/test, after parts.sh.
# A job is a test on the host, a guest in which several tests run (selftests/lib/guest.sh), or something to build. It
# begins when what it needs is built; of those that can begin, the one that takes longest. State is in OUT:
#   jobs/N        a job that waits: its KIND, then its words     built.WHAT   WHAT is built, or failed to be
#   NAME.tap …    what a test left                               times        WHAT NAME FROM TO PROCESSOR, in seconds

BOOT_SECS=250 # tests that share a boot take about so long together

# jobs_run NAME…: runs them all.
jobs_run() {
	local running=0 slots pid job
	declare -A at
	slots=$(($(nproc) + 1))
	mkdir -p "$OUT/jobs"
	LARGER=1
	[ "${SIZES:-}" != all ] || LARGER=5 # the sizes of test-all are
	jobs_make "$@"
	while job=$(jobs_next "$(jobs_guests)") || [ "$running" -gt 0 ]; do
		[ -n "$job" ] || [ "$running" -gt 0 ] || die "tests wait for what nobody builds: $(ls "$OUT/jobs")"
		if [ -n "$job" ] && [ "$running" -lt "$slots" ]; then
			mv "$OUT/jobs/$job" "$OUT/running.$job"
			jobs_do "$job" &
			at[$!]=$job
			running=$((running + 1))
			continue
		fi
		wait -n -p pid || true
		rm -f "$OUT/running.${at[$pid]}"
		running=$((running - 1))
	done
	[[ " $* " != *' served '* ]] || jobs_test served
}

# jobs_add SECS KIND WORD…: one more job. Its name sorts the longest first.
jobs_add() {
	JOBS=$((${JOBS:-0} + 1))
	printf '%s\n' "${@:2}" >"$OUT/jobs/$(printf '%05d-%03d-%s' $((99999 - $1)) "$JOBS" "$BASHPID")"
}

# jobs_make NAME…: the jobs of these tests, and of what they need.
jobs_make() {
	local name kind what secs names
	for what in $(for name; do echo "${NEEDS[$name]}"; done | tr ' ' '\n' | grep -vx -- - | sort -u); do
		case $what in tests) secs=9999 ;; upstream) secs=9998 ;; faults) secs=9997 ;; cargo*) secs=9990 ;; *) secs=9995 ;; esac
		jobs_add "$secs" build "$what"
	done
	for kind in host boots "${!BOOT[@]}"; do
		secs=0 names=()
		for name; do
			[ "${WHERE[$name]}" = "$kind" ] || continue
			if [[ $kind == host || $kind == boots ]]; then
				jobs_add "${SECS[$name]}" "$kind" "$name"
				continue
			fi
			if [ "$secs" -gt 0 ] && [ $((secs + ${SECS[$name]})) -gt "$BOOT_SECS" ]; then
				jobs_add "$secs" "$kind" "${names[@]}"
				secs=0 names=()
			fi
			secs=$((secs + ${SECS[$name]}))
			names+=("$name")
		done
		[ ${#names[@]} = 0 ] || jobs_add "$secs" "$kind" "${names[@]}"
	done
}

# jobs_guests: how many jobs that run have a guest.
jobs_guests() { head -qn 1 "$OUT"/running.* 2>/dev/null | grep -cvxE 'host|build' || true; }

# jobs_next GUESTS: the name of the first job that can begin while there are so many guests. Fails if no job is left;
# prints nothing if all have to wait.
jobs_next() {
	local job kind word what
	[ -n "$(ls "$OUT/jobs")" ] || return
	for job in "$OUT"/jobs/*; do
		{ read -r kind; mapfile -t words; } <"$job"
		[[ $kind == host || $kind == build || $1 -lt $(nproc) ]] || continue
		if [ "$kind" != build ]; then
			for word in "${words[@]}"; do
				for what in ${NEEDS[$word]}; do
					[ "$what" = - ] || [ -e "$OUT/built.$what" ] || continue 3
				done
			done
		fi
		echo "${job##*/}"
		return
	done
}

# jobs_do JOB
jobs_do() {
	local kind words
	{ read -r kind; mapfile -t words; } <"$OUT/running.$1"
	case $kind in
	build) jobs_build "${words[0]}" ;;
	host | boots) jobs_test "${words[0]}" ;;
	*) jobs_boot "$kind" "${words[@]}" ;;
	esac
}

# jobs_cpu PID: seconds of processor time that the process, and all that it has started, have used.
jobs_cpu() {
	{ cat /proc/[0-9]*/stat 2>/dev/null || true; } | awk -v root="$1" -v hz="$(getconf CLK_TCK)" '
		{ pid = $1; sub(/.*\) /, ""); parent[pid] = $2; used[pid] = $12 + $13 + $14 + $15 }
		END {
			for (pid in used) {
				for (p = pid; p != root && p in parent; p = parent[p]);
				if (p == root) sum += used[pid]
			}
			printf "%.2f\n", sum / hz
		}'
}

# jobs_time WHAT NAME FROM TO CPU_FROM CPU_TO: a line of times; FROM and TO as in EPOCHREALTIME.
jobs_time() { awk -v from="$5" -v to="$6" -v line="$1 $2 $3 $4" 'BEGIN { print line, to - from }' >>"$OUT/times"; }

# jobs_build WHAT: what tests need. If it fails, those tests will, with its last words.
jobs_build() {
	local self=$BASHPID from=$EPOCHREALTIME cpu rc=0
	cpu=$(jobs_cpu "$self")
	say "building: $1"
	(case $1 in
	tests) build_selftests ;;
	kmods) build_kmods ;;
	faults) build_faults ;;
	upstream) "$SCRIPTS/check/upstream-build" >"$OUT/dir-upstream" ;;
	cargo*) "$SCRIPTS/build/cargo-deps" "$1" ;;
	*) die "selftests/parts: nothing builds '$1'" ;;
	esac) 2> >(tee "$OUT/build-$1.err" >&2) || rc=$?
	echo "$rc" >"$OUT/built.$1"
	jobs_time compiling "build-$1" "$from" "$EPOCHREALTIME" "$cpu" "$(jobs_cpu "$self")"
}

# jobs_unbuilt NAME: what of the test's needs could not be built; fails if all was.
jobs_unbuilt() {
	local what
	for what in ${NEEDS[$1]}; do
		[ ! -e "$OUT/built.$what" ] || [ "$(cat "$OUT/built.$what")" = 0 ] || { echo "$what"; return; }
	done
	return 1
}

# jobs_broken NAME WHY FILE: the test's only result: it did not run, or not to its end.
jobs_broken() {
	{
		cat "$OUT/$1.tap" 2>/dev/null || true
		echo "Bail out! $2"
		tail -n 80 "$3" 2>/dev/null | sed 's/^/# /' || true
	} >"$OUT/$1.new"
	mv "$OUT/$1.new" "$OUT/$1.tap"
	jobs_show "$1" "${4:-1}"
}

# jobs_show NAME STATUS: the test has ended; its output for the reader.
jobs_show() {
	echo "$2" >"$OUT/$1.status"
	flock "$OUT/lock" cat "$OUT/$1.tap" "$OUT/$1".*.tap 2>/dev/null || true
}

# jobs_test NAME: a test on the host.
jobs_test() {
	local self=$BASHPID from=$EPOCHREALTIME cpu rc=0 command what
	if what=$(jobs_unbuilt "$1"); then
		jobs_broken "$1" "$what could not be built" "$OUT/build-$what.err"
		return
	fi
	cpu=$(jobs_cpu "$self")
	say "$1: ${ABOUT[$1]}"
	read -r -a command <<<"$(parts_command "$1")"
	# In a shell of its own, in which errors end it.
	(cd "$TOP" && TEST_NAME=$1 TEST_PARTS=$OUT/$1 timeout --foreground -k 10 \
		$(((${SECS[$1]} * 10 + 600) * SLOWER * LARGER)) "${command[@]}" </dev/null) >"$OUT/$1.tap" 2> >(tee "$OUT/$1.err" >&2) || rc=$?
	jobs_time testing "$1" "$from" "$EPOCHREALTIME" "$cpu" "$(jobs_cpu "$self")"
	if [ "$rc" -gt 1 ] && [ "$rc" != 4 ]; then
		jobs_broken "$1" "$1 ended with status $rc" "$OUT/$1.err" "$rc"
	else
		jobs_show "$1" "$rc"
	fi
}

# jobs_boot KIND NAME…: a guest of that kind, in which these tests run, one after another. Those that it did not come
# to, because an earlier one ended it, get another.
jobs_boot() {
	local self=$BASHPID kind=$1 name what list options variables=() words word rc=0 left=() tests
	shift
	# shellcheck disable=SC2034  # parts_command's
	UPSTREAM_DIR=$(cat "$OUT/dir-upstream" 2>/dev/null || true)
	list=$OUT/boot.$BASHPID
	: >"$list"
	for name; do
		if what=$(jobs_unbuilt "$name"); then
			jobs_broken "$name" "$what could not be built" "$OUT/build-$what.err"
			continue
		fi
		printf '%s\t%s\t%s\n' "$name" $(((60 + 2 * ${SECS[$name]}) * SLOWER * LARGER)) "$(parts_command "$name")" >>"$list"
	done
	[ -s "$list" ] || return 0
	read -r -a words <<<"${BOOT[$kind]}"
	for word in "${words[@]}"; do
		case $word in VM_*) variables+=("$word") ;; *) options+=("$word") ;; esac
	done
	say "guest ($kind): $(cut -f1 "$list" | paste -sd' ')"
	{ env "${variables[@]}" "$SCRIPTS/vm" "${options[@]}" -t 3600 "selftests/lib/guest.sh build/${list#"$BUILD"/}" \
		2> >(tee "$list.err" >&2) || echo "vm $?"; } | jobs_watch "$list" "$self" || rc=$?
	mapfile -t tests < <(cut -f1 "$list")
	for name in "${tests[@]}"; do
		if [ -e "$OUT/$name.status" ]; then
			jobs_show "$name" "$(cat "$OUT/$name.status")"
		elif [ "$name" = "$(cat "$list.at" 2>/dev/null)" ]; then
			cat "$OUT/$name.err" "$list.err" "$OUT/$name.hang" >"$list.said" 2>/dev/null || true
			jobs_broken "$name" "the guest was ended in $name ($(cat "$list.rc"))" "$list.said" 124
		else
			left+=("$name")
		fi
	done
	if grep -qx 'status 122' "$list.rc"; then
		{ printf '1..1\nnot ok 1 - the debug kernel found nothing\n' && tail -n 60 "$list.err" | sed 's/^/# /'; } >"$OUT/$name.debug.tap"
		jobs_show "$name" 1
	fi
	jobs_left "$kind" "$list" "${left[@]}"
}

# jobs_left KIND LIST NAME…: another boot for these, unless this one did not come to its first test.
jobs_left() {
	local kind=$1 list=$2 name secs=0
	shift 2
	[ $# -gt 0 ] || return 0
	if [ ! -e "$list.at" ]; then
		for name; do jobs_broken "$name" "the guest did not come so far ($(cat "$list.rc"))" "$list.err"; done
		return
	fi
	for name; do secs=$((secs + ${SECS[$name]})); done
	jobs_add "$secs" "$kind" "$@"
}

# jobs_watch LIST PID: reads what guest.sh says, and "vm STATUS" if that is not 0: times; which test is on in LIST.at, how
# the guest ended in LIST.rc.
jobs_watch() {
	local list=$1 from=$EPOCHREALTIME cpu=0 used what name rc
	echo 'status 0' >"$list.rc"
	while read -r what name rc; do
		used=$(jobs_cpu "$2")
		case $what in
		begin)
			jobs_time booting "$name" "$from" "$EPOCHREALTIME" "$cpu" "$used"
			echo "$name" >"$list.at"
			from=$EPOCHREALTIME cpu=$used
			;;
		end)
			jobs_time testing "$name" "$from" "$EPOCHREALTIME" "$cpu" "$used"
			from=$EPOCHREALTIME cpu=$used
			[ "$rc" != silent ] || echo "$name said nothing for too long" >"$list.rc"
			;;
		vm) grep -qvx 'status 0' "$list.rc" || echo "status $name" >"$list.rc" ;;
		*) echo "# $what $name $rc" ;;
		esac
	done
}
