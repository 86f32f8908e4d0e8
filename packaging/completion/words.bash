
# In the place of the generated one: 'compgen -W' would expand its words, and run what a file's name has in '$(…)'.
__fermata_add_completions() {
    local completion
    if [[ "${1}" == -W ]]; then
        while IFS='' read -r completion; do
            [[ "${completion}" != "${cur}"* ]] || COMPREPLY+=("${completion}")
        done <<<"${2}"
    else
        while IFS='' read -r completion; do
            COMPREPLY+=("${completion}")
        done < <(IFS=$'\n' compgen "${@}" -- "${cur}")
    fi
}

# Bash divides words at '@' (COMP_WORDBREAKS), but lab@s1 is one name. This puts words together again that have no space between them and an
# '@', asks as if the person had typed them so, and leaves away what stands before the '@' already.
_fermata_names() {
    local rest="${COMP_LINE:0:COMP_POINT}" word last=''
    local -a joined=()
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if [[ "${rest}" == [[:space:]]* || ${#joined[@]} -eq 0 || ("${last}" != *@ && "${word}" != @*) ]]; then
            joined+=("${word}")
        else
            joined[${#joined[@]} - 1]+="${word}"
        fi
        rest="${rest#"${rest%%[![:space:]]*}"}"
        rest="${rest#"${word}"}"
        last="${word}"
    done
    local -i count=${#joined[@]}
    local current="${joined[count - 1]}" previous=''
    ((count < 2)) || previous="${joined[count - 2]}"

    local -a COMP_WORDS=("${joined[@]}")
    local -i COMP_CWORD=$((count - 1))
    _fermata "${1}" "${current}" "${previous}"

    # Names are not files: bash would write lab\@s1.
    [[ "${COMPREPLY[*]}" != *@* ]] || compopt +o filenames 2>/dev/null
    # Bash puts what is offered in the place of what it takes for the word: from behind the '@' on, or from it on.
    local standing="${current%"${2}"}"
    [[ -z "${standing}" ]] || COMPREPLY=("${COMPREPLY[@]#"${standing}"}")
}

complete -o filenames -F _fermata_names fermata
