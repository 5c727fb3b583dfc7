/// Finds the name somebody probably meant.
enum Suggestion {
    /// The candidate closest to `text`, when it is close enough to be a slip of the keyboard.
    static func closest(to text: String, among candidates: [String]) -> String? {
        let limit = max(1, text.count / 3)
        let ranked = candidates.map { (distance: distance(text, $0, limit: limit), name: $0) }
        return ranked.filter { $0.distance <= limit }.min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
    }

    /// Insertions, deletions and replacements that turn `a` into `b` (Levenshtein); more than `limit` when the
    /// lengths alone differ by more.
    static func distance(_ a: String, _ b: String, limit: Int = .max) -> Int {
        let x = Array(a.utf8)
        let y = Array(b.utf8)
        let difference = abs(x.count - y.count)
        guard difference <= limit else { return difference }
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
