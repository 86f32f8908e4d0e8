# shellcheck shell=bash
# Schemathesis, which makes requests of docs/openapi.yaml, in a Python environment of its own: Debian 12 has no package of it. Every file
# is the one whose digest tools/api/requirements.txt names, or it is not installed.

api_folder="$FERMATA_CACHE/schemathesis"

prepare_api() {
    local wanted="${BASH_SOURCE[0]%/*}/../api/requirements.txt"
    if ! cmp -s "$wanted" "$api_folder/.requirements"; then
        step schemathesis "installing into $api_folder"
        rm -rf "$api_folder"
        quietly /usr/bin/python3 -m venv "$api_folder"
        quietly "$api_folder/bin/python" -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r "$wanted"
        # Written last: a set-up that was cut short starts this step again.
        cp "$wanted" "$api_folder/.requirements"
    fi
    step schemathesis "$("$api_folder/bin/python" -c 'import importlib.metadata as m; print(m.version("schemathesis"))')"
}
