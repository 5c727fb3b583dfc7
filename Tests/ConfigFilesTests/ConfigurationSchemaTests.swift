import ClusterModel
import FoundationEssentials
import Testing

@testable import ConfigFiles

/// The schema and the reader agree on files in which each value is judged alone.
@Suite struct ConfigurationSchemaTests {
    private func schema() throws -> JSONAny {
        try JSONDecoder().decode(JSONAny.self, from: Data(ConfigurationSchema.text.utf8))
    }

    private static let base = "node:\n  name: node1\n  address: 10.0.1.1\n"

    private func reader(_ text: String) -> Bool {
        do {
            _ = try ConfigurationFile.parse(text: text, tokenFiles: .skip)
            return true
        } catch {
            return false
        }
    }

    @Test func `it is draft 2020-12, and knows every key and no other`() throws {
        let schema = try schema()
        #expect(schema["$schema"] == .text("https://json-schema.org/draft/2020-12/schema"))
        var names: [String] = []
        func collect(_ node: JSONAny, _ path: String) {
            for (name, value) in node["properties"]?.members ?? [:] {
                let key = path.isEmpty ? name : "\(path).\(name)"
                if value["properties"] == nil { names.append(key) } else { collect(value, key) }
            }
        }
        collect(schema, "")
        #expect(names.sorted() == ConfigurationFile.knownKeys.sorted())
    }

    @Test func `every key has a form that is not just any text where the reader wants more`() {
        let free = ConfigurationFile.keys.filter { $0.form == .text && $0.replacement == nil }.map(\.name)
        let known: Set<String> = [
            "cluster.peers", "node.address", "api.auth_token", "postgresql.connect_dsn", "postgresql.superuser",
            "postgresql.replication_user", "backup.ping_url", "backup.textfile", "standby_cluster.host", "tracing.exporter",
            "tracing.endpoint", "tracing.service_name",
        ]
        #expect(Set(free) == known)
    }

    @Test(arguments: [
        "", "version: 1\n", "memberlist:\n  bind_port: 7946\n", "cluster: {name: prod, peers: [10.0.1.2, 10.0.1.3]}\n",
        "cluster: {peers: 10.0.1.2}\n",
        "raft: {bind_port: 9300, bootstrap: true, election_timeout: 1s, log_level: WARN}\n", "raft: {heartbeat_timeout: 1s}\n",
        "log: {level: debug, format: json}\n", "failover: {pause_lease: 1m30s, max_lag_threshold: 0, fencing_enabled: true}\n",
        "failover: {confirmation_period: 0}\n", "proxy: {replica_max_lag: 16MiB, pool: {enabled: true, max_pool_size: 5}}\n",
        "proxy: {replica_max_lag: 1048576}\n", "vip: {address: 10.0.1.100/24, interface: eth0, follows: primary}\n",
        "api: {bind_address: [127.0.0.1, \"::1\"], port: 8081}\n", "postgresql: {clone_max_rate: unlimited, superuser: postgres}\n",
        "postgresql: {clone_max_rate: 50MiB}\n", "backup: {copy_to: [/a, /b], retention: {keep_last: 3}}\n",
        "tracing: {sample_rate: 0.5}\n",
        "standby_cluster: {host: other, port: 5432, slot: a_1}\n", "watchdog: {mode: off}\n", "metrics:\n",
    ]) func `both accept`(text: String) throws {
        let whole = text + Self.base
        #expect(reader(whole), "the reader refuses it")
        #expect(Schema.allows(try document(whole), by: try schema()), "the schema refuses it")
    }

    @Test(arguments: [
        "version: 2\n", "raft: {bind_prot: 1}\n", "unknown: 1\n", "raft: {bind_port: 70000}\n", "raft: {bind_port: \"8300\"}\n",
        "raft: {bootstrap: yes}\n", "raft: {bootstrap: 1}\n", "raft: {election_timeout: 5}\n", "raft: {election_timeout: soon}\n",
        "raft: {data_dir: relative}\n", "raft: [1]\n", "raft: {snapshot_retain: 0}\n", "log: {level: loud}\n", "log: {format: xml}\n",
        "failover: {fencing_enabled: false}\n", "failover: {split_brain_protection: false}\n", "failover: {max_lag_threshold: many}\n",
        "proxy: {pool: {max_pool_size: 0}}\n", "proxy: {pool: 5}\n", "api: {bind_address: {a: 1}}\n", "tracing: {sample_rate: 2}\n",
        "standby_cluster: {host: a, slot: A-1}\n", "watchdog: {mode: on}\n", "cluster: {name: -a}\n", "backup: {copy_to: [relative]}\n",
        "on_postmaster_crash: auto\n", "failover: {on_postmaster_crash: ignore}\n",
    ]) func `both refuse`(text: String) throws {
        let whole = text + Self.base
        #expect(!reader(whole), "the reader accepts it")
        #expect(!Schema.allows(try document(whole), by: try schema()), "the schema accepts it")
    }

    @Test func `what is required is required by both`() throws {
        for text in ["version: 1\n", "node: {name: a}\n", "node: {address: a}\n"] {
            #expect(!reader(text))
            #expect(!Schema.allows(try document(text), by: try schema()))
        }
    }

    @Test func `the guide's files pass the schema`() throws {
        for text in [GuideExamples.firstNode, GuideExamples.secondNode] { #expect(Schema.allows(try document(text), by: try schema())) }
    }

    /// YAML as editors hand it to a schema: plain scalars become numbers and flags.
    private func document(_ text: String) throws -> JSONAny {
        let read = YAMLDocument.read(Array(text.utf8), file: "t")
        return JSONAny(try #require(read.node))
    }
}

/// Any JSON value.
indirect enum JSONAny: Decodable, Equatable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([JSONAny])
    case object([String: JSONAny])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = Self.attempt({ try container.decode(Bool.self) }) {
            self = .flag(value)
        } else if let value = Self.attempt({ try container.decode(Double.self) }) {
            self = .number(value)
        } else if let value = Self.attempt({ try container.decode(String.self) }) {
            self = .text(value)
        } else if let value = Self.attempt({ try container.decode([JSONAny].self) }) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONAny].self))
        }
    }

    private static func attempt<T>(_ body: () throws -> T) -> T? {
        do { return try body() } catch { return nil }
    }

    init(_ node: YAMLNode) {
        if node.isNull {
            self = .null
            return
        }
        switch node.content {
        case .scalar(let text, let plain):
            if plain, text == "true" || text == "false" {
                self = .flag(text == "true")
            } else if plain, let number = Double(text) {
                self = .number(number)
            } else {
                self = .text(text)
            }
        case .sequence(let nodes): self = .list(nodes.map(JSONAny.init))
        case .mapping(let entries): self = .object(Dictionary(uniqueKeysWithValues: entries.map { ($0.key, JSONAny($0.value)) }))
        case .invalid: self = .null
        }
    }

    subscript(name: String) -> JSONAny? { members?[name] }
    var members: [String: JSONAny]? { if case .object(let members) = self { members } else { nil } }
    var elements: [JSONAny]? { if case .list(let list) = self { list } else { nil } }
    var string: String? { if case .text(let text) = self { text } else { nil } }
    var double: Double? { if case .number(let number) = self { number } else { nil } }

    var type: String {
        switch self {
        case .null: "null"
        case .flag: "boolean"
        case .number(let number): number == number.rounded() ? "integer" : "number"
        case .text: "string"
        case .list: "array"
        case .object: "object"
        }
    }
}

/// The keywords of JSON Schema that the configuration's schema uses.
enum Schema {
    static func allows(_ value: JSONAny, by schema: JSONAny) -> Bool {
        guard let rules = schema.members else { return false }
        return rules.allSatisfy { allows(value, $0.key, $0.value, schema) }
    }

    private static func allows(_ value: JSONAny, _ keyword: String, _ rule: JSONAny, _ schema: JSONAny) -> Bool {
        switch keyword {
        case "type":
            let names = rule.elements?.compactMap(\.string) ?? [rule.string ?? ""]
            return names.contains(value.type) || (names.contains("number") && value.type == "integer")
        case "const": return value == rule
        case "enum": return rule.elements?.contains(value) ?? false
        case "minimum": return value.double.map { $0 >= (rule.double ?? 0) } ?? true
        case "maximum": return value.double.map { $0 <= (rule.double ?? 0) } ?? true
        case "pattern":
            guard let text = value.string, let pattern = rule.string else { return true }
            do { return try Regex(pattern).firstMatch(in: text) != nil } catch { return false }
        case "anyOf": return rule.elements?.contains { allows(value, by: $0) } ?? false
        case "items": return value.elements?.allSatisfy { allows($0, by: rule) } ?? true
        case "required":
            return value.members.map { members in rule.elements?.compactMap(\.string).allSatisfy { members[$0] != nil } ?? true } ?? true
        case "properties":
            return value.members?.allSatisfy { name, inner in rule[name].map { allows(inner, by: $0) } ?? true } ?? true
        case "additionalProperties":
            return value.members?.keys.allSatisfy { schema["properties"]?[$0] != nil } ?? true
        case "$schema", "title", "description", "default", "deprecated": return true
        default: return false
        }
    }
}
