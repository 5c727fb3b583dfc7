/// One line of the decision record (PR8): what was decided or refused, by which rules, from which inputs, and who lost.
///
/// The lines are a hash chain: each carries the hash of the one before, so that a line that was changed or taken out shows.
package struct DecisionRecord: Sendable, Codable, Hashable {
    /// A node that could have been chosen, and what came of it.
    package struct Candidate: Sendable, Codable, Hashable {
        package var node: NodeName
        package var isChosen: Bool
        /// Why it was chosen or lost, beginning with a rule id.
        package var reason: String
        package init(node: NodeName, isChosen: Bool = false, reason: String) {
            self.node = node
            self.isChosen = isChosen
            self.reason = reason
        }
    }

    /// Counts up from 1; the first one kept may be later.
    package var number: UInt64 = 0
    /// Milliseconds of the leader's wall clock; display only (D9).
    package var at: Int64
    /// Stable, lower case: `primary.assigned`, `policy.refused`.
    package var kind: String
    package var text: String
    package var rules: [String]
    /// `policy`, or who asked.
    package var actor = DecisionRecord.policy
    package var requestID: RequestID?
    /// The words of whoever asked (`--reason`).
    package var reason: String?
    package var operationID: String?
    package var node: NodeName?
    /// Digest of the facts that decided: equal facts have the same.
    package var inputs: String?
    package var candidates: [Candidate] = []
    package var previous = ""
    package var hash = ""

    package static let policy = "policy"

    package init(at: Int64, kind: String = "policy.decided", rules: [String], text: String) {
        self.at = at
        self.kind = kind
        self.rules = rules
        self.text = text
    }

    package var isRefusal: Bool { kind.hasSuffix(".refused") }

    /// The hash this line must carry.
    package var expectedHash: String {
        var bytes: [UInt8] = []
        // The length before each part: no two lines have the same bytes.
        func add(_ part: String) {
            bytes += "\(part.utf8.count):".utf8
            bytes += part.utf8
        }
        add(previous)
        add("\(number)")
        add("\(at)")
        add(kind)
        add(text)
        add(rules.joined(separator: ","))
        add(actor)
        add(requestID?.rawValue ?? "")
        add(reason ?? "")
        add(operationID ?? "")
        add(node?.rawValue ?? "")
        add(inputs ?? "")
        for candidate in candidates {
            add(candidate.node.rawValue)
            add(candidate.isChosen ? "1" : "0")
            add(candidate.reason)
        }
        return SHA256.hex(bytes)
    }
}

extension [DecisionRecord] {
    /// Appends `record` as the next link of the chain, and drops the oldest beyond `limit`.
    package mutating func chain(_ record: DecisionRecord, keeping limit: Int) {
        var next = record
        next.number = (last?.number ?? 0) + 1
        next.previous = last?.hash ?? ""
        next.hash = next.expectedHash
        append(next)
        if count > limit { removeFirst(count - limit) }
    }

    /// The number of the first line that does not fit its hash or the line before it; nil: the chain is whole.
    package var firstBrokenLink: UInt64? {
        for (position, record) in enumerated() {
            guard record.hash == record.expectedHash else { return record.number }
            guard position > 0 else { continue }
            let before = self[position - 1]
            guard record.previous == before.hash, record.number == before.number + 1 else { return record.number }
        }
        return nil
    }
}

/// Rule ids such as `SE4` or `D19` inside a sentence, in the order of their first mention.
package enum RuleMention {
    private static let prefixes: Set<String> = [
        "PR", "AS", "RA", "ST", "CS", "LE", "GU", "DE", "SE", "SW", "AG", "PX", "VI", "D",
    ]

    package static func ids(in text: String) -> [String] {
        var found: [String] = []
        for word in text.split(whereSeparator: { !($0.isASCII && ($0.isLetter || $0.isNumber)) }) {
            let letters = word.prefix { $0.isUppercase }
            let digits = word.dropFirst(letters.count)
            guard prefixes.contains(String(letters)), !digits.isEmpty, digits.count <= 2, digits.allSatisfy(\.isNumber)
            else { continue }
            let id = String(word)
            if !found.contains(id) { found.append(id) }
        }
        return found
    }
}
