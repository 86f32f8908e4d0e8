#!/bin/bash
# Builds the initramfs of the Linux guest: busybox, the modules its devices need, and the lab program.
# Usage: build.sh MODULES OUTPUT, where MODULES is a folder with the kernel's modules that `init` loads.
# The same sources, compiler and kernel give the same bytes.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
modules="$1"
output="$2"
tree="$(mktemp -d)"
trap 'rm -rf "$tree"' EXIT

mkdir -p "$tree/bin" "$tree/modules" "$tree/dev" "$tree/proc" "$tree/sys"
cp /bin/busybox "$tree/bin/busybox"
cp "$here/init" "$tree/init"
cp "$here/dhcp-event" "$tree/bin/dhcp-event"
cp "$modules"/*.ko "$tree/modules/"
chmod 755 "$tree/init" "$tree/bin/busybox" "$tree/bin/dhcp-event"

# The clang of the Swift toolchain: a compiler that is there wherever this project builds.
compiler="$(dirname "$(readlink -f "$(command -v swift)")")/clang"
[ -x "$compiler" ] || compiler=clang
"$compiler" -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static -fuse-ld=lld -s -o "$tree/bin/lab" "$here/lab.c"

find "$tree" -exec touch -h -d @0 {} +
# /dev/console comes with the kernel's built-in image, so no device node is made here and root is not needed.
(cd "$tree" && find . -print0 | LC_ALL=C sort -z | cpio --null --create --quiet --format=newc --owner=0:0 --reproducible) |
    gzip -n -9 >"$output.new"
mv "$output.new" "$output"
