extension CompletionScript {
    static func fish(_ tables: CompletionTables) -> [String] {
        [note, "", fishHead] + switched("words", tables.words) + [""] + switched("options", tables.options) + [""]
            + switched("arguments", tables.arguments) + [""] + switched("values", tables.values) + ["", fishFoot]
    }

    private static let fishHead = """
        function __pgbastion
            set -l given (commandline -opc)[2..-1]
            set -l current (commandline -ct)
            set -l path
            set -l index 0
            set -l skip
            set -l previous
            for word in $given
                if test -n "$skip"
                    set skip
                    set previous
                else if string match -q -- '--*=*' $word
                    set previous
                else if string match -q -- '-*' $word
                    set previous $word
                    test -n "$(__pgbastion_values "$path $word")"; and set skip 1
                else if test $index -eq 0; and contains -- $word (__pgbastion_words "$path" | string replace -r '\\t.*' '')
                    set path (string trim -- "$path $word")
                else
                    set index (math $index + 1)
                end
            end
            set -l values
            test -n "$skip"; and set values (__pgbastion_values "$path $previous")
            set -l prefix ''
            if string match -q -- '--*=*' $current
                set -l option (string replace -r '=.*' '' -- $current)
                set prefix "$option="
                set values (__pgbastion_values "$path $option")
                set current (string replace -r '^[^=]*=' '' -- $current)
            end
            if test -z "$values"
                if string match -q -- '-*' $current
                    __pgbastion_options "$path"
                    return
                end
                if test $index -eq 0
                    set -l words (__pgbastion_words "$path")
                    if test -n "$words"
                        printf '%s\\n' $words
                        return
                    end
                end
                set values (__pgbastion_argument $index (__pgbastion_arguments "$path"))
            end
            switch "$values"
                case FILE
                    __fish_complete_path $current
                case VALUE ''
                    return
                case '@*'
                    set -l program (commandline -opc)[1]
                    $program __complete (string sub -s 2 -- $values) $given 2>/dev/null | string replace -r '^' -- $prefix
                case '*'
                    printf '%s\\n' (string split ' ' -- $values) | string replace -r '^' -- $prefix
            end
        end

        # The source of the argument at an index; one that ends with dots takes all that follow.
        function __pgbastion_argument
            set -l index $argv[1]
            for source in (string split ' ' -- "$argv[2..-1]")
                if test $index -eq 0; or string match -q -- '*...' $source
                    string replace -r '\\.\\.\\.$' '' -- $source
                    return
                end
                set index (math $index - 1)
            end
        end

        """

    private static let fishFoot = "complete -c pgbastion -f -a '(__pgbastion)'"

    /// Candidates with their meaning behind a tabulator, a line each; sources without one.
    private static func switched(_ name: String, _ rows: [CompletionTables.Row]) -> [String] {
        ["function __pgbastion_\(name)", "    switch \"$argv[1]\""]
            + rows.flatMap { row in
                let isDescribed = row.entries.contains { !$0.meaning.isEmpty }
                let lines = row.entries.map { quoted($0.meaning.isEmpty ? $0.text : "\($0.text)\t\($0.meaning)") }
                let shown = isDescribed ? lines : [quoted(row.texts)]
                return [
                    "        case \(row.patterns.map { quoted($0) }.joined(separator: " "))",
                    "            printf '%s\\n' \(shown.joined(separator: " "))",
                ]
            } + ["    end", "end"]
    }
}
