#!/bin/bash
# Reports line coverage of the pure modules from the last run of tools/sanitize.sh; fails below the threshold.
# Usage: coverage.sh [--missing MODULE]     (the second form lists the lines that no test reaches)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

report="$(FERMATA_CORE=1 swift test --scratch-path .build-checks --show-codecov-path)"
[ -e "$report" ] || {
    echo "no coverage report at $report: run tools/sanitize.sh first" >&2
    exit 1
}
exec python3 tools/coverage.py "$report" "$@"
