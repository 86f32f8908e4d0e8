# shellcheck shell=bash
# What every step of the set-up shares. Sourced by tools/setup.sh, never run by itself.

step() {
    printf 'setup: %-14s %s\n' "$1" "$2"
}

die() {
    printf 'setup: error: %s\n' "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "'$*' needs root: run this as root, or install sudo"
    fi
}

# Runs a command with its output in the log; the end of the log is shown only if the command fails.
quietly() {
    local log="$FERMATA_CACHE/setup.log"
    printf '+ %s\n' "$*" >>"$log"
    if ! "$@" >>"$log" 2>&1 </dev/null; then
        tail -n 15 "$log" >&2
        die "'$*' failed; the whole output is in $log"
    fi
}

# The package lists of this machine, refreshed at most once a run: a fresh machine has none, and stale ones name files
# that the mirror has dropped. One dead third-party source must not end the set-up, so a failure here is only noted;
# what is really missing shows when it is asked for.
refresh_apt() {
    if [ -n "${apt_is_fresh:-}" ]; then
        return
    fi
    apt_is_fresh=yes
    if ! (as_root apt-get update -q) >>"$FERMATA_CACHE/setup.log" 2>&1 </dev/null; then
        step apt "'apt-get update' had errors, going on with the lists there are"
    fi
}

# Downloads packages into a folder and unpacks them into another: nothing of them is installed.
# Usage: unpack_packages DOWNLOADS INTO [apt options and package names]…
unpack_packages() {
    local downloads="$1" into="$2" package
    shift 2
    rm -rf "$downloads"
    mkdir -p "$downloads" "$into"
    # In a subshell: apt-get download knows no other target than the working directory.
    (
        cd "$downloads" || exit 1
        quietly apt-get -q -o APT::Sandbox::User=root download "$@"
    )
    for package in "$downloads"/*.deb; do
        quietly dpkg-deb -x "$package" "$into"
    done
    rm -rf "$downloads"
}
