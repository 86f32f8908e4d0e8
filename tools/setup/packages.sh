# shellcheck shell=bash
# The packages that the build, the tests and the demo use from Debian 12 itself.

packages=(
    libjson-c-dev libarchive-dev libsqlite3-dev zlib1g-dev pkgconf              # the build
    qemu-system-x86 qemu-system-arm qemu-system-misc qemu-system-ppc            # QEMU 7.2; riscv, s390x are in misc
    qemu-system-sparc qemu-utils
    busybox-static cpio libc6-dev                                               # the Linux guest
    python3 shellcheck xz-utils zstd                                            # test tools, fixtures
    spin gcc                                                                    # the protocol's model
    mypy python3-pip python3-pytest python3-pytest-xdist                        # the pytest plugin
    python3-setuptools python3-venv python3-wheel
    python3-labgrid                                                             # the labgrid driver
    e2fsprogs xfsprogs                                                          # disks of tests
    chromium chromium-driver python3-selenium                                   # the web console's tests
    fonts-inter fonts-jetbrains-mono                                            # and its pictures
    iproute2                                                                    # hosts in network namespaces
    systemd mandoc groff-base bash-completion zsh fish python3-pexpect          # what is installed
    openssl                                                                     # the batch of a certificate that expires
    libpq5 postgresql                                                           # the state on a server
)

install_packages() {
    local package missing=()
    for package in "${packages[@]}"; do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            missing+=("$package")
        fi
    done
    if [ "${#missing[@]}" -gt 0 ]; then
        refresh_apt
        step packages "installing ${missing[*]}"
        quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
            -o DPkg::Lock::Timeout=300 "${missing[@]}"
    fi
    step packages "${#packages[@]} installed"
}
