import ClusterModel
import Operations

/// What a change carries beside its input, as query fields of `/v1/operations/NAME`: `reason=TEXT`, `override=CHECK`
/// (`cli.md`, section 2).
enum RequestNotes {
    /// Limit: bytes of a reason.
    static let longestReason = 1000

    static func query(of call: OperationCall) -> [String] {
        let reason = call.reason.map { [("reason", $0)] } ?? []
        return (reason + call.overrides.map { ("override", $0) }).map { "\($0.0)=\(encoded($0.1))" }
    }

    /// - Throws: `invalid_request` for a reason that is too long, and for a check that the operation does not have or
    ///   that nobody may pass.
    static func read(
        _ call: RouteCall, _ definition: OperationDefinition, into context: inout OperationContext
    ) throws(BastionError) {
        if let reason = call.target.value("reason"), !reason.isEmpty {
            guard reason.utf8.count <= longestReason else {
                throw BastionError(.invalidRequest, "query field \"reason\" is longer than \(longestReason) bytes")
            }
            context.metadata.reason = reason
        }
        let overrides = call.target.query.filter { $0.name == "override" }.map(\.value)
        for id in overrides where !definition.overridableChecks.contains(id) {
            throw BastionError(
                .invalidRequest, "check \"\(id.prefix(100))\" cannot be overridden for \"\(definition.name)\"",
                hint: NameSuggestion.hint(for: id, among: definition.overridableChecks))
        }
        context.metadata.overrides = overrides
    }

    /// Percent-encoded; only unreserved characters stay as they are (RFC 3986, section 2.3).
    static func encoded(_ text: String) -> String {
        let hexadecimal = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
