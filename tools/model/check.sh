#!/bin/bash
# Checks the model of the two-phase protocol, protocol.pml, with spin: what must hold does, and what must fail is found.
#
#   table      the steps in the model are those in transitions.txt, and each of them can be taken
#   holds      in every order of things all or none is done, nobody waits for ever, and there is no endless run
#   mutations  a deliberate mistake (-DM_…) is found: the check can fail
#
# Usage: check.sh [JOBS]. Needs spin and a C compiler. JOBS (2) runs at a time, each below 2 GB. Ends with 1 when anything is otherwise.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

jobs="${1:-2}"
[[ "$jobs" =~ ^[1-9][0-9]*$ ]] || { printf 'usage: check.sh [JOBS]\n' >&2; exit 2; }
for tool in spin cc; do
    command -v "$tool" >/dev/null || { printf 'check.sh: there is no %s (Debian: apt-get install spin gcc)\n' "$tool" >&2; exit 2; }
done
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
started="$SECONDS"
failures=0

fail() {
    printf 'FAILED: %s\n' "$*"
    failures=$((failures + 1))
}

# MARK: the table

# role from event to, of each T(…) but its definitions.
grep -v '^#define' protocol.pml | grep -oE '\bT\([^()]*\)' | sed -E 's/^T\(//; s/\)$//; s/, */ /g' |
    grep -v '^role from event to$' | sort -u >"$work/model.steps"
grep -vE '^(#|[[:space:]]*$)' transitions.txt | sort >"$work/table.steps"
while read -r line; do fail "transitions.txt has this twice: $line"; done < <(uniq -d "$work/table.steps")
while read -r line; do fail "not a step, 'role state event next': $line"; done < <(
    grep -vE '^[a-z]+ [A-Za-z]+ [A-Za-z]+ [A-Za-z]+$' "$work/table.steps" || true
)
while read -r line; do fail "in transitions.txt, not in protocol.pml: $line"; done < <(comm -13 "$work/model.steps" "$work/table.steps")
while read -r line; do fail "in protocol.pml, not in transitions.txt: $line"; done < <(comm -23 "$work/model.steps" "$work/table.steps")
printf 'table      %s steps\n' "$(wc -l <"$work/table.steps")"

# MARK: the runs

# kind | name | flags of the model | how: states, endless (pan -l), ltl NAME
runs=(
    # The protocol as it is meant.
    "holds|suspend, 2 hosts, 3 faults|-DN=2 -DFAULTS=3|states"
    "holds|resume, 2 hosts, 3 faults|-DN=2 -DFAULTS=3 -DRESUME|states"
    "holds|suspend, 3 hosts, 1 fault|-DN=3 -DFAULTS=1|states"
    "holds|resume, 3 hosts, 1 fault|-DN=3 -DFAULTS=1 -DRESUME|states"
    "holds|suspend, 2 hosts, 2 faults, database fails once|-DN=2 -DFAULTS=2 -DSTORE=1|states"
    "holds|resume, 2 hosts, 2 faults, database fails 3 times|-DN=2 -DFAULTS=2 -DSTORE=3 -DRESUME -DCOVER|states"
    "holds|suspend, 2 hosts, 1 fault, database fails 3 times|-DN=2 -DFAULTS=1 -DSTORE=3 -DCOVER|states"
    "holds|suspend, no endless run|-DN=2 -DFAULTS=1 -DSTORE=1|endless"
    "holds|resume, no endless run|-DN=2 -DFAULTS=1 -DSTORE=1 -DRESUME|endless"
    "holds|suspend, ltl settles|-DN=2 -DFAULTS=1 -DLTL|ltl settles"
    "holds|resume, ltl settles|-DN=2 -DFAULTS=1 -DRESUME -DLTL|ltl settles"

    # All in one process, as `fermata serve` alone has it.
    "holds|one process, suspend, 2 faults, database fails twice|-DN=2 -DFAULTS=2 -DSTORE=2 -DONE_DAEMON|states"
    "holds|one process, resume, 2 faults, database fails twice|-DN=2 -DFAULTS=2 -DSTORE=2 -DRESUME -DONE_DAEMON|states"

    "mutation|commit is told before the decision is recorded|-DM_EARLY_COMMIT -DN=2 -DFAULTS=1|states"
    "mutation|rollback, although a commit may be recorded|-DM_NO_READ_BACK -DN=2 -DFAULTS=1 -DSTORE=2|states"
    "mutation|a hypervisor goes on by itself when an armed handle expires|-DM_EXPIRES_ARMED -DN=2 -DFAULTS=1|states"
    "mutation|a commit is decided when the first has reported|-DM_FIRST_REPORT -DN=2 -DFAULTS=1|states"
    "mutation|a rollback leaves the checkpoint in its place|-DM_NO_WITHDRAW -DN=2 -DFAULTS=1|states"
    "mutation|a recovery presumes commit of a suspend that happened|-DM_PRESUMED_COMMIT -DN=2 -DFAULTS=1|states"
    "mutation|a new daemon forgets what was armed, suspend|-DM_FORGETS_ARMED -DN=2 -DFAULTS=1|states"
    "mutation|a new daemon forgets what was armed, resume|-DM_FORGETS_ARMED -DN=2 -DFAULTS=1 -DRESUME|states"

    "mutation|a new daemon leaves what was prepared, suspend|-DM_FORGETS_PREPARED -DN=2 -DFAULTS=1|states"
    "mutation|a new daemon leaves what was prepared, resume|-DM_FORGETS_PREPARED -DN=2 -DFAULTS=1 -DRESUME|states"
    "mutation|a rollback is told only to who said that it is armed, suspend|-DM_TELLS_ARMED_ONLY -DN=2 -DFAULTS=1|states"
    "mutation|a rollback is told only to who said that it is armed, resume|-DM_TELLS_ARMED_ONLY -DN=2 -DFAULTS=1 -DRESUME|states"
    "mutation|a commit of a resume leaves standing what did not go on|-DM_LEAVES_STANDING -DN=2 -DFAULTS=1 -DRESUME|states"
    "mutation|a rollback of a resume is told unrecorded|-DM_TELLS_UNRECORDED -DN=2 -DFAULTS=1 -DSTORE=1 -DRESUME|states"
    "mutation|the same in one process|-DM_TELLS_UNRECORDED -DN=2 -DFAULTS=1 -DSTORE=1 -DRESUME -DONE_DAEMON|states"
    "mutation|a rollback is told unrecorded while a commit is in doubt|-DM_TELLS_UNRECORDED -DN=2 -DFAULTS=1 -DSTORE=3|states"
)

# Leaves result (ok, bad or broken), states and seconds in the run's folder.
check() {
    local folder="$1" kind="$2" flags="$3" how="$4"
    # To optimise takes the compiler longer than most searches take.
    local optimise=-O0
    [[ "$flags" == *FAULTS=3* && "$flags" != *RESUME* ]] && optimise=-O2
    local -a defines options=(-m500000) compile=("$optimise" -w -DMEMLIM=1900)
    mkdir "$folder"
    cp protocol.pml "$folder"
    cd "$folder"
    read -ra defines <<<"$flags"
    case "$how" in
    endless)
        compile+=(-DNP)
        options+=(-l)
        ;;
    ltl*) options+=(-a -N "${how#ltl }") ;;
    *) compile+=(-DSAFETY) ;;
    esac
    local before="$SECONDS" found=none
    echo broken >result
    spin "${defines[@]}" -a protocol.pml >spin.out 2>&1 && cc "${compile[@]}" -o pan pan.c >cc.out 2>&1 || return 0
    nice ./pan -n "${options[@]}" >pan.out 2>&1 || true
    grep -q 'errors: 0' pan.out && found=nothing
    grep -qE '^pan:[0-9]+: (assertion violated|non-progress cycle|acceptance cycle|invalid end state)' pan.out && found=violation
    # An incomplete search proves nothing.
    grep -qE 'max search depth|memory exceeded|out of memory|Search not completed' pan.out && [[ "$found" == nothing ]] && found=none
    case "$kind,$found" in
    holds,nothing | mutation,violation) echo ok >result ;;
    *,none) ;;
    *) echo bad >result ;;
    esac
    sed -nE 's/^ *([0-9.e+]+) states, stored.*/\1/p' pan.out | tail -n 1 >states
    echo $((SECONDS - before)) >seconds
}

# What came before a violation that nobody expected.
tell() {
    local -a defines
    read -ra defines <<<"$2"
    [[ -f "$1/protocol.pml.trail" ]] || return 0
    grep -E '^pan:' "$1/pan.out" | cut -c 1-300
    (cd "$1" && spin "${defines[@]}" -t -p protocol.pml) 2>/dev/null |
        grep -E '\[(phase|stored|decision|checkpoint|step|aim|isUp|host\[[a-z]+\]\.(up|progress|journal|machines|answer|wire|ghosts)) = ' |
        sed -E 's/^ *[0-9]+:[[:space:]]*proc +([0-9]+) \(([A-Za-z]+):[0-9]+\) (protocol.pml:[0-9]+) \(state [0-9]+\)/process \1 \2, \3/' |
        grep -vE ':init:|\[host\[h\]' | tail -n 60
}

for index in "${!runs[@]}"; do
    IFS='|' read -r kind _ flags how <<<"${runs[index]}"
    while (($(jobs -rp | wc -l) >= jobs)); do wait -n || true; done
    (check "$work/$index" "$kind" "$flags" "$how") &
done
wait

total=0
for index in "${!runs[@]}"; do
    IFS='|' read -r kind name flags how <<<"${runs[index]}"
    folder="$work/$index"
    result="$(cat "$folder/result" 2>/dev/null || echo broken)"
    states="$(cat "$folder/states" 2>/dev/null || true)"
    states="$(printf '%.0f' "${states:-0}")"
    total=$((total + states))
    case "$kind,$result" in
    holds,ok) word='holds' ;;
    mutation,ok) word='found' ;;
    holds,bad) word='VIOLATED' ;;
    *,bad) word='NOT FOUND' ;;
    *) word='NOT COMPLETE' ;;
    esac
    printf '%-10s %-9s %9s states %3s s  %s\n' "$kind" "$word" "$states" "$(cat "$folder/seconds" 2>/dev/null || echo -)" "$name"
    [[ "$result" == ok ]] && continue
    fail "$name: $word ($flags)"
    if [[ "$result" == bad ]]; then
        tell "$folder" "$flags"
    else
        cat "$folder"/{spin,cc,pan}.out 2>/dev/null | tail -n 20
    fi
done

# Each step can be taken: the lines of those that were, in the runs with -DCOVER.
cat "$work"/*/pan.out | sed -n 's/^covered //p' | sort -un >"$work/covered"
grep -nE '\bT\([^()]*\)' protocol.pml | grep -vE '^[0-9]+:(#define| \*)' | while IFS=: read -r number text; do
    grep -oE '\bT\([^()]*\)' <<<"$text" | sed -E "s/^T\(//; s/\)$//; s/, */ /g; s/^/$number /"
done | awk 'NR == FNR { covered[$1]; next } $1 in covered { print $2, $3, $4, $5 }' "$work/covered" - | sort -u >"$work/taken.steps"
while read -r line; do fail "is never taken: $line"; done < <(comm -13 "$work/taken.steps" "$work/table.steps")

printf '%s runs, %s states, %s s\n' "${#runs[@]}" "$total" "$((SECONDS - started))"
((failures == 0)) || { printf '%s failures\n' "$failures"; exit 1; }
