import Synchronization

/// Runs the guide's blocks on the lab and remembers what became of each.
///
/// Blocks run word for word, by bash, on the machine where the guide's reader would stand. The only substitutions are those that
/// a test names in `Substitution`; each is printed.
final class GuideRun: Sendable {
    struct Substitution: Sendable {
        var text: String
        var replacement: String
    }

    struct Entry: Sendable {
        var block: GuideBlock
        var test: String
        var passed: Bool
        var note: String
    }

    private let entries = Mutex<[Entry]>([])

    /// Runs one block through `body`, which must run every step of it.
    func block(_ section: String, _ number: Int, test: String = #function, _ body: (OpenBlock) throws -> Void) throws {
        let block = try GuideText.block(section, number)
        let open = OpenBlock(block)
        do {
            try body(open)
            let left = Set(block.steps.keys).subtracting(open.done)
            try hold(left.isEmpty, "steps \(left.sorted()) of the block were not run")
            note(Entry(block: block, test: test, passed: true, note: open.notes.joined(separator: "; ")))
        } catch {
            note(Entry(block: block, test: test, passed: false, note: "\(error)"))
            throw GuideFailure("\(section), block \(number) (line \(block.line)): \(error)")
        }
    }

    private func note(_ entry: Entry) {
        entries.withLock { entries in
            entries.removeAll { $0.block == entry.block }
            entries.append(entry)
        }
    }

    /// A line per block of the guide: which test ran it, and how it ended.
    var table: String {
        let done = entries.withLock { $0 }
        var text = "\nthe bash blocks of the operations guide\n"
        for block in GuideText.blocks {
            let entry = done.first { $0.block == block }
            let result = entry.map { $0.passed ? "pass" : "FAIL" } ?? "----"
            text += "\(result)  line \(block.line)  \(block.section) \(block.number)"
            text += entry.map { "  <- \($0.test)\($0.note.isEmpty ? "" : "  [\($0.note.prefix(300))]")" } ?? ""
            text += "\n"
        }
        let passed = done.filter(\.passed).count
        return text + "\(passed) of \(GuideText.blocks.count) blocks pass\n"
    }

    var unrun: [GuideBlock] {
        let done = entries.withLock { $0 }
        return GuideText.blocks.filter { block in !done.contains { $0.block == block } }
    }
}

/// A block while its test runs it.
final class OpenBlock: Sendable {
    let block: GuideBlock
    private let state = Mutex<(done: Set<Int>, notes: [String])>(([], []))

    init(_ block: GuideBlock) { self.block = block }

    var done: Set<Int> { state.withLock { $0.done } }
    var notes: [String] { state.withLock { $0.notes } }

    /// The text of a step, counted as run; for a step that is no command of bash, such as a line for cron.
    func text(_ step: Int = 0, _ substitutions: [GuideRun.Substitution] = []) throws -> String {
        guard var text = block.steps[step] else { throw GuideFailure("the block has no step \(step)") }
        for substitution in substitutions {
            try hold(text.contains(substitution.text), "step \(step) does not contain \"\(substitution.text)\"")
            text.replace(substitution.text, with: substitution.replacement)
        }
        state.withLock { state in
            state.done.insert(step)
            for substitution in substitutions {
                state.notes.append("\"\(substitution.text)\" -> \"\(substitution.replacement)\"")
            }
        }
        return text
    }

    /// Runs a step on a machine; it must succeed.
    @discardableResult
    func run(
        _ step: Int = 0, on machine: Machine, as user: String = "root", environment: [String: String] = [:],
        substituting substitutions: [GuideRun.Substitution] = [], mayFail: Bool = false
    ) throws -> String {
        let text = try text(step, substitutions)
        var variables = ["AUTH_TOKEN": GuideCluster.token]
        variables.merge(environment) { _, new in new }
        let result = machine.run(text, as: user, environment: variables)
        try hold(
            mayFail || result.status == 0,
            "on \(machine.name) step \(step) ended with \(result.status): \(result.output) \(result.errors)")
        return result.output
    }

    func note(_ text: String) { state.withLock { $0.notes.append(text) } }
}
