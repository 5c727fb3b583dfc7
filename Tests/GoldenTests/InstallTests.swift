import FoundationEssentials
import Glibc
import Testing

/// What `make install` and the image put where (F02, F05, F06, F08, L06).
@Suite struct InstallTests {
    private static let source = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }

    /// The recipe as it stands, but for the compiler: a small program stands in for what it would build.
    private func install(into folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder + "/build/release", withIntermediateDirectories: true)
        let copied = try Shell.run(["cp", "/bin/true", folder + "/build/release/pgbastion"])
        try #require(copied.status == 0, "\(copied.errors)")
        let made = try Shell.run(
            ["make", "--no-print-directory", "install", "SWIFT=true", "INSTALL_BUILD=\(folder)/build", "DESTDIR=\(folder)/root"],
            folder: Self.source)
        try #require(made.status == 0, "\(made.output)\(made.errors)")
    }

    private func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    @Test func `make install has all that belongs to it, and a second one keeps the program (F02, F05, L06)`() throws {
        let folder = try Scratch.folder()
        defer { Scratch.remove(folder) }
        try install(into: folder)
        let root = folder + "/root/usr/local"
        for file in [
            "bin/pgbastion", "bin/pgbastion-backup.sh", "lib/systemd/system/pgbastion.service",
            "lib/systemd/system/pgbastion-backup.service",
            "lib/systemd/system/pgbastion-backup.timer", "lib/sysusers.d/pgbastion.conf", "share/pgbastion/pgbastion-backup.cron",
            "share/pgbastion/runbooks/switchover.yaml", "share/man/man8/pgbastion.8", "share/man/man8/pgbastion-status.8",
            "share/man/man5/pgbastion.yaml.5", "share/man/man5/pgbastion-runbook.5", "share/man/man7/pgbastion-errors.7",
            "share/bash-completion/completions/pgbastion", "share/zsh/site-functions/_pgbastion",
            "share/fish/vendor_completions.d/pgbastion.fish",
        ] { #expect(exists(root + "/" + file), "\(file)") }
        #expect(!exists(root + "/bin/pgbastion.backup"))
        // A running program keeps its file: the name gets a new one.
        var before = stat()
        var after = stat()
        stat(root + "/bin/pgbastion", &before)
        try install(into: folder)
        stat(root + "/bin/pgbastion", &after)
        #expect(before.st_ino != after.st_ino && exists(root + "/bin/pgbastion.backup"))
        let unit = try String(contentsOfFile: root + "/lib/systemd/system/pgbastion.service", encoding: .utf8)
        #expect(unit.contains("ExecStart=/usr/local/bin/pgbastion serve\n") && unit.contains("KillMode=process\n") && !unit.contains("@"))
        #expect(unit.contains("chown --recursive --no-dereference postgres:postgres /var/lib/pgbastion/raft"))
        let wrapper = try String(contentsOfFile: root + "/bin/pgbastion-backup.sh", encoding: .utf8)
        #expect(wrapper.contains("RETENTION_DAYS") && wrapper.contains("/usr/local/bin/pgbastion backup"))
    }

    @Test func `the image has state, PostgreSQL, a health check and no root, as its Dockerfile says (F08)`() throws {
        let text = Golden.text(repositoryFile: "packaging/Dockerfile")
        let last = text.ranges(of: "\nFROM ").last.map { String(text[$0.upperBound...]) } ?? ""
        #expect(text.ranges(of: "\nFROM ").count == 2 && last.hasPrefix("debian:"))
        for line in [
            "VOLUME [\"/var/lib/pgbastion\"]", "USER postgres", "CMD [\"serve\"]", "CMD pgbastion health || exit 1",
            "COPY --from=build /image/ /", "EXPOSE 8300 8080 9090 5432 5433",
        ] { #expect(last.contains(line), "\(line)") }
        #expect(last.contains(" postgresql postgresql-contrib ") && last.contains("-o postgres -g postgres /var/lib/pgbastion"))
    }
}
