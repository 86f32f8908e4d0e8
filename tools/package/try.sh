#!/bin/bash
# Installs the Debian package on a clean Debian 12 and uses it there as an ordinary user, with real QEMU; then removes it. As root.
# Usage: try.sh PACKAGE.deb
# The clean Debian is a chroot by debootstrap, from the mirror that this machine's apt uses; what was downloaded for it is kept in
# .cache/package. All of it happens in mount and process namespaces of its own, so that no mount and no process outlives this script,
# however it ends.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

die() {
    printf 'try: %s\n' "$*" >&2
    exit 1
}

if [ "${1:-}" != --inside ]; then
    package="$(realpath "${1:?usage: try.sh PACKAGE.deb}")"
    [ "$(id -u)" -eq 0 ] || die "a chroot needs root"
    command -v debootstrap >/dev/null || die "there is no debootstrap: apt-get install debootstrap"
    # shellcheck disable=SC2016  # $(SITE) is apt's own
    mirror="$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Codename: bookworm' | head -n 1)"
    [ -n "$mirror" ] || die "apt knows no source of Debian 12 (bookworm)"
    cache="${FERMATA_CACHE:-$root/.cache}/package/downloads"
    mkdir -p "$cache"
    folder="$(mktemp -d /tmp/fermata-try-XXXXXX)"
    # The namespaces are gone by then, and with them everything that was mounted below it.
    trap 'rm -rf --one-file-system "$folder"' EXIT
    unshare --mount --pid --fork --kill-child=KILL "$root/tools/package/try.sh" --inside "$folder" "$package" "$mirror" "$cache"
    exit
fi

folder="$2" package="$3" mirror="$4" cache="$5"
began=$SECONDS

say() {
    printf '%4d s  %s\n' "$((SECONDS - began))" "$*"
}

# A command in the clean Debian; what it says is shown only when it fails.
inside() {
    local log="$folder.log"
    if ! env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive \
        chroot "$folder" "$@" >"$log" 2>&1 </dev/null; then
        tail -n 40 "$log" >&2
        rm -f "$log"
        die "'$*' failed on the clean Debian"
    fi
    rm -f "$log"
}

# As an ordinary user, whose login shell it is.
as_user() {
    chroot "$folder" su -l tester -c "$1" 2>&1 || die "'$1' failed, as a user"
}

mount --make-rprivate /
# It becomes everybody's root folder.
chmod 755 "$folder"
say "debootstrap of $mirror"
debootstrap --variant=minbase --cache-dir="$cache" bookworm "$folder" "$mirror" >"$folder.log" 2>&1 || {
    tail -n 20 "$folder.log" >&2
    rm -f "$folder.log"
    die "debootstrap failed"
}
rm -f "$folder.log"

mount -t proc proc "$folder/proc"
mount -t tmpfs -o mode=755 dev "$folder/dev"
for device in null zero full random urandom tty; do
    : >"$folder/dev/$device"
    mount --bind "/dev/$device" "$folder/dev/$device"
done
mkdir "$folder/dev/shm"
mount -t tmpfs -o mode=1777 shm "$folder/dev/shm"
cp -L /etc/resolv.conf "$folder/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
chmod 755 "$folder/usr/sbin/policy-rc.d"
mkdir -p "$cache/archives/partial"
mount --bind "$cache/archives" "$folder/var/cache/apt/archives"
# The base image throws downloads away.
rm -f "$folder/etc/apt/apt.conf.d/docker-clean"

say "installing the package, with QEMU"
cp "$package" "$folder/root/fermata.deb"
inside apt-get update -q
inside apt-get install -q -y --no-install-recommends -o APT::Keep-Downloaded-Packages=true -o APT::Sandbox::User=root \
    /root/fermata.deb qemu-system-x86 qemu-utils

# Only of a trial with a debug build, whose Swift libraries are the toolchain's.
loose="$(chroot "$folder" ldd /usr/bin/fermata | awk '/not found/ {print $1; exit}')"
if [ -n "$loose" ]; then
    libraries="$(readelf -d "$folder/usr/bin/fermata" | sed -n 's/.*Library runpath: \[\([^:]*\)[]:].*/\1/p')"
    [ -e "$libraries/$loose" ] || die "the program needs $loose, which is nowhere"
    mkdir -p "$folder$libraries"
    mount --bind -o ro "$libraries" "$folder$libraries"
    for loose in $(chroot "$folder" ldd /usr/bin/fermata | awk '/not found/ {print $1}'); do die "the program needs $loose"; done
    say "a debug build: with Swift's libraries from $libraries"
fi

say "what the installation did"
inside getent passwd fermata
inside test ! -e /home/fermata
inside sh -c '! ls /etc/systemd/system/*.wants/fermata*.service'
inside grep -q FERMATA_AGENT /etc/default/fermata-agent
inside test -s /usr/share/man/man1/fermata-suspend.1.gz
inside grep -qx /etc/default/fermata /var/lib/dpkg/info/fermata.conffiles
# Again, as an upgrade does it.
inside dpkg -i /root/fermata.deb

say "using it as an ordinary user"
inside useradd -m -s /bin/bash tester
cat >"$folder/home/tester/lab.yaml" <<'LAB'
simulation: lab
machines:
  left: {arch: x86_64, machine: pc, memory: 32M, rtc: {base: 2026-12-31T23:00:00Z}}
  right: {arch: x86_64, machine: q35, memory: 32M, rtc: {base: 2026-12-31T23:00:00Z}}
links:
  - {name: lan, kind: dgram, between: [left, right]}
LAB
as_user 'fermata --version'
# Without KVM it ends with 1: Debian's qemu-system-x86_64-microvm runs with KVM alone, and is a QEMU that does not work here.
as_user 'fermata doctor || [ $? -eq 1 ]' | grep 'QEMU 7.2' || die "doctor finds no QEMU 7.2"
as_user 'fermata up lab.yaml' | head -n 1
as_user 'fermata suspend lab@evening' | head -n 1
as_user 'fermata resume lab --clock +2h' | head -n 1
clocks="$(as_user 'fermata clock lab')"
[ "$(grep -c 'rtc  *2027-01-01 01:' <<<"$clocks")" -eq 2 ] || die "the clocks are not two hours later: $clocks"
as_user 'source /usr/share/bash-completion/completions/fermata && complete -p fermata' >/dev/null
as_user 'fermata down lab && fermata serve --stop' | tail -n 1

say "removing it"
inside apt-get remove -q -y fermata
inside test ! -e /usr/bin/fermata
inside test -e /etc/default/fermata-agent
inside test -e /home/tester/.local/state/fermata/state.sqlite
inside dpkg --purge fermata
inside sh -c '! ls /etc/default/fermata* /usr/share/doc/fermata /usr/lib/systemd/system/fermata*'
say "done"
