#!/bin/bash
# What `make test` does once everything is built, in two lanes. The first boots machines and keeps deadlines, and waits for guests more
# than half of its time. The second takes what the first leaves of the processors: at idle priority what only computes, then, with less
# weight than the first, tests that have machines and browsers of their own.
# Usage: lanes.sh "FIRST TARGETS" "TARGETS THAT COMPUTE" "TARGETS BEHIND THEM"     (of the Makefile)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

read -ra first <<<"$1"
read -ra computing <<<"$2"
read -ra behind <<<"$3"
cache="${FERMATA_CACHE:-$PWD/.cache}"
mkdir -p "$cache"
log="$cache/second-lane.log"

second_lane() {
    chrt --idle 0 make --no-print-directory "${computing[@]}" && nice -n 10 make --no-print-directory "${behind[@]}"
}

# In a process group of its own: all of it ends with this script.
set -m
second_lane >"$log" 2>&1 </dev/null &
beside=$!
set +m
trap 'kill -TERM -- "-$beside" 2>/dev/null' EXIT

status=0
make --no-print-directory "${first[@]}" || status=$?
[ "$status" -ne 0 ] || wait "$beside" || status=$?
printf '\n== beside: %s\n' "$2 $3"
cat "$log"
exit "$status"
