# shellcheck shell=bash
# The bare-metal guests of the labs.

# Built anew when a source has changed.
build_ticker() {
    local sources="${root:?}/qemu-fixtures/ticker" output="$FERMATA_CACHE/ticker" digest
    digest="$(cat "$sources"/{build.sh,ticker.c,ticker.ld} | sha256sum)"
    if [ "$(cat "$output/.sources" 2>/dev/null)" != "$digest" ]; then
        quietly "$sources/build.sh" "$output"
        printf '%s\n' "$digest" >"$output/.sources"
    fi
    step ticker "for arm and riscv boards and s390x"
}
