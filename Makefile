# What one does here, in two commands: `make demo` and `make test`. Both set the machine up first (tools/setup.sh).
# The rest are their parts, for daily work; CONTRIBUTING.md says which is quick.

export FERMATA_CACHE ?= $(CURDIR)/.cache
stage := tools/stage.sh

.NOTPARALLEL:
.PHONY: help demo demonstrate pytest harnesses console api load test setup fixtures lint fmt build build-tests build-checks tests core clock-step hosts model \
	sanitize fuzz selftest clean install uninstall installed package package-try docs

help:
	@sed -n 's/^## //p' Makefile

## make demo      two Linux guests: suspended, gone, resumed at one instant, and what they say of it
demo: setup build demonstrate

demonstrate:
	@$(stage) demo tools/demo.py

## make pytest    the plugin for pytest: its types, and its tests on real machines with what `make build` built
pytest:
	@$(stage) pytest tools/pytest-fermata/check.sh

## make harnesses the labgrid driver and the Robot Framework library, likewise
harnesses:
	@$(stage) harnesses tools/harnesses/check.sh

## make console   the web console in a headless Chromium, against real machines
console:
	@$(stage) console tools/console/check.sh

## make api       the server held to docs/openapi.yaml by requests made from it; API_EXAMPLES, API_SEED (tools/api/check.sh)
api: setup
	@$(stage) api tools/api/check.sh

## make load      bad input and load: a thousand listeners, clients that are slow, too large or strangers, and a suspend meanwhile
load:
	@$(stage) load tools/load/check.sh

## make test      everything: lint, build, all tests on real QEMU, the demo, the pytest plugin, labgrid, Robot Framework, the web console,
##                load, requests made from the API's document, hosts in network namespaces, what is installed, the docs' commands, sanitizer, coverage, fuzzing
test: setup lint build-tests
	@tools/lanes.sh "tests demonstrate clock-step pytest harnesses console load api installed docs hosts" "model build-checks fuzz"
	@$(MAKE) --no-print-directory sanitize
	@tools/summary.sh

## make build     the fermata binary, debug
build:
	@$(stage) build swift build --product fermata

## make core      builds and tests the pure modules, QMP and HostClock alone: the quick loop
core:
	@$(stage) core env FERMATA_CORE=1 swift test --disable-xctest --scratch-path .build-core

## make lint      formatting of Swift, shell scripts and Python
lint:
	@$(stage) lint tools/lint.sh

## make fmt       formats all Swift code in place
fmt:
	@swift format format -i -r -p Sources Tests docs/examples Package.swift
	@find tools -name '*.swift' -not -path '*/.build/*' -exec swift format format -i -p {} +

## make fixtures  what setup puts into the cache: QEMU 10.0, the guests
fixtures setup:
	@$(stage) setup tools/setup.sh

build-tests:
	@$(stage) build swift build --build-tests

## make tests     the tests alone, of what build-tests built
tests:
	@$(stage) tests tools/test.sh

## make clock-step  what happens to armed timers when a real kernel's clock is set, in a guest
clock-step: setup
	@$(stage) clock-step tools/clock-step/run.sh

## make hosts     three hosts in network namespaces: faults, cuts, wrong clocks, four architectures, strangers (root)
hosts:
	@$(stage) hosts tools/hosts/check.sh

## make model     the model of the two-phase protocol, by spin: what holds, and that what is wrong is found
model:
	@$(stage) model tools/model/check.sh

## make sanitize  the pure modules and QMP under AddressSanitizer, with line coverage
sanitize:
	@$(stage) sanitize tools/sanitize.sh

build-checks:
	@$(stage) build-checks tools/sanitize.sh --build

## make fuzz      a minute for each target under tools/fuzz; FUZZ_SECONDS changes that
FUZZ_SECONDS ?= 60
fuzz:
	@$(stage) fuzz tools/fuzz/run.sh $(FUZZ_SECONDS)

## make selftest  proves the Linux guests themselves, without fermata
selftest: setup
	@$(stage) selftest qemu-fixtures/linux/selftest.py

## make install   what is built, into PREFIX (/usr/local) below DESTDIR; BINARY names a fermata that is built already
export PREFIX DESTDIR BINARY SYSCONFDIR ZSH_FUNCTIONS
install uninstall:
	@tools/package/install.sh $@

## make installed tests of that: manual pages, completion in real shells, units
installed:
	@$(stage) installed tools/package/check.sh

## make docs      every command of the documentation: run against real QEMU, or at least known to the program
docs:
	@$(stage) docs tools/docs/check.sh

## make package   a Debian package of the release build, or of BINARY, in .cache/package
package:
	@tools/package/deb.sh

## make package-try  installs that in a clean Debian 12 (debootstrap), uses it as a user, removes it (root)
package-try:
	@$(stage) package-try sh -c 'tools/package/try.sh "$$(LOOSE=1 tools/package/deb.sh)"'

## make clean     removes what was built; the cache stays (rm -rf .cache removes that)
clean:
	@rm -rf .build .build-core .build-checks
