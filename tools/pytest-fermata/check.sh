#!/bin/bash
# The pytest plugin: its types, and its own tests on real machines. Needs the fermata that was built, and what setup makes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tools/python-environment.sh
source ../python-environment.sh pytest-fermata

"$python" -m mypy --strict --cache-dir "$environment/mypy" src
# One after the other: an emulated guest needs a processor, and some of the tests run two at once themselves.
"$python" -m pytest -q -p no:cacheprovider "$@" tests
