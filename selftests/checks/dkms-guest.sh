#!/bin/bash
# dkms-guest.sh DEBS DEB: in the guest, as on a Debian machine: installs dkms (from DEBS) and our package, which builds
# the module there; loads it by modprobe, removes the package. The root file system is read-only: overlays are
# written to.
set -euo pipefail
DEBS=$1
DEB=$2
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh
LOG=/tmp/dkms.log
MODULE=rust-dynptr

modprobe overlay
mount -t tmpfs -o size=2G tmpfs /tmp
for dir in etc usr var; do
	mkdir -p "/tmp/over/$dir/upper" "/tmp/over/$dir/work"
	mount -t overlay -o "lowerdir=/$dir,upperdir=/tmp/over/$dir/upper,workdir=/tmp/over/$dir/work" overlay "/$dir"
done
logged() { DEBIAN_FRONTEND=noninteractive "$@" </dev/null >>$LOG 2>&1; }

# The tree that the first build would prepare: here the one that set-up has prepared in the same way.
echo KDIR=/kdir >/etc/rust-dynptr.conf
cp "$DEBS"/*.deb "$DEB" /tmp/
rc=0
logged dpkg -i /tmp/dkms_*.deb || rc=$?
tap_ok 'dkms: dkms is installed' "$rc" $LOG
rc=0
logged dpkg -i /tmp/rust-dynptr-dkms_*.deb || rc=$?
tap_ok 'dkms: the package is installed, and builds the module' "$rc" $LOG
rc=0
logged dkms status || rc=$?
grep -q "^$MODULE/.*$(uname -r).*: installed" $LOG || rc=1
tap_ok 'dkms: it is installed for the running kernel' "$rc" $LOG
rc=0
logged modprobe rust_dynptr || rc=$?
tap_ok 'dkms: modprobe loads it' "$rc" $LOG
rc=0
logged rust-dynptr status || rc=$?
grep -q '^bpf_dynptr_read .* active' $LOG || rc=1
tap_ok 'dkms: the tool of the package shows what is taken over' "$rc" $LOG
rc=0
logged rust-dynptr unload || rc=$?
tap_ok 'dkms: and unloads it' "$rc" $LOG
rc=0
logged dpkg --purge rust-dynptr-dkms || rc=$?
[ -z "$(find /usr/src "/usr/lib/modules/$(uname -r)/updates" -maxdepth 2 -name 'rust[-_]dynptr*' 2>/dev/null)" ] || rc=1
tap_ok 'dkms: the package is removed, with the module' "$rc" $LOG
tap_no_splat dkms
cp $LOG build/log/dkms-guest.log
tap_done
