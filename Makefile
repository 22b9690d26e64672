# SPDX-License-Identifier: GPL-2.0
# The front end: everything here is a script in scripts/ or Kbuild. `make help` lists the commands.

.DEFAULT_GOAL := module
.PHONY: module kernel modules_install deb vng setup run test test-all test-debug coverage mutants vm fmt man fuzz bench bench-check bench-record \
	install-tool help clean distclean

# KDIR=PATH: a kernel tree that you have built, for everything here; into build/own. KIMAGE=PATH: another image.
KDIR ?=
export KIMAGE MODULE_SIGN_KEY MODULE_SIGN_CERT INSTALL_MOD_PATH
ifneq ($(KDIR),)
export RUST_DYNPTR_KERNEL := own
endif

# What is built already is not built again by root in the clone of somebody else.
BUILT := $(if $(shell [ "$$(id -u)" = 0 ] && [ "$$(stat -c %u build/env 2>/dev/null || echo 0)" != 0 ] && echo other),,module)

setup:
	@scripts/build/setup

# KDIR=PATH: that tree, built with the sysroot's compilers and the options that are needed here.
kernel: setup
	@scripts/build/make-kernel '$(KDIR)'

module: setup
	@$(if $(KDIR),scripts/build/own-kernel '$(KDIR)')
	@scripts/build/module

# $(call quoted,NAME): the variable NAME's text as one word for the shell, as it was given; nothing if it is not set.
quoted = $(if $(value $(1)),'$(subst ','\'',$(value $(1)))')

# INSTALL_MOD_PATH=DIR: below that directory.
modules_install: $(BUILT)
	@scripts/package/install-module

# A package for dkms, build/rust-dynptr-dkms_*.deb.
deb: module
	@scripts/package/deb

# DEMO=execs: execve() traced with C and with Rust; DEMO=heap: lines assembled in heap dynptrs;
# DEMO=http: HTTP requests parsed in packets; DEMO=argv: a filter on the arguments of programs.
DEMO ?= execs
run: module
	@scripts/guest/demo $(DEMO)

# ONLY="rows rings": those tests and subjects. CHANGED=REV: what the changes since REV can affect.
test: module
	@scripts/test $(ONLY)

# All tests, in full size.
test-all: module
	@scripts/test --all $(ONLY)

# Lines of rust/logic that the host tests reach.
coverage: setup
	@scripts/test rules

# FILE="ring slot": the mutants of these files of rust/logic; all without.
mutants: setup
	@scripts/check/mutants $(FILE)

# On a kernel with KASAN, lockdep, RCU and other checks, which it builds the first time.
test-debug: module
	@scripts/build/debug-kernel
	@RUST_DYNPTR_KERNEL=debug scripts/build/module
	@RUST_DYNPTR_KERNEL=debug scripts/test $(ONLY)

vm: module
	@scripts/vm -l build/rust_dynptr.ko $(VMFLAGS) $(call quoted,CMD)

# In virtme-ng: a shell, or CMD.
vng: $(BUILT)
	@scripts/guest/vng $(call quoted,CMD)

fmt: module
	@scripts/check/fmt

man: setup
	@scripts/package/man

# The control tool, the manual pages and the headers for BPF programs; the module itself is modules_install's.
PREFIX ?= /usr/local
CHECKER = $(firstword $(wildcard build/tools/check-running build/own/tools/check-running))
install-tool:
	@[ -n "$(CHECKER)" ] || { echo "nothing is built yet: run 'make'" >&2; exit 1; }
	install -D -m 755 scripts/rust-dynptr $(DESTDIR)$(PREFIX)/sbin/rust-dynptr
	install -D -m 755 $(CHECKER) $(DESTDIR)$(PREFIX)/libexec/rust-dynptr/check-running
	install -D -m 644 docs/rust-dynptr.8 $(DESTDIR)$(PREFIX)/share/man/man8/rust-dynptr.8
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man7 docs/*.7
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include include/rust_dynptr*.bpf.h

# SEEDS=1-5000: those programs; SEEDS=17: that one, with its logs; REDUCE=17 [MATCH='text']: make it small.
SEEDS ?= 1-5000
fuzz: module
	@scripts/check/fuzz $(if $(HEAP),heap) $(if $(REDUCE),reduce $(REDUCE) $(call quoted,MATCH),$(SEEDS))

# ONLY=upstream: only that group, see scripts/bench/run. REPEATS=2, MODES='text in the mode'.
bench: module
	@scripts/bench/run $(ONLY)

# ONLY="operations upstream": those groups; without, see scripts/bench/bench-check.
bench-check: module
	@scripts/bench/bench-check $(ONLY)

bench-record: module
	@scripts/bench/bench-check --record $(ONLY)

define HELP
Start here:
  make                    the module build/rust_dynptr.ko, and all that it needs, the first time
  make run                boot a guest, trace a workload with C and with Rust, print what Rust served
                          DEMO=heap: lines assembled in heap dynptrs; DEMO=http: HTTP requests parsed in packets;
                          DEMO=argv: a filter on the arguments of programs
  make test               the tests; ends with "N passed, N failed"; ONLY="rows rings" picks some
  make vm                 a shell in a guest with the module loaded; CMD='...' runs one command instead
                          VMFLAGS: -m MEM -p CPUS -t SECONDS -v, see scripts/vm -h

Test (scripts/test -l lists the tests; ONLY= takes their names, and these subjects:
      $(SUBJECTS)):
  make test CHANGED=REV   what the changes since the commit REV can affect
  make test-all           also what takes long, or is installed for it: packages, DKMS, virtme-ng, mutants
  make test-debug         the tests of the guest on a kernel that looks for memory errors, misused locks, leaks: hours
  make fuzz               random dynptr programs with C and with Rust; SEEDS=1-5000; SEEDS=17: that one, with its logs;
                          REDUCE=17: made small; HEAP=1: with heap dynptrs, the module alone
  make coverage           the host tests, and which lines of the rules they reach
  make mutants            mutation testing of the rules; FILE="ring slot": of these files

Measure:
  make bench              C against Rust: instructions of each operation, the kernel's own benchmarks; results in build/bench/
  make bench-check        fails if an operation takes 2 % more than C, or than recorded
  make bench-record       renews selftests/cost/bench.recorded, and the summary in README

Use on your kernel (docs/packaging.md):
  make KDIR=DIR           the module for a kernel tree that you have built; KDIR=DIR goes with everything here
  make KDIR=DIR kernel    builds that tree first, with the compilers of the sysroot
  make modules_install    the module where modprobe finds it; INSTALL_MOD_PATH=DIR: below DIR
  make install-tool       rust-dynptr, its manual pages, the headers for BPF programs; PREFIX=/usr/local DESTDIR=
  make deb                a package for DKMS: build/rust-dynptr-dkms_*.deb
  make vng                as make vm, in virtme-ng: docs/virtme-ng.md
                          MODULE_SIGN_KEY=PEM MODULE_SIGN_CERT=PEM: the module is signed

Develop:
  make fmt                formats the Rust code, renews the tables in README and docs/
  make man                renews the manual pages in docs/
  make setup              only the sysroot and the kernel tree

Clean:
  make clean              removes build/
  make distclean          removes the cache too (~/.cache/rust_dynptr, or below XDG_CACHE_HOME)

Each script in scripts/ says by -h what it does.
endef

help: SUBJECTS = $(shell scripts/test --subjects)
help:
	@: $(info $(HELP))

clean:
	@scripts/build/clean

distclean:
	@scripts/build/clean --cache
