#!/bin/bash
# Checks the form of all sources; changes nothing. `make fmt` repairs what the Swift part finds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

swift format lint --strict --recursive --parallel Sources Tests docs/examples Package.swift
# File by file: packages under tools have folders of their own for what is built.
mapfile -t tools < <(find tools -name '*.swift' -not -path '*/.build/*')
swift format lint --strict --parallel "${tools[@]}"

# By their first line and not their name: some have no suffix.
mapfile -t scripts < <(grep -rlE '^#!/bin/(ba)?sh|^# shellcheck shell=' tools qemu-fixtures docs/examples .ci)
shellcheck --external-sources "${scripts[@]}"

mapfile -t programs < <(find tools qemu-fixtures Tests -name '*.py')
for program in "${programs[@]}"; do
    python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$program"
done

# Every file of the web console is in the program, and none that is not there.
tools/embed-web.py --check

printf '%s scripts, %s Python programs and all Swift sources are in order\n' "${#scripts[@]}" "${#programs[@]}"
