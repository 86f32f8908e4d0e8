#!/bin/bash
# The pure modules and QMP under AddressSanitizer, leaks included, in one instrumented build with the coverage count: a
# second build for the coverage alone would show nothing more. With --build it is only built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export FERMATA_CACHE="${FERMATA_CACHE:-$PWD/.cache}"
mkdir -p "$FERMATA_CACHE"

# Swift's crash handler and the sanitizer both want the signal; the sanitizer's report is the useful one.
export SWIFT_BACKTRACE=enable=no
export ASAN_OPTIONS=detect_leaks=1

# Without XCTest, which no test uses and whose runner leaks. Without HostClock, whose tests race real deadlines and look
# at locked memory: the sanitizer is too slow for the one and turns off the other.
export FERMATA_CORE=1
options=(--sanitize=address --enable-code-coverage --scratch-path .build-checks)
if [ "${1:-}" = --build ]; then
    exec swift build --build-tests "${options[@]}"
fi
swift test --disable-xctest --skip HostClockTests "${options[@]}" 2>&1 | tee "$FERMATA_CACHE/sanitize.log"

tools/coverage.sh
