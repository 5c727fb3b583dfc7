/// What `runbook lint` can find (runbooks.md, section 10). Numbers are a contract: they are never given a second meaning.
package enum LintRule: String, Sendable, Hashable, CaseIterable {
    case notYAML = "RB001", duplicateKey = "RB002", refusedFeature = "RB003", severalDocuments = "RB004", limit = "RB005"
    case ambiguousScalar = "RB006", notUTF8 = "RB007"
    case unknownKey = "RB010", missingKey = "RB011", wrongType = "RB012", valueNotAllowed = "RB013", badID = "RB014"
    case stepKind = "RB015", fileName = "RB016", requires = "RB017"
    case unknownReference = "RB020", unknownPath = "RB021", unknownOperation = "RB022", argument = "RB023"
    case operatorType = "RB024", unit = "RB025", listWithoutQuantifier = "RB026", unknownCheck = "RB027"
    case callCycle = "RB028", skippedStep = "RB029"
    case destructiveWithoutConfirm = "RB030", pauseWithoutEnd = "RB031", waitWithoutTimeout = "RB032"
    case mutatingWithoutUndo = "RB033", riskTooLow = "RB034", execWithoutCapability = "RB035"
    case noPostconditions = "RB036", unlockedChange = "RB037", undoNeverRuns = "RB038", manualWithoutSimulation = "RB039"
    case noGuide = "RB040", noHint = "RB041", unknownAnchor = "RB042", unused = "RB043", whenAndSkipIf = "RB044"
    case coverage = "RB090", unknownInTest = "RB091", badFixture = "RB092", sandboxOutside = "RB093"

    package var severity: RunbookDiagnostic.Severity {
        switch self {
        case .noPostconditions, .undoNeverRuns, .manualWithoutSimulation, .noGuide, .noHint, .unknownAnchor, .unused,
            .whenAndSkipIf:
            .warning
        default: .error
        }
    }

    /// One line for documentation.
    package var summary: String {
        switch self {
        case .notYAML: "the text is not valid YAML"
        case .duplicateKey: "a key is written twice"
        case .refusedFeature: "an anchor, alias, tag, merge key or directive"
        case .severalDocuments: "several documents in one file"
        case .limit: "the file, its depth or one text is too large"
        case .ambiguousScalar: "a plain scalar that readers understand differently"
        case .notUTF8: "the text is not UTF-8"
        case .unknownKey: "unknown key"
        case .missingKey: "missing key"
        case .wrongType: "wrong type"
        case .valueNotAllowed: "value not allowed"
        case .badID: "bad or duplicate id"
        case .stepKind: "a step has not exactly one kind"
        case .fileName: "metadata.name differs from the file name"
        case .requires: "metadata.requires does not take this version"
        case .unknownReference: "unknown reference"
        case .unknownPath: "unknown path into the state document"
        case .unknownOperation: "unknown operation"
        case .argument: "unknown, missing or ill-typed argument"
        case .operatorType: "the operator does not fit the type"
        case .unit: "the unit does not fit the field"
        case .listWithoutQuantifier: "a list without a quantifier"
        case .unknownCheck: "unknown check"
        case .callCycle: "runbooks call each other in a circle or too deep"
        case .skippedStep: "a reference to a step that may not have run"
        case .destructiveWithoutConfirm: "a destructive step without a typed confirm before it"
        case .pauseWithoutEnd: "a pause without `for`, or without a resume in `always`"
        case .waitWithoutTimeout: "a wait without timeout"
        case .mutatingWithoutUndo: "a change without undo and without point_of_no_return"
        case .riskTooLow: "metadata.risk is lower than that of a step"
        case .execWithoutCapability: "exec without the capability exec"
        case .noPostconditions: "a runbook that changes something has no postconditions"
        case .unlockedChange: "a runbook that changes something has lock: none"
        case .undoNeverRuns: "an undo behind a point of no return can never run"
        case .manualWithoutSimulation: "a manual step with done_when but without simulate"
        case .noGuide: "no metadata.guide"
        case .noHint: "a blocking precondition without a hint"
        case .unknownAnchor: "the guide has no such anchor"
        case .unused: "an unused parameter or variable"
        case .whenAndSkipIf: "when and skip_if on one step"
        case .coverage: "a gap in the tests of a runbook"
        case .unknownInTest: "a test names an unknown runbook, step or check"
        case .badFixture: "a fixture is not a valid state document"
        case .sandboxOutside: "a sandbox operation outside of sandbox and setup"
        }
    }
}
