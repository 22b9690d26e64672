#!/bin/bash
# setup.sh: on the host, what the set-up must refuse or survive. TAP. Uses only caches of its own, all
# in a temporary directory; root is needed for some cases, which are skipped, with the reason, else.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=selftests/lib/tap.sh
. "$TOP/selftests/lib/tap.sh"
W=$(mktemp -d)
mkdir -p "$W/clone"
trap 'rm -rf --one-file-system "$W"' EXIT
rc=0

# A clone of its own, so that build/ here stays as it is.
mkdir "$W/clone/selftests"
cp -r "$TOP"/{Makefile,Kbuild,scripts} "$W/clone/"
cp -r "$TOP/selftests/lib" "$W/clone/selftests/"
S=$W/clone/scripts

# in_ns CMD: in a mount and network namespace of its own, without a network.
in_ns() { unshare --net --mount --propagation private bash -euc "$1"; }

rc=0
(cd "$W" && "$S/vm" true) >"$W/out" 2>&1 || rc=$?
tap_refused 'setup: a guest before any set-up' 1 "$W/out" "make setup"

if [ "$(id -u)" = 0 ]; then
	rc=0
	XDG_CACHE_HOME=$W/empty in_ns "$S/build/setup" >"$W/out" 2>&1 || rc=$?
	tap_refused 'setup: no network on the first run' 1 "$W/out" 'needs the network'
	[ -z "$(find "$W/empty" -mindepth 2 -maxdepth 2 ! -name '*.lock' ! -name '*.new' 2>/dev/null)" ] && rc=0 || rc=1
	tap_ok 'setup: nothing is left of that' "$rc"

	mkdir -p "$W/small"
	rc=0
	in_ns "mount -t tmpfs -o size=64m none '$W/small'; cp -r '$HOME/.cache/rust_dynptr/'kernel-* '$W/small/' 2>/dev/null || true
		mkdir '$W/small/rust_dynptr'; mv '$W/small/'kernel-* '$W/small/rust_dynptr/' 2>/dev/null || true
		XDG_CACHE_HOME='$W/small' '$S/build/setup'" >"$W/out" 2>&1 || rc=$?
	tap_refused 'setup: no disk space' 1 "$W/out" 'no space: .* needs [0-9]+ MB|needs the network'

	# With the cache of this machine: no network is touched.
	rc=0
	in_ns "'$S/build/setup'" >"$W/out" 2>&1 || rc=$?
	tap_ok 'setup: a second run works without a network' "$rc" "$W/out"

	# Two at once: one waits or both find all there; neither fails.
	rc=0
	"$S/build/setup" >"$W/one" 2>&1 &
	first=$!
	"$S/build/setup" >"$W/two" 2>&1 || rc=$?
	wait "$first" || rc=$?
	tap_ok 'setup: two at once' "$rc" "$W/two"
else
	tap_skip 'setup: no network, no space' 'needs root'
fi

# A machine without mmdebstrap, as an ordinary user would find it.
mkdir -p "$W/bin"
for tool in bash sed awk grep cut cat mkdir dirname id date sha256sum flock rm readlink; do
	ln -sf "$(command -v "$tool")" "$W/bin/$tool"
done
rm "$W/bin/id"
cat >"$W/bin/id" <<'E'
#!/bin/bash
if [ "$1" = -un ]; then echo user; else echo 1000; fi
E
chmod +x "$W/bin/id"
rc=0
PATH=$W/bin XDG_CACHE_HOME=$W/user "$S/build/setup" >"$W/out" 2>&1 || rc=$?
tap_refused 'setup: missing tools are named with a hint' 1 "$W/out" 'missing on this machine: .*mmdebstrap'
grep -q 'apt-get install .*mmdebstrap' "$W/out" && rc=0 || rc=1
tap_ok 'setup: and the command that installs them' "$rc" "$W/out"

rc=0
make -s -C "$W/clone" KDIR="$W/none" >"$W/out" 2>&1 || rc=$?
tap_refused 'build: KDIR that does not exist' any "$W/out" 'no kernel tree at'

# A series that no mirror has (asks the mirror: skipped without one).
sed -i 's/^SERIES=.*/SERIES=9.9/; s/^KVER=.*/KVER=9.9.1+deb13-amd64/' "$S/build/kernel.lock"
rc=0
"$S/build/select-kernel" >"$W/out" 2>&1 || rc=$?
if grep -q 'needs the network' "$W/out"; then
	tap_skip 'setup: no kernel of the series' 'no network'
else
	tap_refused 'setup: no kernel of the series: what there is' 3 "$W/out" 'no complete linux 9.9.* it has: .*7\.'
fi
sed -i 's/^SERIES=.*/SERIES=7.3/; s/^KVER=.*/KVER=7.3.1+deb13-amd64/' "$S/build/kernel.lock"
rc=0
"$S/build/select-kernel" >"$W/out" 2>&1 || rc=$?
if grep -q 'needs the network' "$W/out"; then
	tap_skip 'setup: the locked kernel is gone' 'no network'
else
	grep -q 'the lock says 7.3.1.*using 7.3' "$W/out" || rc=1
	tap_ok 'setup: the locked kernel is gone: another 7.3 and a line that says so' "$rc" "$W/out"
fi

leftovers=$(grep -c "$W" /proc/self/mountinfo || true)
[ "$leftovers" = 0 ] && rc=0 || rc=1
tap_ok 'setup: nothing stays mounted' "$rc"
tap_done
