/// Makes a value of a `StateTree`. A number that was too large for canonical JSON, or had a fraction, is read from text.
enum TreeDecoder {
    static func decode<T: Decodable>(_ type: T.Type, _ tree: StateTree) throws -> T {
        try T(from: ValueDecoder(tree: tree, codingPath: []))
    }
}

private struct ValueDecoder: Decoder {
    let tree: StateTree
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let fields) = tree else { throw mismatch("an object") }
        return KeyedDecodingContainer(FieldsDecoder<Key>(fields: fields, codingPath: codingPath))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .list(let items) = tree else { throw mismatch("a list") }
        return ItemsDecoder(items: items, codingPath: codingPath)
    }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { LeafDecoder(value: self) }

    func mismatch(_ expected: String) -> DecodingError {
        .dataCorrupted(.init(codingPath: codingPath, debugDescription: "\(expected) was expected"))
    }
    func number<N: FixedWidthInteger>() throws -> N {
        switch tree {
        case .integer(let value): if let number = N(exactly: value) { return number }
        case .text(let text): if let number = N(text) { return number }
        default: break
        }
        throw mismatch("a number")
    }
    func fraction<F: LosslessStringConvertible>(_ type: F.Type) throws -> F {
        switch tree {
        case .text(let text): if let number = F(text) { return number }
        case .integer(let value): if let number = F("\(value)") { return number }
        default: break
        }
        throw mismatch("a number")
    }
}

private struct LeafDecoder: SingleValueDecodingContainer {
    let value: ValueDecoder
    var codingPath: [any CodingKey] { value.codingPath }

    func decodeNil() -> Bool { value.tree == .null }
    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .bool(let bool) = value.tree else { throw value.mismatch("true or false") }
        return bool
    }
    func decode(_ type: String.Type) throws -> String {
        guard case .text(let text) = value.tree else { throw value.mismatch("a text") }
        return text
    }
    func decode(_ type: Double.Type) throws -> Double { try value.fraction(Double.self) }
    func decode(_ type: Float.Type) throws -> Float { try value.fraction(Float.self) }
    func decode(_ type: Int.Type) throws -> Int { try value.number() }
    func decode(_ type: Int8.Type) throws -> Int8 { try value.number() }
    func decode(_ type: Int16.Type) throws -> Int16 { try value.number() }
    func decode(_ type: Int32.Type) throws -> Int32 { try value.number() }
    func decode(_ type: Int64.Type) throws -> Int64 { try value.number() }
    func decode(_ type: UInt.Type) throws -> UInt { try value.number() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try value.number() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try value.number() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try value.number() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try value.number() }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try T(from: value) }
}

private struct FieldsDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let fields: [String: StateTree]
    let codingPath: [any CodingKey]
    var allKeys: [Key] { fields.keys.sorted().compactMap { Key(stringValue: $0) } }

    private func value(_ key: Key) throws -> ValueDecoder {
        guard let tree = fields[key.stringValue] else {
            throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "\"\(key.stringValue)\" is missing"))
        }
        return ValueDecoder(tree: tree, codingPath: codingPath + [key])
    }
    func contains(_ key: Key) -> Bool { fields[key.stringValue] != nil }
    func decodeNil(forKey key: Key) throws -> Bool { try value(key).tree == .null }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try T(from: try value(key)) }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
        try value(key).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try value(key).unkeyedContainer() }
    func superDecoder() throws -> any Decoder { ValueDecoder(tree: .object(fields), codingPath: codingPath) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try value(key) }
}

private struct ItemsDecoder: UnkeyedDecodingContainer {
    let items: [StateTree]
    let codingPath: [any CodingKey]
    var currentIndex = 0
    var count: Int? { items.count }
    var isAtEnd: Bool { currentIndex >= items.count }

    init(items: [StateTree], codingPath: [any CodingKey]) {
        self.items = items
        self.codingPath = codingPath
    }

    private mutating func next() throws -> ValueDecoder {
        guard !isAtEnd else {
            throw DecodingError.dataCorrupted(.init(codingPath: codingPath, debugDescription: "the list ends too early"))
        }
        defer { currentIndex += 1 }
        return ValueDecoder(tree: items[currentIndex], codingPath: codingPath + [TreeKey("\(currentIndex)")])
    }
    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, items[currentIndex] == .null else { return false }
        currentIndex += 1
        return true
    }
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try T(from: try next()) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
        try next().container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
    mutating func superDecoder() throws -> any Decoder { try next() }
}
