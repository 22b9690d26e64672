#!/bin/bash
# packaging.sh: on the host: installing, signing and packaging the module; what is said of a kernel tree that
# cannot be used.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=selftests/lib/tap.sh
. selftests/lib/tap.sh
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
load_env
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
OUT=$DIR/out

rc=0
INSTALL_MOD_PATH=$DIR/root scripts/package/install-module >"$OUT" 2>&1 || rc=$?
cmp -s "build/rust_dynptr.ko" "$DIR/root/lib/modules/$KVER/updates/rust_dynptr.ko" || rc=1
tap_ok 'packaging: modules_install puts the module below INSTALL_MOD_PATH' "$rc" "$OUT"

mkdir "$DIR/tree"
rc=0
scripts/build/own-kernel "$DIR/tree" >"$OUT" 2>&1 || rc=$?
tap_refused 'packaging: a tree without configuration' 1 "$OUT" 'hint: configure and build the kernel'
sed 's/^CONFIG_\(RUST\|VIRTIO_FS\)=y/# CONFIG_\1 is not set/' "$KDIR/.config" >"$DIR/tree/.config"
rc=0
scripts/build/own-kernel "$DIR/tree" >"$OUT" 2>&1 || rc=$?
tap_refused 'packaging: a tree whose options are missing: one is named' 1 "$OUT" 'missing: CONFIG_RUST=y \(kernel'
tap_refused 'packaging: and the other' 1 "$OUT" 'missing: CONFIG_VIRTIO_FS=y \(guest'
tap_refused 'packaging: and how to add them' 1 "$OUT" 'hint: cd .*merge_config.sh .*guest'
tap_refused 'packaging: and what was not built' 1 "$OUT" 'missing: vmlinux in'
lacking=$(grep -c 'missing: CONFIG' "$OUT" || true)
tap_ok "packaging: no other option ($lacking named)" "$((lacking != 2))" "$OUT"
sed 's/^CONFIG_FS_VERITY=y/# CONFIG_FS_VERITY is not set/; s/^CONFIG_LSM=.*/CONFIG_LSM="yama"/' \
	scripts/build/{kernel,guest,tests}.config >"$DIR/tree/.config"
rc=0
RUST_DYNPTR_KERNEL=own RUST_DYNPTR_ENV=1 SYSROOT=$SYSROOT KDIR=$DIR/tree "$SCRIPTS/test" rows >"$OUT" 2>&1 || rc=$?
tap_refused 'packaging: a tree without what the tests use' 1 "$OUT" 'missing in .*: CONFIG_LSM="yama,bpf" CONFIG_FS_VERITY=y$'
tap_refused 'packaging: and how to add it' 1 "$OUT" 'hint: make KDIR=.* kernel adds'
tap_refused "packaging: and what of upstream's tests will be skipped" 1 "$OUT" 'skipped .*: .*CONFIG_VETH=y'

rc=0
scripts/build/make-kernel "$DIR/root" >"$OUT" 2>&1 || rc=$?
tap_refused 'packaging: make kernel where no tree is' 1 "$OUT" 'hint: give the directory of a kernel'
# A tree of which the build system has no more than what is called; DROPS is an option that does not hold.
mkdir -p "$DIR/kernel/scripts/kconfig"
touch "$DIR/kernel/Kconfig"
# shellcheck disable=SC2016  # expanded where it is called
printf '#!/bin/sh\n%s\n' 'cat .config "$3" >new && mv new .config' >"$DIR/kernel/scripts/kconfig/merge_config.sh"
chmod +x "$DIR/kernel/scripts/kconfig/merge_config.sh"
cat >"$DIR/kernel/Makefile" <<'EOF'
defconfig:
	(echo CONFIG_MODULES=y; echo CONFIG_DEBUG_INFO=y) >.config
olddefconfig:
	sed -i '/CONFIG_$(shell cat drops)=/d' .config
bzImage modules:
	echo "  BUILT $@ $(CC)" | tee -a built
EOF
echo LIVEPATCH >"$DIR/kernel/drops"
rc=0
scripts/build/make-kernel "$DIR/kernel" >"$OUT" 2>&1 || rc=$?
tap_refused 'packaging: make kernel names an option that does not hold' 1 "$OUT" 'do not hold in .*: CONFIG_LIVEPATCH=y$'
echo NONE >"$DIR/kernel/drops"
rc=0
[ ! -e "$DIR/kernel/built" ] || rc=1
scripts/build/make-kernel "$DIR/kernel" >>"$OUT" 2>&1 || rc=$?
{ cat "$DIR/kernel/built" && [ "$(grep -c 'BUILT [bm].* x86_64-linux-gnu-gcc-14' "$DIR/kernel/built")" = 2 ]; } >>"$OUT" || rc=1
tap_ok "packaging: make kernel compiles once all hold ($(grep -c ^CONFIG "$DIR/kernel/.config") options)" "$rc" "$OUT"

scripts/build/enter openssl req -new -x509 -newkey rsa:2048 -nodes -subj /CN=test/ -keyout /dev/fd/1 -out /dev/fd/1 \
	>"$DIR/both.pem" 2>/dev/null
scripts/build/module >"$OUT" 2>&1 # a run of this that was killed leaves a signed one
cp build/rust_dynptr.ko "$DIR/unsigned.ko"
rc=0
MODULE_SIGN_KEY=$DIR/both.pem MODULE_SIGN_CERT=$DIR/none.pem scripts/build/module >"$OUT" 2>&1 || rc=$?
tap_refused 'packaging: signing without a certificate' 1 "$OUT" 'no certificate at MODULE_SIGN_CERT='
rc=0
MODULE_SIGN_KEY=$DIR/both.pem MODULE_SIGN_CERT=$DIR/both.pem scripts/build/module >"$OUT" 2>&1 || rc=$?
tail -c 28 build/rust_dynptr.ko | grep -q '~Module signature appended~' || rc=1
tap_ok 'packaging: the module is signed' "$rc" "$OUT"
! compgen -G 'build/sign.*' >/dev/null || rc=1
tap_ok 'packaging: no copy of the key is left' "$rc" "$OUT"
rc=0
scripts/build/module >"$OUT" 2>&1 || rc=$?
cmp -s build/rust_dynptr.ko "$DIR/unsigned.ko" || rc=1
tap_ok 'packaging: without a key it is as before' "$rc" "$OUT"

rc=0
deb=$(scripts/package/deb 2>"$OUT") || rc=$?
scripts/build/enter dpkg-deb -c "build/${deb##*/}" >>"$OUT" 2>&1 || rc=$?
for file in dkms.conf Kbuild rust/rust_dynptr_main.rs scripts/package/dkms-build tools/klp-link; do
	grep -q "/usr/src/rust-dynptr-.*/$file$" "$OUT" || rc=1
done
tap_ok 'packaging: the DKMS package has what it is built from' "$rc" "$OUT"

# As DKMS does where /etc/rust-dynptr.conf names no tree, in the sysroot: in the guest it had not ended after 45 minutes.
rc=0
# shellcheck disable=SC2016  # expanded by the inner shell
scripts/build/enter bash -euc 'mount -t tmpfs -o size=4G tmpfs /var/lib
	cp -r /host/build/package/usr/src/rust-dynptr-* /tmp/source
	/tmp/source/scripts/package/dkms-build "$1"
	modinfo -F vermagic /tmp/source/build/rust_dynptr.ko' sh "$KVER" >"$OUT" 2>&1 || rc=$?
grep -q "^$KVER " "$OUT" || rc=1
tap_ok 'packaging: DKMS prepares a tree from linux-source, and builds the module' "$rc" "$OUT"
tap_done
