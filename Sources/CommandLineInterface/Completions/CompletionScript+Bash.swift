extension CompletionScript {
    static func bash(_ tables: CompletionTables) -> [String] {
        [note, "", bashHead] + function("words", tables.words) + [""] + function("options", tables.options) + [""]
            + function("arguments", tables.arguments) + [""] + function("values", tables.values, subject: "\"$1 $2\"")
            + ["", "complete -F _pgbastion pgbastion"]
    }

    /// bash splits `--node=x` into three words.
    private static let bashHead = """
        _pgbastion() {
            local current previous path word values index skip
            local -a sources
            current=${COMP_WORDS[COMP_CWORD]}
            previous=${COMP_WORDS[COMP_CWORD-1]}
            if [[ $current == "=" ]]; then
                current=
            elif [[ $previous == "=" ]]; then
                previous=${COMP_WORDS[COMP_CWORD-2]}
            fi
            path= index=0 skip=
            for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                if [[ -n $skip ]]; then
                    [[ $word == "=" ]] || skip=
                elif [[ $word == -* ]]; then
                    [[ -n $(_pgbastion_values "$path" "$word") ]] && skip=1
                elif ((index == 0)) && [[ " $(_pgbastion_words "$path") " == *" $word "* ]]; then
                    path=${path:+$path }$word
                else
                    index=$((index + 1))
                fi
            done
            values=
            [[ $previous == -* ]] && values=$(_pgbastion_values "$path" "$previous")
            if [[ -z $values && $current == -* ]]; then
                values=$(_pgbastion_options "$path")
            elif [[ -z $values ]]; then
                values=$(_pgbastion_words "$path")
                if ((index > 0)) || [[ -z $values ]]; then
                    read -r -a sources <<<"$(_pgbastion_arguments "$path")"
                    values=$(_pgbastion_argument "$index" "${sources[@]}")
                fi
            fi
            case $values in
                FILE) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                VALUE | '') COMPREPLY=(); return ;;
                @*) values=$("${COMP_WORDS[0]}" __complete "${values#@}" "${COMP_WORDS[@]:1}" 2>/dev/null) ;;
            esac
            mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
        }

        # The source of the argument at an index; one that ends with dots takes all that follow.
        _pgbastion_argument() {
            local index=$1 last=
            shift
            while (($# > 0)); do
                last=$1
                if ((index == 0)) || [[ $last == *... ]]; then
                    echo "${last%...}"
                    return
                fi
                index=$((index - 1))
                shift
            done
        }

        """
}
