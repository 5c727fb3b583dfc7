import ClusterModel

/// One line of the decision record as commands show it.
package struct DecisionRow: Codable, Sendable, Hashable {
    package struct Candidate: Codable, Sendable, Hashable {
        package var node: NodeName
        package var chosen: Bool
        package var reason: String
    }
    package var number: UInt64
    package var at: String
    package var kind: String
    package var text: String
    package var refusal: Bool
    package var rules: [String]
    package var actor: String
    @Nullable package var node: NodeName?
    @Nullable package var operationID: String?
    @Nullable package var requestID: String?
    @Nullable package var reason: String?
    /// Digest of the facts that decided.
    @Nullable package var inputs: String?
    package var candidates: [Candidate]
    package var hash: String

    init(_ record: DecisionRecord) {
        number = record.number
        at = WallTime.text(milliseconds: record.at)
        kind = record.kind
        text = record.text
        refusal = record.isRefusal
        rules = record.rules
        actor = record.actor
        node = record.node
        operationID = record.operationID
        requestID = record.requestID?.rawValue
        reason = record.reason
        inputs = record.inputs
        candidates = record.candidates.map { Candidate(node: $0.node, chosen: $0.isChosen, reason: $0.reason) }
        hash = record.hash
    }
}
