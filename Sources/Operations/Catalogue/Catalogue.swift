/// Every operation, in the order in which help and reference list them.
package enum Catalogue {
    package static let all: [any CatalogueOperation.Type] = [
        StatusOperation.self, HealthOperation.self, LeaderOperation.self, VersionOperation.self, WaitOperation.self,
        PeerListOperation.self, PeerAddOperation.self, PeerPromoteOperation.self, PeerRemoveOperation.self,
        NodeShowOperation.self, NodeReinitOperation.self,
        SwitchoverOperation.self, FailoverOperation.self, PauseOperation.self, ResumeOperation.self,
        ReplicationStatusOperation.self, RoutesOperation.self, DirectiveListOperation.self,
        HealthHistoryOperation.self, HistoryOperation.self,
        RaftStatusOperation.self, RaftTransferOperation.self, RaftSnapshotOperation.self,
        OpListOperation.self, OpShowOperation.self, OpWaitOperation.self,
    ]

    package static let operations: [AnyOperation] = all.map { AnyOperation($0) }

    /// The operation with this canonical name; nil when there is none.
    package static func operation(named name: String) -> AnyOperation? {
        operations.first { $0.definition.name == name }
    }

    package static var names: [String] { operations.map(\.definition.name) }
}
