import BackupArchive
import ClusterModel
import ConfigFiles
import FoundationEssentials
import Glibc
import Operations
import PostgresControl

/// `support-bundle`: what somebody who helps needs to see, in one archive.
///
/// Nothing stops it but a file that cannot be written: what a daemon or this machine does not tell is named in
/// `manifest.json`, with the reason.
package struct SupportBundle: Sendable {
    package struct Options: Sendable {
        /// A file, or a directory for a file of the usual name; nil: the current directory.
        package var out: String?
        package var redacts = true
        /// `PGBASTION_TOKEN` and the file of `--token-file`: secrets that the configuration does not name.
        package var token: String?
        package var tokenFile: String?

        package init() {}
    }

    let configurationPath: String
    let options: Options
    let connect: @Sendable () throws(BastionError) -> any OperationInvoker
    private var members: [FileBundle.Member] = []
    private var missing: [(path: String, reason: String)] = []
    private var warnings: [String] = []
    private var secrets: [Secret] = []
    private var node: String?

    package init(
        configurationPath: String, options: Options, connect: @escaping @Sendable () throws(BastionError) -> any OperationInvoker
    ) {
        self.configurationPath = configurationPath
        self.options = options
        self.connect = connect
    }

    /// What the file never holds, whatever is asked for.
    private static let neverIncluded = [
        "PostgreSQL data, WAL and server log (they hold your data and SQL text)", "token files, private keys, generated passwords",
        "the cluster state in full (that is `pgbastion backup create`)",
    ]

    /// - Throws: `.io` when the archive cannot be written; what connecting throws when the address is none.
    package func make(now: Int64 = wallClockMilliseconds() / 1_000) async throws(BastionError) -> LocalAnswer {
        var bundle = self
        return try await bundle.carryOut(ArchiveTime(seconds: now))
    }

    private mutating func carryOut(_ now: ArchiveTime) async throws(BastionError) -> LocalAnswer {
        addConfiguration()
        let reason = try await addCluster()
        if let reason { await addOfflineDoctor(reason) }
        await addJournal()
        addBackups()
        let name = "pgbastion-support-\(node ?? "unknown")-\(now.compact)"
        let path = target(name)
        let filter = SecretFilter(secrets: secrets)
        if options.redacts {
            for index in members.indices { members[index].bytes = filter.clean(members[index].bytes) }
            missing = missing.map { ($0.path, filter.clean($0.reason)) }
            warnings = warnings.map(filter.clean)
        } else {
            warnings.append("the bundle holds the passwords and tokens of the configuration in clear text")
        }
        let files = members.sorted { $0.path < $1.path }
        let manifest = FileBundle.Member("manifest.json", manifest(files, now).bytes + [0x0A])
        let size = try FileBundle(folder: name, createdAt: now, members: [manifest] + files).store(at: path)
        return LocalAnswer(
            text: "\(path)  \(SizeValue(bytes: UInt64(size)))  \(files.count) files",
            data: .record([("path", .string(path)), ("size_bytes", .number("\(size)"))]), warnings: warnings)
    }

    /// Absolute, so that it means the same to whoever reads the answer.
    private func target(_ name: String) -> String {
        let out = options.out ?? "."
        let isDirectory = out.hasSuffix("/") || MachineInspection.status(out).map { $0.st_mode & S_IFMT == S_IFDIR } == true
        var path = isDirectory ? (out.hasSuffix("/") ? out : out + "/") + name + ".tar.gz" : out
        if path.hasPrefix("./") { path = String(path.dropFirst(2)) }
        return path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    private func manifest(_ files: [FileBundle.Member], _ now: ArchiveTime) -> JSONValue {
        .record([
            ("format", .string("pgbastion-support/1")), ("created_at", .string(now.description)),
            ("tool", .record([("version", .string(BuildInformation.version)), ("commit", .string(BuildInformation.commit))])),
            ("node", node.map { .string($0) } ?? .null), ("redacted", .bool(options.redacts)),
            (
                "files",
                .array(
                    files.map {
                        .record([("path", .string($0.path)), ("size_bytes", .number("\($0.bytes.count)")), ("sha256", .string($0.sha256))])
                    })
            ),
            ("missing", .array(missing.map { .record([("path", .string($0.path)), ("reason", .string($0.reason))]) })),
            ("never_included", .array(Self.neverIncluded.map { .string($0) })),
        ])
    }

    private mutating func add(_ path: String, _ text: String) { members.append(.init(path, Array(text.utf8))) }

    // MARK: this machine

    /// The file as it is but for its secrets, what is wrong with it, and every value in effect.
    private mutating func addConfiguration() {
        let path = "config/pgbastion.yaml"
        do throws(ConfigurationErrors) {
            let clean = try ConfigurationRedaction.redact(path: configurationPath)
            secrets += clean.secrets
            members.append(.init(path, options.redacts ? clean.bytes : Array((TextFiles.read(configurationPath) ?? "").utf8)))
        } catch {
            let reason = error.bastionError
            missing.append((path, "what cannot be understood cannot be redacted: \(reason.detail ?? reason.message)"))
            warnings.append("the configuration file is not in the bundle: \(reason.message)")
        }
        let findings = ConfigurationEntry.validate(configurationPath)
        add(
            "config/findings.txt",
            (findings.errors + findings.warnings + ["\(findings.errors.count) errors"]).joined(separator: "\n") + "\n")
        do throws(BastionError) {
            let lines = try ConfigurationEntry.show(configurationPath, effective: true)
            add("config/effective.txt", lines.map { "\($0.key): \($0.value)  # \($0.origin)\n" }.joined())
        } catch {
            missing.append(("config/effective.txt", error.message))
        }
        if let configuration = readConfiguration() { noteSecrets(configuration) }
        if let token = options.token { secrets.append(Secret(token)) }
        if let file = options.tokenFile { noteToken(file) }
    }

    private func readConfiguration() -> NodeConfiguration? {
        do throws(ConfigurationErrors) {
            return try ConfigurationFile.load(path: configurationPath, tokenFiles: .skip).configuration
        } catch {
            return nil
        }
    }

    /// What is secret here without standing in the configuration file; who may not read it cannot betray it either.
    private mutating func noteSecrets(_ configuration: NodeConfiguration) {
        node = configuration.node.name.rawValue
        if let file = configuration.api.authTokenFile { noteToken(file) }
        guard let text = TextFiles.read(configuration.node.stateDirectory + "/postgresql/secrets.json") else { return }
        // The file is ours; if it cannot be read as JSON, the whole text is what must not leave.
        do throws(BastionError) {
            secrets += (try JSONParser.parse(Array(text.utf8)).members ?? []).compactMap { $0.value.string.map { Secret($0) } }
        } catch {
            secrets.append(Secret(text))
        }
    }

    private mutating func noteToken(_ file: String) {
        guard let text = TextFiles.read(file) else { return }
        secrets += text.split(whereSeparator: \.isWhitespace).map { Secret(String($0)) }
    }

    private mutating func addJournal() async {
        let path = "logs/journal.txt"
        let program = ["/usr/bin/journalctl", "/bin/journalctl"].first { (path: String) in access(path, X_OK) == 0 }
        guard let program else { return missing.append((path, "there is no journalctl on this machine")) }
        let text = await OutsideProgram.text(program, ["-u", "pgbastion", "-n", "5000", "--no-pager", "-q", "-o", "short-iso"]) ?? ""
        guard !text.isEmpty else { return missing.append((path, "the journal has no lines of the unit pgbastion that this user may read")) }
        add(path, text)
    }

    private mutating func addBackups() {
        let path = "backups.json"
        do throws(BastionError) {
            let connect = connect
            let commands = BackupCommands(configurationPath: configurationPath, connect: connect, note: { _ in })
            let input = try JSONText.decode(BackupInput.self, from: Array(#"{"all":true}"#.utf8))
            members.append(.init(path, try JSONText.encode(try commands.list(input))))
        } catch {
            missing.append((path, error.message))
        }
    }

    // MARK: the daemon

    private struct Question {
        var operation: String
        var input = "{}"
        /// Also as the text that people read.
        var isShown = false
    }

    private static let questions = [
        Question(operation: "status", isShown: true), Question(operation: "version", input: #"{"cluster":true}"#),
        Question(operation: "doctor", input: #"{"all":true}"#, isShown: true),
        Question(operation: "logs", input: #"{"all":true,"n":1000}"#, isShown: true), Question(operation: "health"),
        Question(operation: "health-history"), Question(operation: "explain", isShown: true), Question(operation: "events"),
        Question(operation: "history"), Question(operation: "peer.list"), Question(operation: "raft.status"),
        Question(operation: "raft.digest"), Question(operation: "raft.log"), Question(operation: "replication.status"),
        Question(operation: "replication.slots"), Question(operation: "topology"), Question(operation: "routes"),
        Question(operation: "vip.status"), Question(operation: "directive.list"), Question(operation: "op.list"),
        Question(operation: "pgconfig.get"), Question(operation: "pgconfig.diff"), Question(operation: "config.diff"),
        Question(operation: "upgrade-check"), Question(operation: "audit.list"), Question(operation: "state.export"),
        Question(operation: "metrics"),
    ]

    /// - Returns: Why no daemon could be asked; nil when one was.
    private mutating func addCluster() async throws(BastionError) -> String? {
        let invoker: any OperationInvoker
        do throws(BastionError) { invoker = try connect() } catch {
            // An address or a context that is none is a slip; a token that cannot be read is what the bundle may be about.
            if [.usage, .notFound].contains(error.code) { throw error }
            return skip(because: error)
        }
        for (index, question) in Self.questions.enumerated() {
            let path = "cluster/\(question.operation).json"
            do throws(BastionError) {
                let call = OperationCall(
                    operation: question.operation, input: Array(question.input.utf8), requestID: Self.requestID(),
                    timeout: .seconds(10))
                let bytes = try await invoker.invoke(call)
                try add(question, try OperationEnvelope(parsing: bytes), bytes)
            } catch {
                // Nobody is asked twenty times who does not answer, or who does not let us in.
                if index == 0 { return skip(because: error) }
                missing.append((path, error.message))
            }
        }
        return nil
    }

    private mutating func add(_ question: Question, _ envelope: OperationEnvelope, _ bytes: [UInt8]) throws(BastionError) {
        let path = "cluster/\(question.operation)"
        members.append(.init(path + ".json", bytes))
        node = node ?? envelope.node
        if let error = envelope.error { missing.append((path + ".json", "answered with an error: \(error.message)")) }
        guard question.isShown, let data = envelope.data, let operation = Catalogue.operation(named: question.operation) else { return }
        add(path + ".txt", try operation.render(data: data.bytes).text + "\n")
    }

    private mutating func skip(because error: BastionError) -> String {
        missing += Self.questions.map { ("cluster/\($0.operation).json", error.message) }
        warnings.append("the bundle has only what this machine knows: \(error.message)")
        return error.message
    }

    private mutating func addOfflineDoctor(_ reason: String) async {
        do throws(BastionError) {
            let bytes = try await DiagnosisEntry.doctor(DoctorOperation.Input(), path: configurationPath, reason: reason)
            members.append(.init("machine/doctor.json", bytes))
            if let operation = Catalogue.operation(named: "doctor") {
                add("machine/doctor.txt", try operation.render(data: bytes).text + "\n")
            }
        } catch {
            missing.append(("machine/doctor.json", error.message))
        }
    }

    private static func requestID() -> RequestID {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        guard let id = RequestID("support-\(digits)") else { preconditionFailure("hexadecimal digits are a request id: \(digits)") }
        return id
    }
}
