#!/bin/bash
# dkms.sh: the package for DKMS, installed, built and used in a guest (dkms-guest.sh). TAP.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
load_env
debs=$("$SCRIPTS/build/extra-debs" dkms)
deb=$("$SCRIPTS/package/deb")
say "guest: the package is installed and builds the module (some minutes)"
exec "$SCRIPTS/vm" -j -m 4G -t 1800 "selftests/checks/dkms-guest.sh '/cache/${debs##*/}' 'build/${deb##*/}'"
