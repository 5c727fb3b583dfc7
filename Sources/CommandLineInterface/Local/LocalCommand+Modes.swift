import Operations

extension LocalCommandDefinition {
    /// The risk with these arguments: some parameters raise it.
    func risk(given arguments: ParsedArguments) -> OperationDefinition.Risk? {
        guard let risk else { return nil }
        let given = parameters.map(\.name).filter { arguments.isGiven($0) }
        return OperationDefinition(name: "", summary: "", parameters: parameters, risk: risk).risk(given: given)
    }

    /// Some of its arguments make it change something.
    var isEverConfirmed: Bool { ([risk] + parameters.map(\.raisesRiskTo)).contains { $0 != nil && $0 != .reads } }
}

extension LocalCommand {
    /// The last word of the name may be an option: `restore --bootstrap` gives a `RestoreBootstrapResult`.
    func resultKind(_ arguments: ParsedArguments) -> String {
        guard let mode = definition.modes.first(where: { arguments.isGiven($0) }) else { return definition.resultKind }
        return OperationDefinition(name: (definition.words + [mode]).joined(separator: "."), summary: "").resultKind
    }
}
