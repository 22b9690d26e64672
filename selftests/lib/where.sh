# shellcheck shell=bash
# Where the files of the tests are, in the clone or in a directory that `make install` has made; sourced.
# shellcheck disable=SC2034  # used by who sources this file

# The scripts: selftests/ of the clone, or scripts/ where it is installed.
SELFTESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
if [ -x "$SELFTESTS/../rust-dynptr" ]; then
	CLONE='' PROGRAMS=${SELFTESTS%/*}
	TOOL=$PROGRAMS/rust-dynptr HEADERS=$SELFTESTS/include
	CHECKER=$PROGRAMS/check-running TABLE=$PROGRAMS/check-takeover.tap
else
	CLONE=${SELFTESTS%/*} PROGRAMS=${SELFTESTS%/*}/build/selftests
	TOOL=$CLONE/scripts/rust-dynptr HEADERS=$CLONE/include
	CHECKER=$CLONE/build/tools/check-running TABLE=$CLONE/build/check-takeover.tap
fi

# shellcheck source=selftests/lib/splats.sh
. "$SELFTESTS/lib/splats.sh"
