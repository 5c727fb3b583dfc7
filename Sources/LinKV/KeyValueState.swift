import FoundationEssentials

/// One operation on the map, as it stands in the Raft log.
package struct KeyValueCommand: Codable, Sendable, Hashable {
    package enum Action: Codable, Sendable, Hashable {
        case write(JSONValue)
        case compareAndSet(from: JSONValue, to: JSONValue, createsMissing: Bool)
    }

    package var key: JSONValue
    package var action: Action
    /// Who asked, and under which number: the same request delivered twice is carried out once.
    package var client: String
    package var requestID: Int64?

    package init(key: JSONValue, action: Action, client: String, requestID: Int64?) {
        self.key = key
        self.action = action
        self.client = client
        self.requestID = requestID
    }
}

package enum KeyValueOutcome: Codable, Sendable, Hashable {
    case done
    case missing
    case differs
    /// Too old to be remembered: whether it was carried out before is unknown.
    case forgotten
}

/// The replicated state machine: a map, and the newest answers to each client.
package struct KeyValueState: Codable, Sendable, Hashable {
    private struct Session: Codable, Sendable, Hashable {
        var outcomes: [Int64: KeyValueOutcome] = [:]
        var lastUsed: UInt64 = 0
    }

    /// Limit: answers remembered of one client.
    private static let rememberedOutcomes = 256
    /// Limit: clients remembered; the one that was silent longest goes first.
    private static let rememberedClients = 4096

    private var values: [JSONValue: JSONValue] = [:]
    private var sessions: [String: Session] = [:]
    private var applied: UInt64 = 0

    package init() {}

    package subscript(key: JSONValue) -> JSONValue? { values[key] }

    package mutating func apply(_ command: KeyValueCommand) -> KeyValueOutcome {
        applied += 1
        guard let id = command.requestID else { return perform(command) }
        var session = sessions[command.client] ?? Session()
        if let known = session.outcomes[id] { return known }
        let oldest = session.outcomes.keys.min() ?? id
        if session.outcomes.count >= KeyValueState.rememberedOutcomes {
            guard id > oldest else { return .forgotten }
            session.outcomes[oldest] = nil
        }
        let outcome = perform(command)
        session.outcomes[id] = outcome
        session.lastUsed = applied
        sessions[command.client] = session
        forgetClients()
        return outcome
    }

    private mutating func perform(_ command: KeyValueCommand) -> KeyValueOutcome {
        switch command.action {
        case .write(let value):
            values[command.key] = value
        case .compareAndSet(let from, let to, let createsMissing):
            guard let current = values[command.key] else {
                guard createsMissing else { return .missing }
                values[command.key] = to
                return .done
            }
            guard current == from else { return .differs }
            values[command.key] = to
        }
        return .done
    }

    private mutating func forgetClients() {
        guard sessions.count > KeyValueState.rememberedClients else { return }
        let silent = sessions.min { ($0.value.lastUsed, $0.key) < ($1.value.lastUsed, $1.key) }
        if let silent { sessions[silent.key] = nil }
    }
}

/// JSON with sorted keys, as log entries and snapshots hold it.
package enum StoredJSON {
    package static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        do {
            return try Array(encoder.encode(value))
        } catch {
            preconditionFailure("\(value) cannot be encoded: \(error)")
        }
    }

    /// - Precondition: `bytes` were made by `encode`.
    package static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            preconditionFailure("stored JSON is not a \(type): \(error)")
        }
    }
}
