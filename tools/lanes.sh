#!/bin/bash
# What `make test` does once everything is built, in two lanes. The first boots machines and keeps deadlines, and waits for guests more
# than half of its time. The second only computes: at idle priority it takes what the first leaves of the processors, and nothing from it.
# Usage: lanes.sh "FIRST TARGETS" "SECOND TARGETS"     (of the Makefile)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

read -ra first <<<"$1"
read -ra second <<<"$2"
cache="${FERMATA_CACHE:-$PWD/.cache}"
mkdir -p "$cache"
log="$cache/second-lane.log"

# In a process group of its own: all of it ends with this script.
setsid chrt --idle 0 make --no-print-directory "${second[@]}" >"$log" 2>&1 </dev/null &
beside=$!
trap 'kill -TERM -- "-$beside" 2>/dev/null' EXIT

status=0
make --no-print-directory "${first[@]}" || status=$?
if [ "$status" -eq 0 ]; then
    # Nothing is left to be disturbed.
    chrt --all-tasks --other --pid 0 "$beside" 2>/dev/null || true
    wait "$beside" || status=$?
fi
printf '\n== beside: %s\n' "${second[*]}"
cat "$log"
exit "$status"
