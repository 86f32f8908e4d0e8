#!/bin/bash
# Makes the Debian package of a fermata that is built, and prints where it is.
# Usage: [BINARY=…] [VERSION=…] [MAINTAINER=…] deb.sh [FOLDER]      (.cache/package if no folder is named)
# Without BINARY the release build is made first. A binary that needs libraries of no package, as a debug build does Swift's, is refused,
# unless LOOSE=1 says that it is for a trial.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
output="${1:-${FERMATA_CACHE:-$root/.cache}/package}"

die() {
    printf 'package: %s\n' "$*" >&2
    exit 1
}

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
tree="$work/tree"
mkdir -m 755 "$tree"

# What Debian has elsewhere than we by ourselves.
SYSCONFDIR=/etc ZSH_FUNCTIONS=/usr/share/zsh/vendor-completions PREFIX=/usr DESTDIR="$tree" \
    "$root/tools/package/install.sh" install >"$work/install.log" 2>&1 || {
    cat "$work/install.log" >&2
    die "it cannot be installed into a folder"
}
documents="$tree/usr/share/doc/fermata"

strip --strip-unneeded --remove-section=.comment --remove-section=.note "$tree/usr/bin/fermata"
gzip -9n "$tree"/usr/share/man/man1/*.1
gzip -9nc "$root/CHANGELOG.md" >"$documents/changelog.gz"
rm "$documents/CHANGELOG.md"
cp "$root/packaging/debian/copyright" "$documents/copyright"
mkdir -p "$tree/usr/share/lintian/overrides"
cp "$root/packaging/debian/lintian-overrides" "$tree/usr/share/lintian/overrides/fermata"
chmod 644 "$documents"/{changelog.gz,copyright} "$tree/usr/share/lintian/overrides/fermata"

# A release that is not out yet sorts before the one that it becomes.
released="$("$tree/usr/bin/fermata" --version)"
released="${released#fermata }"
stamp="$(git -C "$root" log -1 --date=format:%Y%m%d%H%M --format=%cd.%h 2>/dev/null || date +%Y%m%d%H%M)"
version="${VERSION:-$released~$stamp-1}"
maintainer="${MAINTAINER:-$(git -C "$root" log -1 --format='%an <%ae>' 2>/dev/null || echo 'nobody <root@localhost>')}"
architecture="$(dpkg --print-architecture)"

{
    printf 'fermata (%s) unstable; urgency=medium\n\n  * CHANGELOG.md has what users can see.\n\n' "$version"
    printf ' -- %s  %s\n' "$maintainer" "$(date -R -d "@$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)")"
} | gzip -9nc >"$documents/changelog.Debian.gz"
chmod 644 "$documents/changelog.Debian.gz"

# What the program is linked with, by the packages that these libraries are from.
mkdir -p "$work/shlibs/debian"
: >"$work/shlibs/debian/control"
libraries="$(cd "$work/shlibs" && dpkg-shlibdeps -O --ignore-missing-info "$tree/usr/bin/fermata" 2>"$work/shlibs.log")" || {
    cat "$work/shlibs.log" >&2
    die "the libraries of the program are not found"
}
libraries="${libraries#shlibs:Depends=}"
if grep -q 'no dependency information found' "$work/shlibs.log" && [ "${LOOSE:-}" != 1 ]; then
    grep 'no dependency information found' "$work/shlibs.log" >&2
    die "the program needs libraries that no package has: build it with --static-swift-stdlib"
fi

mkdir "$tree/DEBIAN"
cat >"$tree/DEBIAN/control" <<CONTROL
Package: fermata
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk --apparent-size --exclude=DEBIAN "$tree" | cut -f 1)
Depends: adduser, $libraries
Recommends: qemu-system-x86 | qemu-system, qemu-utils
Suggests: chrony | time-daemon, libpq5, qemu-system
Section: misc
Priority: optional
Description: stop coupled virtual machines together, save and resume them
 fermata stops many coupled QEMU machines at one agreed instant of host time,
 saves them with their clocks, and lets them go on later, together, with the
 clock that they had or with an offset. Nothing inside the guests notices the
 gap: timers, sessions and protocols between them live on.
 .
 It talks QMP and needs no change to QEMU. Machines may live on several hosts,
 on each of which runs fermata-agent.
CONTROL
(cd "$tree" && find etc -type f | sort | sed 's|^|/|') >"$tree/DEBIAN/conffiles"
install -m 755 "$root"/packaging/debian/{postinst,prerm,postrm} "$tree/DEBIAN/"
(cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
find "$tree" -type d -exec chmod 755 {} +

mkdir -p "$output"
package="$output/fermata_${version}_$architecture.deb"
# Of a trial nobody waits for a small one.
dpkg-deb --root-owner-group -Zxz "-z${COMPRESSION:-6}" --build "$tree" "$package" >/dev/null
printf '%s\n' "$package"
