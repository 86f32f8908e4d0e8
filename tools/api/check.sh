#!/bin/bash
# docs/openapi.yaml against a running server: requests made from the document, right ones and wrong ones, and answers held to it.
# Usage: check.sh [ARGUMENT OF PYTEST]…
#
#   API_EXAMPLES   how many requests are made up for each operation and role, beside those that the document itself gives rise to (8)
#   API_SEED       what they are made from (1); 0: by chance, and said
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root="$(cd ../.. && pwd)"
export FERMATA_CACHE="${FERMATA_CACHE:-$root/.cache}"

binary="${FERMATA_BINARY:-$root/.build/debug/fermata}"
python="$FERMATA_CACHE/schemathesis/bin/python"
for needed in "$binary" "$python"; do
    if [ ! -x "$needed" ]; then
        echo "tools/api/check.sh: there is no $needed: run 'make setup build' first" >&2
        exit 1
    fi
done
export PYTHONDONTWRITEBYTECODE=1
exec "$python" -m pytest -q -p no:cacheprovider --tb=short "$@" test_document.py
