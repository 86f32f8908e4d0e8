#!/bin/bash
# The last lines of `make test`: the test runners' own summaries once more, after the noise of all the stages.
set -euo pipefail

cache="${FERMATA_CACHE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/.cache}"
printf '\n'
# What was not proven on this machine must not drown in the log: the runner says so of whole tests, tests of single rows.
# The runner colours what it writes into a pipe.
sed 's/\x1b\[[0-9;]*m//g' "$cache/tests.log" "$cache/hosts.log" "$cache/sanitize.log" | grep -iE '\<skipped\>' |
    grep -vE '^(◇|✔|✘|↳|\[|Build|warning:)| (started|passed after)' | sort -u || true
printf 'core under AddressSanitizer: %s\n' "$(grep -h 'Test run with' "$cache/sanitize.log" | tail -n 1)"
grep -h '^hosts: ' "$cache/hosts.log"
grep -h 'Test run with' "$cache/tests.log"
