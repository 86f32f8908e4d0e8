#!/bin/bash
# Several hosts on this machine, in network namespaces: what fails between them, clocks that are wrong, four architectures, strangers.
# Needs root, the debug build, and what tools/setup.sh installs. Usage: check.sh [ARGUMENT OF PYTEST]…
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
export FERMATA_CACHE="${FERMATA_CACHE:-$root/.cache}" FERMATA="${FERMATA:-$root/.build/debug/fermata}"
export PYTHONDONTWRITEBYTECODE=1

reason=""
if [ "$(id -u)" != 0 ]; then
    reason="hosts are network namespaces here, which only root can make: run it as root"
elif [ ! -x "$FERMATA" ]; then
    reason="there is no $FERMATA: make build"
elif ! ip netns list >/dev/null 2>&1 || ! unshare --net true 2>/dev/null; then
    reason="this kernel or container lets nobody make network namespaces"
fi
mkdir -p "$FERMATA_CACHE"
log="$FERMATA_CACHE/hosts.log"
if [ -n "$reason" ]; then
    echo "hosts: skipped: $reason" | tee "$log"
    [ "${CI:-}" != true ] || exit 1
    exit 0
fi

# Also when the tests are killed: what carries a dead process's name goes, with what runs in it.
trap 'python3 "$here/spaces.py" --sweep' EXIT
cd "$here"
# Debian's, where another Python comes first in PATH that has no pytest.
python=python3
"$python" -c 'import pytest' 2>/dev/null || python=/usr/bin/python3
"$python" -m pytest -p no:cacheprovider -q -rs --durations=8 --durations-min=5 --tb=short "$@" | tee "$log"
