#!/bin/bash
# The labgrid driver and the Robot Framework library: their types, and their tests on real machines. Needs the fermata that was built,
# and what setup makes.
set -euo pipefail
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$folder/../.." && pwd)"
export FERMATA_CACHE="${FERMATA_CACHE:-$root/.cache}"
export FERMATA_BINARY="${FERMATA_BINARY:-$root/.build/debug/fermata}"
[ -x "$FERMATA_BINARY" ] || {
    printf 'error: there is no %s: run make build first, or set FERMATA_BINARY\n' "$FERMATA_BINARY" >&2
    exit 1
}

environment="$(mktemp -d /tmp/fermata-harnesses-XXXXXX)"
trap 'rm -rf "$environment"' EXIT
# Debian's Python, pytest and labgrid; Robot Framework is where setup has put it.
/usr/bin/python3 -m venv --system-site-packages --without-pip "$environment/venv"
export PYTHONPATH="$FERMATA_CACHE/python${PYTHONPATH:+:$PYTHONPATH}"
# Built from copies: setuptools leaves folders beside what it builds.
for package in pytest-fermata harnesses/labgrid harnesses/robot; do
    cp -r "$root/tools/$package" "$environment/$(basename "$package")"
    "$environment/venv/bin/python" -m pip install -q --no-index --no-build-isolation --no-deps "$environment/$(basename "$package")"
done

cd "$folder"
# labgrid has no types of its own.
"$environment/venv/bin/python" -m mypy --strict --allow-subclassing-any --allow-untyped-decorators --ignore-missing-imports \
    --cache-dir "$environment/mypy" labgrid/src robot/src
"$environment/venv/bin/python" -m pytest -q -p no:cacheprovider "$@" tests
