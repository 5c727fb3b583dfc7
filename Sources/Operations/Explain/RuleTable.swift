/// One line for every rule and check that a decision may name (D69), for `explain` and its page of the documentation.
package enum RuleTable {
    package struct Rule: Sendable, Codable, Hashable {
        package var id: String
        package var text: String
        package init(id: String, text: String) {
            self.id = id
            self.text = text
        }
    }

    /// In the order of failover.md; checks last.
    package static let all: [Rule] = [protocolRules, duties, checks].flatMap { block in
        block.split(separator: "\n").map { line in
            let words = line.split(separator: " ", maxSplits: 1)
            return Rule(id: String(words[0]), text: words.count > 1 ? String(words[1]) : "")
        }
    }

    private static let byID = Dictionary(all.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })

    /// Case does not matter: `se4` is `SE4`.
    package static func rule(_ id: String) -> Rule? { byID[id] ?? byID[id.uppercased()] }

    /// A rule this release does not know keeps its id.
    package static func rules(_ ids: [String]) -> [Rule] { ids.map { byID[$0] ?? Rule(id: $0, text: "") } }

    /// The checks that requests are refused with.
    private static let checks = """
        node.is_replica the node is a replica
        node.healthy the node reports and is a candidate
        node.not_primary the node is not the primary
        node.unused the name or address belongs to no other member
        node.follows_primary the node follows the primary again
        replica.caught_up the replica streams and is not further behind than allowed
        no_long_transaction no transaction runs for longer than allowed
        no_base_backup no base backup is running
        replay_running replay is not paused on the replica
        no_operation_in_progress no other operation is in progress
        one_primary exactly one primary serves
        loss_within_limit not more may be lost than is allowed
        membership.removal_safe a majority of the remaining voters answers
        peer.reachable the node answers on its Raft port
        peer.caught_up the member has caught up
        peer.is_voter the member is a voter
        slot.inactive nobody streams from the slot
        slot.unused no member of the cluster needs the slot
        pgconfig.allowed the setting runs no program and does not belong to pgbastion
        """
}
