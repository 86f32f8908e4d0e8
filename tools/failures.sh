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

# What was under way when a group of tests was ended.
if grep -q '^error: the tests of .* did not end within' <<<"$plain"; then
    printf '\n== began and did not end\n'
    comm -23 <(sed -nE 's/^◇ Test (.*) started\.$/\1/p' <<<"$plain" | grep -vE '^(case |run$)' | sort -u) \
        <(sed -nE 's/^[✔✘] Test (.*) (passed|failed) after .*/\1/p' <<<"$plain" | sed -E 's/ with [0-9]+ test cases?$//' | sort -u) || true
fi
