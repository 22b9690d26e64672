#!/bin/bash
# demo-http.sh KO RESULTS: in the guest, the demonstration of strings in packets (scripts/guest/demo): requests of
# HTTP/1 are parsed where they come in (bpf/http.bpf.c), and must be those that were sent. Ends with status 1
# if one is not.
set -euo pipefail
KO=$1
RESULTS=$2
# shellcheck source=selftests/demos/demo-lib.sh
. "$(dirname "$0")/demo-lib.sh"

$TOOL load "$KO" count=1
echo 'Parsing the requests that a client sends to a server on port 8080, at the ingress of the loopback device;'
echo 'their bytes are in fragments of the packets, as TCP leaves them:'
"$PROGRAMS/http" >"$W/http" || bad "http: status $?"
cat "$W/http"
cp "$W/http" "$RESULTS/http"
served_strings strnspn strnchr strnstr strncspn strncmp_const strncasecmp_const strntoul read_upto
unload
finish 'all as it should be'
