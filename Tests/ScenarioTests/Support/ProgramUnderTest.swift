import FoundationEssentials
import Glibc
import PostgresTestKit
import Testing

/// The binary the daemons run: beside the test bundle, or what `PGBASTION_BINARY` names.
///
/// It is copied once, while this process can still read it, to a place the service user reaches.
struct ProgramUnderTest: SuiteTrait, TestScoping {
    var isRecursive: Bool { false }

    static let copy = "/tmp/pgbastion-test-\(getpid()).program"

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        _ = GuideText.sections
        let source = try ProgramUnderTest.source()
        try Data(contentsOf: URL(filePath: source)).write(to: URL(filePath: ProgramUnderTest.copy))
        chmod(ProgramUnderTest.copy, 0o755)
        ServiceUser.own(ProgramUnderTest.copy)
        defer { unlink(ProgramUnderTest.copy) }
        try await function()
    }

    private static func source() throws -> String {
        if let named = ProcessInfo.processInfo.environment["PGBASTION_BINARY"] { return named }
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let products = own.split(separator: "/").dropLast().joined(separator: "/")
        let candidates = ["/\(products)/pgbastion", PackageTree.root + "/.build/debug/pgbastion"]
        guard let found = candidates.first(where: { access($0, X_OK) == 0 }) else {
            throw ScenarioFailure("the binary is at none of \(candidates); build it, or set PGBASTION_BINARY")
        }
        return found
    }
}

extension Trait where Self == ProgramUnderTest {
    static var programUnderTest: ProgramUnderTest { ProgramUnderTest() }
}

enum PackageTree {
    /// The package's directory, seen from this file.
    static let root = #filePath.split(separator: "/").dropLast(4).reduce(into: "") { $0 += "/" + $1 }
}
