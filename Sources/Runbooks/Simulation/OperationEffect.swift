import ClusterModel
import Operations

/// What an operation does, as a pure function of the state document: for plans, tests, resuming and undoing.
package struct OperationEffect: Sendable {
    package var operation: String
    /// A second call with the same arguments changes nothing more.
    package var isIdempotent: Bool
    /// Changes the document and gives the operation's outputs.
    package var simulate: @Sendable (inout SimulatedState, OperationInvocation) throws(BastionError) -> JSONValue
    /// The document already is as the operation would make it.
    package var isSatisfied: @Sendable (SimulatedState, OperationInvocation) -> Bool
    /// What takes the effect back, from the arguments and the outputs; nil: nothing does, or nothing was changed.
    package var compensation: @Sendable (OperationInvocation, JSONValue) -> OperationInvocation?
    /// The checks the operation itself refuses with, with their arguments.
    package var checks: @Sendable (SimulatedState, OperationInvocation) -> [CheckInvocation]

    package init(
        _ operation: String, isIdempotent: Bool = true,
        simulate: @escaping @Sendable (inout SimulatedState, OperationInvocation) throws(BastionError) -> JSONValue,
        isSatisfied: @escaping @Sendable (SimulatedState, OperationInvocation) -> Bool = { _, _ in false },
        compensation: @escaping @Sendable (OperationInvocation, JSONValue) -> OperationInvocation? = { _, _ in nil },
        checks: @escaping @Sendable (SimulatedState, OperationInvocation) -> [CheckInvocation] = { _, _ in [] }
    ) {
        self.operation = operation
        self.isIdempotent = isIdempotent
        self.simulate = simulate
        self.isSatisfied = isSatisfied
        self.compensation = compensation
        self.checks = checks
    }

    /// Performs the operation on the document: a satisfied one succeeds and changes nothing.
    package func perform(on state: inout SimulatedState, _ call: OperationInvocation) throws(BastionError) -> JSONValue {
        let isSatisfied = isSatisfied(state, call)
        var outputs = isSatisfied ? .object([]) : try simulate(&state, call)
        if outputs["already_so"] == nil { outputs.setMember("already_so", .bool(isSatisfied)) }
        return outputs
    }

    package static let all: [String: OperationEffect] = {
        let list = roles + pauses + membership + nodeDuties + data + recovery + backups + others
        return Dictionary(list.map { ($0.operation, $0) }) { first, _ in first }
    }()

    /// Every operation has one; a read changes nothing and has no outputs that can be known.
    package static func of(_ operation: String) -> OperationEffect {
        all[operation] ?? OperationEffect(operation, simulate: { _, _ in .object([]) })
    }
}

/// An operation with its arguments.
package struct OperationInvocation: Sendable, Hashable {
    package var operation: String
    /// An object.
    package var arguments: JSONValue
    /// The run that calls; empty outside of one.
    package var runID: String

    package init(_ operation: String, _ arguments: JSONValue = .object([]), runID: String = "") {
        self.operation = operation
        self.arguments = arguments
        self.runID = runID
    }

    package func text(_ name: String) -> String? { arguments[name]?.string }
    package func flag(_ name: String) -> Bool { arguments[name]?.bool ?? false }

    package func list(_ name: String) -> [String] {
        arguments[name]?.elements?.compactMap(\.string) ?? text(name).map { [$0] } ?? []
    }

    /// NODE or `--to`.
    package var target: String? { text("to") ?? text("node") }

    /// Another operation of the same run.
    package func other(_ operation: String, _ arguments: [(String, JSONValue)] = []) -> OperationInvocation {
        OperationInvocation(operation, .record(arguments), runID: runID)
    }
}

/// A named check with its arguments.
package struct CheckInvocation: Sendable, Hashable {
    package var check: String
    package var arguments: JSONValue

    package init(_ check: String, _ arguments: [(String, JSONValue)] = []) {
        self.check = check
        self.arguments = .record(arguments)
    }
}

extension JSONValue {
    /// Nothing was changed by the call that had these outputs.
    package var saysAlreadySo: Bool { self["already_so"] == .bool(true) }
}
