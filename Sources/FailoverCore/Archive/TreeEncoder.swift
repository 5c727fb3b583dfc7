/// Makes a `StateTree` of any value.
enum TreeEncoder {
    static func encode(_ value: some Encodable) throws -> StateTree {
        let place = Place()
        try value.encode(to: ValueEncoder(place: place, codingPath: []))
        return place.tree
    }

    /// Where one value is put together.
    final class Place {
        var leaf: StateTree?
        var items: [Place]?
        var fields: [String: Place]?

        var tree: StateTree {
            if let fields { return .object(fields.mapValues(\.tree)) }
            if let items { return .list(items.map(\.tree)) }
            return leaf ?? .object([:])
        }

        func field(_ name: String) -> Place {
            let place = Place()
            if fields == nil { fields = [:] }
            fields?[name] = place
            return place
        }
        func item() -> Place {
            let place = Place()
            if items == nil { items = [] }
            items?.append(place)
            return place
        }
    }
}

private struct ValueEncoder: Encoder {
    let place: TreeEncoder.Place
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        place.fields = place.fields ?? [:]
        return KeyedEncodingContainer(FieldsEncoder<Key>(place: place, codingPath: codingPath))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        place.items = place.items ?? []
        return ItemsEncoder(place: place, codingPath: codingPath)
    }
    func singleValueContainer() -> any SingleValueEncodingContainer { LeafEncoder(place: place, codingPath: codingPath) }
}

private struct LeafEncoder: SingleValueEncodingContainer {
    let place: TreeEncoder.Place
    let codingPath: [any CodingKey]

    mutating func encodeNil() throws { place.leaf = .null }
    mutating func encode(_ value: Bool) throws { place.leaf = .bool(value) }
    mutating func encode(_ value: String) throws { place.leaf = .text(value) }
    // Equal digits give the equal number back.
    mutating func encode(_ value: Double) throws { place.leaf = .text(value.description) }
    mutating func encode(_ value: Float) throws { place.leaf = .text(value.description) }
    mutating func encode(_ value: Int) throws { place.leaf = .number(value) }
    mutating func encode(_ value: Int8) throws { place.leaf = .number(value) }
    mutating func encode(_ value: Int16) throws { place.leaf = .number(value) }
    mutating func encode(_ value: Int32) throws { place.leaf = .number(value) }
    mutating func encode(_ value: Int64) throws { place.leaf = .number(value) }
    mutating func encode(_ value: UInt) throws { place.leaf = .number(value) }
    mutating func encode(_ value: UInt8) throws { place.leaf = .number(value) }
    mutating func encode(_ value: UInt16) throws { place.leaf = .number(value) }
    mutating func encode(_ value: UInt32) throws { place.leaf = .number(value) }
    mutating func encode(_ value: UInt64) throws { place.leaf = .number(value) }
    mutating func encode(_ value: some Encodable) throws {
        try value.encode(to: ValueEncoder(place: place, codingPath: codingPath))
    }
}

private struct FieldsEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let place: TreeEncoder.Place
    let codingPath: [any CodingKey]

    mutating func encodeNil(forKey key: Key) throws { place.field(key.stringValue).leaf = .null }
    mutating func encode(_ value: some Encodable, forKey key: Key) throws {
        try value.encode(to: ValueEncoder(place: place.field(key.stringValue), codingPath: codingPath + [key]))
    }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        ValueEncoder(place: place.field(key.stringValue), codingPath: codingPath + [key]).container(keyedBy: keyedBy)
    }
    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        ValueEncoder(place: place.field(key.stringValue), codingPath: codingPath + [key]).unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder { ValueEncoder(place: place.field("super"), codingPath: codingPath) }
    mutating func superEncoder(forKey key: Key) -> any Encoder {
        ValueEncoder(place: place.field(key.stringValue), codingPath: codingPath + [key])
    }
}

private struct ItemsEncoder: UnkeyedEncodingContainer {
    let place: TreeEncoder.Place
    let codingPath: [any CodingKey]
    var count: Int { place.items?.count ?? 0 }

    mutating func encodeNil() throws { place.item().leaf = .null }
    mutating func encode(_ value: some Encodable) throws {
        try value.encode(to: ValueEncoder(place: place.item(), codingPath: codingPath))
    }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) -> KeyedEncodingContainer<Nested> {
        ValueEncoder(place: place.item(), codingPath: codingPath).container(keyedBy: keyedBy)
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        ValueEncoder(place: place.item(), codingPath: codingPath).unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder { ValueEncoder(place: place.item(), codingPath: codingPath) }
}
