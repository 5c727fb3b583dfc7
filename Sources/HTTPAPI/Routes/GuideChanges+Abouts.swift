import ClusterModel
import Operations

extension GuideChanges {
    /// What is said of the guide's changes: their bodies are exactly these fields (Q03).
    enum Abouts {
        private static let wait = [RouteCall.waitField]

        static let addPeer = RouteAbout(
            "add a node to the cluster", rows: ["E03"], query: wait,
            body: [
                node("id", "name of the node", required: true),
                ParameterDefinition(
                    name: "address", kind: .address, help: "where its Raft port is reached: host, host:port or [::1]:port",
                    isRequired: true, example: "10.0.1.3:8300"),
                ParameterDefinition(name: "learner", kind: .flag, help: "stays a learner"),
            ], answers: [.json(200, "committed as a learner, or so already", PeerAddedShape.self)])

        static let removePeer = RouteAbout(
            "remove a node from the cluster", rows: ["E04"], query: wait,
            body: [
                node("id", "name of the node", required: true),
                ParameterDefinition(
                    name: "force", kind: .flag, help: "also when the quorum would be lost", raisesRiskTo: .destructive),
            ], answers: [.json(200, "removed", PeerRemovedShape.self)])

        static let transfer = RouteAbout(
            "move the Raft leadership", rows: ["E06"], query: wait,
            body: [node("to", "the new leader"), node("from", "only when this node leads")],
            answers: [.json(200, "another node leads", LeadershipShape.self)])

        static let failover = RouteAbout(
            FailoverOperation.definition.summary, rows: ["E12"], query: wait,
            body: [
                node("to", "the new primary"),
                ParameterDefinition(
                    name: "allow_data_loss", kind: .size, help: "promote although so much may be lost",
                    raisesRiskTo: .destructive),
            ], answers: changes(RoleChangeOutput.self))

        static let switchover = RouteAbout(
            SwitchoverOperation.definition.summary, rows: ["E13"], query: wait,
            body: [
                node("to", "the new primary"),
                ParameterDefinition(name: "max_lag", kind: .size, help: "how far behind it may be"),
            ], answers: changes(RoleChangeOutput.self))

        static let pause = RouteAbout(
            PauseOperation.definition.summary, rows: ["E14"], query: wait, body: PauseOperation.definition.parameters,
            answers: [.json(200, "paused, or so already", PausedShape.self)])

        static let resume = RouteAbout(
            ResumeOperation.definition.summary, rows: ["E15"], query: wait, body: [],
            answers: [.json(200, "resumed, or so already", PausedShape.self)])

        static let reinitialize = RouteAbout(
            "replace the data of a node", rows: ["E16"], query: wait,
            body: [
                node("node", "the node; without it the one that answers"), node("from", "the node to copy from"),
                ParameterDefinition(
                    name: "method", kind: .choice, help: "how", choices: ReinitializeMethod.allCases.map(\.rawValue)),
            ],
            answers: changes(NodeReinitOperation.Output.self))

        /// Without `wait` they start; with it they end.
        private static func changes<Output: OperationOutput>(_ output: Output.Type) -> [RouteAbout.Answer] {
            [
                RouteAbout.Answer(200, "the outcome that was waited for, or nothing to do") {
                    .record([
                        (
                            "anyOf",
                            .array([
                                SchemaReader.schema(of: FinishedShape<Output>.self),
                                SchemaReader.schema(of: StartedShape.self),
                            ])
                        )
                    ])
                },
                .json(202, "started; follow `href`", StartedShape.self),
            ]
        }

        private static func node(_ name: String, _ help: String, required: Bool = false) -> ParameterDefinition {
            ParameterDefinition(name: name, kind: .nodeName, help: help, isRequired: required, example: "node2")
        }
    }
}
