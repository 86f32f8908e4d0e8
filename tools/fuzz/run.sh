#!/bin/sh
# Fuzzes every target under tools/fuzz for a while each: tools/fuzz/run.sh [seconds [target...]]
#
# A target is a folder with `modules` (the modules of Sources it is compiled with, or folders of them, in order of need, one a line),
# `fuzz.swift` (LLVMFuzzerTestOneInput) and `corpus` (inputs to begin with). Compiled into one module with the target,
# under AddressSanitizer; libFuzzer also looks for leaks. What it finds is left in tools/fuzz/TARGET/found.
set -eu

seconds=${1:-60}
[ $# -gt 0 ] && shift
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# The toolchain's backtracer trips over AddressSanitizer's signal stack.
export SWIFT_BACKTRACE=enable=no
# Values and trees nest up to 512 levels, and AddressSanitizer's frames are large.
# shellcheck disable=SC3045
ulimit -s 65536 2>/dev/null || true

# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(cd "$here" && for folder in */; do echo "${folder%/}"; done)
for target in "$@"; do
    folder=$here/$target
    modules=$(cat "$folder/modules")
    flags="-swift-version 6 -Onone -g -enable-upcoming-feature InternalImportsByDefault -enable-upcoming-feature ExistentialAny"
    flags="$flags -sanitize=fuzzer,address -parse-as-library -I $root/Sources/CJSONC $(pkg-config --cflags json-c)"
    # All in one module: the imports of our own modules go, and what is public in them is just there.
    mkdir -p "$work/$target/corpus"
    for module in $modules; do
        find "$root/Sources/$module" -name '*.swift' | while read -r file; do
            copy=$work/$target/$(echo "$module" | tr / -)-$(echo "${file#"$root/Sources/$module/"}" | tr / -)
            cp "$file" "$copy"
        done
    done
    cp "$folder/fuzz.swift" "$work/$target/fuzz.swift"
    for module in $modules; do
        sed -i -E "s/^(public |internal )?import ${module%%/*}\$//" "$work/$target"/*.swift
    done
    # The log is for failures only: gold warns of symbols that the sanitizer keeps local.
    # shellcheck disable=SC2086,SC2046
    if ! swiftc $flags "$work/$target"/*.swift -o "$work/$target/fuzz" $(pkg-config --libs json-c) \
        >"$work/$target/log" 2>&1; then
        cat "$work/$target/log"
        exit 1
    fi
    echo "fuzz: $target for $seconds s"
    mkdir -p "$folder/found"
    if ! "$work/$target/fuzz" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$folder/found/" "$work/$target/corpus" "$folder/corpus" >"$work/$target/log" 2>&1; then
        tail -n 60 "$work/$target/log"
        echo "fuzz: $target failed; the input is in $folder/found" >&2
        exit 1
    fi
    rmdir "$folder/found" 2>/dev/null || true
    grep -E '^(Done|stat::number_of_executed_units|stat::peak_rss)' "$work/$target/log"
    grep -E 'cov: ' "$work/$target/log" | tail -n 1
done
