import ClusterModel

/// `replication.slots`: the slots of every node, and how much WAL they hold back.
package enum ReplicationSlotsOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {}

    package struct Output: OperationOutput {
        package var slots: [ReplicationOutput.Slot]
        package var names: [String] { slots.map { "\($0.node)/\($0.name)" } }
        package var text: String {
            var table = TextTable("NODE", "SLOT", "TYPE", "ACTIVE", "RETAINED", "WAL_STATUS", "MANAGED")
            for slot in slots {
                table.add(
                    slot.node.rawValue, slot.name, slot.type, slot.active ? "yes" : "no",
                    slot.walBytes.map { SizeValue(bytes: $0).description } ?? "-", slot.walStatus ?? "-",
                    slot.managed ? "yes" : "no")
            }
            return table.text
        }
    }

    package static let definition = OperationDefinition(
        name: "replication.slots", summary: "list replication slots and the WAL they retain",
        examples: ["pgbastion replication slots", "pgbastion slots"], aliases: ["slots"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        Output(slots: await context.gateway.view().slots)
    }
}

/// `slot.drop`: a slot that nobody uses and no member needs.
package enum SlotDropOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName
        package var slot: String
    }

    package struct Output: OperationOutput {
        package var node: NodeName
        package var name: String
        @Nullable package var plan: OperationPlan?
        package var text: String { plan?.text ?? "slot \"\(name)\" on \(node) is dropped" }
        package var names: [String] { [name] }
    }

    package static let definition = OperationDefinition(
        name: "slot.drop", summary: "drop a replication slot that nobody needs",
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the node that has the slot", isRequired: true, position: 0, example: "node1"),
            ParameterDefinition(
                name: "slot", kind: .text, help: "its name", isRequired: true, position: 1, example: "old_subscriber"),
        ],
        risk: .disruptive, checks: ["slot.inactive", "slot.unused"], errorCodes: [.preconditionFailed, .notFound, .unavailable],
        examples: ["pgbastion slot drop node1 old_subscriber --yes"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        let node = try view.requireNode(input.node)
        guard let slot = view.slots.first(where: { $0.node == input.node && $0.name == input.slot }) else {
            let known = node.slots.map(\.name)
            throw BastionError(
                .notFound, "slot \"\(input.slot.prefix(64))\" does not exist on \"\(input.node)\"",
                detail: known.isEmpty ? "It has no slots." : "It has: \(known.joined(separator: ", ")).",
                hint: "see `pgbastion replication slots`")
        }
        // The node's own slot is a leftover: a server does not stream from itself.
        let needed = slot.managed && slot.name != input.node.slotName
        let plan = try OperationPlan(
            operation: "slot drop",
            checks: [
                PlanCheck("slot.inactive", !slot.active, or: "slot \"\(slot.name)\" is in use"),
                PlanCheck("slot.unused", !needed, or: "slot \"\(slot.name)\" belongs to a member, which needs it"),
            ], steps: ["drop slot \"\(slot.name)\" on \(input.node)"])
        if context.dryRun { return Output(node: input.node, name: slot.name, plan: plan) }
        _ = try await context.ask(input.node, .inspect(.dropSlot(slot.name)), limit: .seconds(10))
        return Output(node: input.node, name: slot.name, plan: nil)
    }
}
