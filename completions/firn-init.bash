# Completion of firn-init, for bash 4 and later. The options are held against the
# program's by a test.

_firn_init() {
    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} i
    COMPREPLY=()
    if [[ ${COMP_WORDS[1]} == verify ]] && ((COMP_CWORD > 1)); then
        _firn_init_verify
        return
    fi
    if [[ $cur == = ]]; then
        cur=
    elif [[ $previous == = ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --system | --grace | --log-level)
            # The value, as the next word or after '='.
            [[ ${COMP_WORDS[i + 1]} != = ]] || ((i++))
            ((++i < COMP_CWORD)) || break ;;
        --) ((i++)) && break ;;
        -*) ;;
        *) break ;;
        esac
    done
    if ((i < COMP_CWORD)) || [[ ${COMP_WORDS[COMP_CWORD - 1]} == -- ]]; then
        _firn_init_command "$i"
        return
    fi
    case $previous in
    --system)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    --grace) COMPREPLY=($(compgen -W '0s 5s 10s 30s 1m 90s' -- "$cur")) ;;
    --log-level) COMPREPLY=($(compgen -W 'error warning info debug' -- "$cur")) ;;
    *)
        if [[ $cur == -* ]]; then
            COMPREPLY=($(compgen -W '--boot --system --grace --log-level -h --help --version' -- "$cur"))
        else
            mapfile -t COMPREPLY < <( ((COMP_CWORD > 1)) || compgen -W verify -- "$cur"; compgen -c -- "$cur")
        fi ;;
    esac
}

# _firn_init_verify completes the names of the units below --root.
_firn_init_verify() {
    local root= dir
    for ((i = 2; i < COMP_CWORD - 1; i++)); do
        [[ ${COMP_WORDS[i]} != --root ]] || root=${COMP_WORDS[i + 1]}
        [[ ${COMP_WORDS[i]}${COMP_WORDS[i + 1]} != --root= ]] || root=${COMP_WORDS[i + 2]}
    done
    if [[ $previous == --root || $cur == = || $previous == = ]]; then
        [[ $cur != = ]] || cur=
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
    elif [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W '--root -q --quiet -h --help' -- "$cur"))
    else
        mapfile -t COMPREPLY < <(
            for dir in {/etc,/run,/usr/local/lib,/usr/lib,/lib}/systemd/system; do
                cd "${root%/}$dir" 2>/dev/null && compgen -f -- "$cur"
            done | grep -E '\.(service|socket|target|timer|path|mount)$' | sort -u)
    fi
}

# _firn_init_command completes the command and its arguments, by the command's own
# completion where bash-completion is there.
_firn_init_command() {
    if ((COMP_CWORD > $1)) && declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif ((COMP_CWORD > $1)); then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -c -- "$cur")
    fi
}

complete -F _firn_init firn-init
