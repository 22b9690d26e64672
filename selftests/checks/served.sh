#!/bin/bash
# served.sh: proof that Rust ran: in some test's guest, every row of the table must have been hit. TAP.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
cd "$BUILD/test"
compgen -G 'hits.*' >/dev/null || { echo "1..0 # SKIP no test ran in a guest"; exit; }
# What is held is not called through us: there is nothing to count.
awk '$2 == "hold" {next} {hits[$1] += $3; kind[$1] = $2; if (!($1 in place)) {place[$1] = ++n; name[n] = $1}}
	END {print "1.." n
	for (i = 1; i <= n; i++) printf "%sok %d - served: %s (%s), %d hits\n",
		hits[name[i]] ? "" : "not ", i, name[i], kind[name[i]], hits[name[i]]; }' hits.*
