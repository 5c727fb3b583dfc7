import ClusterModel

/// `vip.reassert`: the owner announces the virtual IP again, for switches and hosts that still know an old place.
package enum VIPReassertOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {}

    package static let definition = OperationDefinition(
        name: "vip.reassert", summary: "let the owner announce the virtual IP again",
        discussion: "Three gratuitous ARP packets (IPv6: neighbour advertisements) within a second, from the node that has the address.",
        risk: .disruptive, checks: ["vip.owner"], errorCodes: [.preconditionFailed, .unavailable, .timeout],
        examples: ["pgbastion vip reassert --yes"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> VIPOutput {
        let view = await context.gateway.view()
        guard let owner = view.vipOwner else {
            let why = VIPOutput(view).reason ?? "no node has it"
            throw BastionError(
                .preconditionFailed, "refused: no node has the virtual IP", detail: "check vip.owner: \(why). Nothing was changed",
                hint: "see `pgbastion vip status`", checks: [FailedCheck(id: "vip.owner", actual: why)])
        }
        var output = VIPOutput(view)
        if context.dryRun {
            output.plan = try OperationPlan(
                operation: "reassert", checks: [PlanCheck("vip.owner", true, or: "")],
                steps: ["\(owner) announces \(output.address ?? "the address") again"])
            return output
        }
        guard case .done(let summary) = try await context.ask(owner, .announceAddress) else {
            throw NodeReply.mismatch(.announceAddress)
        }
        output.summary = summary
        return output
    }
}
