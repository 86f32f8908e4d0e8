#!/bin/bash
# What `make test` does once everything is built, in two lanes. The first boots machines, drives browsers and keeps deadlines, and
# leaves some of the processors' time. The second only computes, at idle priority: it takes what is left.
# Usage: lanes.sh "FIRST TARGETS" "TARGETS THAT COMPUTE"     (of the Makefile)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

read -ra first <<<"$1"
read -ra computing <<<"$2"
cache="${FERMATA_CACHE:-$PWD/.cache}"
mkdir -p "$cache"
log="$cache/second-lane.log"

# In a process group of its own: all of it ends with this script.
set -m
chrt --idle 0 make --no-print-directory "${computing[@]}" >"$log" 2>&1 </dev/null &
beside=$!
set +m
trap 'kill -TERM -- "-$beside" 2>/dev/null' EXIT

status=0
# All of them, whatever the first failure is: one run shows everything that is wrong.
make --no-print-directory --keep-going "${first[@]}" || status=$?
[ "$status" -ne 0 ] || wait "$beside" || status=$?
printf '\n== beside: %s\n' "$2"
cat "$log"
exit "$status"
