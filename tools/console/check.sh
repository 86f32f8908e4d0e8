#!/bin/bash
# Tests of the web console: every page and action in a headless Chromium, against real machines.
# Usage: check.sh [ARGUMENT OF PYTEST]…
# With FERMATA_CONSOLE_FILES=source the page is that of the source tree and not that of the binary.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

binary="${FERMATA_BINARY:-../../.build/debug/fermata}"
if [ ! -x "$binary" ]; then
    echo "tools/console/check.sh: there is no $binary: run 'make build' first, or set FERMATA_BINARY" >&2
    exit 1
fi
# Debian's own: selenium is a package of it.
exec /usr/bin/python3 -m pytest -q -p no:cacheprovider --durations=5 tests "$@"
