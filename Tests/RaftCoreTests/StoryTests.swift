import Stories
import Testing

private let directory =
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    .joined(separator: "/") + "/Stories"

struct StoryTests {
    @Test(arguments: try StoryFile.all(in: directory)) func `every story holds`(_ path: String) throws {
        var runner = StoryRunner()
        let differences = try StoryFile(path: path).check { runner.run($0) }
        #expect(differences == [])
    }
}
