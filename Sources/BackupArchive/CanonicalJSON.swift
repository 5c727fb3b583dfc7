import ClusterModel
import FoundationEssentials

/// The one form in which JSON is written into an archive: UTF-8, keys sorted by their bytes, no white space, no floats,
/// integers within ±(2^53-1), only necessary escapes, no line end. Equal values have equal bytes, so they can be hashed.
package enum CanonicalJSON {
    /// Limit: nesting of arrays and objects.
    static let maximumDepth = 64
    /// Limit: bytes of one key; the scanner keeps one key for each level.
    static let maximumKeyBytes = 4_096
    static let largestInteger: Int64 = (1 << 53) - 1

    /// - Throws: `.invalidData` for a value that has no canonical form, such as one with a fraction.
    package static func encode(_ value: some Encodable) throws(BastionError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes: [UInt8]
        do {
            bytes = Array(try encoder.encode(value))
        } catch {
            throw BastionError(.internal, "cannot write a value as JSON", detail: "\(error)")
        }
        try check(bytes)
        return bytes
    }

    /// - Throws: `.integrity` when `bytes` are not one document in canonical form.
    @discardableResult
    package static func check(_ bytes: [UInt8]) throws(BastionError) -> CanonicalScanner {
        var scanner = CanonicalScanner()
        try scanner.add(bytes)
        try scanner.finish()
        return scanner
    }
}
