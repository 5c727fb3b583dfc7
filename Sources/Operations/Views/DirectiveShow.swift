import ClusterModel

/// `directive.show`: one order of the leader to a node.
package enum DirectiveShowOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var id: String
    }

    package static let definition = OperationDefinition(
        name: "directive.show", summary: "show one of the leader's orders to nodes",
        parameters: [
            ParameterDefinition(
                name: "id", kind: .text, help: "id of the directive", isRequired: true, position: 0, example: "d-17")
        ],
        errorCodes: [.notFound], examples: ["pgbastion directive show d-17"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> DirectiveRow {
        DirectiveRow(try await context.gateway.view().requireDirective(input.id))
    }
}

/// `directive.cancel`: takes back an order that no node has begun to carry out.
package enum DirectiveCancelOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var id: String
    }

    package struct Output: OperationOutput {
        package var directive: DirectiveRow
        package var alreadySo: Bool
        package var summary: String
        @Nullable package var plan: OperationPlan?
        package var text: String { plan?.text ?? summary }
        package var names: [String] { [directive.id] }
    }

    package static let definition = OperationDefinition(
        name: "directive.cancel", summary: "take back an order that no node has begun",
        parameters: [
            ParameterDefinition(
                name: "id", kind: .text, help: "id of the directive", isRequired: true, position: 0, example: "d-17")
        ],
        risk: .disruptive, scope: .leader, checks: ["directive.pending"],
        errorCodes: [.preconditionFailed, .notFound, .noLeader], examples: ["pgbastion directive cancel d-17 --yes"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let before = try await context.gateway.view().requireDirective(input.id)
        if context.dryRun {
            let isOver = before.status == "cancelled"
            let check = PlanCheck("directive.pending", isOver || before.status == "pending", or: "it is \(before.status), not pending")
            let plan = try OperationPlan(
                operation: "cancellation", checks: [check], steps: [isOver ? "nothing: it is so already" : "cancel directive \(input.id)"])
            return Output(directive: DirectiveRow(before), alreadySo: isOver, summary: "", plan: plan)
        }
        let reply = try await context.submit(.cancelDirective(id: input.id))
        let after = await ViewWatch.first(of: context.gateway, limit: .seconds(5)) { view in
            view.directives.first { $0.id == input.id && $0.status == "cancelled" }
        }
        return Output(directive: DirectiveRow(after ?? before), alreadySo: reply.alreadySo, summary: reply.summary, plan: nil)
    }
}

extension DirectiveRow: OperationOutput {
    package var text: String {
        var table = TextTable("FIELD", "VALUE")
        table.add("id", id)
        table.add("type", type)
        table.add("node", targetNode.rawValue)
        table.add("status", status + (error.map { " (\($0))" } ?? ""))
        table.add("created", createdAt)
        table.add("completed", completedAt.orDash)
        table.add("expires", expiresAt.orDash)
        table.add("term", "\(term)")
        for (name, value) in params.sorted(by: { $0.key < $1.key }) { table.add(name, value) }
        return table.text
    }
    package var names: [String] { [id] }
}

extension ClusterView {
    func requireDirective(_ id: String) throws(BastionError) -> DirectiveView {
        if let found = directives.first(where: { $0.id == id }) { return found }
        throw BastionError(
            .notFound, "directive \"\(id.prefix(100))\" is not known", hint: "list directives with `pgbastion directive list`")
    }
}
