import BackupArchive
import ClusterModel
import Glibc
import Operations
import Testing

@testable import Bastion

/// `support-bundle`: everything there is, and no secret (`cli.md` 3.9).
@Suite struct SupportBundleTests {
    private let site = Site()

    private func bundle(
        out: String? = nil, redacts: Bool = true, connect: @escaping @Sendable () throws(BastionError) -> any OperationInvoker
    ) async throws -> LocalAnswer {
        var options = SupportBundle.Options()
        options.out = out ?? site.directory
        options.redacts = redacts
        options.tokenFile = site.directory + "/token"
        return try await SupportBundle(configurationPath: site.directory + "/pgbastion.yaml", options: options, connect: connect)
            .make(now: 1_771_293_600)
    }

    private static let down: @Sendable () throws(BastionError) -> any OperationInvoker = { () throws(BastionError) in
        throw BastionError(.unavailable, "no daemon runs in this test")
    }

    /// The files of an archive, unpacked by the host's tar.
    private func unpack(_ answer: LocalAnswer) throws -> [String: String] {
        let path = try #require(answer.data["path"]?.string)
        let folder = site.directory + "/unpacked-\(UInt32.random(in: .min ... .max))"
        mkdir(folder, 0o700)
        try #require(system("tar -xzf '\(path)' -C '\(folder)' --strip-components=1") == 0)
        var files: [String: String] = [:]
        func walk(_ inner: String) {
            for name in TextFiles.entries(folder + inner) {
                var status = stat()
                guard lstat(folder + inner + "/" + name, &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFDIR {
                    walk(inner + "/" + name)
                } else {
                    files[String((inner + "/" + name).dropFirst())] = TextFiles.read(folder + inner + "/" + name)
                }
            }
        }
        walk("")
        return files
    }

    private func manifest(_ files: [String: String]) throws -> JSONValue {
        try JSONParser.parse(Array(try #require(files["manifest.json"]).utf8))
    }

    @Test func `with the daemon down it has what this machine knows, and says what is missing`() async throws {
        try site.make()
        let answer = try await bundle(connect: Self.down)
        let path = site.directory + "/pgbastion-support-node1-20260217T020000Z.tar.gz"
        #expect(answer.data["path"] == .string(path))
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(answer.data["size_bytes"] == .number("\(status.st_size)"))
        #expect(answer.warnings.contains { $0.contains("no daemon runs in this test") })
        let files = try unpack(answer)
        for part in ["config/pgbastion.yaml", "config/effective.txt", "config/findings.txt", "machine/doctor.json", "machine/doctor.txt"] {
            #expect(files[part]?.isEmpty == false, "\(part) of \(files.keys.sorted())")
        }
        let document = try manifest(files)
        #expect(document["redacted"] == .bool(true) && document["node"] == .string("node1"))
        let missing = document["missing"]?.elements ?? []
        #expect(missing.contains { $0["path"] == .string("cluster/status.json") && $0["reason"] == .string("no daemon runs in this test") })
        let listed = (document["files"]?.elements ?? []).compactMap { $0["path"]?.string }
        #expect(listed == listed.sorted() && Set(listed + ["manifest.json"]) == Set(files.keys))
    }

    @Test(arguments: [true, false])
    func `no secret is in it, whoever writes it down`(redacts: Bool) async throws {
        try site.make()
        let leaks = Site.secrets.map { "\\\"\($0)\\\"" }.joined(separator: " ")
        let answer = try await bundle(redacts: redacts) { () throws(BastionError) in Talker(says: leaks) }
        let files = try unpack(answer)
        #expect(files.keys.filter { $0.hasPrefix("cluster/") }.count > 20)
        #expect(files["cluster/logs.json"]?.contains("said") == true)
        for secret in Site.secrets {
            let holders = files.filter { $0.value.contains(secret) }.keys.sorted()
            #expect(holders.isEmpty == redacts, "\(secret) is in \(holders)")
        }
        if redacts {
            #expect(files["config/pgbastion.yaml"]?.contains("# a comment stays") == true)
            for (name, text) in files where name.hasSuffix(".json") {
                #expect(throws: Never.self, "\(name)") { try JSONParser.parse(Array(text.utf8)) }
            }
        } else {
            #expect(answer.warnings.contains { $0.contains("in clear text") })
        }
    }

    @Test func `a configuration file that is no YAML is left out, and the rest is there`() async throws {
        try site.make()
        try TextFiles.write("api: [auth_token: \(Site.secrets[0])\n", to: site.directory + "/pgbastion.yaml")
        let files = try unpack(try await bundle(connect: Self.down))
        #expect(files["config/pgbastion.yaml"] == nil && files["machine/doctor.json"] != nil)
        #expect(try manifest(files)["missing"]?.elements?.contains { $0["path"] == .string("config/pgbastion.yaml") } == true)
        #expect(!files.values.contains { $0.contains(Site.secrets[0]) })
    }

    @Test func `what cannot be written ends with 74 and leaves nothing`() async throws {
        try site.make()
        try TextFiles.write("mine", to: site.directory + "/there.tar.gz")
        for out in [site.directory + "/there.tar.gz", site.directory + "/no/such/place.tar.gz", "/proc/x.tar.gz"] {
            let error = await #expect(throws: BastionError.self) { try await bundle(out: out, connect: Self.down) }
            #expect(error?.code == .io && error?.code.exitStatus == 74, "\(out): \(error?.description ?? "")")
        }
        #expect(TextFiles.read(site.directory + "/there.tar.gz") == "mine")
        #expect(!TextFiles.entries(site.directory).contains { $0.contains(".partial") })
    }

    @Test func `an address that is none stops it`() async throws {
        try site.make()
        let error = await #expect(throws: BastionError.self) {
            try await bundle { () throws(BastionError) in throw BastionError(.usage, "no address") }
        }
        #expect(error?.code == .usage)
    }
}

/// A daemon that tells secrets in every answer, as a defect or a careless log line would.
private struct Talker: OperationInvoker {
    var says: String

    func invoke(_ call: OperationCall) async throws(BastionError) -> [UInt8] {
        Array(
            #"{"format_version":"1.0","kind":"X","ok":false,"data":null,"warnings":["said \#(says)"],"error":{"code":"failed","#.utf8)
            + Array(#""message":"said \#(says)"},"request_id":"a","captured_at":""}"#.utf8)
    }
}

private final class Site: Sendable {
    static let secrets = ["TOPSECRET-token-77", "hunter22-database", "generated-00ff11ee", "file-token-4711"]
    let directory: String

    init() {
        directory = "/tmp/pgbastion-support-test-\(getpid())-\(UInt32.random(in: .min ... .max))"
        mkdir(directory, 0o700)
    }
    deinit { TextFiles.removeTree(directory) }

    func make() throws {
        for folder in ["/state", "/state/postgresql"] { mkdir(directory + folder, 0o700) }
        try TextFiles.write(#"{"replicationPassword":"\#(Self.secrets[2])"}"#, to: directory + "/state/postgresql/secrets.json")
        try TextFiles.write(Self.secrets[3] + "\n", to: directory + "/token")
        try TextFiles.write(
            """
            # a comment stays, \(Self.secrets[2]) and \(Self.secrets[3]) leave
            node:
              name: node1
              address: 127.0.0.1
              state_dir: \(directory)/state
              run_dir: \(directory)/run
            raft:
              data_dir: \(directory)/raft
            api:
              auth_token: \(Self.secrets[0])
            postgresql:
              connect_dsn: host=/run/postgresql user=app password=\(Self.secrets[1])
            backup:
              dir: \(directory)/backups

            """, to: directory + "/pgbastion.yaml")
    }
}
