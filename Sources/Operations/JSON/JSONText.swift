import ClusterModel
import FoundationEssentials

/// The one way values become JSON and back: snake_case names, sorted keys.
package enum JSONText {
    package static func encode(_ value: some Encodable) throws(BastionError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(value))
        } catch {
            throw BastionError(.internal, "cannot encode an answer as JSON", detail: "\(error)")
        }
    }

    package static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws(BastionError) -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .custom { path in TextKey(camelCase(path.last?.stringValue ?? "")) }
        do {
            return try decoder.decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw invalid(error)
        } catch {
            throw BastionError(.invalidRequest, "malformed JSON")
        }
    }

    /// `operation_id` is `operationID`, `sent_lsn` is `sentLSN`: acronyms keep their case in Swift.
    static func camelCase(_ name: String) -> String {
        let words = name.split(separator: "_").map(String.init)
        guard words.count > 1, let first = words.first else { return name }
        let acronyms: Set<String> = ["id", "lsn", "sha256", "url"]
        return first
            + words.dropFirst().map { word in
                acronyms.contains(word) ? word.uppercased() : word.prefix(1).uppercased() + word.dropFirst()
            }.joined()
    }

    private static func invalid(_ error: DecodingError) -> BastionError {
        switch error {
        case .typeMismatch(_, let context), .dataCorrupted(let context), .valueNotFound(_, let context):
            let field = context.codingPath.map(\.stringValue).joined(separator: ".")
            return BastionError(
                .invalidRequest, field.isEmpty ? "malformed JSON" : "field \"\(field)\" has an invalid value",
                detail: context.debugDescription)
        case .keyNotFound(let key, _): return BastionError(.invalidRequest, "field \"\(key.stringValue)\" is missing")
        @unknown default: return BastionError(.invalidRequest, "malformed JSON")
        }
    }
}
