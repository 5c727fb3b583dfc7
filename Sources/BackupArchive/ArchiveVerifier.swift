import ClusterModel

/// Loads a state into an empty state machine and writes it again.
package typealias StateReload = @Sendable (_ state: [UInt8]) throws(BastionError) -> [UInt8]

/// Checks an archive at one of the levels of `backup verify`.
package struct ArchiveVerifier: Sendable {
    package enum Level: String, Sendable, CaseIterable { case quick, full }

    package enum Outcome: String, Sendable {
        case passed
        /// Everything but the missing sidecar is right.
        case unsealed
        /// A check could not run, which is never a pass.
        case inconclusive
        /// The archive is damaged or was changed.
        case failed
        /// Not one of our archives, or of a version that cannot be read.
        case unsupported

        package var exitStatus: Int32 {
            switch self {
            case .passed: 0
            case .unsealed, .inconclusive: 2
            case .failed: 9
            case .unsupported: 65
            }
        }
    }

    package struct Report: Sendable {
        package var level: Level
        package var outcome: Outcome
        package var sha256: String?
        /// Known once `full` has read it.
        package var manifest: BackupManifest?
        /// Why the outcome is not `passed`, and warnings of a pass.
        package var findings: [String]
        package var failure: BastionError?
    }

    /// Limit: a larger state is not loaded again.
    package static let reloadLimit: Int64 = 32 << 20

    private let reload: StateReload?

    /// Without `reload`, `full` is `inconclusive` at best.
    package init(reload: StateReload?) { self.reload = reload }

    /// - Parameter sealed: The hash in the sidecar, or nil when there is none.
    /// - Throws: `.io` only; what the archive is goes into the report.
    package func verify(_ file: ArchiveFile, sealed: String?, level: Level) throws(BastionError) -> Report {
        var report = Report(level: level, outcome: .passed, sha256: nil, manifest: nil, findings: [], failure: nil)
        do throws(BastionError) {
            let hash = try file.sha256()
            report.sha256 = hash
            if let sealed { try compare(hash, sealed) }
            if level == .full { try full(file, sealed, &report) }
        } catch {
            guard [.integrity, .invalidData].contains(error.code) else { throw error }
            report.outcome = error.code == .integrity ? .failed : .unsupported
            report.failure = error
            report.findings = [error.message, error.detail].compactMap { $0 }
            return report
        }
        if sealed == nil {
            if report.outcome == .passed { report.outcome = .unsealed }
            report.findings.append("there is no sidecar")
        }
        return report
    }

    private func full(_ file: ArchiveFile, _ sealed: String?, _ report: inout Report) throws(BastionError) {
        let pass = Pass(keepState: reload != nil)
        let facts = try ArchiveReader.read(file) { (path, piece) throws(BastionError) in try pass.take(path, Array(piece)) }
        try pass.finish()
        // The file may have been changed between the two passes.
        try compare(facts.sha256, sealed ?? report.sha256 ?? "")
        let manifest = try BackupManifest.read(pass.manifest)
        try check(manifest, facts.members, pass)
        report.manifest = manifest
        try reloadState(pass, &report)
        if manifest.source.mode == .stale { report.findings.append("the state is stale") }
        if manifest.source.assumedCommitted { report.findings.append("entries were assumed to be committed") }
    }

    private func check(
        _ manifest: BackupManifest, _ members: [BackupManifest.File], _ pass: Pass
    ) throws(BastionError) {
        guard manifest.files == Array(members.dropFirst().dropLast()) else { throw wrong("its manifest lists other files") }
        let listed = ChecksumList.text(members.dropLast().map { ($0.path, $0.sha256) })
        guard listed == pass.checksums else { throw wrong("its list of checksums is wrong") }
        guard manifest.files.first?.sha256 == manifest.state.sha256 else { throw wrong("the digest of the state is wrong") }
        guard Set(pass.stateKeys) == ArchiveMember.stateKeys else { throw wrong("its state has other top-level keys") }
        guard manifest.state.disagree.isEmpty else {
            throw wrong("nodes hold another state: \(manifest.state.disagree.joined(separator: ", "))")
        }
    }

    private func reloadState(_ pass: Pass, _ report: inout Report) throws(BastionError) {
        guard let reload else {
            report.outcome = .inconclusive
            report.findings.append("the state was not loaded again: no state machine is at hand")
            return
        }
        guard let state = pass.state else {
            report.findings.append("the state is larger than \(ArchiveVerifier.reloadLimit) bytes and was not loaded again")
            return
        }
        guard try reload(state) == state else { throw wrong("its state changes when it is loaded") }
    }

    private func compare(_ hash: String, _ expected: String) throws(BastionError) {
        guard hash == expected else { throw wrong("its hash is \(hash), expected \(expected)") }
    }

    private func wrong(_ reason: String) -> BastionError {
        BastionError(.integrity, "the backup archive does not pass verification", detail: reason)
    }

    /// What one pass keeps: small members, and the state while it is small enough to be loaded.
    private final class Pass {
        private(set) var manifest: [UInt8] = []
        private(set) var checksums: [UInt8] = []
        private(set) var state: [UInt8]?
        private(set) var stateKeys: [String] = []
        private var current = ""
        private var scanner: CanonicalScanner?
        private var scanned: Set<String> = []

        init(keepState: Bool) { state = keepState ? [] : nil }

        func take(_ path: String, _ bytes: [UInt8]) throws(BastionError) {
            if path != current { try begin(path) }
            try scanner?.add(bytes)
            switch path {
            case ArchiveMember.manifest: manifest += bytes
            case ArchiveMember.checksums: checksums += bytes
            case ArchiveMember.state:
                if let known = state, known.count + bytes.count > ArchiveVerifier.reloadLimit { state = nil }
                state?.append(contentsOf: bytes)
            default: break
            }
        }

        /// - Throws: `.integrity` when a document is not complete, or is empty and so never began.
        func finish() throws(BastionError) {
            try begin("")
            let documents = ArchiveMember.required.filter(ArchiveMember.isJSON)
            guard scanned == Set(documents) else {
                throw BastionError(.integrity, "the backup archive is damaged", detail: "a document is empty")
            }
        }

        /// What the manifest says; whether it is true is found out later.
        private var isTooLarge: Bool {
            do throws(BastionError) {
                return try BackupManifest.read(manifest).files.first.map { $0.size > ArchiveVerifier.reloadLimit } ?? false
            } catch {
                return false
            }
        }

        private func begin(_ path: String) throws(BastionError) {
            try scanner?.finish()
            if scanner != nil { scanned.insert(current) }
            if current == ArchiveMember.state { stateKeys = scanner?.topLevelKeys ?? [] }
            current = path
            if path == ArchiveMember.state, isTooLarge { state = nil }
            scanner = ArchiveMember.isJSON(path) ? CanonicalScanner() : nil
        }
    }
}
