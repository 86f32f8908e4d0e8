#!/bin/sh
# day-after.sh TAG DATE: the guest's clock, as it said last, is in the day behind that one, as this host counts days.
set -eu
expected=$(date -u -d "$2 + 1 day" +%F)
found=$("$(dirname "$0")/guest-date.sh" "$1" +%F)
echo "the guest has $found, expected is $expected"
[ "$found" = "$expected" ]
