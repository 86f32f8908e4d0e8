#!/bin/bash
# Runs all tests of the build that `swift build --build-tests` made, and fails too if they left a process behind.
# Arguments go to `swift test`, e.g. --filter QMPTests. Without any, groups of tests run after each other: what keeps deadlines of
# microseconds needs the processors for itself. What boots machines comes last, some at once (tools/test-queue.py).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

export FERMATA_CACHE="${FERMATA_CACHE:-$PWD/.cache}"
# Children inherit it: what still carries it afterwards was started by these tests.
export FERMATA_TEST_RUN="$$-$RANDOM$RANDOM"

mkdir -p "$FERMATA_CACHE"
log="$FERMATA_CACHE/tests.log"
: >"$log"
status=0

# Tests skip what a developer's machine does not have. Where nobody looks at what was skipped, both QEMUs and PostgreSQL have to be there.
if [ "${CI:-}" = true ]; then
    for qemu in /usr/bin/qemu-system-x86_64 "$FERMATA_CACHE/qemu-10.0/bin/qemu-system-x86_64"; do
        "$qemu" --version >/dev/null 2>&1 || {
            printf 'error: %s does not run, and nothing may be skipped with CI=true: tools/setup.sh brings it\n' "$qemu"
            exit 1
        }
    done
    tools/postgresql.sh available || {
        printf 'error: nothing may be skipped with CI=true: tools/setup.sh brings it\n'
        exit 1
    }
fi

# Where nobody watches, a test that hangs must not take its log and all later ones with it. Longer than any group takes, and, of what
# boots machines, than any single test.
limit=()
limit_of_one=()
[ "${CI:-}" != true ] || limit=(timeout --kill-after=30 1200) limit_of_one=(--limit 900)

# Line by line, with the seconds since the start: of a run that was cut off, the log says where the time went.
logged() {
    "$@" 2>&1 | tee -a "$log" | while IFS= read -r line; do printf '%5d %s\n' "$SECONDS" "$line"; done
    return "${PIPESTATUS[0]}"
}

run() {
    local result=0
    logged "${limit[@]}" stdbuf -oL swift test --skip-build --disable-xctest "$@" || result=$?
    [ "$result" -eq 0 ] || status=1
    [ "$result" -ne 124 ] || printf 'error: the tests of "%s" did not end within %s s\n' "$*" "${limit[-1]}" | tee -a "$log"
}

# The runner itself: `swift test` keeps the build to itself for as long as it runs.
queue() {
    local binaries=("$(swift build --show-bin-path)"/*PackageTests.xctest)
    logged tools/test-queue.py "${limit_of_one[@]}" "${binaries[0]}" "$@" || status=1
}

if [ $# -gt 0 ]; then
    run "$@"
else
    # In two halves: all of them at once keep each other waiting for minutes.
    servers=(ControlInstanceTests ConsoleTests HypervisorRemoteTests)
    run "${servers[@]/#/--filter=}" --skip ClaimTests
    # Scenes and the guide's example are run by FermataTestingTests.
    run "${servers[@]/#/--skip=}" --skip JSONMemoryTests --skip HostClockTests --skip HypervisorTests --skip IntegrationTests --skip EndToEndTests \
        --skip FermataTestingTests --skip FermataTestingScenes --skip LabTests
    # It looks at this process's memory, which others would use beside it.
    run --filter JSONMemoryTests
    run --filter HostClockTests
    run --filter HypervisorTests
    # A claim on a simulation is lost by who is not heard of in time.
    queue ControlInstanceTests.ClaimTests IntegrationTests EndToEndTests FermataTestingTests
fi

# The processes that carry the mark, except this script and its subshells.
left_behind() {
    local environment process command
    for environment in /proc/[0-9]*/environ; do
        grep -qzFx "FERMATA_TEST_RUN=$FERMATA_TEST_RUN" "$environment" 2>/dev/null || continue
        process="${environment%/environ}"
        command="$(tr '\0' ' ' 2>/dev/null <"$process/cmdline")"
        case "$command" in "" | *tools/test.sh*) continue ;; esac
        printf '%s %s\n' "${process#/proc/}" "${command:0:200}"
    done
}

# A process that was told to end may need a moment.
[ -z "$(left_behind)" ] || sleep 3
while read -r process command; do
    printf 'left behind by a test: process %s: %s\n' "$process" "$command" | tee -a "$log"
    kill -KILL "$process"
    [ "$status" -ne 0 ] || status=1
done < <(left_behind)

# A log is read from its end: what failed and why stands there once more.
[ "$status" -eq 0 ] || tools/failures.sh "$log"
exit "$status"
