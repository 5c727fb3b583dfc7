import ClusterModel

/// JSON Schema of a `Codable` type: reads an invented value of it and notes every field that is asked for.
///
/// So the schema follows the type by itself. What a type checks by hand is read with a few sample texts; a type that takes none
/// of them is described as "any value".
package enum SchemaReader {
    /// The schema of what `JSONText.encode` writes for a value of `type`.
    package static func schema(of type: any Decodable.Type) -> JSONValue {
        let shape = SchemaShape()
        _ = shape.value(of: type, stack: [])
        return shape.schema
    }

    /// Names, positions, durations and identifiers of the product all take one of these.
    static let samples = ["node1", "0/0", "30s", "1", ""]
    /// Limit: types inside types.
    static let deepest = 24
}

/// A type that cannot be described by a sample.
struct SchemaUnknown: Error {}

/// Types whose insides are described without reading an element.
protocol SchemaList { static func describe(_ shape: SchemaShape, _ stack: [ObjectIdentifier]) -> Self }

extension Array: SchemaList where Element: Decodable {
    static func describe(_ shape: SchemaShape, _ stack: [ObjectIdentifier]) -> [Element] {
        let element = SchemaShape()
        _ = element.value(of: Element.self, stack: stack)
        shape.kind = .array(element)
        return []
    }
}

extension Dictionary: SchemaList where Key: Decodable, Value: Decodable {
    static func describe(_ shape: SchemaShape, _ stack: [ObjectIdentifier]) -> [Key: Value] {
        let value = SchemaShape()
        _ = value.value(of: Value.self, stack: stack)
        shape.kind = .map(value)
        return [:]
    }
}

extension Optional: SchemaList where Wrapped: Decodable {
    static func describe(_ shape: SchemaShape, _ stack: [ObjectIdentifier]) -> Wrapped? {
        _ = shape.value(of: Wrapped.self, stack: stack)
        shape.isNullable = true
        return nil
    }
}

/// Written as null, never left out.
protocol SchemaNullable {}
extension Nullable: SchemaNullable {}
extension Nullable: SchemaList {
    static func describe(_ shape: SchemaShape, _ stack: [ObjectIdentifier]) -> Nullable<Value> {
        _ = shape.value(of: Value.self, stack: stack)
        shape.isNullable = true
        return Nullable(wrappedValue: nil)
    }
}

extension SchemaShape {
    /// Describes `type` here; a value of it, nil when none of the samples makes one.
    func value<Value: Decodable>(of type: Value.Type, stack: [ObjectIdentifier]) -> Value? {
        if let list = type as? any SchemaList.Type { return list.describe(self, stack) as? Value }
        if let choices = SchemaShape.choices(type) {
            kind = .choice(choices.texts)
            return choices.first
        }
        let identity = ObjectIdentifier(type)
        guard !stack.contains(identity), stack.count < SchemaReader.deepest else { return nil }
        for sample in SchemaReader.samples {
            kind = .any
            do { return try Value(from: SchemaDecoder(shape: self, stack: stack + [identity], sample: sample)) } catch { continue }
        }
        return nil
    }

    private static func choices<Value>(_ type: Value.Type) -> (texts: [String], first: Value?)? {
        guard let choice = type as? any (CaseIterable & RawRepresentable).Type else { return nil }
        let texts = rawTexts(choice)
        return texts.isEmpty ? nil : (texts, first(choice) as? Value)
    }

    private static func rawTexts<Choice: CaseIterable & RawRepresentable>(_ type: Choice.Type) -> [String] {
        type.allCases.compactMap { $0.rawValue as? String }
    }

    private static func first<Choice: CaseIterable>(_ type: Choice.Type) -> Choice? { type.allCases.first }
}
