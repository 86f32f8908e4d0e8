#!/bin/bash
# Writes what bash, zsh and fish need to complete fermata's command line.
# Usage: completions.sh BINARY FOLDER        makes FOLDER/{fermata.bash,_fermata,fermata.fish}
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
binary="$1" folder="$2"

mkdir -p "$folder"
# The last line names the function that completes; ours goes in between. It is read by a shell, not run by one.
"$binary" --generate-completion-script bash | grep -vxF -e '#!/bin/bash' -e 'complete -o filenames -F _fermata fermata' >"$folder/fermata.bash"
cat "$root/packaging/completion/words.bash" >>"$folder/fermata.bash"
"$binary" --generate-completion-script zsh >"$folder/_fermata"
"$binary" --generate-completion-script fish >"$folder/fermata.fish"
