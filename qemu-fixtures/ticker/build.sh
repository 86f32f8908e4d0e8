#!/bin/bash
# Builds the ticker firmware for QEMU's arm and riscv `virt` boards and its mainframe. Usage: build.sh FOLDER
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
folder="$1"
# The clang of the Swift toolchain builds for every architecture.
compiler="$(dirname "$(readlink -f "$(command -v swift)")")/clang"
[ -x "$compiler" ] || compiler=clang

build() {
    local output="$1" base="$2"
    shift 2
    "$compiler" "$@" -std=c11 -Os -Wall -Wextra -Werror -Wno-main -ffreestanding -fno-stack-protector -nostdlib -static \
        -fno-pic -fuse-ld=lld "-Wl,--defsym=BASE=$base,-T,$here/ticker.ld,--build-id=none" -s -o "$folder/$output" "$here/ticker.c"
}

mkdir -p "$folder"
# The board puts its device tree at the start of RAM, so the image keeps clear of it.
build ticker-arm.elf 0x40100000 --target=aarch64-unknown-none-elf -mgeneral-regs-only -mstrict-align
build ticker-riscv.elf 0x80000000 --target=riscv64-unknown-none-elf -march=rv64imac_zicsr -mabi=lp64 -mcmodel=medany
# Not where Linux would begin: QEMU puts a command line behind what begins there.
build ticker-s390x.elf 0x20000 --target=s390x-linux-gnu
