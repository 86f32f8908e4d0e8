#!/bin/sh
# Assembles the guests of the clock tests: flat code, loaded by QEMU where each source says. Needs clang and llvm-objcopy
# with all targets (Swift's toolchain has both). The results are kept beside the sources; this is for who changes one.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # name target...
    name=$1
    shift
    clang "$@" -nostdlib -c "$name.S" -o "$work/$name.o"
    llvm-objcopy -O binary -j .text "$work/$name.o" "$name.bin"
}

for name in x86-wait x86-tsc x86-kvmclock; do build $name --target=i386-none-elf; done
build arm-wait --target=armv7-none-eabi
for name in aarch64-wait aarch64-counter; do build $name --target=aarch64-none-elf; done
for name in riscv-wait riscv-mtimer riscv-stimer; do
    build $name --target=riscv64-none-elf -march=rv64imac_zicsr -mno-relax
done
build s390x-tod --target=s390x-linux-gnu
for name in ppc64-loop ppc64-timebase; do build $name --target=powerpc64-linux-gnu; done
ls -l ./*.bin
