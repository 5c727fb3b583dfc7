import ClusterModel

/// `op.list`: operations now and recent, newest first.
package enum OpListOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {}

    package struct Output: OperationOutput {
        package var operations: [OperationRow]
        package var text: String {
            guard !operations.isEmpty else { return "no operations" }
            var table = TextTable("ID", "NAME", "FROM", "TO", "STATE", "PHASE", "STARTED")
            for row in operations {
                table.add(
                    row.id, row.name, row.from.orDash, row.to.orDash, row.state.rawValue, row.phase, row.startedAt)
            }
            return table.text
        }
        package var names: [String] { operations.map(\.id) }
    }

    package static let definition = OperationDefinition(
        name: "op.list", summary: "list operations that run and that ran", examples: ["pgbastion op list"],
        aliases: ["ops"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        Output(operations: await context.gateway.view().operationRows)
    }
}

extension ClusterView {
    /// The running operation, then the finished ones, newest first.
    package var operationRows: [OperationRow] {
        ((operation.map { [$0] } ?? []) + recentOperations.filter { $0.id != operation?.id }).map(OperationRow.init)
    }

    package func requireOperation(_ id: String) throws(BastionError) -> OperationView {
        if let found = operation(id: id) { return found }
        throw BastionError(
            .notFound, "operation \"\(id.prefix(100))\" is not known",
            hint: "list operations with `pgbastion op list`")
    }
}
