/// A pattern nobody writes here, and what to write instead.
struct ForbiddenCall: Sendable {
    enum Place: Sendable { case everywhere, sources, tests, pureTargets }

    let name: String
    /// Looked for in code without comments and texts.
    let pattern: String
    let place: Place
    let instead: String

    func applies(to file: SourceFile) -> Bool {
        switch place {
        case .everywhere: true
        case .sources: !file.isTest
        case .tests: file.isTest
        case .pureTargets: file.target.flatMap { LayerTable.layers[$0] }.map { $0.level <= 2 } ?? false
        }
    }

    static let all = [
        ForbiddenCall(
            name: "try?", pattern: #"\btry\?"#, place: .everywhere,
            instead: "do/catch, and say what happens to the error"),
        ForbiddenCall(
            name: "try!", pattern: #"\btry!"#, place: .everywhere, instead: "do/catch; in tests, a test that throws"),
        ForbiddenCall(
            name: "as!", pattern: #"\bas!"#, place: .everywhere,
            instead: "`as?` with guard, or a type that needs no cast"),
        ForbiddenCall(
            name: "force unwrap", pattern: #"(?:[\w)\]}"]|\?)!(?![=])"#, place: .everywhere,
            instead: "guard let; `try #require` in tests; a precondition that shows the numbers"),
        ForbiddenCall(
            name: "print(", pattern: #"(?:^|[^.\w])print\("#, place: .everywhere,
            instead: "the log, or the terminal of CommandLineInterface"),
        ForbiddenCall(
            name: "Date()", pattern: #"\bDate\(\)"#, place: .everywhere,
            instead: "a time handed in as input, or the shell's clock"),
        ForbiddenCall(
            name: "unseeded randomness", pattern: #"SystemRandomNumberGenerator|\.random\((?!.*using:)"#,
            place: .pureTargets, instead: "randomness handed in as input, or the seeded generator in the value"),
        ForbiddenCall(
            name: "Task.sleep in tests", pattern: #"\bTask\.sleep\b"#, place: .tests,
            instead: "a wait for a condition with a deadline"),
    ]
}

/// The short list of files that may do what is forbidden elsewhere. Every entry says why.
enum Exceptions {
    struct Entry {
        let rule: String
        let path: String
        let reason: String
    }

    static let list: [Entry] = []

    /// Executables whose standard output is their interface.
    static let printing = [
        "Sources/RaftStep/", "Sources/LinKV/", "Sources/pgbastion/",
        // Seeds and figures are printed, so that a run can be repeated.
        "Tests/SimulationTests/", "Tests/ScenarioTests/",
    ]

    static func allows(_ rule: String, in path: String) -> Bool {
        if rule == "print(", printing.contains(where: path.hasPrefix) { return true }
        return list.contains { $0.rule == rule && $0.path == path }
    }
}
