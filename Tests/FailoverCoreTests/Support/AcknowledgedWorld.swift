import ClusterModel
import FailoverCore

/// One or two primaries in a row, commits acknowledged by their rules on random members, and random silent nodes.
///
/// The first primary `a` writes timeline 1, a second one `b`, appointed with everything acknowledged before, timeline 2
/// from the fork on. Every node has a true end of WAL; only a former primary that runs again may answer less.
struct AcknowledgedWorld {
    private var dice: Dice
    private let names = ["a", "b", "c", "d", "e"]

    init(seed: UInt64) { dice = Dice(seed: seed) }

    /// One placement: how many nodes were proven lossless, and a description if one of them lacks a commit.
    mutating func draw() -> (proven: Int, lost: String?) {
        let count = dice.roll(2..<6)
        let nodes = Array(names.prefix(count))
        let hasSecond = dice.chance(50)
        var ends: [String: WALPosition] = [:]
        for node in nodes { ends[node] = at(1, UInt64(dice.roll(1..<10))) }
        let first = drawRules(token: 1, primary: "a", nodes)
        let firstCommit = place(first, timeline: 1, primary: "a", low: 1, &ends)
        var rules = first
        var secondCommit: UInt64?
        var forks: [FencingToken: WALPosition] = [:]
        if hasSecond {
            // The fork is where the second primary's data ended, not before what was acknowledged.
            let fork = max(ends["b"]?.lsn.rawValue ?? 0, firstCommit ?? 0)
            ends["b"] = at(2, fork + UInt64(dice.roll(0..<5)))
            if dice.chance(70) { forks[FencingToken(2)] = at(2, fork) }
            for node in nodes where node > "b" && dice.chance(50) && (ends[node]?.lsn.rawValue ?? 0) <= fork {
                ends[node] = at(2, fork + UInt64(dice.roll(0..<5)))
            }
            let second = drawRules(token: 2, primary: "b", nodes)
            secondCommit = place(second, timeline: 2, primary: "b", low: fork + 1, &ends)
            rules += second
        }
        return judge(nodes, rules, ends, forks, firstCommit, secondCommit)
    }

    /// SE2: every acknowledged commit obeys at least one of the rules in the list.
    private mutating func drawRules(token: UInt64, primary: String, _ nodes: [String]) -> [AckRule] {
        (0..<dice.roll(1..<3)).map { _ in
            let members = nodes.filter { $0 != primary && dice.chance(70) }
            return rule(token, primary, members, members.isEmpty ? 0 : dice.roll(0..<members.count + 1))
        }
    }

    /// Acknowledges a commit under one of the rules: the primary and k members have it.
    private mutating func place(
        _ rules: [AckRule], timeline: UInt32, primary: String, low: UInt64, _ ends: inout [String: WALPosition]
    ) -> UInt64? {
        guard dice.chance(85) else { return nil }
        let commit = low + UInt64(dice.roll(0..<8))
        let chosen = dice.pick(rules)
        var holders = [primary]
        var members = chosen.members.map(\.node.rawValue)
        for _ in 0..<chosen.required { holders.append(members.remove(at: dice.roll(0..<members.count))) }
        for holder in holders where ends[holder].map({ $0 < at(timeline, commit) }) ?? true {
            ends[holder] = at(timeline, commit + UInt64(dice.roll(0..<2)))
        }
        return commit
    }

    private mutating func judge(
        _ nodes: [String], _ rules: [AckRule], _ ends: [String: WALPosition], _ forks: [FencingToken: WALPosition],
        _ first: UInt64?, _ second: UInt64?
    ) -> (proven: Int, lost: String?) {
        var answers: [NodeName: Pledge] = [:]
        var replaced: Set<String> = []
        for node in nodes where dice.chance(75) {
            guard let end = ends[node] else { continue }
            var given = answer(node, end, stopped: dice.chance(40))
            let isMember = rules.contains { $0.members.contains { $0.node.rawValue == node } }
            if !given.isStopped, dice.chance(30), !isMember, rules.contains(where: { $0.primary.node.rawValue == node }) {
                // A former primary that runs as a standby has not replayed its own end yet. A member must not
                // answer so (SE3).
                given.position.lsn = LSN(UInt64(dice.roll(0..<Int(end.lsn.rawValue) + 1)))
            }
            if dice.chance(15) {
                replaced.insert(node)
                given.dataID = dataOf(node, life: 2)
                given.position = at(1, UInt64(dice.roll(0..<10)))
                given.isStopped = false
            }
            answers[name(node)] = given
        }
        let fork = forks[FencingToken(2)].map { $0.lsn.rawValue } ?? 1_000
        let lineage = Lineage(of: TimelineID(2), records: [timeline(2, parent: 1, fork: fork)])
        let proof = LosslessProof(rules: rules, pledges: answers, lineage: lineage, forks: forks)
        var proven = 0
        for (node, given) in answers where proof.isLossless(given) {
            proven += 1
            let holds = replaced.contains(node.rawValue) ? given.position : ends[node.rawValue] ?? given.position
            let hasFirst = first.map { holds >= at(1, $0) } ?? true
            let hasSecond = second.map { holds >= at(2, $0) } ?? true
            if !hasFirst || !hasSecond {
                return (proven, "\(node) at \(holds); commits \(first ?? 0), \(second ?? 0); \(rules)")
            }
        }
        return (proven, nil)
    }
}
