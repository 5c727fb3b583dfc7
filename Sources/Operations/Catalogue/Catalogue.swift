/// Every operation, in the order in which help and reference list them.
package enum Catalogue {
    package static let all: [any CatalogueOperation.Type] = [
        StatusOperation.self, HealthOperation.self, LeaderOperation.self, VersionOperation.self, WaitOperation.self,
        PeerListOperation.self, PeerAddOperation.self, PeerPromoteOperation.self, PeerRemoveOperation.self,
        PeerShowOperation.self,
        NodeShowOperation.self, NodeDrainOperation.self, NodeUndrainOperation.self, NodeFenceOperation.self,
        NodeUnfenceOperation.self, NodeRestartOperation.self, NodeRestartHoldOperation.self, NodeRestartReleaseOperation.self,
        NodeRejoinOperation.self, NodeReinitOperation.self,
        SwitchoverOperation.self, FailoverOperation.self, PauseOperation.self, ResumeOperation.self,
        ReplicationStatusOperation.self, RoutesOperation.self, DirectiveListOperation.self, DirectiveShowOperation.self,
        DirectiveCancelOperation.self,
        HealthHistoryOperation.self, HistoryOperation.self,
        RaftStatusOperation.self, RaftTransferOperation.self, RaftSnapshotOperation.self,
        OpListOperation.self, OpShowOperation.self, OpWaitOperation.self, OpCancelOperation.self,
        TopologyOperation.self, ExplainOperation.self, EventsOperation.self,
        LogsOperation.self, MetricsOperation.self,
        ReplicationSlotsOperation.self, SlotDropOperation.self, ConnectionsOperation.self,
        RaftDigestOperation.self, RaftLogOperation.self, PostgresCheckpointOperation.self, StandbyPromoteOperation.self,
        PgconfigGetOperation.self, PgconfigSetOperation.self, PgconfigUnsetOperation.self, PgconfigDiffOperation.self,
        PgconfigPendingRestartOperation.self, StateExportOperation.self, AuditListOperation.self, AuditVerifyOperation.self,
        VIPStatusOperation.self, VIPReassertOperation.self,
        UpgradeCheckOperation.self, DoctorOperation.self, ConfigDiffOperation.self, ConfigReloadOperation.self,
        TokenCreateOperation.self, TokenListOperation.self, TokenRotateOperation.self, TokenRevokeOperation.self,
    ]

    package static let operations: [AnyOperation] = all.map { AnyOperation($0) }

    /// What programs of ours ask daemons for; in no command, document or suggestion.
    package static let hidden: [AnyOperation] = [
        AnyOperation(RunLockOperation.self), AnyOperation(RunBeatOperation.self), AnyOperation(RunReleaseOperation.self),
        AnyOperation(RunRecordOperation.self), AnyOperation(RunListOperation.self), AnyOperation(RunOutcomeOperation.self),
        AnyOperation(BackupRecordsOperation.self),
    ]

    /// The operation with this canonical name; nil when there is none.
    package static func operation(named name: String) -> AnyOperation? {
        operations.first { $0.definition.name == name } ?? hidden.first { $0.definition.name == name }
    }

    package static var names: [String] { operations.map(\.definition.name) }
}
