import ClusterModel
import Operations

/// Where in the runbooks the engine is: one runbook, its parameters and what its steps gave; a call makes another frame.
struct RunFrame {
    var runbook: Runbook
    /// Ids of the calls that lead here, each with a slash: `checklist/`.
    var prefix = ""
    /// Items of the loops that lead here: `node2`.
    var items: [String] = []
    /// Ids of the calls and loops around the present step.
    var containers: [String] = []
    var params: [String: JSONValue]
    var vars: [String: JSONValue] = [:]
    var outputs: [String: JSONValue] = [:]
    var loop: (name: String, item: JSONValue)?
    var depth = 0
    /// Of the calling step; a step may name its own.
    var context: String?

    /// `prefix` and the items that lead to it: where frozen variables are kept.
    var key: String { prefix + items.joined(separator: ",") }

    func path(_ step: RunbookStep) -> String { prefix + step.id.value }
    var item: String? { items.isEmpty ? nil : items.joined(separator: ",") }

    /// `step/item`, without the run's id.
    func key(_ step: RunbookStep) -> String { RunFrame.key(path(step), item) }
    static func key(_ path: String, _ item: String?) -> String { item.map { "\(path)/\($0)" } ?? path }

    func scope(_ state: JSONValue, run: JSONValue) -> EvaluationScope {
        var scope = EvaluationScope(state: state)
        scope.params = params
        scope.vars = vars
        scope.steps = outputs
        scope.run = run
        scope.loop = loop.map { (name: $0.name, item: $0.item) }
        return scope
    }
}

extension EvaluationScope {
    /// The arguments of a call; what is exactly a parameter that was not given is left out.
    ///
    /// - Returns: The arguments, or what about one of them is not known.
    func arguments(
        _ arguments: [Argument], of definition: OperationDefinition?, allowsUnknown: Bool = false
    ) -> Result<JSONValue, BastionError> {
        var members: [(String, JSONValue)] = []
        for argument in arguments {
            let value = value(of: argument.value)
            if isMissingParameter(argument.value) { continue }
            if !allowsUnknown, let reason = value.unknownReasonInside {
                return .failure(BastionError(.failed, "argument \"\(argument.name.value)\" is not known", detail: reason))
            }
            let kind = definition?.parameters.first { $0.name == argument.name.value }?.kind
            members.append((argument.name.value, kind == .textList && value.elements == nil ? .array([value]) : value))
        }
        return .success(.record(members))
    }

    private func isMissingParameter(_ value: ValueTemplate) -> Bool {
        guard case .text(let template) = value.content, let reference = template.soleReference, reference.root == .params,
            case .key(let name)? = reference.path?.steps.first
        else { return false }
        return (params[name.value] ?? .null).isNull
    }
}

extension JSONValue {
    /// Why something in this value is not known; nil when everything is.
    package var unknownReasonInside: String? {
        if let unknownReason { return unknownReason }
        switch self {
        case .array(let elements): return elements.lazy.compactMap(\.unknownReasonInside).first
        case .object(let members): return members.lazy.compactMap { $0.value.unknownReasonInside }.first
        default: return nil
        }
    }
}
