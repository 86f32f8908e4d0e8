#!/bin/bash
# Installs fermata, or takes it away again. The Makefile's `install` and `uninstall` are this.
# Usage: [BINARY=…] [PREFIX=/usr/local] [DESTDIR=…] install.sh install|uninstall
# BINARY is a fermata that is built already; without it, the release build is made first. It has to run here: manual pages and
# completions are what it says of itself. Nothing is enabled and no user is made: systemd-sysusers, systemctl and packages do that.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
prefix="${PREFIX:-/usr/local}"
target="${DESTDIR:-}$prefix"
# Configuration is not below /usr.
etc="${DESTDIR:-}${SYSCONFDIR:-/etc}"
zsh="${ZSH_FUNCTIONS:-$prefix/share/zsh/site-functions}"

die() {
    printf 'install: %s\n' "$*" >&2
    exit 1
}

case "$prefix" in /*) ;; *) die "PREFIX has to be an absolute path, not '$prefix'" ;; esac

put() {
    install -D -m "$1" "$2" "$3"
}

# Units name the program by its path.
put_unit() {
    sed "s|/usr/bin/fermata |$prefix/bin/fermata |" "$1" | install -D -m 644 /dev/stdin "$2"
}

install_all() {
    local binary="${BINARY:-}" made file
    if [ -z "$binary" ]; then
        (cd "$root" && swift build -c release --static-swift-stdlib --product fermata)
        binary="$(cd "$root" && swift build -c release --static-swift-stdlib --show-bin-path)/fermata"
    fi
    "$binary" --version >/dev/null || die "'$binary' does not run: name a fermata that was built for this machine with BINARY="

    made="$(mktemp -d)"
    # shellcheck disable=SC2064  # the folder of now
    trap "rm -rf '$made'" EXIT
    "$root/tools/package/man.py" "$binary" "$made/man"
    "$root/tools/package/completions.sh" "$binary" "$made/completions"

    put 755 "$binary" "$target/bin/fermata"
    for file in "$made"/man/*.1; do put 644 "$file" "$target/share/man/man1/${file##*/}"; done
    put 644 "$made/completions/fermata.bash" "$target/share/bash-completion/completions/fermata"
    put 644 "$made/completions/_fermata" "${DESTDIR:-}$zsh/_fermata"
    put 644 "$made/completions/fermata.fish" "$target/share/fish/vendor_completions.d/fermata.fish"
    for file in "$root"/packaging/systemd/*.service; do put_unit "$file" "$target/lib/systemd/system/${file##*/}"; done
    for file in "$root"/packaging/systemd/user/*.service; do put_unit "$file" "$target/lib/systemd/user/${file##*/}"; done
    put 644 "$root/packaging/sysusers.d/fermata.conf" "$target/lib/sysusers.d/fermata.conf"
    # What somebody has written there stays. It may be an address with a password; systemd reads it as root.
    for file in "$root"/packaging/default/*; do
        [ -e "$etc/default/${file##*/}" ] || put 640 "$file" "$etc/default/${file##*/}"
    done
    for file in "$root"/{README,CHANGELOG}.md; do put 644 "$file" "$target/share/doc/fermata/${file##*/}"; done
    (cd "$root/docs" && find . -type f -print0) | while IFS= read -r -d '' file; do
        put "$([ -x "$root/docs/$file" ] && echo 755 || echo 644)" "$root/docs/$file" "$target/share/doc/fermata/docs/${file#./}"
    done
    printf 'fermata is in %s\n' "$target/bin"
}

# By name, and with them what an older release installed. Settings in /etc stay, as state folders do.
uninstall_all() {
    rm -f "$target/bin/fermata" "$target"/share/man/man1/fermata.1 "$target"/share/man/man1/fermata-*.1 \
        "$target/share/bash-completion/completions/fermata" "${DESTDIR:-}$zsh/_fermata" \
        "$target/share/fish/vendor_completions.d/fermata.fish" \
        "$target"/lib/systemd/system/fermata{,-agent}.service "$target/lib/systemd/user/fermata.service" \
        "$target/lib/sysusers.d/fermata.conf"
    rm -rf "$target/share/doc/fermata"
    printf 'fermata is gone from %s; settings in %s/default and state folders stay\n' "$target" "$etc"
}

case "${1:-}" in
install) install_all ;;
uninstall) uninstall_all ;;
*) die "say 'install' or 'uninstall'" ;;
esac
