extension CompletionScript {
    static func zsh(_ tables: CompletionTables) -> [String] {
        ["#compdef pgbastion", note, "", zshHead] + function("words", tables.words) + [""]
            + function("arguments", tables.arguments) + [""]
            + function("values", tables.values, subject: "\"$1 $2\"") + [""] + described("words", tables.words) + [""]
            + described("options", tables.options) + [zshFoot]
    }

    /// `path` is the search path in zsh, hence `place`.
    private static let zshHead = """
        _pgbastion() {
            local place word values previous index skip program
            local -a candidates sources
            program=${words[1]}
            previous=${words[CURRENT-1]}
            if [[ ${words[CURRENT]} == --*=* ]]; then
                previous=${words[CURRENT]%%=*}
                compset -P '*='
            fi
            index=0
            for word in "${(@)words[2,CURRENT-1]}"; do
                if [[ -n $skip ]]; then
                    skip=
                elif [[ $word == --*=* ]]; then
                    continue
                elif [[ $word == -* ]]; then
                    [[ -n $(_pgbastion_values "$place" "$word") ]] && skip=1
                elif ((index == 0)) && [[ " $(_pgbastion_words "$place") " == *" $word "* ]]; then
                    place="${place:+$place }$word"
                else
                    index=$((index + 1))
                fi
            done
            [[ $previous == -* ]] && values=$(_pgbastion_values "$place" "$previous")
            if [[ -z $values ]]; then
                if [[ ${words[CURRENT]} == -* ]]; then
                    candidates=("${(@f)$(_pgbastion_described_options "$place")}")
                elif ((index == 0)); then
                    candidates=("${(@f)$(_pgbastion_described_words "$place")}")
                fi
                if [[ -n ${candidates[1]} ]]; then
                    _describe pgbastion candidates
                    return
                fi
                sources=(${=$(_pgbastion_arguments "$place")})
                values=$(_pgbastion_argument "$index" "${sources[@]}")
            fi
            case $values in
                FILE) _files; return ;;
                VALUE | '') return ;;
                @*) values=$("$program" __complete "${values#@}" "${(@)words[2,-1]}" 2>/dev/null) ;;
            esac
            compadd -- ${=values}
        }

        # The source of the argument at an index; one that ends with dots takes all that follow.
        _pgbastion_argument() {
            local index=$1 last
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

    private static let zshFoot = """

        if [[ ${funcstack[1]} == _pgbastion ]]; then
            _pgbastion "$@"
        else
            compdef _pgbastion pgbastion
        fi
        """

    /// Candidates with their meaning, a line each.
    private static func described(_ name: String, _ rows: [CompletionTables.Row]) -> [String] {
        ["_pgbastion_described_\(name)() {", "    case $1 in"]
            + rows.map { row in
                let lines = row.entries.map { quoted("\($0.text):\($0.meaning.replacing(":", with: " -"))") }
                return "        \(row.patterns.map(pattern).joined(separator: "|"))) print -rl -- "
                    + lines.joined(separator: " ") + " ;;"
            } + ["    esac", "}"]
    }
}
