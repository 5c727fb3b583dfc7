import ClusterModel
import Glibc
import Testing

@testable import BackupArchive

@Suite struct SpoolTests {
    private let folder = Folder()

    @Test(arguments: [0, 1, 999, 1_000, 1_001, 700_000])
    func `what was put in comes out, in memory and in a file without a name`(count: Int) throws {
        let path = folder.file("s")
        #expect(mkdir(path, 0o700) == 0)
        let spool = Spool(folder: path, memoryLimit: 1_000)
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for start in stride(from: 0, to: count, by: 333) { try spool.append(Array(bytes[start..<min(start + 333, count)])) }
        #expect(spool.size == Int64(count))
        #expect(spool.sha256 == HexDigest.of(bytes))
        var read: [UInt8] = []
        try spool.forEach { (piece) throws(BastionError) in read += piece }
        #expect(read == bytes)
        #expect(try RepositoryFile.names(in: path).isEmpty)
    }

    @Test func `a spooled state gives the same archive as one in memory`() throws {
        let spool = Spool(folder: "/tmp", memoryLimit: 10)
        try spool.append(Fixture.state)
        var contents = Fixture.contents()
        contents.state = .spool(spool)
        #expect(try Fixture.bytes(contents) == Fixture.bytes())
    }

    @Test func `files that root writes belong to the owner of the directory (F06)`() throws {
        guard geteuid() == 0 else { return }
        let directory = folder.file("owned")
        var repository = Fixture.repository(directory)
        let owner = folder.file("owner")
        #expect(mkdir(owner, 0o700) == 0 && chown(owner, 65_534, 65_534) == 0)
        repository.newDirectoryOwner = owner
        let created = try Fixture.create(repository, index: 1)
        for name in ["", created.name, created.name + ".sha256"] {
            var status = stat()
            #expect(stat("\(directory)/\(name)", &status) == 0 && status.st_uid == 65_534, "\(name)")
        }
    }
}
