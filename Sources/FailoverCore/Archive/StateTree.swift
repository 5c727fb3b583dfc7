/// A value as canonical JSON can hold it (backup-restore.md, 1): no floats, and integers within ±(2^53-1); whatever is larger
/// or has a fraction is text.
package enum StateTree: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case text(String)
    case list([StateTree])
    case object([String: StateTree])

    static let largestInteger: Int64 = (1 << 53) - 1

    static func number<N: FixedWidthInteger>(_ value: N) -> StateTree {
        guard let small = Int64(exactly: value), abs(small) <= largestInteger else { return .text(String(value)) }
        return .integer(small)
    }
}

/// So that any JSON coder reads and writes it.
extension StateTree: Codable {
    package init(from decoder: any Decoder) throws {
        if let object = StateTree.object(decoder) {
            self = object
        } else if let list = StateTree.list(decoder) {
            self = list
        } else {
            self = try StateTree.leaf(try decoder.singleValueContainer())
        }
    }

    private static func object(_ decoder: any Decoder) -> StateTree? {
        do {
            let container = try decoder.container(keyedBy: TreeKey.self)
            var fields: [String: StateTree] = [:]
            for key in container.allKeys { fields[key.stringValue] = try container.decode(StateTree.self, forKey: key) }
            return .object(fields)
        } catch {
            return nil
        }
    }

    private static func list(_ decoder: any Decoder) -> StateTree? {
        do {
            var container = try decoder.unkeyedContainer()
            var items: [StateTree] = []
            while !container.isAtEnd { items.append(try container.decode(StateTree.self)) }
            return .list(items)
        } catch {
            return nil
        }
    }

    private static func leaf(_ container: any SingleValueDecodingContainer) throws -> StateTree {
        if container.decodeNil() { return .null }
        do { return .text(try container.decode(String.self)) } catch {}
        do { return .bool(try container.decode(Bool.self)) } catch {}
        return .integer(try container.decode(Int64.self))
    }

    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .null, .bool, .integer, .text:
            var container = encoder.singleValueContainer()
            switch self {
            case .bool(let value): try container.encode(value)
            case .integer(let value): try container.encode(value)
            case .text(let value): try container.encode(value)
            default: try container.encodeNil()
            }
        case .list(let items):
            var container = encoder.unkeyedContainer()
            for item in items { try container.encode(item) }
        case .object(let fields):
            var container = encoder.container(keyedBy: TreeKey.self)
            for (name, value) in fields.sorted(by: { $0.key < $1.key }) { try container.encode(value, forKey: TreeKey(name)) }
        }
    }
}

struct TreeKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { stringValue = String(intValue) }
}
