/// Takes comments and texts out of Swift source, so that rules look at code only.
enum SwiftCode {
    /// The lines of `source` with blanks in the place of comments, string literals and backticked names. What stands in
    /// an interpolation stays.
    static func withoutTexts(_ source: String) -> [String] {
        var stripper = Stripper(source)
        stripper.run()
        return String(decoding: stripper.output, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}

private struct Stripper {
    private enum Mode {
        /// Code; inside an interpolation, `depth` counts its open parentheses.
        case code(depth: Int)
        case text(quotes: Int, hashes: Int)
    }

    private let input: [UInt8]
    private var at = 0
    private var modes: [Mode] = [.code(depth: 0)]
    var output: [UInt8] = []

    init(_ source: String) {
        input = Array(source.utf8)
        output.reserveCapacity(input.count)
    }

    mutating func run() {
        while at < input.count {
            switch modes[modes.count - 1] {
            case .code(let depth): code(depth)
            case .text(let quotes, let hashes): text(quotes, hashes)
            }
        }
    }

    private mutating func code(_ depth: Int) {
        if starts("//") { return blank { $0.input[$0.at] != UInt8(ascii: "\n") } }
        if starts("/*") { return blockComment() }
        if starts("`") { return backticks() }
        let hashes = count(of: "#", from: at)
        if at + hashes < input.count, input[at + hashes] == UInt8(ascii: "\"") {
            let quotes = count(of: "\"", from: at + hashes) >= 3 ? 3 : 1
            modes.append(.text(quotes: quotes, hashes: hashes))
            return keep(hashes + quotes)
        }
        if modes.count > 1 {
            if starts("(") { modes[modes.count - 1] = .code(depth: depth + 1) }
            if starts(")") {
                if depth == 1 { modes.removeLast() } else { modes[modes.count - 1] = .code(depth: depth - 1) }
            }
        }
        keep(1)
    }

    private mutating func text(_ quotes: Int, _ hashes: Int) {
        let marks = String(repeating: "#", count: hashes)
        if starts("\\" + marks + "(") {
            modes.append(.code(depth: 1))
            return keep(hashes + 2)
        }
        if starts("\\" + marks) { return blank(hashes + 2) }
        let isEnd = starts(String(repeating: "\"", count: quotes) + marks)
        // Safety: a text on one line ends with it, whatever went wrong before.
        if isEnd || (quotes == 1 && starts("\n")) {
            modes.removeLast()
            return keep(isEnd ? quotes + hashes : 1)
        }
        blank(1)
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if starts("/*") { depth += 1 }
            if starts("*/") { depth -= 1 }
            blank(starts("/*") || starts("*/") ? 2 : 1)
        } while depth > 0 && at < input.count
    }

    private mutating func backticks() {
        blank(1)
        blank { $0.input[$0.at] != UInt8(ascii: "`") && $0.input[$0.at] != UInt8(ascii: "\n") }
        if starts("`") { blank(1) }
    }

    // MARK: moving on

    private func starts(_ text: String) -> Bool { input[at...].starts(with: text.utf8) }

    private func count(of character: Character, from start: Int) -> Int {
        input[start...].prefix { $0 == character.asciiValue }.count
    }

    private mutating func keep(_ count: Int) {
        for _ in 0..<count where at < input.count {
            output.append(input[at])
            at += 1
        }
    }

    private mutating func blank(_ count: Int) {
        for _ in 0..<count where at < input.count {
            output.append(input[at] == UInt8(ascii: "\n") ? input[at] : UInt8(ascii: " "))
            at += 1
        }
    }

    private mutating func blank(while condition: (Stripper) -> Bool) {
        while at < input.count, condition(self) { blank(1) }
    }
}
