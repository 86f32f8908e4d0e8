#!/bin/bash
# Everything that a fresh Debian 12 machine needs to build, test and demonstrate fermata: packages of the system by
# name, and, in a cache folder (.cache, or FERMATA_CACHE), what must not be installed: QEMU 10.0 and the Linux guest.
# Safe to run again at any time; takes a fraction of a second when all is there.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export FERMATA_CACHE="${FERMATA_CACHE:-$root/.cache}"
mkdir -p "$FERMATA_CACHE"
FERMATA_CACHE="$(cd "$FERMATA_CACHE" && pwd)"

. "$root/tools/setup/common.sh"
. "$root/tools/setup/packages.sh"
. "$root/tools/setup/qemu.sh"
. "$root/tools/setup/linux.sh"
. "$root/tools/setup/ticker.sh"
. "$root/tools/setup/python.sh"
. "$root/tools/setup/api.sh"

# Two set-ups at once (make test beside make demo) would unpack over each other.
exec 9>"$FERMATA_CACHE/.lock"
flock 9
: >"$FERMATA_CACHE/setup.log"

check_system() {
    local id version
    id="$(. /etc/os-release && printf '%s' "${ID:-}")"
    version="$(. /etc/os-release && printf '%s' "${VERSION_ID:-}")"
    [ "$id $version" = "debian 12" ] || die "this set-up knows Debian 12, and this is '$id $version'; CONTRIBUTING.md lists what it would install"
    [ "$(dpkg --print-architecture)" = amd64 ] || die "this set-up knows amd64 machines only"
    command -v swift >/dev/null || die "no 'swift' in PATH: install Swift 6.3 or later from swift.org first"
}

check_system
install_packages
unpack_qemu
prepare_linux
build_ticker
prepare_python
prepare_api
