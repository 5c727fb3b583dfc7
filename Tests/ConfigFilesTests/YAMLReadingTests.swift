import ClusterModel
import Testing

@testable import ConfigFiles

/// Documents with problems: kinds, and what could be read before the text breaks off.
struct YAMLReadingTests {
    private func read(_ text: String, _ limits: YAMLLimits = YAMLLimits()) -> YAMLReading {
        YAMLDocument.read(Array(text.utf8), limits: limits)
    }

    @Test func `every problem has its kind`() {
        #expect(read("a: 1\na: 2\n").problems.map(\.kind) == [.duplicateKey])
        #expect(
            read("a: &x 1\nb: *x\nc: !!str 1\n<<: { d: 1 }\n").problems.map(\.kind) == [
                .refusedFeature, .refusedFeature, .refusedFeature, .refusedFeature,
            ])
        #expect(read("%YAML 1.1\n---\na: 1\n").problems.map(\.kind) == [.refusedFeature])
        #expect(read("a: 1\n---\nb: 2\n").problems.map(\.kind) == [.severalDocuments])
        #expect(read("a: [1, 2\n").problems.map(\.kind) == [.syntax])
        #expect(read("a: 12345\n", YAMLLimits(bytes: 100, scalarBytes: 4)).problems.map(\.kind) == [.limit])
        #expect(read("a: 12345\n", YAMLLimits(bytes: 4)).problems.map(\.kind) == [.limit])
        #expect(YAMLDocument.read([0xFF], limits: YAMLLimits()).problems.map(\.kind) == [.notUTF8])
    }

    @Test func `a text that breaks off gives what stands before`() {
        let reading = read("a: 1\nb:\n  - { c: 2 }\n  - { d: 3, e: [4, 5\nf: 6\n")
        #expect(!reading.isComplete)
        #expect(reading.node?["a"]?.text == "1")
        #expect(reading.node?["b"]?.elements?.first?["c"]?.text == "2")
        #expect(reading.node?["b"]?.elements?.last?["d"]?.text == "3")
        #expect(reading.node?["b"]?.elements?.last?["e"]?.elements?.first?.text == "4")
    }

    @Test func `a sound text is complete`() {
        let reading = read("a: 1\n")
        #expect(reading.isComplete && reading.problems.isEmpty)
    }
}
