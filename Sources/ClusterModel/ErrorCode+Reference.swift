/// What the reference says of each error code: `pgbastion-errors(7)` and `docs/reference/errors.md`.
extension ErrorCode {
    /// A full sentence or two.
    package var meaning: String {
        switch self {
        case .failed: "The command failed. Nothing was changed, or everything was put back."
        case .preconditionFailed: "A named check said no. Nothing was changed."
        case .notLeader: "The node that was asked is not the leader, and forwarding was forbidden with --no-forward."
        case .nodeRunning: "The command works on the files of a node whose daemon runs."
        case .foreignState: "The other node holds the state of another cluster."
        case .onlyVoter: "The member is the only voter: without it there would be no cluster."
        case .removed: "This node was removed from the cluster; its old state is not taken back."
        case .notConfirmed: "The question was not answered with y, or the name typed was wrong. Nothing was sent."
        case .unauthenticated: "No token was given, or none could be read."
        case .forbidden: "The token was rejected, or its role does not allow this."
        case .rateLimited: "Too many requests from this address."
        case .unavailable: "No daemon could be reached, or it cannot answer now."
        case .noLeader: "The cluster has no leader at present: no majority of voters agrees."
        case .busy: "The node has too much to do to take this now."
        case .timeout: "The deadline passed. What was accepted goes on; its outcome is not known here."
        case .incomplete: "The point of no return was passed, and a later step failed. The cluster was changed."
        case .locked: "Another operation, runbook or repository user holds the lock; the message says which."
        case .integrity: "A checksum, digest or identity is not what it must be."
        case .corrupt: "Stored data is damaged."
        case .notFound: "There is no node, backup, operation, directive or context of that name."
        case .usage: "The arguments are wrong, or a question is needed and there is no terminal to ask on."
        case .invalidRequest: "The request has a field that is unknown, missing or not of its kind."
        case .methodNotAllowed: "The route is there, but not with this HTTP method."
        case .tooLarge: "The request body is larger than 1 MiB."
        case .invalidData: "An input file, such as a runbook, an archive or a state document, is not valid."
        case .internal: "A defect in pgbastion."
        case .io: "A file could not be read, written or made durable; the disk may be full."
        case .invalidConfiguration: "The configuration file is not valid."
        case .interrupted: "Ctrl-C. An operation that was accepted goes on in the cluster."
        case .terminated: "SIGTERM. An operation that was accepted goes on in the cluster."
        }
    }

    /// What to do, as full sentences; commands in backquotes.
    package var remedy: String {
        switch self {
        case .failed: "Read the detail lines; `pgbastion op list` shows what was tried."
        case .preconditionFailed:
            "The detail lines name the checks with what was found and what must hold. Repair that, or pass a check that can be "
                + "overridden with `--override CHECK`."
        case .notLeader: "Leave --no-forward out, or ask the node that `pgbastion leader` prints."
        case .nodeRunning: "Stop the daemon of this node first: `systemctl stop pgbastion`."
        case .foreignState: "If that state is not needed any more, run `pgbastion node reset` on that node, then try again."
        case .onlyVoter: "Add another member first with `pgbastion peer add`."
        case .removed: "Run `pgbastion node reset` there, start it, and add it again with `pgbastion peer add`."
        case .notConfirmed: "Run it again and confirm, or look first with --dry-run."
        case .unauthenticated: "Give the token of `api.auth_token` with --token-file, or use the unix socket on a member."
        case .forbidden: "The message names where the token came from: give the right one, or one with a higher role."
        case .rateLimited: "Wait for the time in the Retry-After header; the unix socket has no such limit."
        case .unavailable: "The detail lines list the addresses that were tried. Look with `systemctl status pgbastion`."
        case .noLeader: "Look with `pgbastion raft status` and `pgbastion peer list`; start members that are down."
        case .busy: "Try again in a moment."
        case .timeout: "Follow it with `pgbastion op wait ID`, or give more time with --timeout."
        case .incomplete: "The detail lines say what is left to do; `pgbastion op show ID` has every phase."
        case .locked: "Wait for it with `pgbastion op wait ID`, then try again."
        case .integrity: "Do not use the data. Compare with another copy or another node."
        case .corrupt: "Take another copy of the data; for a member, `pgbastion node reset` and add it again."
        case .notFound: "The hint has the name that was probably meant; the list commands print the names there are."
        case .usage: "The message says what is wrong; `--help` behind the command words explains all options."
        case .invalidRequest: "The message names the field; the hint has the nearest known one."
        case .methodNotAllowed: "The Allow header lists the methods."
        case .tooLarge: "Send less."
        case .invalidData: "The message has the place and the reason; correct the file."
        case .internal: "Report it with the message, the version and the log around the request id."
        case .io: "Look at free space and permissions of the path in the message."
        case .invalidConfiguration: "Run `pgbastion config validate`: it lists all errors with line and column."
        case .interrupted, .terminated: "Find it with `pgbastion op list`, follow it with `pgbastion op wait ID`."
        }
    }
}
