/// One legal change of a guard's state, with what causes it (`failover.md` 4.7).
package struct GuardTransition: Sendable, Hashable {
    package var from: GuardState
    package var to: GuardState
    package var cause: String

    init(_ from: GuardState, _ to: GuardState, _ cause: String) {
        self.from = from
        self.to = to
        self.cause = cause
    }

    /// Every legal transition. `GuardCore` stops the process rather than make another one.
    package static let all: [GuardTransition] = [
        .init(.empty, .standby, "start as standby, adoption of a standby"),
        .init(.empty, .primary, "adoption in a cluster without a token"),
        .init(.empty, .armed, "lease"),
        .init(.empty, .fencing, "fence order, or a server nobody started here"),
        .init(.standby, .armed, "lease"),
        .init(.standby, .stopping, "stop order, SIGTERM"),
        .init(.standby, .empty, "postmaster ended, no process left"),
        .init(.standby, .fencing, "fence order, rogue promotion"),
        .init(.armed, .primary, "promotion, start in place, adoption of what was started in place"),
        .init(.armed, .stopping, "stop order, SIGTERM"),
        .init(.armed, .fencing, "lease over, fence order, rogue promotion"),
        .init(.primary, .stopping, "stop order, SIGTERM, end of a hold near"),
        .init(.primary, .armed, "postmaster ended, no process left"),
        .init(.primary, .empty, "adopted, and ended before its first lease"),
        .init(.primary, .fencing, "lease over, fence order"),
        .init(.stopping, .armed, "stopped, lease kept"),
        .init(.stopping, .empty, "stopped, no lease"),
        .init(.stopping, .fencing, "lease over, fence order, rogue promotion"),
        .init(.fencing, .fenced, "no process left"),
        .init(.fenced, .standby, "start as standby, adoption of a standby"),
        .init(.fenced, .primary, "adoption in a new cluster without a token"),
        .init(.fenced, .armed, "lease for a higher token"),
        .init(.fenced, .fencing, "fence order for a higher token, or a server nobody started here"),
    ]

    static func isLegal(from: GuardState, to: GuardState) -> Bool {
        from == to || all.contains { $0.from == from && $0.to == to }
    }
}
