/// How a result is printed (`-o`).
package enum OutputFormat: String, Sendable, CaseIterable {
    case table, wide, json, jsonl, name
}
