#!/bin/bash
# Bad input and load: a daemon with real machines, a thousand listeners, and clients that no daemon wishes for.
# Usage: check.sh [ARGUMENT OF PYTEST, which may be what to run instead of all]…
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

binary="${FERMATA_BINARY:-../../.build/debug/fermata}"
if [ ! -x "$binary" ]; then
    echo "tools/load/check.sh: there is no $binary: run 'make build' first, or set FERMATA_BINARY" >&2
    exit 1
fi
# A thousand connections are a thousand descriptors on both sides.
ulimit -n "$(ulimit -Hn)"
export PYTHONDONTWRITEBYTECODE=1
# Figures are printed: what they are is nothing that a test can say.
exec /usr/bin/python3 -m pytest -q -rP --show-capture=stdout -p no:cacheprovider --durations=5 --rootdir tests "${@:-tests}"
