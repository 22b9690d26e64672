#!/bin/bash
# build.sh: what the build found when it compared the table of rows with the kernel. TAP.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
cat "$BUILD/check-takeover.tap"
