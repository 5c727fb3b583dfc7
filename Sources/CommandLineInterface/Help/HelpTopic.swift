import Operations

/// What `help` explains beside the commands.
enum HelpTopic: String, CaseIterable {
    case exitCodes = "exit-codes"
    case environment
    case output
    case conditions

    var text: String {
        switch self {
        case .exitCodes: Self.exitCodesText
        case .environment: Self.environmentText
        case .output: Self.outputText
        case .conditions: Self.conditionsText
        }
    }

    var title: String {
        switch self {
        case .exitCodes: "Exit codes"
        case .environment: "Environment variables"
        case .output: "Output"
        case .conditions: "Conditions"
        }
    }

    /// The meaning of each exit status (`cli.md` section 7), in order.
    static let exitStatuses: [(status: Int32, name: String, meaning: String)] = [
        (0, "ok", "done, or already so"),
        (1, "failed", "failed; nothing changed or fully rolled back"),
        (2, "findings", "a check, verification or plan found problems"),
        (3, "refused", "a precondition or the confirmation said no"),
        (4, "auth", "not authenticated or not allowed"),
        (5, "unavailable", "no endpoint, leader or quorum; retrying may help"),
        (6, "timeout", "deadline passed, outcome unknown or still running"),
        (7, "incomplete", "past the point of no return, a follow-up failed"),
        (8, "locked", "an operation, runbook or repository lock is held"),
        (9, "integrity", "checksum, digest or identity mismatch"),
        (10, "not_found", "unknown node, operation or directive"),
        (64, "usage", "wrong arguments, or a prompt is needed without a terminal"),
        (65, "data", "invalid input file"),
        (70, "internal", "a defect in pgbastion"),
        (74, "io", "disk full, write or fsync failed"),
        (78, "config", "configuration file invalid"),
        (130, "interrupted", "SIGINT; an operation that was started goes on"),
        (143, "terminated", "SIGTERM"),
    ]

    private static var exitCodesText: String {
        var table = TextTable("CODE", "NAME", "MEANING")
        for row in exitStatuses { table.add("\(row.status)", row.name, row.meaning) }
        return "Exit codes of pgbastion. A code not listed here means failure.\n\n" + table.text
    }

    /// The environment variables there are (`cli.md` section 13).
    static let variables: [(name: String, meaning: String)] = [
        ("PGBASTION_CONFIG", "as --config; the daemon reads it too"),
        ("PGBASTION_ADDR", "as --addr, several separated by commas"),
        ("PGBASTION_CONTEXT", "as --context"),
        ("PGBASTION_TOKEN_FILE", "as --token-file"),
        ("CREDENTIALS_DIRECTORY", "its file api-token is read as a token file"),
        ("PGBASTION_TOKEN", "the token itself; other processes of the user can see it, prefer a file"),
        ("PGBASTION_CACERT", "as --ca"),
        ("PGBASTION_CERT", "as --cert"),
        ("PGBASTION_KEY", "as --key"),
        ("PGBASTION_OUTPUT", "as --output"),
        ("PGBASTION_TIMEOUT", "as --timeout"),
        ("PGBASTION_NO_INPUT, CI", "as --no-input"),
        ("NO_COLOR, CLICOLOR_FORCE, TERM", "colours: none, in every case, none when dumb; --color has precedence"),
        ("PAGER", "shows the output of help on a terminal"),
        ("XDG_CONFIG_HOME", "its pgbastion/contexts.yaml has the clusters with names; default ~/.config"),
        ("XDG_CACHE_HOME", "its pgbastion/ has names for completion in the shell; default ~/.cache"),
        ("SUDO_USER", "who became root: kept in the audit log"),
        ("SOURCE_DATE_EPOCH", "time of the members of an archive"),
        ("NOTIFY_SOCKET, WATCHDOG_USEC, JOURNAL_STREAM", "set by systemd for the daemon"),
    ]

    private static var environmentText: String {
        var table = TextTable("VARIABLE", "MEANING")
        for variable in variables { table.add(variable.name, variable.meaning) }
        return "Environment variables. An option has precedence over its variable, a variable over\n"
            + "the context, the context over the configuration file.\n\n" + table.text
    }

    private static let outputText = """
        Standard output is data; standard error is progress, notes, warnings and errors.
        The text of tables may change in any release; json, jsonl, name, exit codes and
        error codes may not within a major version.

        -o table   for people (the default)
        -o wide    with more columns
        -o json    one document, also on failure:
                   format_version kind ok cluster node captured_at stale_seconds
                   request_id data warnings error
        -o jsonl   one object per line with type progress, event, record or result;
                   the last one is result and has the document in envelope
        -o yaml    the same document as -o json
        -o name    bare names, one per line

        --fields A,B          only these paths of data; one path prints its bare value:
                              pgbastion status --fields paused.active
                              pgbastion status --fields 'nodes[name=node2].lag_bytes'
        --filter PATH=VALUE   only rows that match:
                              pgbastion peer list --filter reachable=false -o name
        """

    private static let conditionsText = """
        Conditions of pgbastion wait; several must all hold.

        leader          a Raft leader is known
        quorum          a majority of the voters answers
        healthy         nothing is wrong in the cluster, or on the node named
        primary         a primary serves
        primary=NODE    NODE is the primary
        caught-up       every replica streams and is at most 10 MiB behind
        streaming       every replica streams
        role=ROLE       every node has this role: narrow it to one
        version=V       every node runs this version
        lag<=SIZE       no replica is further behind
        paused          automatic failover is paused
        resumed         automatic failover is on

        ,node=NODE behind a condition narrows it to one node:
        pgbastion wait healthy,node=node2 version=1.3.0,node=node2 --stable-for 10s
        """
}
