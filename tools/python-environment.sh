# shellcheck shell=bash
# For checks of Python packages, to be sourced: the fermata that was built, and an environment with the packages that is gone afterwards.
# Debian's Python with Debian's pytest: nothing is fetched.
# Usage: source python-environment.sh FOLDER…    of packages, below tools/
# Afterwards: FERMATA_CACHE, FERMATA_BINARY; $environment, a folder; $python, the environment's.
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export FERMATA_CACHE="${FERMATA_CACHE:-$root/.cache}"
export FERMATA_BINARY="${FERMATA_BINARY:-$root/.build/debug/fermata}"
[ -x "$FERMATA_BINARY" ] || {
    printf 'error: there is no %s: run make build first, or set FERMATA_BINARY\n' "$FERMATA_BINARY" >&2
    exit 1
}
environment="$(mktemp -d /tmp/fermata-python-XXXXXX)"
trap 'rm -rf "$environment"' EXIT
python="$environment/venv/bin/python"
/usr/bin/python3 -m venv --system-site-packages --without-pip "$environment/venv"
# Built from copies: setuptools leaves folders beside what it builds.
for package in "$@"; do
    cp -r "$root/tools/$package" "$environment/${package##*/}"
    "$python" -m pip install -q --no-index --no-build-isolation --no-deps "$environment/${package##*/}"
done
