import ClusterModel
import Operations

/// The commands that plan, run and test runbooks (cli.md, 3.8).
extension LocalCommandDefinition {
    package static let runbookRunCommands: [LocalCommandDefinition] = [
        runbookPlan, runbookRun, runbookResume, runbookRollback, runbookAbort, runbookStatus, runbookHistory, runbookUnlock, runbookTest,
    ]

    private static let parameters = ParameterDefinition(
        name: "param", kind: .textList, help: "NAME=VALUE of a parameter; may be repeated", example: "target=node2")
    private static let parameterFile = ParameterDefinition(name: "params_file", kind: .text, help: "parameters as a JSON object")
    private static let yes = ParameterDefinition(name: "yes", kind: .flag, help: "answer y/N questions with y")
    private static let confirm = ParameterDefinition(name: "confirm", kind: .textList, help: "text for a typed question; may be repeated")
    private static let report = ParameterDefinition(
        name: "report", kind: .textList, help: "json, junit, markdown or github, and a file; - is standard output", example: "junit=run.xml"
    )
    private static let runID = ParameterDefinition(name: "run", kind: .text, help: "id of the run", isRequired: true, position: 0)

    private static func connected(_ definition: LocalCommandDefinition) -> LocalCommandDefinition {
        var definition = definition
        definition.isConnected = true
        return definition
    }

    package static let runbookPlan = connected(
        LocalCommandDefinition(
            words: ["runbook", "plan"], summary: "show what a runbook would do, and whether it could",
            discussion: """
                Checks, steps with what they change, and the state afterwards, simulated from the live state, a file or
                builtin:NAME. The same input gives the same bytes. Ends with 3 when a precondition blocks, with 2 when the end is
                not certain.
                """,
            parameters: [
                runbookName, parameters, parameterFile,
                ParameterDefinition(
                    name: "state", kind: .text, help: "live, a file, or builtin:NAME", defaultText: "live", example: "builtin:healthy-3"),
                ParameterDefinition(name: "out", kind: .text, help: "write the plan to this file, for `runbook run --plan`"),
                ParameterDefinition(name: "timestamps", kind: .flag, help: "with times"), runbookDirectory,
            ],
            examples: [
                "pgbastion runbook plan switchover -p target=node2",
                "pgbastion runbook plan switchover -p target=node2 --state builtin:healthy-3",
            ],
            errorCodes: [.notFound, .invalidData, .preconditionFailed, .usage]))

    package static let runbookRun = connected(
        LocalCommandDefinition(
            words: ["runbook", "run"], summary: "run a runbook, with journal and lock",
            discussion: """
                Ctrl-C ends the run after the present operation; the steps under `always` still run. What was stopped or held goes
                on with `runbook resume`. --sandbox runs it on a throw-away cluster on this machine instead.
                """,
            parameters: [
                runbookName, parameters, parameterFile,
                ParameterDefinition(name: "plan", kind: .text, help: "refuse when this plan no longer fits"),
                ParameterDefinition(name: "dry_run", kind: .flag, help: "as `runbook plan` on the live state"),
                ParameterDefinition(name: "step", kind: .flag, help: "ask before each step"), yes, confirm,
                ParameterDefinition(name: "override", kind: .textList, help: "let this precondition not refuse"),
                ParameterDefinition(name: "from", kind: .text, help: "begin at this step; preconditions still count"),
                ParameterDefinition(name: "only", kind: .text, help: "only this step; preconditions still count"),
                ParameterDefinition(name: "allow_exec", kind: .flag, help: "manual steps may run their programs"), report,
                ParameterDefinition(name: "sandbox", kind: .flag, help: "on a throw-away cluster"),
                ParameterDefinition(name: "keep", kind: .flag, help: "with --sandbox: leave it running"), runbookDirectory,
            ],
            examples: [
                "pgbastion runbook run switchover -p target=node2 --yes", "pgbastion runbook run switchover -p target=node2 --sandbox",
            ],
            errorCodes: [
                .preconditionFailed, .notConfirmed, .failed, .timeout, .incomplete, .locked, .unavailable, .notFound, .invalidData, .usage,
            ]))

    package static let runbookResume = connected(
        LocalCommandDefinition(
            words: ["runbook", "resume"], summary: "go on with a run after its last finished step",
            parameters: [
                runID, ParameterDefinition(name: "retry_step", kind: .flag, help: "try a step again whose outcome is not known"),
                ParameterDefinition(name: "skip_step", kind: .flag, help: "such a step counts as done"),
                ParameterDefinition(name: "ack", kind: .text, help: "this manual step is done"),
                ParameterDefinition(name: "accept_changes", kind: .flag, help: "although the runbook has changed"), yes, confirm, report,
                runbookDirectory,
            ],
            examples: ["pgbastion runbook resume 20260217T020000Z-switchover-1a2b"],
            errorCodes: [.preconditionFailed, .notFound, .locked, .timeout, .incomplete]))

    package static let runbookRollback = connected(
        LocalCommandDefinition(
            words: ["runbook", "rollback"], summary: "undo the finished steps of a run, the last one first",
            parameters: [runID, report, runbookDirectory], examples: ["pgbastion runbook rollback 20260217T020000Z-switchover-1a2b"],
            errorCodes: [.incomplete, .failed, .notFound, .locked]))

    package static let runbookAbort = connected(
        LocalCommandDefinition(
            words: ["runbook", "abort"], summary: "end a run; the steps under `always` still run",
            parameters: [runID, report, runbookDirectory], examples: ["pgbastion runbook abort 20260217T020000Z-switchover-1a2b"],
            errorCodes: [.incomplete, .failed, .notFound, .locked]))

    package static let runbookStatus = connected(
        LocalCommandDefinition(
            words: ["runbook", "status"], summary: "show the newest run, or the one given",
            parameters: [ParameterDefinition(name: "run", kind: .text, help: "id of the run", position: 0)],
            examples: ["pgbastion runbook status"], risk: .reads, errorCodes: [.notFound]))

    package static let runbookHistory = connected(
        LocalCommandDefinition(
            words: ["runbook", "history"], summary: "list the runs there were", examples: ["pgbastion runbook history"], risk: .reads))

    package static let runbookUnlock = connected(
        LocalCommandDefinition(
            words: ["runbook", "unlock"], summary: "take the lock of a dead run away",
            parameters: [runID, ParameterDefinition(name: "confirm", kind: .text, help: "the id of a run that still lives")],
            examples: ["pgbastion runbook unlock 20260217T020000Z-switchover-1a2b"],
            errorCodes: [.preconditionFailed, .notFound, .noLeader]))

    package static let runbookTest = LocalCommandDefinition(
        words: ["runbook", "test"], summary: "run the scenario cases of runbooks",
        discussion: "On the simulator, without network and in virtual time, or with --on sandbox on real throw-away clusters.",
        parameters: [
            ParameterDefinition(name: "paths", kind: .textList, help: "test files or directories", position: 0, example: "runbooks/tests"),
            ParameterDefinition(name: "on", kind: .choice, help: "where", defaultText: "simulator", choices: ["simulator", "sandbox"]),
            ParameterDefinition(name: "coverage", kind: .flag, help: "tell what no case shows (RB090)"),
            ParameterDefinition(name: "only", kind: .text, help: "only the cases of this runbook"), report, runbookDirectory,
        ],
        examples: ["pgbastion runbook test runbooks/tests", "pgbastion runbook test --coverage --report junit=cases.xml"],
        errorCodes: [.failed, .invalidData, .notFound])
}
