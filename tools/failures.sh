#!/bin/bash
# Repeats what went wrong in a log of `swift test`: each issue with the lines that belong to it, crashes, processes left behind,
# and last of all the names of the tests that failed.
# Usage: failures.sh LOG
set -euo pipefail

# The runner colours what it writes into a pipe.
plain="$(sed 's/\x1b\[[0-9;]*m//g' "$1")"

printf '\n== what failed\n'
awk '
    /^(◇|✔|➜|↳ Test)/ { left = 0; next }
    /^✘ .* recorded an issue/ { left = 12; print; next }
    /^✘/ { left = 0; next }
    /(^| )error: |Fatal error: |\*\*\* .*(signal|Program crashed)|^left behind by a test: / { print; next }
    left > 0 { left--; print "  " $0 }
' <<<"$plain" | cut -c 1-600 | sed -n 1,300p
printf '\n'
grep -E '^✘ Test .* failed after' <<<"$plain" | grep -v '^✘ Test run with' | sort -u || true
