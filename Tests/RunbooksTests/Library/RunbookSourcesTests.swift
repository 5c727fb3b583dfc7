import ConfigFiles
import Runbooks
import Testing

@Suite struct RunbookSourcesTests {
    private func sources(_ directories: [String]) -> RunbookSources {
        RunbookSources(
            directories: directories, list: { _ in [] }, read: { _ in [] },
            parse: { YAMLDocument.read($0, limits: YAMLLimits(bytes: 1000, scalarBytes: 100)) })
    }

    @Test(arguments: ["runbooks", "runbooks/", "./runbooks"])
    func `a directory that is searched anyway does not hide its own files`(wanted: String) {
        var sources = self.sources(["/etc/x", "runbooks"])
        sources.prefer([wanted])
        #expect(sources.directories == ["runbooks", "/etc/x"])
    }

    @Test func `what is preferred comes first, in its order`() {
        var sources = self.sources(["/etc/x"])
        sources.prefer(["/", "a"])
        #expect(sources.directories == ["/", "a", "/etc/x"])
    }
}
