import ClusterModel

/// Finds two live daemons that claim one member id (RA19): both are refused until one has been silent long enough.
///
/// Instants are raw nanoseconds, handed in.
struct IncarnationRegistry {
    private struct Claim {
        var connections = 0
        var lastHeard: Int64
    }

    /// Limit: beyond it, members without a connection are forgotten.
    private static let maximumMembers = 1024

    private var claims: [MemberID: [DaemonIncarnation: Claim]] = [:]
    let silence: Int64

    init(silence: Duration) { self.silence = silence.inNanoseconds }

    /// A hello of `incarnation` arrived. Incarnations in the answer are live as well: the hello is refused, and their
    /// connections are to be closed. Empty: it is welcome; call `opened` when it is used.
    mutating func rivals(of incarnation: DaemonIncarnation, for member: MemberID, now: Int64) -> [DaemonIncarnation] {
        var all = claims[member] ?? [:]
        all = all.filter { $0.key == incarnation || $0.value.lastHeard + silence > now }
        all[incarnation, default: Claim(lastHeard: now)].lastHeard = now
        claims[member] = all
        if claims.count > IncarnationRegistry.maximumMembers {
            claims = claims.filter { $0.key == member || $0.value.values.contains { $0.connections > 0 } }
        }
        return all.keys.filter { $0 != incarnation }.sorted()
    }

    mutating func opened(_ incarnation: DaemonIncarnation, for member: MemberID, now: Int64) {
        claims[member, default: [:]][incarnation, default: Claim(lastHeard: now)].connections += 1
    }

    mutating func heard(_ incarnation: DaemonIncarnation, for member: MemberID, now: Int64) {
        claims[member]?[incarnation]?.lastHeard = now
    }

    /// A connection ended. When the other side ended its last one the claim is gone at once: a restart must not wait.
    mutating func closed(_ incarnation: DaemonIncarnation, for member: MemberID, byRefusal: Bool) {
        guard var claim = claims[member]?[incarnation] else { return }
        claim.connections = max(0, claim.connections - 1)
        claims[member]?[incarnation] = claim.connections == 0 && !byRefusal ? nil : claim
        if claims[member]?.isEmpty == true { claims[member] = nil }
    }
}
