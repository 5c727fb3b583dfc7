import Testing

@testable import ConfigFiles

/// The configuration in `text`; a failed test when it is refused.
func loaded(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> LoadedConfiguration {
    do {
        return try ConfigurationFile.parse(text: text, file: "test.yaml")
    } catch {
        Issue.record("refused: \(error)", sourceLocation: sourceLocation)
        throw error
    }
}

/// `minimal` with `section` added, read.
func loadedWith(_ section: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> NodeConfiguration {
    try loaded(GuideExamples.minimal + section + "\n", sourceLocation: sourceLocation).configuration
}

/// The error lines of `text`, each as `line:column: message (hint)`.
func errors(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) -> [String] {
    do {
        _ = try ConfigurationFile.parse(text: text, file: "t")
        Issue.record("accepted:\n\(text)", sourceLocation: sourceLocation)
        return []
    } catch {
        return error.diagnostics.map {
            String($0.description.dropFirst(2)).replacing("error: ", with: "", maxReplacements: 1)
        }
    }
}

/// The errors of `minimal` with `section` added.
func errorsWith(_ section: String, sourceLocation: SourceLocation = #_sourceLocation) -> [String] {
    errors(GuideExamples.minimal + section + "\n", sourceLocation: sourceLocation)
}

/// The warning messages of `minimal` with `section` added, hints included.
func warningsWith(_ section: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> [String] {
    try loaded(GuideExamples.minimal + section + "\n", sourceLocation: sourceLocation).warnings.map(\.description)
}

/// Random numbers that are the same in every run (xorshift64*).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed == 0 ? 0x9E37_79B9_7F4A_7C15 : seed }
    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }
}
