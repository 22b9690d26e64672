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

help:
	@echo 'make            the module build/rust_dynptr.ko (and all it needs, the first time)'
	@echo 'make kernel KDIR=~/linux  builds your kernel tree with the compilers of the sysroot'
	@echo 'make modules_install  the module where modprobe finds it; INSTALL_MOD_PATH=DIR below DIR'
	@echo 'make deb        a package for DKMS: build/rust-dynptr-dkms_*.deb'
	@echo 'make run        boot, trace a real workload with C and with Rust, compare, print what Rust served'
	@echo '                (DEMO=heap: lines of several processes, assembled in heap dynptrs;'
	@echo '                DEMO=http: HTTP requests parsed in packets; DEMO=argv: a filter on arguments of programs)'
	@echo 'make test       all tests; ends with "N passed, N failed"; ONLY="host guest" picks parts'
	@echo 'make test-long  what takes longer: packaging, vng, dkms, mutation testing of all rules; ONLY="mutants" picks parts'
	@echo 'make coverage   the host tests, and which lines of the rules they reach'
	@echo 'make mutants    mutation testing of the rules; FILE="ring slot" of these files'
	@echo 'make test-debug the guest tests on a kernel that looks for memory errors, lock misuse, leaks (hours)'
	@echo 'make vm         a shell in the guest with the module loaded; CMD=… runs one command instead'
	@echo '                (VMFLAGS: -m MEM -p CPUS -t SECONDS -v; see scripts/vm)'
	@echo 'make vng        the same as make vm, in virtme-ng; docs/virtme-ng.md'
	@echo 'make fmt        format the Rust code, renew the tables in README and docs/'
	@echo 'make man        the manual pages, of include/rust_dynptr*.bpf.h and of the help of scripts/rust-dynptr'
	@echo 'make install-tool  rust-dynptr, the manual pages and the headers for BPF programs; PREFIX=/usr/local DESTDIR='
	@echo 'make fuzz       random dynptr programs with C and with Rust; SEEDS=A-B, SEEDS=N shows one, REDUCE=N;'
	@echo '                HEAP=1: with heap dynptrs, the module alone'
	@echo 'make bench      C against Rust: instructions of each operation, the kernel'"'"'s own benchmarks; build/bench/'
	@echo 'make bench-check  fails if an operation takes more than C, or than recorded, by more than 2 %;'
	@echo '                make bench-record renews selftests/cost/bench.recorded and the summary in README'
	@echo 'make setup      only the sysroot and the kernel tree'
	@echo 'make clean      remove build/; make distclean: the cache too ($${XDG_CACHE_HOME:-~/.cache}/rust_dynptr)'
	@echo 'KDIR=…          a kernel tree that you have built: make KDIR=… test; docs/packaging.md'
	@echo 'MODULE_SIGN_KEY=… MODULE_SIGN_CERT=…  sign the module'

clean:
	@scripts/build/clean

distclean:
	@scripts/build/clean --cache
