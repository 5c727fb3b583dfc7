@testable import CommandLineInterface

/// Lines of shell as documentation has them: enough to find the calls of `pgbastion` in them.
enum ShellLine {
    /// The arguments of every call of `pgbastion` in a line.
    static func commands(_ line: String) -> [[String]] {
        var text = line.trimmed
        if text.hasPrefix("$ ") || text.hasPrefix("# ") { text = String(text.dropFirst(2)) }
        return parts(text).compactMap { words in
            guard let start = words.firstIndex(where: { $0 == "pgbastion" || $0.hasSuffix("/pgbastion") }) else { return nil }
            // Before it only what runs or prepares it: sudo, variables, options of sudo, `if`.
            let runners: Set<String> = ["sudo", "-u", "postgres", "root", "if", "!", "then", "while", "until", "do", "exec", "watch"]
            guard words[..<start].allSatisfy({ runners.contains($0) || $0.contains("=") }) else { return nil }
            return Array(words[(start + 1)...])
        }
    }

    /// Why the command line would refuse these arguments; nil when it takes them.
    static func complaint(_ arguments: [String], _ tree: CommandTree) -> String? {
        switch tree.resolve(arguments) {
        case .overview, .version, .group: return nil
        case .wrong(let text): return text
        case .command(let entry, let rest):
            if entry.takesRawArguments { return nil }
            switch entry.shape.parse(rest) {
            case .parsed, .helpRequested: return nil
            case .wrong(let text): return text
            }
        }
    }

    /// Words of each command of the line; separators and redirections end one.
    private static func parts(_ line: String) -> [[String]] {
        var all: [[String]] = [[]]
        var word = ""
        var isWord = false
        var quote: Character?
        var isRedirected = false
        func endWord() {
            if isWord, !isRedirected { all[all.count - 1].append(word) }
            if isWord { isRedirected = false }
            (word, isWord) = ("", false)
        }
        for character in line {
            if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
                continue
            }
            switch character {
            case "'", "\"": (quote, isWord) = (character, true)
            case " ", "\t": endWord()
            case "|", ";", "&", "(", ")", "`":
                endWord()
                all.append([])
            case ">", "<":
                if word.allSatisfy(\.isNumber) { (word, isWord) = ("", false) }
                endWord()
                isRedirected = true
            case "#" where !isWord: return all
            default:
                word.append(character)
                isWord = true
            }
        }
        endWord()
        return all
    }
}

extension String {
    fileprivate var trimmed: String {
        let front = drop { $0 == " " || $0 == "\t" }
        return String(String(front.reversed()).drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
