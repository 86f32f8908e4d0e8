#!/bin/bash
# Every command of the documentation: run, or at least known to the program. See run.py.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export FERMATA_CACHE="${FERMATA_CACHE:-$PWD/.cache}"
export FERMATA_BINARY="${FERMATA_BINARY:-$PWD/.build/debug/fermata}"
if [ ! -x "$FERMATA_BINARY" ]; then
    echo "tools/docs/check.sh: there is no $FERMATA_BINARY: run 'make build' first, or set FERMATA_BINARY" >&2
    exit 1
fi
/usr/bin/python3 -m pytest -q -p no:cacheprovider tools/docs/tests
exec tools/docs/run.py "$@"
