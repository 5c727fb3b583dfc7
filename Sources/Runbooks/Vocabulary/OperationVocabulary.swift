import ClusterModel
import Operations

/// The operations that steps may name: those of the catalogue, those of this machine, and those of the sandbox.
package struct OperationVocabulary: Sendable {
    package static let standard = OperationVocabulary()
    private let entries: [String: OperationEntry]
    /// In the order of the catalogue.
    package let names: [String]

    private init() {
        var found: [OperationEntry] = Catalogue.operations.map { operation in
            OperationEntry(LocalOperations.completed(operation.definition), outputs: { operation.outputSchema })
        }
        found += BackupOperations.definitions.map { definition in
            OperationEntry(definition, outputs: { BackupOperations.outputSchema(of: definition.name) ?? .object([]) })
        }
        found += LocalOperations.all + SandboxOperations.all
        entries = Dictionary(found.map { ($0.name, $0) }) { first, _ in first }
        names = found.map(\.name)
    }

    package func entry(named name: String) -> OperationEntry? { entries[name] }

    /// The canonical name of an alias or of words with spaces: `reinit`, `peer add`.
    package func canonical(_ text: String) -> String? {
        let words = text.replacing(" ", with: ".")
        if entries[words] != nil { return words }
        return names.first { entries[$0]?.definition.aliases.contains(text) ?? false }
    }
}

/// One operation as runbooks see it.
package struct OperationEntry: Sendable {
    package var definition: OperationDefinition
    /// Fields of `${steps.ID.FIELD}`.
    private let outputSchema: @Sendable () -> JSONValue
    /// Only in `sandbox` lists and `setup`.
    package var isSandboxOnly = false

    init(_ definition: OperationDefinition, outputs: @escaping @Sendable () -> JSONValue) {
        self.definition = definition
        outputSchema = outputs
    }

    package var name: String { definition.name }
    /// Carried out on this machine by the runner itself; no daemon knows its idempotency key.
    package var isLocal: Bool { definition.scope == .offline }
    package var outputs: FieldType { StateSchema.type(of: outputSchema()) }

    /// The risk with these arguments; a value that is not known yet counts as given.
    package func risk(_ arguments: [Argument]) -> OperationDefinition.Risk {
        var risk = definition.risk
        for argument in arguments {
            guard let parameter = definition.parameters.first(where: { $0.name == argument.name.value }),
                let raised = parameter.raisesRiskTo,
                !OperationEntry.isOff(argument.value.constant)
            else { continue }
            if raised.rank > risk.rank { risk = raised }
        }
        return risk
    }

    package func isMutating(_ arguments: [Argument]) -> Bool { risk(arguments) != .reads }

    /// Name of the operation that takes the effect back; nil: there is none.
    package var compensation: String? { OperationEntry.compensations[name] }

    /// - Source: runbooks.md, section 6.
    private static let compensations = [
        "pause": "resume", "peer.add": "peer.remove", "node.drain": "node.undrain", "node.fence": "node.unfence",
        "node.restart-hold": "node.restart-release", "raft.recover": "raft.recover", "restore.bootstrap": "restore.undo",
    ]

    private static func isOff(_ value: RunbookValue?) -> Bool {
        switch value {
        case .bool(false)?, .null?: true
        case .number(let text)?: text == "0"
        case .string(let text)?: Quantity.bytes(text) == 0
        default: false
        }
    }
}
