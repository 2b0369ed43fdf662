# Completion of firn-kmod, and of the tools of kmod that are links to it, for
# bash 4 and later. The options are held against the program's by a test.

_firn_kmod_options() {
    case $1 in
    modprobe | insert | remove | config)
        echo '-a --all -r --remove --remove-dependencies --remove-holders -w --wait --first-time
            -i --ignore-install --ignore-remove -b --use-blacklist -f --force --force-modversion
            --force-vermagic -R --resolve-alias -D --show-depends -c --showconfig --show-config
            --show-modversions --dump-modversions --show-exports -n --dry-run --show -C --config
            -d --dirname -S --set-version -s --syslog -q --quiet -v --verbose --json -V --version
            -h --help' ;;
    insmod | rmmod) echo '-f --force -s --syslog -v --verbose -V --version -h --help' ;;
    lsmod | list) echo '-s --syslog -v --verbose --json -V --version -h --help' ;;
    modinfo)
        echo '-a --author -d --description -l --license -p --parameters -n --filename -0 --null
            -m --modname -F --field -k --set-version -b --basedir --json -V --version -h --help' ;;
    depmod)
        echo '-a --all -A --quick -b --basedir -m --moduledir -M --moduledir-default -o --outdir
            -C --config -e --errsyms -E --symvers -F --filesyms -n --dry-run --show
            -P --symbol-prefix -v --verbose -w --warn -V --version -h --help' ;;
    modules-load)
        echo '-n --dry-run -v --verbose --json -C --config -d --dirname -S --set-version
            -V --version -h --help' ;;
    static-nodes) echo '-f --format -o --output -b --basedir -k --set-version --json -h --help' ;;
    closure)
        echo '--firmware --firmware-dir --copy-to -C --config -d --dirname -S --set-version --json
            -h --help' ;;
    coldplug) echo '-n --dry-run -v --verbose -C --config -d --dirname -S --set-version --json -h --help' ;;
    check-config) echo '-f --file -k --set-version -v --verbose --json -h --help' ;;
    why) echo '-C --config -d --dirname -S --set-version -v --verbose --json -h --help' ;;
    *) echo '-V --version -h --help' ;;
    esac
}

# _firn_kmod_value TOOL OPTION completes an option's value, and fails if the
# option takes none.
_firn_kmod_value() {
    case $1:$2 in
    *:-S | *:--set-version | modinfo:-k | static-nodes:-k | check-config:-k)
        COMPREPLY=($(cd /lib/modules 2>/dev/null && compgen -d -- "$cur")) ;;
    static-nodes:-f | static-nodes:--format)
        COMPREPLY=($(compgen -W 'human tmpfiles devname' -- "$cur")) ;;
    modinfo:-F | modinfo:--field)
        COMPREPLY=($(compgen -W 'alias author depends description filename firmware import_ns intree
            license name parm retpoline softdep srcversion staging vermagic version' -- "$cur")) ;;
    modprobe:-d | insert:-d | remove:-d | config:-d | modules-load:-d | closure:-d | coldplug:-d | why:-d | \
        *:--dirname | modinfo:-b | static-nodes:-b | depmod:-[bmo] | *:--basedir | *:--moduledir | *:--outdir | \
        *:--firmware-dir | *:--copy-to)
        _firn_kmod_files -d ;;
    *:-C | *:--config | static-nodes:-o | static-nodes:--output | check-config:-f | check-config:--file | \
        depmod:-[EF] | depmod:--symvers | depmod:--filesyms)
        _firn_kmod_files -f ;;
    modprobe:-w | insert:-w | remove:-w | config:-w | *:--wait | depmod:-P | depmod:--symbol-prefix)
        COMPREPLY=() ;;
    *) return 1 ;;
    esac
    return 0
}

_firn_kmod_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}

# _firn_kmod_modules prints the names in modules.dep of the trees that the words
# or the environment name.
_firn_kmod_modules() {
    local release i dir
    local -a trees=()
    release=$(uname -r)
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
        -S | -k | --set-version) release=${words[i + 1]} ;;
        --set-version=*) release=${words[i]#*=} ;;
        -d | --dirname | -b | --basedir) [[ $tool == modinfo && ${words[i]} == -d ]] || trees+=("${words[i + 1]}") ;;
        --dirname=* | --basedir=*) trees+=("${words[i]#*=}") ;;
        esac
    done
    if ((${#trees[@]} == 0)) && [[ -n ${KMOD_TREES-} ]]; then
        IFS=: read -ra trees <<<"$KMOD_TREES"
    elif ((${#trees[@]} == 0)) && [[ -r /etc/kmod-trees ]]; then
        mapfile -t trees < <(sed "s/#.*//; s/^[[:space:]]*//; s/[[:space:]]*\$//; /^\$/d; s/%r/$release/g" /etc/kmod-trees)
    fi
    ((${#trees[@]})) || trees=(/)
    for dir in "${trees[@]}"; do
        [[ -r $dir/modules.dep ]] || dir=$dir/lib/modules/$release
        [[ -r $dir/modules.dep ]] && sed -n 's|^\([^:]*/\)\{0,1\}\([^/:]*\)\.ko[^:]*:.*|\2|p' "$dir/modules.dep"
    done
}

_firn_kmod_loaded() {
    cut -d ' ' -f 1 /proc/modules 2>/dev/null
}

_firn_kmod() {
    local cur cword tool first=0 i remove=
    local -a words
    # A '=' may have cut a word in three: join it again.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        if ((i > 1)) && [[ ${COMP_WORDS[i]} == = && ${COMP_WORDS[i - 1]} == --* ]]; then
            words[-1]+==
        elif ((i > 2)) && [[ ${COMP_WORDS[i - 1]} == = && ${COMP_WORDS[i - 2]} == --* ]]; then
            words[-1]+=${COMP_WORDS[i]}
        else
            words+=("${COMP_WORDS[i]}")
        fi
    done
    cword=$((${#words[@]} - 1)) cur=${words[-1]} tool=${words[0]##*/} COMPREPLY=()
    if [[ $tool == systemd-modules-load ]]; then
        tool=modules-load
    elif [[ $(_firn_kmod_options "$tool") == "$(_firn_kmod_options '')" ]]; then
        first=1 tool=${words[1]}
    fi
    if ((first && cword == 1)); then
        COMPREPLY=($(compgen -W 'modprobe insmod rmmod lsmod modinfo depmod list config static-nodes insert
            remove modules-load closure coldplug check-config why help version
            -V --version -h --help' -- "$cur"))
        return
    fi
    if [[ $cur == --*=* ]]; then
        local option=${cur%%=*}
        cur=${cur#*=}
        _firn_kmod_value "$tool" "$option"
        return
    fi
    if ((cword > first + 1)) && _firn_kmod_value "$tool" "${words[cword - 1]}"; then
        return
    fi
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$(_firn_kmod_options "$tool")" -- "$cur"))
        return
    fi
    for ((i = first + 1; i < cword; i++)); do
        case ${words[i]} in --remove | -r* | -[!dCSw-]*r*) remove=1 ;; esac
    done
    case $tool${remove:+:r} in
    rmmod* | remove* | modprobe:r | insert:r)
        COMPREPLY=($(compgen -W "$(_firn_kmod_loaded)" -- "$cur")) ;;
    modinfo*)
        if [[ $cur == */* || $cur == .* ]]; then
            _firn_kmod_files -f
        else
            COMPREPLY=($(compgen -W "$(_firn_kmod_modules)" -- "$cur"))
        fi ;;
    modprobe | insert | closure | why)
        COMPREPLY=($(compgen -W "$(_firn_kmod_modules)" -- "$cur")) ;;
    insmod | depmod | modules-load* | check-config) _firn_kmod_files -f ;;
    esac
}

complete -F _firn_kmod firn-kmod
# A modprobe that is kmod's own keeps the completion it has.
for _firn_kmod_name in modprobe insmod rmmod lsmod modinfo depmod; do
    [[ $(readlink -f "$(type -P "$_firn_kmod_name")") != */firn-kmod ]] || complete -F _firn_kmod "$_firn_kmod_name"
done
unset -v _firn_kmod_name
