# shellcheck shell=bash
# QEMU 10.0 from Debian 12's backports, unpacked side by side with the system's 7.2 and never installed, because the
# tests of the main job run on both.

qemu_folder="$FERMATA_CACHE/qemu-10.0"

# Raise to have every cache unpacked anew after a change of this file.
qemu_layout=1

qemu_packages=(
    qemu-system-x86 qemu-system-arm qemu-system-misc qemu-system-riscv qemu-system-s390x qemu-system-ppc
    qemu-system-sparc qemu-system-common qemu-system-data seabios opensbi
)

# The targets some test or lab uses; the packages hold a dozen more, 200 MB of them.
qemu_targets=(x86_64 i386 aarch64 arm riscv64 riscv32 s390x ppc64 ppc loongarch64 sparc sparc64 alpha m68k)

unpack_qemu() {
    if [ "$(cat "$qemu_folder/.layout" 2>/dev/null)" != "$qemu_layout" ]; then
        step qemu-10.0 "unpacking from backports into $qemu_folder"
        fetch_qemu
    fi
    step qemu-10.0 "$(cat "$qemu_folder/version")"
}

fetch_qemu() {
    local apt="$FERMATA_CACHE/apt" new="$qemu_folder.new" mirror
    refresh_apt
    # Backports live on the mirror that this machine already uses for Debian 12.
    # shellcheck disable=SC2016  # $(SITE) is apt's own
    mirror="$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Codename: bookworm' | head -n 1)"
    [ -n "$mirror" ] || die "apt knows no source of Debian 12 (bookworm): add one to /etc/apt, then run this again"

    rm -rf "$apt" "$new"
    mkdir -p "$apt/lists/partial" "$apt/archives/partial"
    # Without Signed-By apt checks with its default keys, among them Debian's own.
    printf 'deb %s bookworm-backports main\n' "$mirror" >"$apt/sources.list"
    local apt_options=(
        -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt"
    )
    quietly apt-get -q -o APT::Sandbox::User=root "${apt_options[@]}" update
    unpack_packages "$apt/download" "$new" "${apt_options[@]}" "${qemu_packages[@]}"
    rm -rf "$apt"

    prune_qemu "$new"
    wrap_qemu "$new"
    "$new/bin/qemu-system-x86_64" --version | head -n 1 >"$new/version"
    rm -rf "$qemu_folder"
    mv "$new" "$qemu_folder"
    check_qemu
    # Written last: a set-up that was cut short starts this step again.
    printf '%s\n' "$qemu_layout" >"$qemu_folder/.layout"
}

prune_qemu() {
    local folder="$1" target
    mkdir "$folder/keep"
    for target in "${qemu_targets[@]}"; do
        mv "$folder/usr/bin/qemu-system-$target" "$folder/keep/"
    done
    (
        cd "$folder/usr" || exit 1
        rm -rf bin lib/systemd share/{applications,doc,doc-base,icons,lintian,man} share/qemu/trace-events-all ../etc
    )
    mv "$folder/keep" "$folder/usr/bin"
}

# This QEMU looks for firmware and modules in the system's folders, where 7.2's lie. `exec`, so that the process id of
# the wrapper is QEMU's; an absolute path, so that its command line can be repeated from any working directory.
wrap_qemu() {
    local folder="$1" target
    mkdir "$folder/bin"
    for target in "${qemu_targets[@]}"; do
        cat >"$folder/bin/qemu-system-$target" <<WRAPPER
#!/bin/sh
root=\$(cd "\${0%/*}/.." && pwd) || exit 1
export QEMU_MODULE_DIR="\$root/usr/lib/x86_64-linux-gnu/qemu"
exec "\$root/usr/bin/qemu-system-$target" -L "\$root/usr/share/qemu" -L "\$root/usr/share/seabios" "\$@"
WRAPPER
        chmod 755 "$folder/bin/qemu-system-$target"
    done
}

check_qemu() {
    local target missing
    for target in "${qemu_targets[@]}"; do
        missing="$(ldd "$qemu_folder/usr/bin/qemu-system-$target" | awk '/not found/ {print $1}' | sort -u | tr '\n' ' ')"
        [ -z "$missing" ] || die "QEMU 10.0 for $target lacks libraries of this system: $missing"
    done
    # One machine a family, as far as its reset: proves that the firmware of this version is found.
    start_qemu x86_64 pc
    start_qemu x86_64 q35
    start_qemu i386 pc
    start_qemu aarch64 virt
    start_qemu arm virt
    start_qemu arm ast2600-evb
    start_qemu riscv64 virt
    start_qemu riscv32 virt
    start_qemu s390x s390-ccw-virtio
    start_qemu ppc64 pseries
    start_qemu loongarch64 virt
    start_qemu sparc SS-5
}

start_qemu() {
    local target="$1" machine="$2" answer
    # `quit` on a monitor that is the standard input: the process can neither hang nor be left behind.
    answer="$(echo quit | timeout 60 "$qemu_folder/bin/qemu-system-$target" -M "$machine" -S -display none -serial none \
        -monitor stdio 2>&1)" || die "QEMU 10.0 for $target does not start a $machine machine: $answer"
}
