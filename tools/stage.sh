#!/bin/bash
# Runs one stage of the Makefile and says its name, its outcome and how long it took.
# Usage: stage.sh NAME COMMAND [ARGUMENT]…
set -uo pipefail

name="$1"
shift
printf '\n== %s: %s\n' "$name" "$*"
"$@"
status=$?
if [ "$status" -eq 0 ]; then
    printf '== %s: done in %d s\n' "$name" "$SECONDS"
else
    printf '== %s: FAILED with status %d after %d s\n' "$name" "$status" "$SECONDS"
fi
exit "$status"
