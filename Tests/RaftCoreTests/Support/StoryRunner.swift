import RaftCore

extension RaftMessage {
    /// `1->2 append t1 prev 0/0 [1/1 empty] commit 0 round 1`; a place in the log is written index/term.
    var line: String {
        let what =
            switch body {
            case .voteRequest(let m):
                "\(m.preVote ? "pre-vote?" : "vote?") t\(term) last \(m.lastIndex)/\(m.lastTerm)\(m.transfer ? " transfer" : "")"
            case .voteResponse(let m): "\(m.preVote ? "pre-vote" : "vote") t\(term) \(m.granted ? "granted" : "refused")"
            case .append(let m):
                "append t\(term) prev \(m.previousIndex)/\(m.previousTerm) [\(m.entries.map(\.text).joined(separator: ", "))]"
                    + " commit \(m.commitIndex) round \(m.round)"
            case .appendResponse(let m): "answer t\(term) \(m.text) round \(m.round)"
            case .snapshot(let m):
                "snapshot t\(term) of \(m.index)/\(m.snapshotTerm) bytes \(m.offset)..<\(m.offset + m.data.count)"
                    + " of \(m.totalBytes)"
            case .timeoutNow: "timeout-now t\(term)"
            }
        return "\(from)->\(to) \(what)"
    }
}

extension RaftMessage.AppendResponse {
    fileprivate var text: String {
        if let receivedBytes { return "has \(receivedBytes) bytes" }
        return success ? "match \(matchIndex)" : "refused, hint \(hintIndex)/\(hintTerm)"
    }
}

extension LogEntry {
    var text: String {
        switch kind {
        case .command: "\(index)/\(term) \(String(decoding: payload, as: UTF8.self))"
        case .empty: "\(index)/\(term) empty"
        case .membership: "\(index)/\(term) membership"
        }
    }
}

/// Carries out the commands of the story files on a `TestCluster`.
struct StoryRunner {
    private var cluster = TestCluster()

    mutating func run(_ command: String) -> String {
        command.split(separator: "\n").map { runLine(String($0)) }.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private mutating func runLine(_ line: String) -> String {
        let words = line.split(separator: " ").map(String.init)
        let name = words.first ?? ""
        let number = words.count > 1 ? Int(words[1]) ?? 0 : 0
        let rest = Array(words.dropFirst(2))
        if ["cluster", "log", "campaign", "propose", "tick", "member", "transfer", "read", "compact"].contains(name) {
            return act(name, words, number, rest)
        }
        switch name {
        case "settle": return settle(quiet: words.last == "quietly")
        case "deliver": return deliver(words[1])
        case "lose": return lose(words[1])
        case "isolate": cluster.isolated.insert(server(number))
        case "heal": cluster.isolated = []
        case "slow-disk": cluster.slowDisks.insert(server(number))
        case "write":
            cluster.servers[server(number)]?.write()
            cluster.slowDisks.remove(server(number))
        case "crash": cluster.crash(number)
        case "restart": cluster.restart(number)
        case "join": cluster.add(server(number))
        case "status": return status()
        case "entries": return entries(number)
        default: return "unknown command \(line)"
        }
        return ""
    }

    private mutating func act(_ name: String, _ words: [String], _ number: Int, _ rest: [String]) -> String {
        switch name {
        case "cluster":
            var settings = RaftSettings()
            settings.preVote = !rest.contains("without-pre-vote")
            settings.snapshotChunkBytes = rest.contains("tiny-chunks") ? 3 : settings.snapshotChunkBytes
            cluster = TestCluster(number, settings: settings)
            return ""
        case "log":
            cluster.setLog(number, terms: rest.compactMap { Int($0) })
            return ""
        case "campaign":
            cluster[number].campaign()
            return ""
        case "propose": return text(cluster[number].propose(Array(rest.joined(separator: " ").utf8)))
        case "tick":
            cluster[number].tick(Int(rest.first ?? "1") ?? 1)
            return "\(number) is \(cluster[number].role) in term \(cluster[number].term)"
        case "member": return member(number, rest.first ?? "")
        case "transfer": return text(cluster[number].transferLeadership(to: rest.first.flatMap { Int($0) }.map(server)))
        case "read":
            cluster[number].read(context: UInt64(rest.first ?? "") ?? 0)
            return ""
        default:
            let done = cluster.servers[server(number)]?.compact(keeping: Int(rest.first ?? "0") ?? 0) ?? false
            return done ? "first index \(cluster[number].firstIndex)" : "not possible"
        }
    }

    private mutating func member(_ number: Int, _ change: String) -> String {
        let id = server(Int(change.dropFirst(2)) ?? 0)
        switch change.prefix(2) {
        case "+v": return text(cluster[number].changeMembership(.addVoter(id)))
        case "+l": return text(cluster[number].changeMembership(.addLearner(id)))
        default: return text(cluster[number].changeMembership(.remove(id)))
        }
    }

    private func text<Value, Refusal>(_ result: Result<Value, Refusal>) -> String {
        switch result {
        case .success(let receipt as ProposalReceipt): "accepted as \(receipt.index)/\(receipt.term)"
        case .success(let value): "to \(value)"
        case .failure(let refusal): "refused: \(refusal)".replacing("RaftCore.", with: "")
        }
    }

    /// Delivers everything, prints every message and what came of it.
    private mutating func settle(quiet: Bool) -> String {
        var lines: [String] = []
        let before = cluster
        cluster.collect()
        while !cluster.wire.isEmpty {
            let message = cluster.wire.removeFirst()
            let isCut =
                cluster.isolated.contains(message.from) || cluster.isolated.contains(message.to)
                || cluster.stopped.contains(message.to)
            lines.append(message.line + (isCut ? " (lost)" : ""))
            cluster.deliver(message)
        }
        return ((quiet ? [] : lines) + changes(since: before)).joined(separator: "\n")
    }

    private func matches(_ message: RaftMessage, _ link: String) -> Bool {
        link == "all" || "\(message.from)->\(message.to)" == link
    }

    private mutating func deliver(_ link: String) -> String {
        let before = cluster
        cluster.collect()
        let chosen = cluster.wire.filter { matches($0, link) }
        let link = link
        cluster.wire.removeAll { message in link == "all" || "\(message.from)->\(message.to)" == link }
        for message in chosen { cluster.deliver(message) }
        return (chosen.map(\.line) + changes(since: before)).joined(separator: "\n")
    }

    private mutating func lose(_ link: String) -> String {
        cluster.collect()
        let lost = cluster.wire.filter { matches($0, link) }
        cluster.wire.removeAll { message in link == "all" || "\(message.from)->\(message.to)" == link }
        return lost.map { "lost: \($0.line)" }.joined(separator: "\n")
    }

    private func changes(since before: TestCluster) -> [String] {
        cluster.ids.flatMap { id -> [String] in
            guard let old = before.servers[id], let new = cluster.servers[id] else { return [] }
            var lines: [String] = []
            if old.node.role != new.node.role || old.node.term != new.node.term {
                lines.append("\(id) is \(new.node.role) in term \(new.node.term)")
            }
            let applied = new.applied.dropFirst(old.applied.count).map(\.text)
            if !applied.isEmpty { lines.append("\(id) applied \(applied.joined(separator: ", "))") }
            if new.appliedIndex > old.appliedIndex, applied.isEmpty {
                lines.append("\(id) installed the snapshot of \(new.appliedIndex)")
            }
            for read in new.reads.dropFirst(old.reads.count) {
                lines.append("\(id) read \(read.context): " + (read.index.map { "at \($0)" } ?? "failed"))
            }
            return lines
        }
    }

    private func status() -> String {
        cluster.ids.compactMap { id in
            guard let node = cluster.servers[id]?.node else { return nil }
            if cluster.stopped.contains(id) { return "\(id) down" }
            let members = node.membership.voters.map(\.description) + node.membership.learners.map { "(\($0))" }
            return "\(id) \(node.role) term \(node.term) leader \(node.leader?.description ?? "-") commit \(node.commitIndex)"
                + " log \(node.firstIndex)...\(node.lastIndex) members \(members.joined(separator: " "))"
        }.joined(separator: "\n")
    }

    private func entries(_ number: Int) -> String {
        let node = cluster[number]
        return node.entries(from: node.firstIndex, to: node.lastIndex).map(\.text).joined(separator: ", ")
    }
}
