#!/bin/bash
# The labgrid driver and the Robot Framework library: their types, and their tests on real machines. Needs the fermata that was built,
# and what setup makes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tools/python-environment.sh
source ../python-environment.sh pytest-fermata harnesses/labgrid harnesses/robot
# labgrid is Debian's; Robot Framework is where setup has put it.
export PYTHONPATH="$FERMATA_CACHE/python${PYTHONPATH:+:$PYTHONPATH}"

# labgrid has no types of its own.
"$python" -m mypy --strict --allow-subclassing-any --allow-untyped-decorators --ignore-missing-imports \
    --cache-dir "$environment/mypy" labgrid/src robot/src
"$python" -m pytest -q -p no:cacheprovider "$@" tests
