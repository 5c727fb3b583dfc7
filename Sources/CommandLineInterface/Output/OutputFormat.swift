/// How a result is printed (`-o`).
package enum OutputFormat: String, Sendable, CaseIterable {
    case table, wide, json, jsonl, yaml, name

    /// Whether a person reads it: warnings and errors are text on standard error then.
    var isText: Bool { self == .table || self == .wide || self == .name }
}
