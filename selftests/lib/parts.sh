# shellcheck shell=bash
# Reads selftests/parts, the table of tests; sourced by what needs it. Fills, for each NAME, SUBJECT, WHERE, SUITE,
# KERNELS, SECS, NEEDS, COMMAND, ABOUT; NAMES in the table's order; BOOT of each kind of guest.
# shellcheck disable=SC2034  # used by the scripts that source this file
declare -A SUBJECT WHERE SUITE KERNELS SECS NEEDS COMMAND ABOUT BOOT
NAMES=()
# The directory of the table, which is the scripts' too.
PARTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# Where the parts of a command are: the scripts, the runners, the modules, results. In the clone, unless the caller says
# something else.
: "${PARTS_SCRIPTS=selftests/}" "${PARTS_RUNNERS=build/selftests/}" "${PARTS_KO=build/rust_dynptr.ko}"
: "${PARTS_FAULTS=build/rust_dynptr_faults.ko}" "${PARTS_KMODS=build/kmod}" "${PARTS_RESULTS=build/test}"

# scripts/lib.sh has a better one.
declare -F die >/dev/null || die() { echo "Bail out! $1" && exit 1; }

# parts_load [SIZES]: SIZES is the column of sizes, test (default), all or debug. Each size becomes a variable, unless
# the environment has it. Ends with an error where a line is not as the table's head says.
parts_load() {
	local column=${1:-test} line words command about
	while IFS= read -r line; do
		read -r -a words <<<"${line%%|*}"
		case ${words[0]:-#} in
		\#*) continue ;;
		size) parts_size "$column" "${words[@]:1}" ;;
		boot) BOOT[${words[1]}]="${words[*]:2}" ;;
		*)
			IFS='|' read -r _ command about <<<"$line"
			parts_line "$(xargs <<<"$command")" "${about# }" "${words[@]}"
			;;
		esac
	done <"$PARTS/parts"
}

# parts_size COLUMN NAME TEST ALL DEBUG
parts_size() {
	local value
	[ $# = 5 ] || die "selftests/parts: size $2 has $(($# - 2)) values, not 3"
	case $1 in test) value=$3 ;; all) value=$4 ;; debug) value=$5 ;; *) die "no sizes '$1'" ;; esac
	[ -n "${!2:-}" ] || printf -v "$2" %s "$value"
	export "${2?}"
}

# parts_line COMMAND ABOUT NAME SUBJECT WHERE SUITE KERNELS SECS NEEDS
parts_line() {
	local name=$3
	[ $# = 9 ] || die "selftests/parts: the line of $name has $(($# - 2)) columns before '|', not 7"
	[ -z "${SUBJECT[$name]:-}" ] || die "selftests/parts: $name is there twice"
	[[ $5 == host || $5 == boots || $5 == last || -n ${BOOT[$5]:-} ]] || die "selftests/parts: $name: no kind of guest '$5'"
	NAMES+=("$name")
	SUBJECT[$name]=$4 WHERE[$name]=$5 SUITE[$name]=$6 KERNELS[$name]=$7 SECS[$name]=$8 NEEDS[$name]=${9//,/ }
	COMMAND[$name]=$1 ABOUT[$name]=$2
}

# parts_command NAME: the words of its command, as they are run in the clone (/host in the guest): a script of the
# subject's folder, or the runner, and its arguments.
parts_command() {
	local name=$1 words word out=() first size
	read -r -a words <<<"${COMMAND[$name]:-$name}"
	first=${words[0]}
	for word in "$first.sh" "$first"; do
		[ ! -f "$PARTS/${SUBJECT[$name]}/$word" ] || first=$PARTS_SCRIPTS${SUBJECT[$name]}/$word
	done
	[[ $first == */* ]] || first=$PARTS_RUNNERS$first
	out=("$first")
	for word in "${words[@]:1}"; do
		case $word in
		KO) out+=("$PARTS_KO") ;;
		FAULTS) out+=("$PARTS_FAULTS") ;;
		KMODS/*) out+=("$PARTS_KMODS/${word#*/}") ;;
		RESULTS*) out+=("$PARTS_RESULTS${word#RESULTS}") ;;
		UPSTREAM) out+=("${UPSTREAM_DIR:-UPSTREAM}") ;;
		KERNEL) out+=("$KERNEL") ;;
		\$*/*) size=${word%%/*} && size=${size#$} && out+=($(((${!size} + ${word#*/} - 1) / ${word#*/}))) ;;
		\$*) word=${word#$} && [ -z "${!word:-}" ] || out+=("${!word}") ;;
		*) out+=("$word") ;;
		esac
	done
	echo "${out[*]}"
}

# parts_kselftest: the names of the tests that can run where nothing but they and the modules is installed: those of
# guests, which any machine may stand for, but one that counts instructions or is spent afterwards.
parts_kselftest() {
	local name what
	for name in "${NAMES[@]}"; do
		case ${WHERE[$name]} in host | boots | last | count | spent) continue ;; esac
		for what in ${NEEDS[$name]}; do
			[[ " tests kmods faults " == *" $what "* ]] || continue 2
		done
		echo "$name"
	done
}

# parts_of WORD…: the names that these names and subjects stand for, in the table's order; ends if one is neither.
parts_of() {
	local word name found
	for word; do
		found=
		for name in "${NAMES[@]}"; do
			[[ $word != "$name" && $word != "${SUBJECT[$name]}" ]] || found=1
		done
		[ -n "$found" ] || die "no test or subject '$word'" "scripts/test -l lists them"
	done
	for name in "${NAMES[@]}"; do
		for word; do
			[[ $word != "$name" && $word != "${SUBJECT[$name]}" ]] || { echo "$name"; break; }
		done
	done
}

# parts_affected <FILES: the words of selftests/affects for these files, each once; "all" if one of them fits no pattern.
parts_affected() {
	local file out=()
	while IFS= read -r file; do
		[ -z "$file" ] || out+=("$(parts_affects "$file")")
	done
	printf '%s\n' "${out[@]}" | tr ' ' '\n' | grep -vxE 'none|' | sort -u | paste -sd' ' || true
}

# parts_affects FILE: the words of the first line whose pattern it fits.
parts_affects() {
	local pattern words
	while read -r pattern words; do
		# shellcheck disable=SC2053  # a pattern
		[[ -n $pattern && $pattern != \#* && $1 == $pattern ]] || continue
		echo "$words"
		return
	done <"$TOP/selftests/affects"
	echo all
}

# parts_subjects: in the table's order, in one line.
parts_subjects() {
	local name
	for name in "${NAMES[@]}"; do echo "${SUBJECT[$name]}"; done | awk '!seen[$0]++' | paste -sd' '
}

# parts_markdown: the table of docs/testing.md.
parts_markdown() {
	local name
	printf '| test | subject | in | what |\n|---|---|---|---|\n'
	for name in "${NAMES[@]}"; do
		printf "| \`%s\` | %s | %s | %s |\n" "$name" "${SUBJECT[$name]}" \
			"$(case ${KERNELS[$name]}:${SUITE[$name]} in *s*:test) echo test ;; *s*:all) echo test-all ;; *) echo test-debug ;; esac)" \
			"${ABOUT[$name]}"
	done
}
