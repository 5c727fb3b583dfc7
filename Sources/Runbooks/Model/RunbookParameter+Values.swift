import ClusterModel
import Operations

/// Why a text or value is not one of a parameter.
package struct ParameterProblem: Error, Sendable, Hashable {
    /// `'12 MB' is not a size`
    package var message: String
    package var help: String?
}

extension RunbookParameter {
    /// What the operator typed, as a value: sizes as numbers of bytes, durations and times as texts, lists split at commas.
    package func value(from text: String) -> Result<RunbookValue, ParameterProblem> {
        switch kind {
        case .boolean: return value(of: text == "true" || text == "false" ? .bool(text == "true") : .string(text))
        case .integer: return value(of: Ambiguous.isNumber(text) ? .number(text) : .string(text))
        case .nodes:
            let names = text.split(separator: ",").map { String($0.filter { $0 != " " }) }
            return value(of: .array(names.map { .string($0) }))
        default: return value(of: .string(text))
        }
    }

    /// A value of a file or another runbook, checked and normalised.
    package func value(of value: RunbookValue) -> Result<RunbookValue, ParameterProblem> {
        switch kind {
        case .boolean:
            if case .bool = value { return .success(value) }
            return refused(value, "true or false")
        case .integer:
            guard let number = value.integer else { return refused(value, "a whole number") }
            return inRange(number, .number("\(number)")) { "\($0)" }
        case .bytes:
            guard let bytes = RunbookParameter.bytes(value), let number = Int64(exactly: bytes) else {
                return refused(value, "a size", Quantity.bytesHelp(value.string ?? ""))
            }
            return inRange(number, .number("\(bytes)")) { Quantity.text(bytes: UInt64($0)) }
        case .duration:
            guard let text = value.string, let duration = Quantity.duration(text) else {
                return refused(value, "a duration", Quantity.durationHelp(value.string ?? value.integer.map { "\($0)" } ?? ""))
            }
            return inRange(duration.duration.inMilliseconds, .string(text)) { "\(DurationValue(.milliseconds($0)))" }
        case .nodes:
            let elements = value.elements ?? [value]
            let names = elements.compactMap(\.string)
            guard !names.isEmpty, names.count == elements.count, names.allSatisfy({ NodeName($0) != nil }) else {
                return refused(value, "a list of node names")
            }
            return .success(.array(names.map { .string($0) }))
        default: return text(value)
        }
    }

    private func text(_ value: RunbookValue) -> Result<RunbookValue, ParameterProblem> {
        // A version, a path or a text may look like a number.
        guard let text = value.string ?? value.integer.map({ "\($0)" }) else { return refused(value, "a text") }
        guard text.utf8.count <= 4096, !text.utf8.contains(0) else { return refused(value, "a text of at most 4096 bytes") }
        if let glob, !Glob.matches(text, glob) { return refused(value, "a text like \(glob)") }
        switch kind {
        case .node:
            return NodeName(text) == nil ? refused(value, "the name of a node") : .success(.string(text))
        case .enum:
            guard choices.contains(text) else {
                return refused(value, "one of \(choices.joined(separator: ", "))", Excerpt.help(for: text, among: choices))
            }
        case .version:
            guard SemanticVersion(text) != nil else { return refused(value, "a version such as 1.4.0") }
        case .time:
            guard ZonedTime.seconds(text) != nil else {
                return refused(value, "a time", "write RFC 3339 with a zone: 2026-02-17T02:00:00Z")
            }
        case .address:
            guard PeerAddress(text, defaultPort: 1) != nil else { return refused(value, "an address", "write HOST or HOST:PORT") }
        case .path, .backup:
            guard !text.isEmpty else { return refused(value, "a \(kind.rawValue)") }
        default: break
        }
        return .success(.string(text))
    }

    static func bytes(_ value: RunbookValue) -> UInt64? {
        if case .number(let text) = value { return UInt64(text) }
        return value.string.flatMap { Quantity.bytes($0) }
    }

    private func inRange(
        _ number: Int64, _ value: RunbookValue, _ show: (Int64) -> String
    ) -> Result<RunbookValue, ParameterProblem> {
        if let minimum, number < minimum {
            return .failure(ParameterProblem(message: "is \(show(number)); at least \(show(minimum)) is needed"))
        }
        if let maximum, number > maximum {
            return .failure(ParameterProblem(message: "is \(show(number)); at most \(show(maximum)) is allowed"))
        }
        return .success(value)
    }

    private func refused(_ value: RunbookValue, _ wanted: String, _ help: String? = nil) -> Result<RunbookValue, ParameterProblem> {
        let shown = value.string.map { "'\(Excerpt.of($0))'" } ?? Excerpt.of(ValueText.plain(value))
        return .failure(ParameterProblem(message: "\(shown) is not \(wanted)", help: help))
    }
}
