/// Finds the name somebody probably meant.
package enum NameSuggestion {
    /// The candidate closest to `text`, when it is close enough to be a slip of the keyboard.
    package static func closest(to text: String, among candidates: [String]) -> String? {
        let limit = max(1, text.utf8.count / 3)
        guard text.utf8.count <= 100 else { return nil }
        let ranked = candidates.map { (distance: distance(text, $0), name: $0) }
        return ranked.filter { $0.distance <= limit }.min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
    }

    /// `did you mean "to"?`, or the list of what is known.
    package static func hint(for text: String, among candidates: [String]) -> String {
        if let name = closest(to: text, among: candidates) { return "did you mean \"\(name)\"?" }
        return candidates.isEmpty ? "it takes none" : "known: \(candidates.joined(separator: ", "))"
    }

    /// Insertions, deletions and replacements that turn `a` into `b` (Levenshtein).
    private static func distance(_ a: String, _ b: String) -> Int {
        let x = Array(a.utf8)
        let y = Array(b.utf8)
        var row = Array(0...y.count)
        for i in x.indices {
            var diagonal = row[0]
            row[0] = i + 1
            for j in y.indices {
                let replaced = diagonal + (x[i] == y[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[y.count]
    }
}
