#!/bin/sh
# guest-date.sh TAG FORMAT: what the guest's real-time clock read when it last answered `clocks TAG`, as date(1) writes it.
set -eu
record="s/.*\"tag\":\"$1\".*\"rtcNs\":\([0-9]*\)[0-9]\{9\}[^0-9].*/\1/p"
seconds=$(sed -n "$record" "$FERMATA_MACHINE_BOX_SERIAL0_LOG" | tail -n 1)
[ -n "$seconds" ]
date -u -d "@$seconds" "$2"
