import ClusterModel
import Operations

/// The local commands about runbook files and state documents (cli.md, 3.8).
extension LocalCommandDefinition {
    package static let runbookFileCommands: [LocalCommandDefinition] = [
        runbookList, runbookShow, runbookDocs, runbookLint, runbookSchema, stateDiff, stateSchema,
    ]

    static let runbookDirectory = ParameterDefinition(
        name: "dir", kind: .text, help: "look for runbooks here first", example: "./runbooks")
    static let runbookName = ParameterDefinition(
        name: "name", kind: .text, help: "name of the runbook", isRequired: true, position: 0, example: "switchover")

    package static let runbookList = LocalCommandDefinition(
        words: ["runbook", "list"], summary: "list the runbooks there are",
        discussion: """
            Looks into --dir, /etc/pgbastion/runbooks.d, the directory of the shipped ones, and runbooks/ where the command is
            run. The first file of a name wins; one that hides another is marked.
            """,
        parameters: [runbookDirectory], examples: ["pgbastion runbook list", "pgbastion runbooks"], aliases: ["runbook", "runbooks"],
        risk: .reads)

    package static let runbookShow = LocalCommandDefinition(
        words: ["runbook", "show"], summary: "print a runbook", parameters: [runbookName, runbookDirectory],
        examples: ["pgbastion runbook show switchover"], risk: .reads, errorCodes: [.notFound])

    package static let runbookDocs = LocalCommandDefinition(
        words: ["runbook", "docs"], summary: "print a runbook as a page of documentation", parameters: [runbookName, runbookDirectory],
        examples: ["pgbastion runbook docs switchover > switchover.md"], risk: .reads, errorCodes: [.notFound, .invalidData])

    package static let runbookLint: LocalCommandDefinition = {
        var definition = LocalCommandDefinition(
            words: ["runbook", "lint"], summary: "look for mistakes in runbooks",
            discussion: """
                Everything that can be known without a cluster, with line and column. Ends with 65 when there are errors; with
                --strict with 2 when there are only warnings. Without FILE every runbook that can be found is checked. Files NAME.test.yaml
                are read as scenario tests.
                """,
            parameters: [
                ParameterDefinition(
                    name: "files", kind: .textList, help: "files to check", position: 0, example: "runbooks/switchover.yaml"),
                ParameterDefinition(name: "strict", kind: .flag, help: "warnings count as well"),
                ParameterDefinition(name: "guide", kind: .text, help: "operations guide whose anchors metadata.guide must name"),
                runbookDirectory,
            ],
            examples: ["pgbastion runbook lint", "pgbastion runbook lint mine.yaml --strict", "pgbastion runbook lint -o github"],
            errorCodes: [.invalidData, .notFound])
        definition.extraFormats = ["text", "github"]
        return definition
    }()

    package static let runbookSchema = LocalCommandDefinition(
        words: ["runbook", "schema"], summary: "print the JSON Schema of runbooks",
        discussion: "Draft 2020-12, for editors. `runbook lint` checks more.", examples: ["pgbastion runbook schema > runbook.schema.json"])

    package static let stateDiff = LocalCommandDefinition(
        words: ["state", "diff"], summary: "show what is different between two state documents",
        parameters: [
            ParameterDefinition(
                name: "before", kind: .text, help: "file, or builtin:NAME", isRequired: true, position: 0, example: "builtin:healthy-3"),
            ParameterDefinition(
                name: "after", kind: .text, help: "file, or builtin:NAME", isRequired: true, position: 1, example: "builtin:lagging"),
        ],
        examples: ["pgbastion state diff before.json after.json", "pgbastion state diff builtin:healthy-3 builtin:lagging"],
        risk: .reads, errorCodes: [.invalidData, .notFound])

    package static let stateSchema = LocalCommandDefinition(
        words: ["state", "schema"], summary: "print the JSON Schema of state documents", examples: ["pgbastion state schema"])
}
