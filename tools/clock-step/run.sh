#!/bin/bash
# Sets a real kernel's clock while timers are armed and threads spin, in a guest, since nobody's own clock should be set
# for a test. Needs the kernel that `tools/setup.sh` unpacks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

kernel="${FERMATA_CACHE:-$PWD/.cache}/linux/vmlinuz"
if [ ! -r "$kernel" ]; then
    echo "there is no kernel at $kernel, so nothing can be shown: run tools/setup.sh" >&2
    exit 1
fi
tree="$(mktemp -d)"
trap 'rm -rf "$tree"' EXIT

compiler="$(dirname "$(readlink -f "$(command -v swift)")")/clang"
[ -x "$compiler" ] || compiler=clang
mkdir "$tree/root"
"$compiler" -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static -fuse-ld=lld -ISources/CShims/include \
    -o "$tree/root/init" tools/clock-step/guest.c Sources/CShims/realtime.c
(cd "$tree/root" && find . | cpio --create --quiet --format=newc) | gzip >"$tree/initramfs.gz"

timeout 300 qemu-system-x86_64 -M q35,accel=tcg -m 256 -smp 2 -nodefaults -no-reboot -display none -serial stdio \
    -kernel "$kernel" -initrd "$tree/initramfs.gz" -append "console=ttyS0 quiet panic=-1" | tr -d '\r' | tee "$tree/log"
grep -q '^clock-step: all as it should be$' "$tree/log"
