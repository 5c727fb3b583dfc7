import ClusterModel
import Operations

/// A named check: a pure function of the state document and its arguments (runbooks.md, section 6).
///
/// The ids are those of the catalogue's operations and of `doctor`; a runbook can add checks to an operation, never remove them.
package struct NamedCheck: Sendable {
    package struct Parameter: Sendable {
        package var name: String
        package var kind: ParameterDefinition.Kind
        package var isRequired: Bool
        package var defaultText: String?

        init(_ name: String, _ kind: ParameterDefinition.Kind, required: Bool = false, default defaultText: String? = nil) {
            self.name = name
            self.kind = kind
            isRequired = required
            self.defaultText = defaultText
        }
    }
    package var id: String
    package var summary: String
    package var parameters: [Parameter]
    /// Can be decided without a running cluster.
    package var isOffline: Bool
    private let judging: @Sendable (CheckSubject) -> ConditionResult

    init(
        _ id: String, _ summary: String, _ parameters: [Parameter] = [], offline: Bool = false,
        _ judging: @escaping @Sendable (CheckSubject) -> ConditionResult
    ) {
        self.id = id
        self.summary = summary
        self.parameters = parameters
        isOffline = offline
        self.judging = judging
    }

    /// - Parameters:
    ///   - arguments: An object; values as a runbook's references give them.
    ///   - contexts: State documents of other clusters, by the name of their context.
    package func judge(_ state: JSONValue, _ arguments: JSONValue, contexts: [String: JSONValue] = [:]) -> ConditionResult {
        for parameter in parameters where parameter.isRequired && (arguments[parameter.name] ?? .null) == .null {
            return ConditionResult(.unknown, "\(id): argument \(parameter.name) is not known")
        }
        return judging(CheckSubject(check: self, state: state, arguments: arguments, contexts: contexts))
    }

    package static let all: [NamedCheck] = clusterChecks + roleChecks + nodeChecks + versionChecks + backupChecks + offlineChecks
    private static let byID = Dictionary(all.map { ($0.id, $0) }) { first, _ in first }
    package static func named(_ id: String) -> NamedCheck? { byID[id] }
}

/// What a check looks at.
struct CheckSubject {
    let check: NamedCheck
    let state: JSONValue
    let arguments: JSONValue
    let contexts: [String: JSONValue]

    // MARK: Arguments

    private func value(_ name: String) -> JSONValue? {
        if let given = arguments[name], given != .null { return given }
        return check.parameters.first { $0.name == name }?.defaultText.map { .string($0) }
    }

    func text(_ name: String) -> String { value(name).map { ValueText.plain($0) } ?? "" }
    func bytes(_ name: String) -> UInt64? { value(name).flatMap { RunbookParameter.bytes($0) } }
    func integer(_ name: String) -> Int64? { value(name).flatMap { $0.integer ?? $0.string.flatMap { Int64($0) } } }
    func seconds(_ name: String) -> Double? { value(name).flatMap { $0.decimal ?? $0.string.flatMap { Quantity.duration($0)?.seconds } } }

    // MARK: State

    /// nil: not there, or null.
    func at(_ path: String, of element: JSONValue? = nil) -> JSONValue? {
        let found = (element ?? state).value(at: path.split(separator: ".").map(String.init))
        return found == .null || found?.unknownReason != nil ? nil : found
    }

    var nodes: [JSONValue] { state["nodes"]?.elements ?? [] }
    var dataNodes: [JSONValue] { nodes.filter { $0["role"]?.string != "witness" && $0["raft"]?["suffrage"]?.string != "none" } }
    func node(_ name: String) -> JSONValue? { nodes.first { $0["name"]?.string == name } }
    func name(_ node: JSONValue) -> String { node["name"]?.string ?? "a node" }

    // MARK: Results

    func pass(_ message: String, path: String? = nil, actual: String? = nil) -> ConditionResult {
        ConditionResult(.pass, path: path, actual: actual, message)
    }

    func fail(_ message: String, path: String? = nil, actual: String? = nil, expected: String? = nil) -> ConditionResult {
        ConditionResult(.fail, path: path, actual: actual, expected: expected, message)
    }

    func unknown(_ path: String) -> ConditionResult { ConditionResult(.unknown, path: path, "`\(path)` is not known") }

    /// `path` must be `wanted`.
    func flag(_ path: String, is wanted: Bool, or message: String) -> ConditionResult {
        guard let flag = at(path)?.bool else { return unknown(path) }
        return flag == wanted
            ? pass("`\(path)` is \(flag)", path: path, actual: "\(flag)")
            : fail(message, path: path, actual: "\(flag)", expected: "be \(wanted)")
    }

    /// Fails or is unknown as the first result that does not pass.
    func first(_ results: [ConditionResult], else message: String) -> ConditionResult {
        results.first { $0.status == .fail } ?? results.first { $0.status == .unknown } ?? pass(message)
    }

    /// The node, or the failed check.
    func withNode(_ judge: (JSONValue, String) -> ConditionResult) -> ConditionResult {
        let name = text("node")
        guard let node = node(name) else {
            let names = nodes.map { self.name($0) }
            let help = NameSuggestion.closest(to: name, among: names).map { "; did you mean \"\($0)\"?" } ?? ""
            return fail("there is no node \"\(Excerpt.of(name))\"\(help)", path: "nodes[name=\(name)]", expected: "be present")
        }
        return judge(node, name)
    }
}
