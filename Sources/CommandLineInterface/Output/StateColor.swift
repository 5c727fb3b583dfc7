/// Colours of states in tables. Colour never carries meaning alone: the word is there in every case.
enum StateColor: String {
    case good = "32"
    case doubtful = "33"
    case bad = "31"

    private static let words: [String: StateColor] = {
        let good = ["ok", "streaming", "succeeded", "healthy", "done", "committed"]
        let doubtful = [
            "warning", "paused", "PAUSED", "starting", "stopping", "undone", "skipped", "degraded", "DEGRADED", "pending",
            "catching_up", "draining", "drained", "cloning", "rewinding", "unknown",
        ]
        let bad = [
            "fail", "failed", "error", "unreachable", "fenced", "down", "crashed", "lost", "split_brain", "no_quorum",
            "postgres_down", "no_backends", "unhealthy",
        ]
        var all: [String: StateColor] = [:]
        for word in good { all[word] = .good }
        for word in doubtful { all[word] = .doubtful }
        for word in bad { all[word] = .bad }
        return all
    }()

    /// `text` with the words for states coloured; its visible characters stay the same.
    static func painted(_ text: String) -> String {
        var output = ""
        var word = ""
        func flush() {
            output += words[word].map { $0.around(word) } ?? word
            word = ""
        }
        for character in text {
            if character.isLetter || character == "_" || character == "-" || character.isNumber {
                word.append(character)
            } else {
                flush()
                output.append(character)
            }
        }
        flush()
        return output
    }

    func around(_ text: String) -> String { "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" }
}
