import Bastion
import Glibc
import Testing

extension ScenarioTests.Backups {
    @Test(arguments: [FaultInjection.Kind.once, .full])
    func `a write that fails anywhere in create ends as section 4 says, with no partial left (C3)`(kind: FaultInjection.Kind) async throws {
        let site = try FaultSite(try await sandboxOfSuite())
        defer { site.remove() }
        let base = site.names(site.base)
        let create = "'\(site.program)' backup create --keep --dir '\(site.work)' --config '\(site.config)'"
        let count = try site.faults.sweep(create, below: site.work, kind, prepare: site.renewed) { fault, result in
            let what = "\(fault.call) \(fault.path): \(result)"
            let names = site.names(site.work)
            try hold(result.status == site.statusOfCreate(fault), "exit \(result.status), not \(site.statusOfCreate(fault)): \(what)")
            try hold(!names.contains { $0.contains(".partial-") || $0.contains("spool") }, "\(names): \(what)")
            let archives = names.filter { $0.hasSuffix(".tar.gz") && $0 != "latest.tar.gz" }
            let before = base.filter { $0.hasSuffix(".tar.gz") && $0 != "latest.tar.gz" }
            if result.status == 74 {
                return try hold(names == base || names == base.filter { $0 != ".lock" }, "something is left: \(names): \(what)")
            }
            try hold(archives.count == before.count + 1 && archives.contains(before[0]), "\(names): \(what)")
            let listed = Shell.run("'\(site.program)' backup list -o json --dir '\(site.work)' --config '\(site.config)'")
            let states = try Shell.jq("[.data.backups[].status] | unique | join(\" \")", listed.output)
            try hold(["good", "good unsealed"].contains(states), "\(states): \(what)")
            let latest = Shell.run("'\(site.program)' backup verify latest --dir '\(site.work)' --config '\(site.config)'")
            try hold(latest.status == 0, "\(latest): \(what)")
            // What was left unsealed the next run seals.
            guard states != "good", kind == .once else { return }
            let again = Shell.run(create + " < /dev/null")
            let all = Shell.run("'\(site.program)' backup verify --all --dir '\(site.work)' --config '\(site.config)'")
            try hold(again.status == 0 && all.status == 0, "\(again) \(all): \(what)")
            try hold(!site.names(site.work).contains { $0.contains(".partial-") }, "\(site.names(site.work)): \(what)")
        }
        Report.line("create: \(count) calls refused (\(kind.rawValue))")
        try hold(count >= (kind == .once ? 15 : 6), "only \(count) calls were refused")
    }

    @Test func `killed in front of any call of create, the old archives or a whole new one are there (C1)`() async throws {
        let site = try FaultSite(try await sandboxOfSuite())
        defer { site.remove() }
        let create = "'\(site.program)' backup create --dir '\(site.work)' --config '\(site.config)'"
        let count = try site.faults.sweep(create, below: site.work, .killed, prepare: site.renewed) { fault, result in
            let what = "\(fault.call) \(fault.path): \(result)"
            try hold(result.status == 137, what)
            let listed = Shell.run("'\(site.program)' backup list -o json --dir '\(site.work)' --config '\(site.config)'")
            let states = try Shell.jq("[.data.backups[].status] | unique | join(\" \")", listed.output)
            try hold(["good", "good unsealed"].contains(states), "\(states): \(what)")
            let again = Shell.run(create + " < /dev/null")
            let all = Shell.run("'\(site.program)' backup verify --all --dir '\(site.work)' --config '\(site.config)'")
            try hold(again.status == 0 && all.status == 0, "\(again) \(all): \(what)")
        }
        Report.line("create: killed \(count) times")
        try hold(count >= 8, "killed only \(count) times")
    }

    @Test func `killed in front of any call of restore, the directory is the old or the new one, and both ways work (C2)`() async throws {
        let site = try FaultSite(try await sandboxOfSuite())
        defer { site.remove() }
        let raft = site.folder + "/node/raft"
        let options = "--confirm sandbox --config '\(site.restoreConfig)'"
        let count = try site.faults.sweep(
            "'\(site.program)' restore latest --bootstrap --assume-dead \(options)", below: site.folder + "/node", .killed,
            prepare: "rm -rf '\(site.folder)/node'; mkdir -p '\(raft)'; echo old > '\(raft)/old'"
        ) { fault, result in
            let what = "\(fault.call) \(fault.path): \(result)"
            try hold(result.status == 137, what)
            let isNew = access(raft + "/RESTORED.json", F_OK) == 0
            try hold(isNew == (access(raft + "/old", F_OK) != 0), "parts of two directories: \(what)")
            let way = isNew ? "--undo" : "latest --bootstrap --assume-dead"
            let again = Shell.run("'\(site.program)' restore \(way) \(options) < /dev/null")
            try hold(again.status == 0, "\(again): \(what)")
            try hold(isNew == (access(raft + "/old", F_OK) == 0), "\(again): \(what)")
        }
        Report.line("restore: killed \(count) times")
        try hold(count >= 10, "killed only \(count) times")
    }

    @Test func `a failed copy is 7, and the archive itself is good (C3)`() async throws {
        let site = try FaultSite(try await sandboxOfSuite())
        defer { site.remove() }
        let copies = site.folder + "/copies"
        let count = try site.faults.sweep(
            "'\(site.program)' backup create --dir '\(site.work)' --copy-to '\(copies)' --config '\(site.config)'", below: copies, .full,
            prepare: "rm -rf '\(copies)'; \(site.renewed)"
        ) { fault, result in
            let what = "\(fault.call) \(fault.path): \(result)"
            try hold(result.status == 7 && result.errors.contains("was stored"), what)
            let left = access(copies, F_OK) == 0 ? site.names(copies) : []
            try hold(!left.contains { $0.contains(".partial-") }, "\(left): \(what)")
            let latest = Shell.run("'\(site.program)' backup verify latest --dir '\(site.work)' --config '\(site.config)'")
            try hold(latest.status == 0, "\(latest): \(what)")
        }
        try hold(count >= 6, "only \(count) calls were refused")
    }

    @Test func `a removal that fails in prune is 7, the rest is still tried (C3, R15)`() async throws {
        let site = try FaultSite(try await sandboxOfSuite(), archives: 3)
        defer { site.remove() }
        let count = try site.faults.sweep(
            "'\(site.program)' backup prune --yes --dir '\(site.work)' --config '\(site.config)'", below: site.work, .once,
            prepare: site.renewed
        ) { fault, result in
            let what = "\(fault.call) \(fault.path): \(result)"
            let archives = site.names(site.work).filter { $0.hasSuffix(".tar.gz") && $0 != "latest.tar.gz" }
            switch fault.call {
            case "open", "mkdir": try hold(result.status == 74 && archives.count == 3, what)
            case "close": try hold(result.status == 0 && archives.count == 1, what)
            default: try hold(result.status == 7 && archives.count <= 2, what)
            }
            let latest = Shell.run("'\(site.program)' backup verify latest --dir '\(site.work)' --config '\(site.config)'")
            try hold(latest.status == 0, "\(latest): \(what)")
        }
        try hold(count >= 5, "only \(count) calls were refused")
    }

    @Test(arguments: FaultInjection.Kind.ofThisRun)
    func `a write that fails anywhere in restore leaves the complete old or the complete new directory (C3)`(
        kind: FaultInjection.Kind
    ) async throws {
        let site = try FaultSite(try await sandboxOfSuite())
        defer { site.remove() }
        let raft = site.folder + "/node/raft"
        let count = try site.faults.sweep(
            "'\(site.program)' restore latest --bootstrap --assume-dead --confirm sandbox --config '\(site.restoreConfig)'",
            below: site.folder + "/node", kind,
            prepare: "rm -rf '\(site.folder)/node'; mkdir -p '\(raft)'; echo old > '\(raft)/old'"
        ) { fault, result in
            let what = "\(fault.call) \(fault.path): \(result)"
            let beside = site.names(site.folder + "/node")
            let isNew = access(raft + "/RESTORED.json", F_OK) == 0
            try hold(isNew == (access(raft + "/old", F_OK) != 0), "parts of two directories: \(what)")
            switch result.status {
            case 0: try hold(isNew && beside.contains { $0.hasPrefix("raft.pre-restore-") }, what)
            case 74 where !isNew: try hold(beside == ["raft"], "\(beside): \(what)")
            case 74:
                // The exchange is done, and the disk does not allow to take it back: the old directory is kept as a whole.
                try hold(beside.count == 2, "\(beside): \(what)")
            default: throw ScenarioFailure("exit \(result.status): \(what)")
            }
            // Whatever failed, the disk being well again, the same command or the way back works.
            guard result.status == 74, isNew || fault.call == "rename" else { return }
            let way = isNew ? "--undo" : "latest --bootstrap --assume-dead"
            let again = Shell.run("'\(site.program)' restore \(way) --confirm sandbox --config '\(site.restoreConfig)' < /dev/null")
            try hold(again.status == 0, "\(again): \(what)")
            if isNew { try hold(access(raft + "/old", F_OK) == 0, "the old directory is not back: \(what)") }
        }
        Report.line("restore: \(count) calls refused (\(kind.rawValue))")
        try hold(count >= (kind == .once ? 25 : 10), "only \(count) calls were refused")
    }

    @Test func `a write that fails anywhere in node reset leaves the old directory, or it is moved aside (C3)`() async throws {
        let site = try FaultSite(try await sandboxOfSuite())
        defer { site.remove() }
        let raft = site.folder + "/node/raft"
        let count = try site.faults.sweep(
            "'\(site.program)' node reset --confirm node1 --config '\(site.restoreConfig)'", below: site.folder + "/node", .once,
            prepare: "rm -rf '\(site.folder)/node'; mkdir -p '\(raft)'; echo old > '\(raft)/old'"
        ) { fault, result in
            let what = "\(fault.call) \(fault.path): \(result)"
            let beside = site.names(site.folder + "/node")
            try hold([0, 74].contains(result.status), what)
            try hold(!beside.contains { $0.hasPrefix("raft.restore-") }, "\(beside): \(what)")
            let isOld = access(raft + "/old", F_OK) == 0
            try hold(isOld != beside.contains { $0.hasPrefix("raft.reset-") }, "\(beside): \(what)")
            if result.status == 0 { try hold(!isOld, what) }
        }
        try hold(count >= 6, "only \(count) calls were refused")
    }

    private func sandboxOfSuite() async throws -> Sandbox {
        try await SuiteCluster.required().sandbox()
    }
}

/// A folder with a directory of good archives, and one to spoil.
private struct FaultSite {
    let faults: FaultInjection
    let program: String
    let folder: String
    let config: String
    let restoreConfig: String
    var base: String { folder + "/base" }
    var work: String { folder + "/work" }
    /// The directory to spoil is as it was.
    var renewed: String { "rm -rf '\(work)' && cp -a '\(base)' '\(work)'" }

    init(_ sandbox: Sandbox, archives: Int = 1) throws {
        faults = try FaultInjection()
        program = sandbox.program
        let node = sandbox.layout.nodes[0]
        folder = "\(sandbox.layout.directory)/faults-\(UInt32.random(in: 1 ... .max))"
        config = folder + "/backup.yaml"
        restoreConfig = folder + "/restore.yaml"
        let keeping =
            "  retention: {keep_last: 1, keep_hourly: 0, keep_daily: 0, keep_weekly: 0, keep_monthly: 0, keep_within: 0s, min_redundancy: 1}"
        let made = Shell.run(
            """
            mkdir -p '\(folder)/node/raft' && cp '\(sandbox.layout.configuration(node))' '\(config)' \
            && printf 'backup:\\n\(archives == 1 ? "  dir: \(folder)/base" : keeping)\\n' >> '\(config)' \
            && sed 's|data_dir: .*/raft$|data_dir: \(folder)/node/raft|' '\(sandbox.layout.configuration(node))' > '\(restoreConfig)' \
            && printf 'backup:\\n  dir: \(folder)/base\\n' >> '\(restoreConfig)' \
            && for i in $(seq \(archives)); do '\(program)' backup -q --no-prune --dir '\(folder)/base' --config '\(config)' < /dev/null || exit 1; done
            """)
        try hold(made.status == 0, "\(made)")
    }

    func remove() {
        faults.remove()
        _ = Shell.run("rm -rf '\(folder)'")
    }

    func names(_ directory: String) -> [String] {
        Shell.run("ls -A '\(directory)'").output.split(separator: "\n").map(String.init)
    }

    /// The table of section 4: up to the rename nothing is stored (74), behind it the archive is there (7).
    func statusOfCreate(_ fault: FaultInjection.Fault) -> Int32 {
        if fault.name == ".lock" { return fault.call == "close" ? 0 : 74 }
        if fault.call == "mkdir" || fault.name.contains(".tar.gz.partial-") { return 74 }
        // There is nothing to remove at that place.
        if fault.call == "unlink", fault.name.hasPrefix(".sandbox-") { return 0 }
        return 7
    }
}
