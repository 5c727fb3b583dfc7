import ClusterModel

/// A decoder that gives invented values and describes in `shape` what was asked for.
struct SchemaDecoder: Decoder {
    let shape: SchemaShape
    let stack: [ObjectIdentifier]
    let sample: String
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        shape.kind = .object([])
        return KeyedDecodingContainer(SchemaObject(shape: shape, stack: stack))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw SchemaUnknown() }
    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        SchemaLeaf(shape: shape, stack: stack, sample: sample)
    }
}

/// The fields of an object.
private struct SchemaObject<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let shape: SchemaShape
    let stack: [ObjectIdentifier]
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [] }

    func contains(_ key: Key) -> Bool { true }
    func decodeNil(forKey key: Key) throws -> Bool { false }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        guard let value = note(type, key, isAlwaysThere: true) else { throw SchemaUnknown() }
        return value
    }

    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        note(type, key, isAlwaysThere: type is any SchemaNullable.Type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { throw SchemaUnknown() }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw SchemaUnknown() }
    func superDecoder() throws -> any Decoder { throw SchemaUnknown() }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw SchemaUnknown() }

    private func note<Value: Decodable>(_ type: Value.Type, _ key: Key, isAlwaysThere: Bool) -> Value? {
        let inner = SchemaShape()
        let value = inner.value(of: type, stack: stack)
        shape.add(.init(name: SchemaNames.written(key.stringValue), shape: inner, isAlwaysThere: isAlwaysThere))
        return value
    }

    // Optional fields of the basic types come here and not to the generic one.
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { optional(type, key) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { optional(type, key) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { optional(type, key) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { optional(type, key) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { optional(type, key) }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { optional(type, key) }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { optional(type, key) }

    private func optional<Value: Decodable>(_ type: Value.Type, _ key: Key) -> Value? {
        note(type, key, isAlwaysThere: false)
    }
}

/// One value that is no object: what it is asked as is what it is.
private struct SchemaLeaf: SingleValueDecodingContainer {
    let shape: SchemaShape
    let stack: [ObjectIdentifier]
    let sample: String
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { false }

    func decode(_ type: Bool.Type) throws -> Bool {
        shape.kind = .boolean
        return false
    }
    func decode(_ type: String.Type) throws -> String {
        shape.kind = .string
        return sample
    }
    func decode(_ type: Double.Type) throws -> Double {
        shape.kind = .number
        return 1
    }
    func decode(_ type: Float.Type) throws -> Float {
        shape.kind = .number
        return 1
    }
    func decode(_ type: Int.Type) throws -> Int { whole(false, 1) }
    func decode(_ type: Int8.Type) throws -> Int8 { whole(false, 1) }
    func decode(_ type: Int16.Type) throws -> Int16 { whole(false, 1) }
    func decode(_ type: Int32.Type) throws -> Int32 { whole(false, 1) }
    func decode(_ type: Int64.Type) throws -> Int64 { whole(false, 1) }
    func decode(_ type: UInt.Type) throws -> UInt { whole(true, 1) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { whole(true, 1) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { whole(true, 1) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { whole(true, 1) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { whole(true, 1) }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        guard let value = shape.value(of: type, stack: stack) else { throw SchemaUnknown() }
        return value
    }

    private func whole<Value>(_ isUnsigned: Bool, _ value: Value) -> Value {
        shape.kind = .integer(isUnsigned: isUnsigned)
        return value
    }
}

/// The name a field has in a document, by the encoder's own rule.
enum SchemaNames {
    static func written(_ name: String) -> String {
        do throws(BastionError) {
            return try JSONParser.parse(try JSONText.encode(Probe(key: TextKey(name)))).members?.first?.name ?? name
        } catch {
            return name
        }
    }

    private struct Probe: Encodable {
        let key: TextKey
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: TextKey.self)
            try container.encode(0, forKey: key)
        }
    }
}
