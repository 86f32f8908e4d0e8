# shellcheck shell=bash
# Robot Framework, for the tests of its library: Debian has none. One release, by its digest, unpacked into the cache.

python_folder="$FERMATA_CACHE/python"
robot_release=7.5
robot_digest=5a194db36524604fafa1da89adebc837db9a95adf15ffd746e09ce98251e6c68

prepare_python() {
    if [ "$(cat "$python_folder/.release" 2>/dev/null)" != "$robot_release" ]; then
        step python "fetching Robot Framework $robot_release into $python_folder"
        rm -rf "$python_folder" "$python_folder.new"
        mkdir -p "$python_folder.new"
        printf 'robotframework==%s --hash=sha256:%s\n' "$robot_release" "$robot_digest" >"$python_folder.new/requirements"
        quietly /usr/bin/python3 -m pip install -q --no-deps --require-hashes --only-binary :all: --no-compile \
            --target "$python_folder.new" -r "$python_folder.new/requirements"
        # Written last: a set-up that was cut short starts this step again.
        printf '%s\n' "$robot_release" >"$python_folder.new/.release"
        mv "$python_folder.new" "$python_folder"
    fi
    step python "Robot Framework $robot_release"
}
