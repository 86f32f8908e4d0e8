#!/bin/bash
# Tests of what `make install` installs: files, units, manual pages, completion in real shells beside a daemon with machines.
# Usage: check.sh [ARGUMENT OF PYTEST]…
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

binary="${FERMATA_BINARY:-../../.build/debug/fermata}"
if [ ! -x "$binary" ]; then
    echo "tools/package/check.sh: there is no $binary: run 'make build' first, or set FERMATA_BINARY" >&2
    exit 1
fi
FERMATA_BINARY="$(realpath "$binary")"
export FERMATA_BINARY
# Variables of a make that this is part of are not for the one that is tested.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES PREFIX DESTDIR BINARY SYSCONFDIR ZSH_FUNCTIONS
# Debian's own: pexpect is a package of it.
exec /usr/bin/python3 -m pytest -q -p no:cacheprovider --durations=5 tests "$@"
