import ClusterModel
import Operations

/// Turns what an operator gives into the typed values of a runbook's parameters (runbooks.md, 2.2).
package enum ParameterValues {
    /// Values of every parameter, null where an optional one was not given. Sizes are bytes; durations stay as written.
    ///
    /// - Parameters:
    ///   - given: From `-p` as text, or already typed from a file or a call.
    ///   - state: For parameters with `where`; nil: not checked.
    /// - Throws: `usage` naming the parameter: unknown, missing or not valid.
    package static func resolve(
        _ runbook: Runbook, given: [String: JSONValue], state: JSONValue?
    ) throws(BastionError) -> [String: JSONValue] {
        let known = runbook.parameters.map(\.name.value)
        if let stranger = given.keys.sorted().first(where: { !known.contains($0) }) {
            throw BastionError(
                .usage, "runbook \"\(runbook.name)\" has no parameter \"\(stranger)\"",
                hint: NameSuggestion.hint(for: stranger, among: known))
        }
        var values: [String: JSONValue] = [:]
        for parameter in runbook.parameters {
            let name = parameter.name.value
            guard let value = given[name], !value.isNull else {
                guard !parameter.isRequired else { throw missing(parameter) }
                values[name] =
                    try parameter.defaultValue.map { value throws(BastionError) in try typed(value, parameter, state: nil) } ?? .null
                continue
            }
            values[name] = try typed(value, parameter, state: state)
        }
        return values
    }

    /// Required parameters that `given` lacks: to be asked for on a terminal.
    package static func missing(_ runbook: Runbook, given: [String: JSONValue]) -> [RunbookParameter] {
        runbook.parameters.filter { $0.isRequired && (given[$0.name.value] ?? .null).isNull }
    }

    private static func missing(_ parameter: RunbookParameter) -> BastionError {
        let name = parameter.name.value
        return BastionError(
            .usage, "parameter \"\(name)\" is missing", detail: parameter.prompt, hint: "pass -p \(name)=\(example(parameter.kind))")
    }

    private static func example(_ kind: RunbookParameter.Kind) -> String {
        switch kind {
        case .node: "node2"
        case .nodes: "node1,node2"
        case .string, .path, .enum: "TEXT"
        case .integer: "3"
        case .boolean: "true"
        case .duration: "30s"
        case .bytes: "10MiB"
        case .backup: "latest"
        case .version: BuildInformation.version
        case .time: "2026-02-17T02:00:00Z"
        case .address: "10.0.1.4"
        }
    }

    private static func typed(_ value: JSONValue, _ parameter: RunbookParameter, state: JSONValue?) throws(BastionError) -> JSONValue {
        let result = value.string.map { parameter.value(from: $0) } ?? parameter.value(of: value)
        switch result {
        case .failure(let problem):
            throw BastionError(.usage, "parameter \"\(parameter.name.value)\": \(problem.message)", hint: problem.help)
        case .success(let typed):
            let names = typed.elements?.compactMap(\.string) ?? typed.string.map { [$0] } ?? []
            if parameter.kind == .node || parameter.kind == .nodes { try check(names, parameter, state) }
            return typed
        }
    }

    /// With `where`, a node must exist and match; without, any name will do.
    private static func check(_ names: [String], _ parameter: RunbookParameter, _ state: JSONValue?) throws(BastionError) {
        guard let filter = parameter.filter, let state, let nodes = state["nodes"]?.elements, !nodes.isEmpty else { return }
        let scope = EvaluationScope(state: state)
        let matching = nodes.filter { scope.matches(filter, $0) == .pass }.compactMap { $0["name"]?.string }
        guard let stranger = names.first(where: { !matching.contains($0) }) else { return }
        throw BastionError(
            .usage, "parameter \"\(parameter.name.value)\": \"\(stranger)\" is not one of the nodes it may be",
            hint: matching.isEmpty ? "no node matches at present" : "possible: \(matching.joined(separator: ", "))")
    }
}
