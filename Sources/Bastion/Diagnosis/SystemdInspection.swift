import ClusterModel
import Glibc

/// Unit files as systemd would read them, and what else on a Debian machine starts or restarts servers.
struct SystemdInspection {
    var dataDirectory: String?
    /// "/" outside of tests.
    var root = ""

    private static let unitDirectories = [
        "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/lib/systemd/system",
    ]

    func facts() -> SystemdFacts {
        var facts = SystemdFacts()
        facts.isPresent = access(root + "/run/systemd/system", F_OK) == 0
        let name = "pgbastion.service"
        facts.unitFile = SystemdInspection.unitDirectories.map { "\(root)\($0)/\(name)" }.first { access($0, R_OK) == 0 }
        if let file = facts.unitFile {
            facts.service = SystemdInspection.service(([file] + dropIns(name)).compactMap { TextFiles.read($0) })
        }
        facts.distributionUnits = distributionUnits()
        facts.hasNeedrestart = access(root + "/etc/needrestart", F_OK) == 0
        facts.needrestartSpares = TextFiles.entries(root + "/etc/needrestart/conf.d").contains {
            TextFiles.read(root + "/etc/needrestart/conf.d/" + $0)?.contains("pgbastion") == true
        }
        return facts
    }

    private func dropIns(_ name: String) -> [String] {
        SystemdInspection.unitDirectories.reversed().flatMap { directory in
            TextFiles.entries("\(root)\(directory)/\(name).d").filter { $0.hasSuffix(".conf") }.map {
                "\(root)\(directory)/\(name).d/\($0)"
            }
        }
    }

    /// The keys of section `[Service]`; a later text overrides an earlier one.
    static func service(_ texts: [String]) -> [String: String] {
        var values: [String: String] = [:]
        for text in texts {
            var section = ""
            for line in text.split(separator: "\n").map({ $0.drop { $0 == " " } }) {
                if line.hasPrefix("[") { section = String(line) }
                guard section.hasPrefix("[Service]"), !line.hasPrefix("#"), !line.hasPrefix(";"), let equals = line.firstIndex(of: "=")
                else { continue }
                values[String(line[..<equals])] = String(line[line.index(after: equals)...])
            }
        }
        return values
    }

    /// Debian's units that would start a server in this data directory: `postgresql.service` starts every cluster whose
    /// `start.conf` says `auto`.
    private func distributionUnits() -> [String] {
        let wanted = "\(root)/etc/systemd/system/multi-user.target.wants"
        let enabled = TextFiles.entries(wanted).filter { $0.hasPrefix("postgresql") && $0.hasSuffix(".service") }
        guard !enabled.isEmpty, let dataDirectory else { return [] }
        let clusters = "\(root)/etc/postgresql"
        let isStarted = TextFiles.entries(clusters).contains { version in
            TextFiles.entries("\(clusters)/\(version)").contains { name in
                let directory = "\(clusters)/\(version)/\(name)"
                let settings = TextFiles.read(directory + "/postgresql.conf") ?? ""
                let start =
                    (TextFiles.read(directory + "/start.conf") ?? "auto").split(separator: "\n").first { !$0.hasPrefix("#") } ?? "auto"
                return start.hasPrefix("auto") && settings.contains("'\(dataDirectory)'")
            }
        }
        return isStarted ? enabled : []
    }
}
