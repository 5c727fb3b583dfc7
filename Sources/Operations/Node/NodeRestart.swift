import ClusterModel

/// `node.restart`: a node's PostgreSQL, or its daemon, ends and starts again.
package enum NodeRestartOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName
        package var postgres: Bool?
        package var daemon: Bool?
        package var hold: DurationValue?
        package init(node: NodeName, postgres: Bool? = nil, daemon: Bool? = nil, hold: DurationValue? = nil) {
            self.node = node
            self.postgres = postgres
            self.daemon = daemon
            self.hold = hold
        }
    }

    package struct Output: OperationOutput {
        package var node: NodeName
        /// `postgres` or `daemon`
        package var part: String
        /// false while it is only under way.
        package var restarted: Bool
        /// The restart hold of the daemon on the primary's node; 0 where none is needed.
        package var holdSeconds: Double
        /// For how long PostgreSQL did not answer; null while unknown.
        @Nullable package var downtimeSeconds: Double?
        @Nullable package var operationID: String?
        package var alreadySo: Bool
        package var summary: String
        @Nullable package var plan: OperationPlan?
        package var text: String { plan?.text ?? summary }
        package var names: [String] { [node.rawValue] }
    }

    package static let defaultHold = DurationValue(.seconds(60))

    package static let definition = OperationDefinition(
        name: "node.restart", summary: "restart a node's PostgreSQL or its daemon",
        discussion: """
            PostgreSQL: a checkpoint, a fast stop and a start. On the primary's node that happens in place, under the same lease: \
            nobody is promoted unless it does not come back. Settings that wait for a restart take effect. The daemon: on the \
            primary's node a restart hold is taken first, and PostgreSQL serves on.
            """,
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the node", isRequired: true, position: 0, example: "node2"),
            ParameterDefinition(name: "postgres", kind: .flag, help: "restart PostgreSQL (the default)"),
            ParameterDefinition(name: "daemon", kind: .flag, help: "restart pgbastion"),
            ParameterDefinition(
                name: "hold", kind: .duration, help: "with --daemon on the primary's node: promote nobody for so long",
                defaultText: "60s", limits: ParameterLimits(shortest: .seconds(1), latest: .seconds(600))),
        ],
        risk: .disruptive, scope: .leader, checks: ["no_operation_in_progress", "node.healthy"], isIdempotent: false,
        errorCodes: [.preconditionFailed, .locked, .notFound, .noLeader, .unavailable, .timeout, .failed, .invalidRequest],
        examples: ["pgbastion node restart node2 --yes", "pgbastion node restart node1 --daemon --hold 2m --yes"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let isDaemon = input.daemon == true
        guard !isDaemon || input.postgres != true else {
            throw BastionError(.invalidRequest, "\"postgres\" and \"daemon\" exclude each other", hint: "restart one after the other")
        }
        guard isDaemon || input.hold == nil else {
            throw BastionError(
                .invalidRequest, "\"hold\" needs \"daemon\"", hint: "PostgreSQL is restarted under its lease, without a hold")
        }
        let view = await context.gateway.view()
        let isPrimary = view.primary?.name == input.node && view.primary?.phase == "serving"
        var output = Output(
            node: input.node, part: isDaemon ? "daemon" : "postgres", restarted: false,
            holdSeconds: isDaemon && isPrimary ? (input.hold ?? defaultHold).seconds : 0, downtimeSeconds: nil, operationID: nil,
            alreadySo: false, summary: "", plan: nil)
        if context.dryRun {
            output.plan = try plan(input.node, isDaemon: isDaemon, isPrimary: isPrimary, output.holdSeconds, view)
            return output
        }
        if isDaemon {
            try await restartDaemon(input, view, &output, in: context)
        } else {
            try await restartServer(input.node, &output, in: context)
        }
        return output
    }

    private static func restartServer(
        _ node: NodeName, _ output: inout Output, in context: OperationContext
    ) async throws(BastionError) {
        let reply = try await context.submit(.restart(node: node))
        output.operationID = reply.operationID
        output.summary = reply.summary
        guard let id = reply.operationID, let finished = try await OperationFollower.outcome(of: id, in: context) else { return }
        output.restarted = true
        output.downtimeSeconds = finished.outageSeconds
        let outage = finished.outageSeconds.map { "; it did not answer for \(DecimalText.oneDigit($0)) s" } ?? ""
        output.summary = "PostgreSQL on \(node) was restarted\(outage)"
    }

    private static func restartDaemon(
        _ input: Input, _ view: ClusterView, _ output: inout Output, in context: OperationContext
    ) async throws(BastionError) {
        _ = try view.requireNode(input.node)
        let idle = view.checkIdle()
        guard idle.ok else {
            throw BastionError(.locked, idle.message, checks: [FailedCheck(id: idle.id)], operationID: view.operation?.id)
        }
        let life = try await context.ask(input.node, .incarnation)
        _ = try await context.ask(input.node, .restartDaemon(holdSeconds: input.hold?.seconds))
        output.summary = "the daemon of \(input.node) restarts; wait with `pgbastion wait healthy,node=\(input.node)`"
        // The daemon that answers this cannot wait for its own end.
        guard let limit = context.waitLimit, input.node != view.node else { return }
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: limit)
        while clock.now < deadline {
            do { try await clock.sleep(for: .milliseconds(200)) } catch { return }
            do throws(BastionError) {
                guard try await context.ask(input.node, .incarnation, limit: .seconds(1)) != life else { continue }
                output.restarted = true
                output.summary = "the daemon of \(input.node) was restarted; PostgreSQL served on"
                return
            } catch {
                continue  // It is away just now.
            }
        }
        throw BastionError(
            .timeout, "the daemon of \"\(input.node)\" did not come back within \(DurationValue(limit))",
            hint: "look with `systemctl status pgbastion` on \(input.node)")
    }

    private static func plan(
        _ name: NodeName, isDaemon: Bool, isPrimary: Bool, _ hold: Double, _ view: ClusterView
    ) throws(BastionError) -> OperationPlan {
        let node = try view.requireNode(name)
        let checks = [
            view.checkQuorum(), view.checkIdle(),
            PlanCheck("node.healthy", node.state != "unreachable", or: "node \"\(name)\" does not report"),
        ]
        var steps: [String] = []
        if isDaemon {
            if isPrimary { steps.append("take a restart hold of \(DecimalText.age(hold)): nobody is promoted") }
            steps += ["end the daemon of \(name); its supervisor starts it again", "PostgreSQL on \(name) serves on"]
        } else {
            if isPrimary { steps.append("checkpoint on \(name)") }
            steps += [
                "stop PostgreSQL on \(name); its sessions end", "start it again" + (isPrimary ? " in place, under the same lease" : ""),
            ]
        }
        return try OperationPlan(operation: "restart", checks: checks, steps: steps)
    }
}
