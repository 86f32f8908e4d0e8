#!/bin/bash
# The pytest plugin: its types, and its own tests on real machines. Needs the fermata that was built, and what setup makes.
set -euo pipefail
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$folder/../.." && pwd)"
export FERMATA_CACHE="${FERMATA_CACHE:-$root/.cache}"
export FERMATA_BINARY="${FERMATA_BINARY:-$root/.build/debug/fermata}"
[ -x "$FERMATA_BINARY" ] || {
    printf 'error: there is no %s: run make build first, or set FERMATA_BINARY\n' "$FERMATA_BINARY" >&2
    exit 1
}

# Debian's Python with Debian's pytest: nothing is fetched.
environment="$(mktemp -d /tmp/pytest-fermata-XXXXXX)"
trap 'rm -rf "$environment"' EXIT
/usr/bin/python3 -m venv --system-site-packages --without-pip "$environment/venv"
# Built from a copy: setuptools leaves folders beside what it builds.
cp -r "$folder" "$environment/source"
"$environment/venv/bin/python" -m pip install -q --no-index --no-build-isolation --no-deps "$environment/source"

cd "$folder"
"$environment/venv/bin/python" -m mypy --strict --cache-dir "$environment/mypy" src
# One after the other: an emulated guest needs a processor, and some of the tests run two at once themselves.
"$environment/venv/bin/python" -m pytest -q -p no:cacheprovider "$@" tests
